/**
 * Refusals as RFC 9457 problem+json. A module says why it is about to return an error status; if that status is then
 * what goes out, and the administrator has no ErrorDocument for it, the body is the problem. Whoever speaks another
 * protocol to its clients says it in a voice of its own.
 */
#ifndef INTERAUTH_COMMON_PROBLEM_H
#define INTERAUTH_COMMON_PROBLEM_H

#include <httpd.h>
#include "interauth/result.h"

/** Registers hook and filter under a name of the module's own, such as "SAUTH_PROBLEM". */
void problem_register(apr_pool_t *p, const char *filter_name);

/**
 * Notes why. Adds Retry-After where the outcome's row says so.
 * @param detail one sentence for the client, without secrets, or NULL
 * @param retry_after seconds; 0 is 1
 * @return the outcome's HTTP status
 */
int problem_set(request_rec *r, ia_result rc, const char *detail, int retry_after);

/** A refusal in other words than problem+json. Sets the media type. @return the body, or NULL for problem+json after all */
typedef const char *(*problem_formatter)(apr_pool_t *p, const ia_outcome *outcome, const char *detail,
                                         const char **type, apr_size_t *len);

/** What is refused from now on in this request, by whatever module, speaks so; NULL: problem+json. */
void problem_set_formatter(request_rec *r, problem_formatter voice);

/** Whether somebody noted why. */
int problem_is_set(request_rec *r);

/** httpd's log level for an outcome. */
int problem_log_level(const ia_outcome *outcome);

/** The request went on: whatever was noted was not the last word (one branch of a RequireAny, for example). */
void problem_clear(request_rec *r);

#endif
