/**
 * mod_isign verifies who signed a request, and that it arrived unchanged. Message signatures (RFC 9421) are verified before
 * the body is read. The body is compared with its Content-Digest (RFC 9530) before the handler runs, so that a changed body
 * never reaches the application.
 */
#ifndef MOD_ISIGN_H
#define MOD_ISIGN_H

#include <httpd.h>
#include <http_config.h>
#include "interauth_isign.h"
#include "isign_config.h"
#include "isign_limit.h"
#include "isign_proof.h"
#include "isign_state.h"
#include "isign_store.h"

extern module AP_MODULE_DECLARE_DATA isign_module
    __attribute__((visibility("default"))); /* httpd looks it up by name */

/* --- checks, in the order in which a request meets them ------------------------------------------------------------ */

/** check_access: the signature, unless its scheme waits for authentication and there is an AuthType. */
int isign_check_early(request_rec *r);

/** check_authz, or fixups if httpd did not authenticate the client: such a signature. */
int isign_check_late(request_rec *r);

/** What the location where `r` is now requires of the signer, in the light of what is known of the body. */
ia_result isign_judge(request_rec *r, const isign_dir *conf, const isign_state *state);

/** See interauth_isign.h. */
int isign_read_body(request_rec *r, apr_size_t max, const char **text, apr_size_t *len, int *status);

/** fixups, after authorization: reads, checks and keeps the body. */
int isign_check_body(request_rec *r);

/** fixups, last: the environment of the application. */
int isign_export(request_rec *r);

/** Whether the response is for one client only: its request was signed. */
int isign_is_private(request_rec *r);

/** Whether signatures are verified where this request is. */
int isign_is_enabled(request_rec *r);

/* --- refusals ------------------------------------------------------------------------------------------------------ */

/** Logs a refusal and prepares its response. @param status httpd's own status or 0 @return the status for the hook */
int isign_refuse(request_rec *r, ia_result rc, int status);
/** The status with which this request_rec was refused by an earlier hook, or OK. */
int isign_refused(request_rec *r);

/** Denies access by a rule; another rule may grant it. isign_log_denial, a log_transaction hook, logs it if none does. */
void isign_deny(request_rec *r, ia_result rc);
int isign_log_denial(request_rec *r);

/** See interauth_isign.h. isign_export removes the header if access is granted after all. */
void isign_ask(request_rec *r);

/* --- the log ------------------------------------------------------------------------------------------------------- */

void isign_log(request_rec *r, const char *what, ia_result rc);

/**
 * Keeps what the log says about a refused signature.
 * @param claim the proof; without `alg`, what the client claims, and `participant` is "" if the keyid is unknown; or NULL
 * @param lack what it lacks, as log fields, or ""
 */
void isign_log_detail(request_rec *r, ia_result rc, const isign_proof *claim, const char *lack);

/** A log field of a text that a client sent: escaped and cut. */
const char *isign_log_text(apr_pool_t *p, const char *name, const char *text);
/** A log field of those components that the signature does not cover. */
const char *isign_log_missing(apr_pool_t *p, const isign_proof *proof, const char *const *components, unsigned count);

/* --- configuration ------------------------------------------------------------------------------------------------- */

/** `Require signed [COMPONENT..]`. */
void isign_require_register(apr_pool_t *p);

/** check_config: warns about sections that require signatures where ISign is off. */
void isign_guard_check(apr_pool_t *ptemp, server_rec *s);
/** The same for a request, rate-limited. */
void isign_guard_warn(request_rec *r);

#endif
