/**
 * mod_sauth: may this request do this? Grants are asked for at endpoints (dialects), presented with later requests
 * (presentations), and held against `Require capability` (decision). Everything about one external request is kept in
 * one sauth_state on its outermost request_rec, so that sub-requests and internal redirects consume nothing.
 */
#ifndef MOD_SAUTH_H
#define MOD_SAUTH_H

#include <httpd.h>
#include <http_config.h>
#include <mod_auth.h>
#include "interauth/access.h"
#include "interauth/authorization.h"
#include "grant_table.h"
#include "interauth_isign.h"
#include "interauth_registry.h"
#include "sauth_config.h"

extern module AP_MODULE_DECLARE_DATA sauth_module __attribute__((visibility("default"))); /* httpd looks it up by name */

#define SAUTH_AUTH_TYPE "SAuth"
#define SAUTH_HANDLER   "sauth"

/* --- what is shared ------------------------------------------------------------------------------------------- */

/** This process's view; `grants` is NULL until post_config. */
typedef struct sauth_shared {
    st_grants *grants;
    const ia_registry *registry;
    apr_uint32_t grant_quota;
    apr_uint32_t replay_quota;
    const sauth_challenge_settings *challenge;
    APR_OPTIONAL_FN_TYPE(isign_ask) *ask_for_signature;  /**< NULL without mod_isign, as the next */
    APR_OPTIONAL_FN_TYPE(isign_read_body) *read_body;
    const char *unguarded; /**< where an AuthType SAuth stands without Require after a reload, or NULL */
} sauth_shared;

extern sauth_shared sauth;

/** check_config: is there a registry, and a safe place for the state file? @return OK or a status that ends a start */
int sauth_store_check(apr_pool_t *ptemp, server_rec *s);

/** post_config: opens the segment and finds the registry. @return OK or a status that ends a start */
int sauth_store_open(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s);

/** check_config: NULL, or what is wrong with SAuthStateFile. */
const char *sauth_persist_check(apr_pool_t *ptemp, server_rec *s);

/**
 * post_config: what SAuthStateFile kept, into a `fresh` segment; then marks the file as one of a running server.
 * @return OK or a status that ends a start
 */
int sauth_persist_open(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s, int fresh);
/** monitor hook of the parent: saves now and then. */
int sauth_persist_monitor(apr_pool_t *p, server_rec *s);

/** A section in mod_status's page. */
int sauth_status_report(request_rec *r, int flags);

/** A scope's name reduced to a number that fits a grant; never 0. */
apr_uint64_t sauth_scope_number(const char *name);

/** check_config: an AuthType SAuth without a Require would be open to everybody. */
int sauth_guard_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

/** check_config: warns of what is configured by half. */
void sauth_halves_check(apr_pool_t *ptemp, server_rec *s);

/** check_access: 503 under AuthType SAuth while the configuration of a reload is not safe. */
int sauth_guard_access(request_rec *r);

/* --- one external request ------------------------------------------------------------------------------------- */

#define SAUTH_TOLD 6 /* notes of a caller that was let in */

typedef struct sauth_state {
    int decided;               /**< `rc` holds; the nonce, if any, is used up */
    ia_result rc;
    int proven;                /**< token and HMAC verified: `grant`, `ref` and `entry` are the caller's */
    int bare_of_live_token;    /**< a bare form of a live token matched no held nonce */
    ia_registry_entry entry;   /**< secrets wiped */
    st_grant grant;
    st_ref ref;
    unsigned char grant_id[IA_GRANT_ID_LEN];
    ia_capset capabilities;    /**< granted, and still allowed */
    const char *told[SAUTH_TOLD]; /**< what notes and environment say; NULL what does not apply */
    const char *authentication_info; /**< the field's value once a nonce was used */
    ia_result denied;          /**< a rule that was not met, IA_OK once the request went on all the same */
    const request_rec *denied_in; /**< only compared */
    const char *denied_at;     /**< its URI */
    const char *denied_by;     /**< the rule */
    struct sauth_call *call;   /**< see sauth_call_of; NULL where none was looked for */
    const char *method;        /**< that was called by the challenge protocol, or NULL */
    unsigned asks;             /**< ia_presentation bits that a 401 of an endpoint asks for; 0: SAuth */
    const char *detail;        /**< one sentence for the caller, or NULL */
    int status;                /**< httpd's own for a body that could not be read, else 0 */
    int retry_after;           /**< seconds; 0: as the outcome says */
    const char *remark;        /**< what the log says besides: " name=value", without secrets, or NULL */
} sauth_state;

/** The state of the external request that `r` belongs to; made when there is none. */
sauth_state *sauth_state_of(request_rec *r);

/** The same, or NULL where nothing was made yet. */
sauth_state *sauth_state_find(request_rec *r);

/** After authorization: whether what let this request in had a rule of ours in it, or the caller is known. */
int sauth_guard_passes(request_rec *r, const sauth_dir *conf, const sauth_state *state);

/** Whether AuthType SAuth holds where this request is. */
int sauth_is_ours(request_rec *r);

/** check_authn and force_authn. */
int sauth_authenticate(request_rec *r);
int sauth_force_authn(request_rec *r);

/** A way in which a request shows who calls. */
typedef struct sauth_presentation {
    const char *word; /**< for SAuthAccept */
    ia_presentation bit;
    /** Asked where there is no Authorization; NULL: it is the Authorization. */
    int (*is_shown)(request_rec *r, const sauth_dir *conf);
    /** Fills the state; who calls it logs and answers. */
    ia_result (*check)(request_rec *r, const sauth_dir *conf, sauth_state *state);
} sauth_presentation;

/** By SAuthAccept's word, or NULL. */
const sauth_presentation *sauth_presentation_named(const char *word);
/** The one that decides about this request, of those that are accepted here, or NULL. */
const sauth_presentation *sauth_presentation_shown(request_rec *r, const sauth_dir *conf);

/** Authorization: SAuth. */
ia_result sauth_present_sauth(request_rec *r, const sauth_dir *conf, sauth_state *state);
/** A message signature that mod_isign verified. */
ia_result sauth_present_signature(request_rec *r, const sauth_dir *conf, sauth_state *state);
/** A call of the challenge protocol, in the body. */
int sauth_challenge_is_shown(request_rec *r, const sauth_dir *conf);
ia_result sauth_present_challenge(request_rec *r, const sauth_dir *conf, sauth_state *state);
/** Nothing was shown: IA_MEDIA_TYPE for a body that can be no call where calls are the only way, else IA_CREDENTIALS_MISSING. */
ia_result sauth_challenge_missing(request_rec *r, const sauth_dir *conf, sauth_state *state);

/** The grant of a token, and its participant. @return IA_OK, IA_TOKEN_UNKNOWN, IA_PARTICIPANT_UNKNOWN or a fault */
ia_result sauth_grant_find(sauth_state *state, const char *token, apr_size_t len);
/** For a proven caller: minted for this presentation, not expired, its secret not rotated out? */
ia_result sauth_grant_check(const sauth_state *state, ia_presentation shown_as, int still_has_secret, apr_time_t now);
/** May the participant act, and what may this grant do now? */
ia_result sauth_grant_open(sauth_state *state, apr_time_t now);

/* --- answers -------------------------------------------------------------------------------------------------- */

/** Logs the refusal, notes the problem, adds a challenge to a 401. @return the HTTP status to return from a hook */
int sauth_refuse(request_rec *r, ia_result rc, const char *detail, int retry_after);

/** One log line about a refusal (or, in observe mode, a would-be refusal). `rule` may be NULL. */
void sauth_log_refusal(request_rec *r, const char *what, ia_result rc, const char *participant, const char *rule);

/** Remembers that a rule was not met; sauth_log_denial, a log_transaction hook, says so unless the request went on. */
void sauth_note_denial(request_rec *r, sauth_state *state, ia_result rc, const char *rule);
int sauth_log_denial(request_rec *r);

/** WWW-Authenticate for this request; the note_auth_failure hook and the endpoints call it. */
void sauth_challenge_write(request_rec *r, ia_result rc);
int sauth_note_auth_failure(request_rec *r, const char *auth_type);

/** Authentication-Info: nextnonce, for every response of this external request. */
void sauth_nextnonce_write(request_rec *r, sauth_state *state, apr_uint64_t sequence);

/** Text of a next nonce; IA_NONCE_TEXT_LEN characters. */
const char *sauth_next_nonce(apr_pool_t *p, const unsigned char grant_id[IA_GRANT_ID_LEN], apr_uint64_t sequence);
const char *sauth_fresh_nonce(apr_pool_t *p);

/** The notes about a caller that was let in. */
void sauth_notes_write(request_rec *r, sauth_state *state);
void sauth_notes_clear(request_rec *r);

/** Hook: environment of the app, and what it must not see. */
int sauth_fixups(request_rec *r);
/** Whether the response is for one caller only; also sees to it that it carries the next nonce. */
int sauth_is_private(request_rec *r);

/** Space-separated names of a set. */
const char *sauth_capability_names(apr_pool_t *p, const ia_capset *set);

/* --- minting: what dialects share ------------------------------------------------------------------------------ */

/** For whom, on whose secret, and how the grant may be shown. */
typedef struct sauth_minting {
    const sauth_dir *conf;
    const ia_registry_entry *entry;
    ia_presentation presentation;
    apr_uint64_t secret_generation;
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

/* --- proofs that are good once --------------------------------------------------------------------------------- */

/** After a start, nobody knows which proofs were used before: only ones from after it count. */
ia_result sauth_proof_check_memory(apr_time_t timestamp, apr_time_t now, int *retry_after);
/** Uses up a proof of this stamp; `mac` is what we computed. @return as st_replay_record */
ia_result sauth_proof_use(const unsigned char mac[IA_MAC_MAX], apr_uint32_t participant_index, apr_time_t timestamp,
                          apr_time_t now, int *retry_after);

/* --- decision and dialects ------------------------------------------------------------------------------------ */

void sauth_require_register(apr_pool_t *p);

/** The handler, and the hook that keeps its URLs away from the file system. */
int sauth_map_to_storage(request_rec *r);
int sauth_handler(request_rec *r);

/** Dialect: SAuth. Each endpoint answers and returns OK, or returns the status of sauth_refuse. */
int sauth_request_access(request_rec *r);
int sauth_refresh_access(request_rec *r);
int sauth_generate_nonce(request_rec *r);

/** Dialect: challenge, token, signature. Likewise. */
int sauth_challenge(request_rec *r);

#endif
