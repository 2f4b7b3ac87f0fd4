/** Grants, whatever the dialect: made, found, and checked; and proofs that are good once. */
#ifndef SAUTH_GRANT_H
#define SAUTH_GRANT_H

#include "mod_sauth.h"
#include "sauth_outcome.h"
#include "sauth_state.h"

/** For whom a grant is made, on whose secret, and how it may be presented. */
typedef struct sauth_grant_request {
    const sauth_dir *conf;
    const ia_registry_entry *entry;
    const sauth_presentation *presentation;
    apr_uint64_t secret_fingerprint;
    unsigned nonces; /**< next nonces that it begins with; 0: its presentation has none */
    const void
        *bound; /**< what the dialect binds to it where there are no nonces; st_grant.bound begins so. NULL: nothing */
    apr_size_t bound_len; /**< at most ST_GRANT_BOUND */
    apr_time_t now;
} sauth_grant_request;

ia_grant_policy sauth_grant_policy(const sauth_dir *conf);

/** Until when a grant of these terms is remembered. */
apr_time_t sauth_grant_forget(const sauth_dir *conf, const ia_grant_terms *terms);

/** A random token. @return IA_OK or IA_FAULT_RANDOM */
ia_result sauth_grant_token(apr_pool_t *p, const char **token);

/** Stores a grant. @return IA_OK, IA_GRANTS_FULL, IA_GRANT_QUOTA, IA_FAULT_STORE, or IA_FAULT_INTERNAL if too much is bound */
ia_result sauth_grant_create(unsigned char grant_id[IA_GRANT_ID_LEN], const sauth_grant_request *request,
                             const char *token, const ia_grant_terms *terms);

/** One line in the log. */
void sauth_grant_log(request_rec *r, const ia_registry_entry *entry, const ia_grant_terms *terms);

/** The grant of a token. @return IA_OK, IA_TOKEN_UNKNOWN or a fault */
ia_result sauth_grant_look_up(st_grant *grant, st_grant_ref *ref, const char *token, apr_size_t len);

/** The same into the state, with its participant. @return IA_OK, IA_TOKEN_UNKNOWN, IA_PARTICIPANT_UNKNOWN or a fault */
ia_result sauth_grant_find(sauth_state *state, const char *token, apr_size_t len);

/** Of a verified client: was it made for this presentation, has it not expired, is its secret still good? */
ia_result sauth_grant_check(const sauth_state *state, const sauth_presentation *presentation, int still_has_secret,
                            apr_time_t now);

/** May the participant act, and what may this grant do now? */
ia_result sauth_grant_open(sauth_state *state, apr_time_t now);

/** A server that has just started does not know which proofs were used before: only later ones count. */
ia_result sauth_proof_check_cache(apr_time_t timestamp, apr_time_t now, int *retry_after);

/**
 * Uses up a proof of this timestamp; `mac` is what we computed.
 * @return IA_OK, IA_ACCESS_REPLAYED, IA_REPLAYS_FULL, IA_REPLAY_QUOTA, IA_FAULT_STORE
 */
ia_result sauth_proof_use(const unsigned char mac[IA_MAC_MAX], apr_uint32_t participant_index, apr_time_t timestamp,
                          apr_time_t now, int *retry_after);

#endif
