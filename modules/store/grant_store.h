/**
 * Where grants are kept, behind a small table of functions: users of a store see grants, names, and opaque references,
 * not where a grant lies or which key its nonces are made under.
 *
 * Shared memory is one implementation (st_grants_store). Times are apr_time_t, given by the caller. Any thread of any
 * process may call any function; each step is atomic, and ends in bounded time.
 */
#ifndef INTERAUTH_ST_GRANT_STORE_H
#define INTERAUTH_ST_GRANT_STORE_H

#include "grant_table.h"

/** A grant that was found, in one of its lives. Only the store that filled it reads it. */
typedef struct st_grant_ref {
    apr_uint64_t words[2];
} st_grant_ref;

/** How full a store is. */
typedef struct st_grant_count {
    apr_uint32_t live; /**< expired ones that were not removed yet included */
    apr_uint32_t capacity;
} st_grant_count;

typedef struct st_grant_store {
    const struct st_grant_store_functions *functions;
    void *self;
} st_grant_store;

/** An implementation. The functions below say what each does. */
typedef struct st_grant_store_functions {
    st_result (*create)(void *self, const st_grant *grant, apr_uint32_t quota, apr_time_t forget, apr_time_t now);
    st_result (*find)(void *self, const unsigned char digest[IA_SHA256_LEN], st_grant *copy, st_grant_ref *ref);
    st_result (*use_nonce)(void *self, const st_grant_ref *ref, const ia_nonce_claim *claim, apr_time_t now,
                           apr_time_t lifetime, apr_uint64_t *next);
    st_result (*issue)(void *self, const st_grant_ref *ref, apr_uint64_t *sequences, unsigned count);
    st_result (*refresh)(void *self, const st_grant_ref *ref, const st_refresh *refresh, apr_uint64_t *sequences,
                         unsigned count);
    st_result (*end)(void *self, const st_grant_ref *ref);
    st_result (*use_challenge)(void *self, apr_uint32_t participant_index, apr_uint64_t stamp);
    apr_uint64_t (*stamp)(void *self, apr_time_t now);
    apr_uint64_t (*clock)(void *self, apr_time_t now);
    const ia_mac_key *(*nonce_key)(void *self); /**< for grant_store.c alone */
    void (*count)(void *self, st_grant_count *out);
} st_grant_store_functions;

/** The store that tables in shared memory make. `grants` outlives it. */
void st_grants_store(st_grant_store *store, st_grants *grants);

/**
 * Adds a grant.
 * @param quota live grants of one participant
 * @param forget when the record may go: expiry and refresh window are over
 * @return ST_OK, ST_FULL, ST_QUOTA, ST_FAULT
 */
st_result st_store_create(const st_grant_store *store, const st_grant *grant, apr_uint32_t quota, apr_time_t forget,
                          apr_time_t now);

/** @return ST_OK with a copy and a reference, ST_NOT_FOUND, ST_FAULT */
st_result st_store_find(const st_grant_store *store, const unsigned char digest[IA_SHA256_LEN], st_grant *copy,
                        st_grant_ref *ref);

/**
 * Uses a nonce up and issues the next one, in one step.
 * @param lifetime of a fresh nonce, microseconds
 * @return ST_OK and `*next`; ST_EXISTS, ST_STALE, ST_FUTURE, ST_UNISSUED; ST_GONE; ST_FAULT
 */
st_result st_store_use_nonce(const st_grant_store *store, const st_grant_ref *ref, const ia_nonce_claim *claim,
                             apr_time_t now, apr_time_t lifetime, apr_uint64_t *next);

/** Issues `count` next nonces. @return ST_OK and the sequences, ST_GONE, ST_FAULT */
st_result st_store_issue(const st_grant_store *store, const st_grant_ref *ref, apr_uint64_t *sequences, unsigned count);

/** Prolongs a grant and issues `count` next nonces. @return ST_OK and the sequences, ST_GONE, ST_FAULT */
st_result st_store_refresh(const st_grant_store *store, const st_grant_ref *ref, const st_refresh *refresh,
                           apr_uint64_t *sequences, unsigned count);

/** Ends a grant. @return ST_OK, ST_GONE, ST_FAULT */
st_result st_store_end(const st_grant_store *store, const st_grant_ref *ref);

/**
 * Uses a stamp up, with every older one of this participant.
 * @return ST_OK; ST_EXISTS when it or a newer one was used; ST_FAULT
 */
st_result st_store_use_challenge(const st_grant_store *store, apr_uint32_t participant_index, apr_uint64_t stamp);

/** A stamp that no other call got: max(now, last + 1), microseconds. */
apr_uint64_t st_store_stamp(const st_grant_store *store, apr_time_t now);

/** Now on the clock that makes the stamps: never before the last stamp. */
apr_uint64_t st_store_clock(const st_grant_store *store, apr_time_t now);

/** The key under which nonces are made, and what else must end with them. The caller wipes the copy. */
void st_store_nonce_key(const st_grant_store *store, ia_mac_key *copy);

/** A fresh nonce, a next nonce of a grant, and whether a nonce is one of the two. @return IA_OK or IA_NONCE_FOREIGN */
void st_store_fresh_nonce(const st_grant_store *store, unsigned char nonce[IA_NONCE_LEN], apr_time_t now);
void st_store_next_nonce(const st_grant_store *store, unsigned char nonce[IA_NONCE_LEN],
                         const unsigned char grant_id[IA_GRANT_ID_LEN], apr_uint64_t sequence);
ia_result st_store_verify_nonce(const st_grant_store *store, ia_nonce_claim *claim,
                                const unsigned char nonce[IA_NONCE_LEN], const unsigned char grant_id[IA_GRANT_ID_LEN]);

st_grant_count st_store_count(const st_grant_store *store);

#endif
