/** Refusals: the line in the log, the response, and its challenges. */
#ifndef SAUTH_REFUSE_H
#define SAUTH_REFUSE_H

#include <httpd.h>
#include "interauth/result.h"
#include "sauth_state.h"

/**
 * Logs the refusal, sets the problem, and adds challenges to a 401.
 * @param detail one sentence for the client, or NULL
 * @param retry_after seconds; 0: the default of the outcome
 * @return the HTTP status to return from a hook
 */
int sauth_refuse(request_rec *r, ia_result rc, const char *detail, int retry_after);

/** The same for handlers of endpoints: uses `detail`, `retry_after`, `status` and `log_detail` of the state. */
int sauth_refuse_state(request_rec *r, sauth_state *state, ia_result rc);

/** Logs a refusal; `what` is "refused", or "would refuse" in observe mode. `rule` may be NULL. */
void sauth_log_refusal(request_rec *r, const char *what, ia_result rc, const char *participant, const char *rule);

/** Notes that a rule was not satisfied. sauth_log_denial, a log_transaction hook, logs it unless the request was allowed. */
void sauth_note_denial(request_rec *r, sauth_state *state, ia_result rc, const char *rule);
int sauth_log_denial(request_rec *r);

/** insert_error_filter hook: formats and logs a 403 that a rule of another module caused, such as Require user. */
void sauth_note_foreign_denial(request_rec *r);

/** Adds WWW-Authenticate to the response to this request. */
void sauth_www_authenticate_write(request_rec *r, ia_result rc);
int sauth_note_auth_failure(request_rec *r, const char *auth_type);

#endif
