/** Grants and one-time proofs; for all dialects. */
#ifndef SAUTH_GRANT_H
#define SAUTH_GRANT_H

#include "mod_sauth.h"
#include "sauth_outcome.h"
#include "sauth_state.h"

/** Parameters of a new grant. */
typedef struct sauth_grant_request {
    const sauth_dir *conf;
    const ia_registry_entry *entry;
    const sauth_presentation *presentation;
    apr_uint64_t secret_fingerprint;
    unsigned nonces;      /**< number of initial nonces; 0: its presentation has none */
    const void *bound;    /**< data of the dialect for st_grant.bound, if `nonces` is 0. NULL: none */
    apr_size_t bound_len; /**< at most ST_GRANT_BOUND */
    apr_time_t now;
} sauth_grant_request;

ia_grant_policy sauth_grant_policy(const sauth_dir *conf);

/** Returns the time until which a grant with these terms is stored. */
apr_time_t sauth_grant_forget(const sauth_dir *conf, const ia_grant_terms *terms);

/** Creates a random token. @return IA_OK or IA_FAULT_RANDOM */
ia_result sauth_grant_token(apr_pool_t *p, const char **token);

/** Stores a grant. @return IA_OK, IA_GRANTS_FULL, IA_GRANT_QUOTA, IA_FAULT_STORE, or IA_FAULT_INTERNAL if too much is bound */
ia_result sauth_grant_create(unsigned char grant_id[IA_GRANT_ID_LEN], const sauth_grant_request *request,
                             const char *token, const ia_grant_terms *terms);

/** Logs that a grant was created or refreshed. */
void sauth_grant_log(request_rec *r, const ia_registry_entry *entry, const ia_grant_terms *terms);

/** Finds the grant of a token. @return IA_OK, IA_TOKEN_UNKNOWN or a fault */
ia_result sauth_grant_look_up(st_grant *grant, st_grant_ref *ref, const char *token, apr_size_t len);

/**
 * Finds the grant of a token and its participant, and stores them in the state. @return IA_OK, IA_TOKEN_UNKNOWN,
 * IA_PARTICIPANT_UNKNOWN or a fault
 */
ia_result sauth_grant_find(sauth_state *state, const char *token, apr_size_t len);

/**
 * Checks that the grant of a verified client is for this presentation, has not expired, and that its secret is valid.
 */
ia_result sauth_grant_check(const sauth_state *state, const sauth_presentation *presentation, int still_has_secret,
                            apr_time_t now);

/** Checks that the participant is active, and sets the capabilities that it and the grant have. */
ia_result sauth_grant_open(sauth_state *state, apr_time_t now);

/** Refuses proofs that may have been used before the server started, because it does not know which were. */
ia_result sauth_proof_check_cache(apr_time_t timestamp, apr_time_t now, int *retry_after);

/**
 * Consumes a proof with this timestamp; `mac` was computed by the server.
 * @return IA_OK, IA_ACCESS_REPLAYED, IA_REPLAYS_FULL, IA_REPLAY_QUOTA, IA_FAULT_STORE
 */
ia_result sauth_proof_use(const unsigned char mac[IA_MAC_MAX], apr_uint32_t participant_index, apr_time_t timestamp,
                          apr_time_t now, int *retry_after);

#endif
