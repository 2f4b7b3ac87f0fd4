/**
 * Grants in shared memory.
 *
 * A grant is found by SHA-256(token); tokens are not stored. Grants are counted per participant, because live grants
 * are never evicted, and one participant could fill the table otherwise. `now` is passed by the caller.
 */
#ifndef INTERAUTH_ST_GRANT_TABLE_H
#define INTERAUTH_ST_GRANT_TABLE_H

#include "interauth/grant.h"
#include "nonce_window.h"
#include "shm_table.h"

/** Additional data of a grant with one-time nonces. */
typedef struct st_grant_nonces {
    st_nonces state;
    unsigned char refresh_mac[16]; /**< of the newest refresh, so that its response can be repeated */
    apr_time_t refreshed;
    apr_uint64_t refresh_first; /**< first sequence number in that response */
    apr_uint64_t refresh_count; /**< number of nonces in it; 0: there is no response to repeat */
} st_grant_nonces;

/**
 * Bytes that a dialect can bind to a grant instead, such as a thumbprint, a list of endpoints, or another participant. State
 * files have as many: another number needs another MAGIC in state_record.c.
 */
#define ST_GRANT_BOUND (sizeof(st_grant_nonces))

/** Which of the two a grant has. */
typedef enum st_grant_part { ST_GRANT_PLAIN, ST_GRANT_WITH_NONCES, ST_GRANT_WITH_BOUND } st_grant_part;

/** A grant in memory: plain data. */
typedef struct st_grant {
    unsigned char digest[IA_SHA256_LEN];
    unsigned char id[IA_GRANT_ID_LEN]; /**< derived from the digest when the grant is created */
    apr_uint64_t participant_generation;
    apr_uint32_t participant_index;
    apr_uint32_t counted; /**< managed by the table: whether it counts for the participant's quota */
    apr_uint64_t secret_fingerprint;
    apr_uint64_t scope; /**< hash of the scope's name */
    apr_time_t created;
    apr_time_t expires;
    apr_uint32_t presentation; /**< the bit of its presentation */
    apr_uint16_t can_refresh;
    apr_uint16_t part; /**< st_grant_part */
    ia_capset capabilities;
    union {
        st_grant_nonces nonces;
        unsigned char bound[ST_GRANT_BOUND]; /**< plain data of a dialect, without pointers; constant */
    };
} st_grant;

typedef struct st_grants_config {
    apr_uint32_t grants;       /**< records */
    apr_uint32_t participants; /**< number of participant indexes */
} st_grants_config;

typedef struct st_grants {
    struct st_grants_shared *shared;
    st_grants_config config;  /**< the current layout */
    apr_uint64_t *grants_of;  /**< number of grants by participant index */
    apr_uint64_t *challenges; /**< used challenges by participant index */
    st_table grants;
} st_grants;

apr_size_t st_grants_size(const st_grants_config *config);

/** @param nonce_key stored if the memory is new */
void st_grants_attach(st_grants *g, void *memory, const st_grants_config *config, const ia_mac_key *nonce_key);

const ia_mac_key *st_grants_nonce_key(const st_grants *g);

/** Returns the time of the clock that generates stamps: max(now, last). */
apr_uint64_t st_grants_clock(const st_grants *g, apr_time_t now);

/**
 * Continues from a saved state: new stamps are greater than `last_stamp`. With `nonce_key`, which may be NULL, old
 * nonces are valid. Only for new tables, before requests are served.
 */
void st_grants_resume(st_grants *g, apr_uint64_t last_stamp, const ia_mac_key *nonce_key);

/** Returns a stamp that is unique in all processes, in microseconds: max(now, last + 1). */
apr_uint64_t st_grants_stamp(st_grants *g, apr_time_t now);

/**
 * Adds a grant. If it has nonces, the first `nonces.state.issued` of them have been issued.
 * @param quota maximum number of live grants of one participant
 * @param forget when the record may be removed: after expiry and refresh window
 * @return ST_OK, ST_FULL, ST_QUOTA, ST_FAULT
 */
st_result st_grant_create(st_grants *g, const st_grant *grant, apr_uint32_t quota, apr_time_t forget, apr_time_t now);

/** @return ST_OK and a copy, ST_NOT_FOUND, ST_FAULT */
st_result st_grant_find(st_grants *g, const unsigned char digest[IA_SHA256_LEN], st_grant *copy, st_ref *ref);

/**
 * Consumes a verified nonce and issues the next one atomically.
 * @return ST_OK and `*next`; results of st_nonces_use; ST_GONE; ST_FAULT for a grant without nonces
 */
st_result st_grant_use(st_grants *g, st_ref ref, const ia_nonce_claim *claim, apr_uint64_t now, apr_uint64_t lifetime,
                       apr_uint64_t *next);

/** Issues `count` next nonces. @return ST_OK and the sequences, ST_GONE, ST_FAULT */
st_result st_grant_issue(st_grants *g, st_ref ref, apr_uint64_t *sequences, unsigned count);

/** New values of a refreshed grant. */
typedef struct st_refresh {
    apr_time_t expires;
    apr_time_t forget;
    apr_uint64_t secret_fingerprint;
    const unsigned char *mac; /**< IA_MAC_MAX bytes, of the access request */
    apr_time_t now;
} st_refresh;

/**
 * Extends a grant and issues `count` next nonces, which is 0 for a grant without nonces.
 * @return ST_OK and the sequences, ST_GONE, ST_FAULT
 */
st_result st_grant_refresh(st_grants *g, st_ref ref, const st_refresh *refresh, apr_uint64_t *sequences,
                           unsigned count);

/** Returns the number of grants, including expired ones that were not removed yet. */
apr_uint32_t st_grants_live(const st_grants *g);

/** For iteration: the highest index ever used plus one, and the grant at an index. @return ST_OK or ST_NOT_FOUND */
apr_uint32_t st_grants_high_water(const st_grants *g);
st_result st_grant_at(st_grants *g, apr_uint32_t place, st_grant *copy, apr_time_t *forget);

/**
 * Consumes the challenge with this stamp, and all older ones of this participant. Challenges older than a resumed
 * state count as used, because the state file contains the last stamp, but not which challenges were used. Without the
 * old nonce key, older challenges cannot be opened.
 * @return ST_OK; ST_EXISTS if it or a newer one was used; ST_FAULT if the index is invalid
 */
st_result st_challenge_use(st_grants *g, apr_uint32_t participant_index, apr_uint64_t stamp);

/** Ends a grant. @return ST_OK, ST_GONE, ST_FAULT */
st_result st_grant_end(st_grants *g, st_ref ref);

#endif
