/** Refuses requests: log line, response, and WWW-Authenticate. */
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

/** The same, with detail, log detail, status and retry_after of the state. */
int sauth_refuse_state(request_rec *r, sauth_state *state, ia_result rc);

/** Logs a refusal; `what` is "refused", or "would refuse" in observe mode. `rule` may be NULL. */
void sauth_log_refusal(request_rec *r, const char *what, ia_result rc, const char *participant, const char *rule);

/**
 * Records that a rule was not met. sauth_log_denial, a log_transaction hook, logs it unless the request was admitted.
 */
void sauth_note_denial(request_rec *r, sauth_state *state, ia_result rc, const char *rule);
int sauth_log_denial(request_rec *r);

/** insert_error_filter: handles a 403 because of a rule of another module, such as Require user. */
void sauth_note_foreign_denial(request_rec *r);

/** Sets WWW-Authenticate; the second function is the note_auth_failure hook. */
void sauth_www_authenticate_write(request_rec *r, ia_result rc);
int sauth_note_auth_failure(request_rec *r, const char *auth_type);

#endif
