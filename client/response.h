/**
 * Information in responses: the reason for a refusal, the authentication schemes that the server accepts, and nonces.
 */
#ifndef CLIENT_RESPONSE_H
#define CLIENT_RESPONSE_H

#include "http.h"
#include "interauth/nonce.h"

/** The reason for a refusal: problem+json (RFC 9457) with a member `code`, or an error of the challenge protocol. */
typedef struct problem {
    const char *title; /**< NULL if the response is neither */
    const char *code;  /**< NULL if it has none */
} problem;

void problem_read(problem *out, apr_pool_t *p, const http_response *response);

/** Whether the response is a refusal with this status and code. */
int problem_is(apr_pool_t *p, const http_response *response, long status, const char *code);

/** The seconds in Retry-After, if the server has just started and will be ready within a minute, else 0. */
unsigned problem_start_wait(apr_pool_t *p, const http_response *response);

/** Code and message of an error; for a response without them "http_404" and a sentence with the status. */
const char *problem_code(apr_pool_t *p, const problem *found, long status);
const char *problem_message(apr_pool_t *p, const problem *found, long status);

/**
 * Reports an unsuccessful response on standard error and as the error of --json.
 * @return CL_REFUSED for 4xx, else CL_FAULT
 */
int problem_report(apr_pool_t *p, const http_response *response);

/** WWW-Authenticate (RFC 9110 section 11.6.1) and Accept-Signature. */
typedef struct www_authenticate {
    int has_sauth;                     /**< the scheme SAuth is accepted */
    int has_challenge;                 /**< the scheme Challenge is accepted */
    int has_signature;                 /**< the scheme Signature is accepted, or there is an Accept-Signature */
    int is_stale;                      /**< stale=true of SAuth */
    char nonce[IA_NONCE_TEXT_LEN + 1]; /**< of SAuth; empty if it is missing or malformed */
} www_authenticate;

void www_authenticate_read(www_authenticate *out, apr_pool_t *p, const http_response *response);

/** Reads nextnonce of Authentication-Info (RFC 7615). @return false if it is missing or malformed */
int nextnonce_read(char out[IA_NONCE_TEXT_LEN + 1], apr_pool_t *p, const http_response *response);

/** Whether a text is a nonce: 22 characters of base64url that decode to 16 bytes. */
int nonce_is_valid(const char *text);

#endif
