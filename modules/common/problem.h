/**
 * Refusals as RFC 9457 problem+json. A module notes why it is about to return an error status. If httpd then sends that
 * status, and the administrator has no ErrorDocument for it, the body is the problem. A protocol with errors of its own
 * sets a formatter.
 */
#ifndef INTERAUTH_COMMON_PROBLEM_H
#define INTERAUTH_COMMON_PROBLEM_H

#include <httpd.h>
#include "interauth/result.h"

/** Registers hook and filter under a name of the module's own, such as "SAUTH_PROBLEM". */
void problem_register(apr_pool_t *p, const char *filter_name);

/**
 * Notes the reason. Adds Retry-After where the outcome's row says so.
 * @param detail one sentence for the client, without secrets, or NULL
 * @param retry_after seconds; 0 is 1
 * @return the outcome's HTTP status
 */
int problem_set(request_rec *r, ia_result rc, const char *detail, int retry_after);

/** The response to a refused request, as a formatter words it. */
typedef struct problem_response {
    int status;       /**< the outcome's; another one may be put in its place, from 200, that allows content */
    const char *type; /**< media type */
    const char *body;
    apr_size_t len;
} problem_response;

/**
 * Words a refusal in a protocol's own way: called once, when the response is made. It may change fields in
 * r->err_headers_out too.
 * @param detail one sentence for the client, or NULL
 * @return 1 with `out` filled, or 0 for problem+json
 */
typedef int (*problem_formatter)(request_rec *r, const ia_outcome *outcome, const char *detail, problem_response *out);

/** Refusals of this request from now on, by whatever module, are worded by `formatter`; NULL: problem+json. */
void problem_set_formatter(request_rec *r, problem_formatter formatter);

/** Whether a reason was noted. */
int problem_is_set(request_rec *r);

/** httpd's log level for an outcome. */
int problem_log_level(const ia_outcome *outcome);

/** Forgets what was noted: the request went on, for example by another rule of a RequireAny. */
void problem_clear(request_rec *r);

#endif
