/** What dialects share: proofs that are good once, and the grants that they are good for. */
#ifndef SAUTH_MINT_H
#define SAUTH_MINT_H

#include "mod_sauth.h"

/** For whom, on whose secret, and how the grant may be shown. */
typedef struct sauth_minting {
    const sauth_dir *conf;
    const ia_registry_entry *entry;
    ia_presentation presentation;
    apr_uint64_t secret_fingerprint;
    unsigned nonces; /**< next nonces that it begins with */
    apr_time_t now;
} sauth_minting;

ia_grant_policy sauth_mint_policy(const sauth_dir *conf);
/** Until when a grant of these terms is remembered. */
apr_time_t sauth_mint_forget(const sauth_dir *conf, const ia_grant_terms *terms);
/** What a grant is found by. */
void sauth_mint_digest(unsigned char digest[IA_SHA256_LEN], const char *token);
/** One line in the log. */
void sauth_mint_log(request_rec *r, const ia_registry_entry *entry, const ia_grant_terms *terms);
/** A random token. @return IA_OK or IA_FAULT_RANDOM */
ia_result sauth_mint_token(apr_pool_t *p, const char **token);
/** Stores a grant. @return as st_grant_create */
ia_result sauth_mint(unsigned char grant_id[IA_GRANT_ID_LEN], const sauth_minting *m, const char *token,
                     const ia_grant_terms *terms);

/* --- proofs that are good once --- */

/** After a start, nobody knows which proofs were used before: only ones from after it count. */
ia_result sauth_proof_check_memory(apr_time_t timestamp, apr_time_t now, int *retry_after);
/** Uses up a proof of this stamp; `mac` is what we computed.
 * @return IA_OK, IA_ACCESS_REPLAYED, IA_REPLAYS_FULL, IA_REPLAY_QUOTA, IA_FAULT_STORE */
ia_result sauth_proof_use(const unsigned char mac[IA_MAC_MAX], apr_uint32_t participant_index, apr_time_t timestamp,
                          apr_time_t now, int *retry_after);

#endif
