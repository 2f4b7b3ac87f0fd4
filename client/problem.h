/** What a refusal says: problem+json (RFC 9457) with a `code` member, or an error of the challenge protocol. */
#ifndef CLIENT_PROBLEM_H
#define CLIENT_PROBLEM_H

#include "http.h"

typedef struct problem {
    const char *title; /**< NULL where the response is neither */
    const char *code;  /**< NULL where it has none */
} problem;

void problem_read(problem *out, apr_pool_t *p, const http_response *response);

/** Whether the response is a refusal of this status and code. */
int problem_is(apr_pool_t *p, const http_response *response, long status, const char *code);

/** The seconds of a Retry-After where the server has just started and will be ready within a minute, else 0. */
unsigned problem_start_wait(apr_pool_t *p, const http_response *response);

/** 0 below 400, CL_REFUSED for 4xx, CL_FAULT from 500. */
int problem_status(long status);

/** Code and message of an error; a response without them is "http_404" and a sentence with the status. */
const char *problem_code(apr_pool_t *p, const problem *told, long status);
const char *problem_message(apr_pool_t *p, const problem *told, long status);

/**
 * Reports a response that is no success, on standard error and as the error of --json. @return problem_status, CL_FAULT for anything below 400
 */
int problem_tell(apr_pool_t *p, const http_response *response);

#endif
