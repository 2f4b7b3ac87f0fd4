/** Refusals: the reason for the log, the response, and what the client is asked for. */
#ifndef SAUTH_REFUSE_H
#define SAUTH_REFUSE_H

#include <httpd.h>
#include "interauth/result.h"
#include "sauth_state.h"

/**
 * Logs the refusal, notes the problem, and adds a challenge to a 401.
 * @param detail one sentence for the client, or NULL
 * @param retry_after seconds; 0: as the outcome says
 * @return the HTTP status to return from a hook
 */
int sauth_refuse(request_rec *r, ia_result rc, const char *detail, int retry_after);

/** The same, with the reason, detail and log detail that the state has; for handlers of endpoints. */
int sauth_refuse_state(request_rec *r, sauth_state *state, ia_result rc);

/** One log line about a refusal (or, in observe mode, a would-be refusal). `rule` may be NULL. */
void sauth_log_refusal(request_rec *r, const char *what, ia_result rc, const char *participant, const char *rule);

/** Remembers that a rule was not met; sauth_log_denial, a log_transaction hook, logs it unless the request went on. */
void sauth_note_denial(request_rec *r, sauth_state *state, ia_result rc, const char *rule);
int sauth_log_denial(request_rec *r);

/** insert_error_filter: words and logs a 403 that a rule of another module made, such as Require user. */
void sauth_note_foreign_denial(request_rec *r);

/** WWW-Authenticate for this request. */
void sauth_www_authenticate_write(request_rec *r, ia_result rc);
int sauth_note_auth_failure(request_rec *r, const char *auth_type);

#endif
