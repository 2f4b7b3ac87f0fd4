/**
 * mod_isign: is this message whole, and whose is it? Signatures (RFC 9421) are verified before a body is read, bodies are
 * held against their Content-Digest (RFC 9530) before the handler runs: a changed one never reaches the app.
 */
#ifndef MOD_ISIGN_H
#define MOD_ISIGN_H

#include <httpd.h>
#include <http_config.h>
#include <util_filter.h>
#include "interauth/digest.h"
#include "interauth/httpsig.h"
#include "replay_cache.h"
#include "interauth_isign.h"
#include "interauth_registry.h"
#include "isign_config.h"

extern module AP_MODULE_DECLARE_DATA isign_module
    __attribute__((visibility("default"))); /* httpd looks it up by name */

/* --- what is shared -------------------------------------------------------------------------------------------- */

/** This process's view; `replays` is NULL until post_config. */
typedef struct isign_shared {
    st_replay_cache *replays; /**< used nonces */
    apr_uint32_t replay_quota;
    apr_time_t longest_age;      /**< ISignMaxAge of all locations: as long a nonce is remembered at least */
    apr_time_t widest_skew;      /**< ISignClockSkew of all locations */
    const ia_registry *registry; /**< NULL where no module knows participants: nobody can be verified then */
} isign_shared;

extern isign_shared isign;

/** post_config. @return OK or a status that ends a start */
int isign_store_open(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s);
void isign_store_child_init(apr_pool_t *p);

/** check_config: whether ISignStateFile can be kept. @return OK or a status that ends a start */
int isign_persist_check(apr_pool_t *ptemp, server_rec *s);

/** post_config: what ISignStateFile kept, into a `fresh` segment. @return OK or a status that ends a start */
int isign_persist_open(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s, int fresh);

/**
 * Uses a signature of a participant up: its nonce, or where it has none, the very message (its signature base).
 * @return IA_OK, IA_SIG_NONCE_REPLAYED or a fault of the store
 */
ia_result isign_nonce_use(const ia_registry_entry *who, const ia_httpsig *signature, apr_time_t until, apr_time_t now);

/** A public key ready to verify, from a bounded cache of this child. The caller unrefs it. */
ia_result isign_key_get(ia_key **out, const ia_registry_key *key);

/** Keys of nobody: an unknown keyid costs a verification too. The first is NULL before child_init. */
const ia_key *isign_key_of_nobody(void);
const ia_mac_key *isign_secret_of_nobody(void);

/** Chooses the stand-in of an unknown keyid; the same while the server runs, and a secret of it. */
apr_uint64_t isign_number_of(const ia_sfv_text *keyid);

/* --- how much a child verifies (isign_limit.c) ------------------------------------------------------------------ */

/** One verification: who it is for, and whether it is counted as under way. */
typedef struct isign_limit {
    apr_uint64_t who;
    int entered;
} isign_limit;

void isign_limit_child_init(apr_pool_t *p);

/** @return IA_OK, or IA_VERIFICATIONS_FULL: too many under way, or too many failed by this keyid from this address */
ia_result isign_limit_enter(isign_limit *out, const char *address, const ia_sfv_text *keyid, apr_time_t now);

/** Ends what entered; `rc` says whether it failed. Ignores what did not enter. */
void isign_limit_leave(isign_limit *limit, ia_result rc, apr_time_t now);

/* --- one external request -------------------------------------------------------------------------------------- */

typedef struct isign_state {
    int headers_checked;
    ia_result headers_rc;        /**< of the signature */
    const ia_httpsig *signature; /**< verified, or NULL */
    const char *participant;     /**< who signed */
    ia_result read_rc;           /**< of a body that was read early, see isign_read_body */
    int read_status;
    int body_checked;
    ia_result body_logged;             /**< what the last pass would have refused */
    const request_rec *body_logged_in; /**< only compared */
    int has_content;                   /**< the body that was checked has at least a byte */
    ia_result body_rc;
    int status;                   /**< httpd's own, where it is better than the outcome's */
    unsigned algorithms;          /**< digests that were verified */
    struct isign_spool *spool;    /**< NULL where there is no body, or it streams */
    struct isign_stream *stream;  /**< NULL where there is no body, or it is spooled */
    ia_result denied;             /**< a Require signed that was not met, IA_OK once the request went on all the same */
    const request_rec *denied_in; /**< only compared */
    const char *denied_at;        /**< its URI */
    ia_result has_log_detail;     /**< the refusal of which these tell: */
    const char *log_detail;       /**< what the log says besides: " name=value", without secrets */
    const char *proven;           /**< who signed, where a good signature was refused; NULL: nobody is proven */
    const request_rec *asked_in;  /**< whose err_headers_out have an Accept-Signature; only compared */
} isign_state;

/** The state of the external request that `r` belongs to. */
isign_state *isign_state_of(request_rec *r);

/** post_read_request: keeps the fields of a signed request as they came. */
void isign_keep_fields(request_rec *r);
/** They; of an unsigned request, its fields as they are now. */
const apr_table_t *isign_fields_of(request_rec *r);

/** Names of the components that a signature must cover here, beside the digest of a body. */
apr_array_header_t *isign_required(request_rec *r, const isign_dir *conf, int has_body);

/** check_access: the signature, before a byte of the body is asked for. */
int isign_check_headers(request_rec *r);

/** A verified signature against the policy of where `r` is now, and against what is known of the body by now. */
ia_result isign_judge(request_rec *r, const isign_dir *conf, const isign_state *state);

/** See interauth_isign.h. */
int isign_read_body(request_rec *r, apr_size_t max, const char **text, apr_size_t *len, int *status);

/** fixups, after authorization: reads, checks and keeps the body. */
int isign_check_body(request_rec *r);

/** fixups, last: the app's environment. */
int isign_export(request_rec *r);

/** Whether the response is for one client only: its request was signed. */
int isign_is_private(request_rec *r);

/** Logs and answers a refusal. @return the status to return from a hook */
int isign_refuse(request_rec *r, ia_result rc, int status);
/** The status with which this very pass was refused, or OK. */
int isign_refused(request_rec *r);
void isign_log(request_rec *r, const char *what, ia_result rc);

/** Keeps for the log whose signature was refused and what it lacks; `participant` is who its key names, or "". */
void isign_log_detail(request_rec *r, ia_result rc, const ia_httpsig *signature, const ia_httpsig_policy *policy,
                      const char *participant);
/** The same for IA_INSUFFICIENT_COVERAGE. */
void isign_log_detail_coverage(request_rec *r, const char *const *components, unsigned count);

/** A rule that was not met; isign_log_denial, a log_transaction hook, says so unless the request went on. */
void isign_deny(request_rec *r, ia_result rc);
int isign_log_denial(request_rec *r);

/** See interauth_isign.h; isign_export takes it back where the request goes on. */
void isign_ask(request_rec *r);
/** Whether signatures are looked at where this request is. */
int isign_looks(request_rec *r);

/** `Require signed [COMPONENT..]`. */
void isign_require_register(apr_pool_t *p);

/** check_config: warns of sections that demand signatures where none is looked at. */
void isign_guard_check(apr_pool_t *ptemp, server_rec *s);
/** Says at run time, once in a while, that a signature was demanded where none is looked at. */
void isign_guard_say(request_rec *r);

#endif
