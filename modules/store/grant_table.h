/**
 * Grants in shared memory.
 *
 * A grant is found by SHA-256(token); the token itself is never stored. Grants are counted per participant, so that one
 * key cannot fill a table that never evicts. `now` is an apr_time_t given by the caller.
 */
#ifndef INTERAUTH_ST_GRANT_TABLE_H
#define INTERAUTH_ST_GRANT_TABLE_H

#include "interauth/grant.h"
#include "nonce_window.h"
#include "shm_table.h"

/** What a grant with one-time nonces has besides. */
typedef struct st_grant_nonces {
    st_nonces state;
    unsigned char refresh_mac[16]; /**< of the newest refresh, so that a lost response can be sent again */
    apr_time_t refreshed;
    apr_uint64_t refresh_first; /**< first of the next nonces in that response */
    apr_uint64_t refresh_count; /**< how many; 0: there is no response to send again */
} st_grant_nonces;

/**
 * Bytes that a dialect can bind to a grant instead, such as a thumbprint, a list of endpoints, or another participant. State
 * files have as many: another number needs another MAGIC in state_record.c.
 */
#define ST_GRANT_BOUND (sizeof(st_grant_nonces))

/** What of the two a grant has. */
typedef enum st_grant_part { ST_GRANT_PLAIN, ST_GRANT_WITH_NONCES, ST_GRANT_WITH_BOUND } st_grant_part;

/** A grant as it lies in memory: plain data. */
typedef struct st_grant {
    unsigned char digest[IA_SHA256_LEN];
    unsigned char id[IA_GRANT_ID_LEN]; /**< made from the digest when the grant is created */
    apr_uint64_t participant_generation;
    apr_uint32_t participant_index;
    apr_uint32_t counted; /**< held by the table: counts against the participant's quota */
    apr_uint64_t secret_fingerprint;
    apr_uint64_t scope; /**< hash of the scope's name */
    apr_time_t created;
    apr_time_t expires;
    apr_uint32_t presentation; /**< the bit of the presentation that it was made for */
    apr_uint16_t can_refresh;
    apr_uint16_t part; /**< st_grant_part */
    ia_capset capabilities;
    union {
        st_grant_nonces nonces;
        unsigned char bound[ST_GRANT_BOUND]; /**< a dialect's own plain data, without pointers; never changed */
    };
} st_grant;

typedef struct st_grants_config {
    apr_uint32_t grants;       /**< records */
    apr_uint32_t participants; /**< indexes that participants can have */
} st_grants_config;

typedef struct st_grants {
    struct st_grants_shared *shared;
    st_grants_config config;  /**< the layout in force */
    apr_uint64_t *grants_of;  /**< counts, by participant index */
    apr_uint64_t *challenges; /**< used ones, by participant index */
    st_table grants;
} st_grants;

apr_size_t st_grants_size(const st_grants_config *config);

/** @param nonce_key key of the nonces, kept when the memory is new */
void st_grants_attach(st_grants *g, void *memory, const st_grants_config *config, const ia_mac_key *nonce_key);

const ia_mac_key *st_grants_nonce_key(const st_grants *g);

/** Now on the clock that makes the stamps: never before the last stamp. */
apr_uint64_t st_grants_clock(const st_grants *g, apr_time_t now);

/**
 * Goes on where a saved state ended: the stamps go on above `last_stamp`; with a `nonce_key`, nonces from before the stop remain valid.
 * For fresh tables, before serving.
 */
void st_grants_resume(st_grants *g, apr_uint64_t last_stamp, const ia_mac_key *nonce_key);

/** A stamp that no other call in any process got: max(now, last + 1), in microseconds. */
apr_uint64_t st_grants_stamp(st_grants *g, apr_time_t now);

/**
 * Adds a grant; with nonces, it holds the first `nonces.state.issued` next ones.
 * @param quota live grants of one participant
 * @param forget when the record may go (expiry and refresh window over)
 * @return ST_OK, ST_FULL, ST_QUOTA, ST_FAULT
 */
st_result st_grant_create(st_grants *g, const st_grant *grant, apr_uint32_t quota, apr_time_t forget, apr_time_t now);

/** @return ST_OK and a copy, ST_NOT_FOUND, ST_FAULT */
st_result st_grant_find(st_grants *g, const unsigned char digest[IA_SHA256_LEN], st_grant *copy, st_ref *ref);

/**
 * Uses a verified nonce up and issues the next one, in one step.
 * @return ST_OK and `*next`; what st_nonces_use returns; ST_GONE; ST_FAULT for a grant without nonces
 */
st_result st_grant_use(st_grants *g, st_ref ref, const ia_nonce_claim *claim, apr_uint64_t now, apr_uint64_t lifetime,
                       apr_uint64_t *next);

/** Issues `count` next nonces. @return ST_OK and the sequences, ST_GONE, ST_FAULT */
st_result st_grant_issue(st_grants *g, st_ref ref, apr_uint64_t *sequences, unsigned count);

/** What a refresh gives a grant. */
typedef struct st_refresh {
    apr_time_t expires;
    apr_time_t forget;
    apr_uint64_t secret_fingerprint;
    const unsigned char *mac; /**< IA_MAC_MAX bytes, of the access request that asked */
    apr_time_t now;
} st_refresh;

/** Prolongs a grant and issues `count` next nonces; none for a grant without nonces. @return ST_OK and the sequences, ST_GONE, ST_FAULT */
st_result st_grant_refresh(st_grants *g, st_ref ref, const st_refresh *refresh, apr_uint64_t *sequences,
                           unsigned count);

/** Grants held, expired ones that were not swept yet included. */
apr_uint32_t st_grants_live(const st_grants *g);

/** One past the highest place a grant ever had, and the grant at a place. @return ST_OK, ST_NOT_FOUND for none */
apr_uint32_t st_grants_high_water(const st_grants *g);
st_result st_grant_at(st_grants *g, apr_uint32_t place, st_grant *copy, apr_time_t *forget);

/**
 * Uses a challenge up that the server stamped, with every older one of this participant. Those of before a resumed state
 * was saved count as used, since only the clock of the stamps outlives a stop, not the uses; where no nonce key came back,
 * no older challenge opens.
 * @return ST_OK; ST_EXISTS when it or a newer one was used; ST_FAULT for no such place
 */
st_result st_challenge_use(st_grants *g, apr_uint32_t participant_index, apr_uint64_t stamp);

/** Ends a grant. @return ST_OK, ST_GONE, ST_FAULT */
st_result st_grant_end(st_grants *g, st_ref ref);

#endif
