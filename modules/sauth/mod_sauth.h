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
#include "replay_cache.h"
#include "sauth_config.h"

extern module AP_MODULE_DECLARE_DATA sauth_module
    __attribute__((visibility("default"))); /* httpd looks it up by name */

#define SAUTH_AUTH_TYPE "SAuth"
#define SAUTH_HANDLER   "sauth"

/* --- what is shared ------------------------------------------------------------------------------------------- */

/** This process's view; `grants` is NULL until post_config. */
typedef struct sauth_shared {
    st_grants *grants;
    st_replay_cache *replays; /**< used access requests and calls */
    const ia_registry *registry;
    apr_uint32_t grant_quota;
    apr_uint32_t replay_quota;
    const sauth_challenge_settings *challenge;
    APR_OPTIONAL_FN_TYPE(isign_ask) * ask_for_signature; /**< NULL without mod_isign, as the next */
    APR_OPTIONAL_FN_TYPE(isign_read_body) * read_body;
    const char *unguarded; /**< where an AuthType SAuth stands without Require after a reload, or NULL */
} sauth_shared;

extern sauth_shared sauth;

/** A section in mod_status's page. */
int sauth_status_report(request_rec *r, int flags);

/** A scope's name reduced to a number that fits a grant; never 0. */
apr_uint64_t sauth_scope_number(const char *name);

/** check_access: 503 under AuthType SAuth while the configuration of a reload is not safe. */
int sauth_guard_access(request_rec *r);

/* --- one external request ------------------------------------------------------------------------------------- */

#define SAUTH_ATTRIBUTES 6 /* notes of a client that was let in */

typedef struct sauth_state {
    int decided; /**< `rc` holds; the nonce, if any, is used up */
    ia_result rc;
    int proven;              /**< token and HMAC verified: `grant`, `ref` and `entry` are the client's */
    unsigned hash;           /**< SAUTH_HASH_* of the HMAC presented; 0 where there is none */
    int bare_of_live_token;  /**< a bare form of a live token matched no held nonce */
    ia_registry_entry entry; /**< secrets wiped */
    st_grant grant;
    st_ref ref;
    unsigned char grant_id[IA_GRANT_ID_LEN];
    ia_capset capabilities;                   /**< granted, and still allowed */
    const char *attributes[SAUTH_ATTRIBUTES]; /**< what notes and environment say; NULL what does not apply */
    const char *authentication_info;          /**< the field's value once a nonce was used */
    ia_result denied;             /**< a rule that was not met, IA_OK once the request went on all the same */
    const request_rec *denied_in; /**< only compared */
    const char *denied_at;        /**< its URI */
    const request_rec *passed;    /**< the last one whose rules let it through; only compared */
    const char *denied_by;        /**< the rule */
    struct sauth_call *call;      /**< see sauth_call_of; NULL where none was looked for */
    const char *method;           /**< that was called by the challenge protocol, or NULL */
    unsigned asks;                /**< ia_presentation bits that a 401 of an endpoint asks for; 0: SAuth */
    const char *detail;           /**< one sentence for the client, or NULL */
    int status;                   /**< httpd's own for a body that could not be read, else 0 */
    int retry_after;              /**< seconds; 0: as the outcome says */
    const char *log_detail;       /**< what the log says besides: " name=value", without secrets, or NULL */
} sauth_state;

/** The state of the external request that `r` belongs to; made when there is none. */
sauth_state *sauth_state_of(request_rec *r);

/** The same, or NULL where nothing was made yet. */
sauth_state *sauth_state_find(request_rec *r);

/** After authorization: whether what let this request in had a rule of ours in it, or the client is known. */
int sauth_guard_passes(request_rec *r, const sauth_dir *conf, const sauth_state *state);

/** Whether AuthType SAuth holds where this request is. */
int sauth_is_ours(request_rec *r);

/** check_authn and force_authn. */
int sauth_authenticate(request_rec *r);
int sauth_force_authn(request_rec *r);

/* --- answers -------------------------------------------------------------------------------------------------- */

/** Logs the refusal, notes the problem, adds a challenge to a 401. @return the HTTP status to return from a hook */
int sauth_refuse(request_rec *r, ia_result rc, const char *detail, int retry_after);

/** One log line about a refusal (or, in observe mode, a would-be refusal). `rule` may be NULL. */
void sauth_log_refusal(request_rec *r, const char *what, ia_result rc, const char *participant, const char *rule);

/** Remembers that a rule was not met; sauth_log_denial, a log_transaction hook, says so unless the request went on. */
void sauth_note_denial(request_rec *r, sauth_state *state, ia_result rc, const char *rule);
int sauth_log_denial(request_rec *r);
/** insert_error_filter: a 403 that a rule of another module made, such as Require user, is said in our words, and logged. */
void sauth_note_foreign_denial(request_rec *r);

/** WWW-Authenticate for this request; the note_auth_failure hook and the endpoints call it. */
void sauth_www_authenticate_write(request_rec *r, ia_result rc);
int sauth_note_auth_failure(request_rec *r, const char *auth_type);

/** Authentication-Info: nextnonce, for every response of this external request. */
void sauth_nextnonce_write(request_rec *r, sauth_state *state, apr_uint64_t sequence);

/** Text of a next nonce; IA_NONCE_TEXT_LEN characters. */
const char *sauth_next_nonce(apr_pool_t *p, const unsigned char grant_id[IA_GRANT_ID_LEN], apr_uint64_t sequence);
const char *sauth_fresh_nonce(apr_pool_t *p);

/** The notes about a client that was let in. */
void sauth_notes_write(request_rec *r, sauth_state *state);
void sauth_notes_clear(request_rec *r);

/** Hook: environment of the app, and what it must not see. */
int sauth_fixups(request_rec *r);
/** Whether the response is for one client only; also sees to it that it carries the next nonce. */
int sauth_is_private(request_rec *r);

/** Space-separated names of a set. */
const char *sauth_capability_names(apr_pool_t *p, const ia_capset *set);

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
