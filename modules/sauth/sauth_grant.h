/** Functions of all dialects: create, find and check grants, and use up proofs that are valid once. */
#ifndef SAUTH_GRANT_H
#define SAUTH_GRANT_H

#include "mod_sauth.h"
#include "sauth_outcome.h"
#include "sauth_state.h"

/** What is needed to create a grant, besides its terms. */
typedef struct sauth_grant_request {
    const sauth_dir *conf;
    const ia_registry_entry *entry; /**< the participant */
    const sauth_presentation *presentation;
    apr_uint64_t secret_fingerprint; /**< of the secret that proved the request; the grant ends with this secret */
    unsigned nonces;                 /**< the number of initial next nonces; 0: its presentation uses no nonces */
    /** Data of the dialect, copied to the beginning of st_grant.bound; only without nonces. NULL: none */
    const void *bound;
    apr_size_t bound_len; /**< at most ST_GRANT_BOUND */
    apr_time_t now;
} sauth_grant_request;

/** The policy that the directives of this location set, for ia_grant_decide. */
ia_grant_policy sauth_grant_policy(const sauth_dir *conf);

/** The time until which a grant with these terms is stored, which includes the time in which it can be refreshed. */
apr_time_t sauth_grant_forget(const sauth_dir *conf, const ia_grant_terms *terms);

/** Generates a random token in `p`. @return IA_OK or IA_FAULT_RANDOM */
ia_result sauth_grant_token(apr_pool_t *p, const char **token);

/** Stores a grant. @param grant_id set to its public id @return IA_OK, IA_GRANTS_FULL, IA_GRANT_QUOTA, IA_FAULT_STORE,
 * or IA_FAULT_INTERNAL if too much is bound */
ia_result sauth_grant_create(unsigned char grant_id[IA_GRANT_ID_LEN], const sauth_grant_request *request,
                             const char *token, const ia_grant_terms *terms);

/** Logs that a grant was issued. */
void sauth_grant_log(request_rec *r, const ia_registry_entry *entry, const ia_grant_terms *terms);

/** Finds the grant of a token. @return IA_OK, IA_TOKEN_UNKNOWN or a fault */
ia_result sauth_grant_look_up(st_grant *grant, st_grant_ref *ref, const char *token, apr_size_t len);

/** The same, stored in the state together with its participant. @return as above, and IA_PARTICIPANT_UNKNOWN */
ia_result sauth_grant_find(sauth_state *state, const char *token, apr_size_t len);

/**
 * Checks the grant of a verified client: that it was issued for this presentation, that it has not expired, and that its
 * secret is still valid.
 * @param still_has_secret whether the participant's record still has the secret with the grant's secret_fingerprint
 */
ia_result sauth_grant_check(const sauth_state *state, const sauth_presentation *presentation, int still_has_secret,
                            apr_time_t now);

/** Checks that the participant is active, and sets the capabilities that the grant allows now. */
ia_result sauth_grant_open(sauth_state *state, apr_time_t now);

/**
 * Refuses proofs from before the start of the server, because it cannot know which of them were used. Call it after the
 * proof was verified, and before sauth_proof_use.
 * @param retry_after set to seconds
 */
ia_result sauth_proof_check_cache(apr_time_t timestamp, apr_time_t now, int *retry_after);

/**
 * Uses up a proof with this timestamp. Check the timestamp against SAuthClockSkew first. `mac` is the one that the server
 * computed, not the one that it received.
 * @return IA_OK, IA_ACCESS_REPLAYED, IA_REPLAYS_FULL, IA_REPLAY_QUOTA, IA_FAULT_STORE
 */
ia_result sauth_proof_use(const unsigned char mac[IA_MAC_MAX], apr_uint32_t participant_index, apr_time_t timestamp,
                          apr_time_t now, int *retry_after);

#endif
