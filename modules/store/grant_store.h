/**
 * The interface of grant stores. It hides from its users where a grant is stored and with which key its nonces are
 * generated.
 *
 * st_grants_store implements it in shared memory. Times are apr_time_t and passed by the caller. The functions can be
 * called in any thread of any process; each is atomic and returns in bounded time.
 */
#ifndef INTERAUTH_ST_GRANT_STORE_H
#define INTERAUTH_ST_GRANT_STORE_H

#include "grant_table.h"

/** Refers to a grant that was found. Its contents are private to the store. */
typedef struct st_grant_ref {
    apr_uint64_t words[2];
} st_grant_ref;

/** Number of grants in a store. */
typedef struct st_grant_count {
    apr_uint32_t live; /**< including expired grants that were not removed yet */
    apr_uint32_t capacity;
} st_grant_count;

typedef struct st_grant_store {
    const struct st_grant_store_functions *functions;
    void *self;
} st_grant_store;

/** An implementation; see the functions below. */
typedef struct st_grant_store_functions {
    st_result (*create)(void *self, const st_grant *grant, apr_uint32_t quota, apr_time_t forget, apr_time_t now);
    st_result (*find)(void *self, const unsigned char digest[IA_SHA256_LEN], st_grant *copy, st_grant_ref *ref);
    st_result (*use_nonce)(void *self, const st_grant_ref *ref, const ia_nonce_claim *claim, apr_time_t now,
                           apr_time_t lifetime, apr_uint64_t *next);
    st_result (*issue)(void *self, const st_grant_ref *ref, apr_uint64_t *sequences, unsigned count);
    st_result (*refresh)(void *self, const st_grant_ref *ref, const st_refresh *refresh, apr_uint64_t *sequences,
                         unsigned count);
    st_result (*end)(void *self, const st_grant_ref *ref);
    st_result (*use_stamp)(void *self, apr_uint32_t participant_index, apr_uint64_t stamp);
    apr_uint64_t (*stamp)(void *self, apr_time_t now);
    apr_uint64_t (*clock)(void *self, apr_time_t now);
    const ia_mac_key *(*nonce_key)(void *self); /**< only for grant_store.c */
    void (*count)(void *self, st_grant_count *out);
} st_grant_store_functions;

/** Initializes a store in shared memory. `grants` must outlive it. */
void st_grants_store(st_grant_store *store, st_grants *grants);

/**
 * Adds a grant.
 * @param quota maximum number of live grants of one participant
 * @param forget when the record may be removed: after expiry and refresh window
 * @return ST_OK, ST_FULL, ST_QUOTA, ST_FAULT
 */
st_result st_store_create(const st_grant_store *store, const st_grant *grant, apr_uint32_t quota, apr_time_t forget,
                          apr_time_t now);

/** Finds a grant. @return ST_OK with a copy and a reference, ST_NOT_FOUND, ST_FAULT */
st_result st_store_find(const st_grant_store *store, const unsigned char digest[IA_SHA256_LEN], st_grant *copy,
                        st_grant_ref *ref);

/**
 * Consumes a nonce and issues the next one atomically.
 * @param lifetime of a fresh nonce, microseconds
 * @return ST_OK and `*next`; ST_EXISTS, ST_STALE, ST_FUTURE, ST_UNISSUED; ST_GONE; ST_FAULT
 */
st_result st_store_use_nonce(const st_grant_store *store, const st_grant_ref *ref, const ia_nonce_claim *claim,
                             apr_time_t now, apr_time_t lifetime, apr_uint64_t *next);

/** Issues `count` next nonces. @return ST_OK and the sequences, ST_GONE, ST_FAULT */
st_result st_store_issue(const st_grant_store *store, const st_grant_ref *ref, apr_uint64_t *sequences, unsigned count);

/** Extends a grant and issues `count` next nonces. @return ST_OK and the sequences, ST_GONE, ST_FAULT */
st_result st_store_refresh(const st_grant_store *store, const st_grant_ref *ref, const st_refresh *refresh,
                           apr_uint64_t *sequences, unsigned count);

/** Ends a grant. @return ST_OK, ST_GONE, ST_FAULT */
st_result st_store_end(const st_grant_store *store, const st_grant_ref *ref);

/**
 * Consumes the challenge with this stamp, and all older ones of this participant.
 * @return ST_OK; ST_EXISTS if it or a newer one was used; ST_FAULT
 */
st_result st_store_use_stamp(const st_grant_store *store, apr_uint32_t participant_index, apr_uint64_t stamp);

/** Returns a unique stamp in microseconds: max(now, last + 1). */
apr_uint64_t st_store_stamp(const st_grant_store *store, apr_time_t now);

/** Returns the time of the clock that generates stamps: max(now, last). */
apr_uint64_t st_store_clock(const st_grant_store *store, apr_time_t now);

/** Copies the key for nonces, and for other data that must become invalid with them. The caller wipes the copy. */
void st_store_nonce_key(const st_grant_store *store, ia_mac_key *copy);

/**
 * Generates a fresh nonce or a next nonce of a grant, and verifies that a nonce is one of them.
 * @return IA_OK or IA_NONCE_FOREIGN
 */
void st_store_fresh_nonce(const st_grant_store *store, unsigned char nonce[IA_NONCE_LEN], apr_time_t now);
void st_store_next_nonce(const st_grant_store *store, unsigned char nonce[IA_NONCE_LEN],
                         const unsigned char grant_id[IA_GRANT_ID_LEN], apr_uint64_t sequence);
ia_result st_store_verify_nonce(const st_grant_store *store, ia_nonce_claim *claim,
                                const unsigned char nonce[IA_NONCE_LEN], const unsigned char grant_id[IA_GRANT_ID_LEN]);

st_grant_count st_store_count(const st_grant_store *store);

#endif
