/** A call in an envelope, signed with a token of the challenge protocol. */
#ifndef CLIENT_ENVELOPE_CALL_H
#define CLIENT_ENVELOPE_CALL_H

#include "address.h"
#include "login.h"
#include "output.h"

typedef struct envelope_options {
    login_options login;
    const char *method; /**< of the envelope */
    const char *data;   /**< the request as -d takes it; NULL for an empty one */
    int is_xml;
    const apr_array_header_t *headers; /**< more header fields */
    const char *ca_file;
    apr_int64_t timeout;
    unsigned digest; /**< IA_DIGEST_* */
    output out;
    int json; /**< a summary goes to standard output */
} envelope_options;

/**
 * Logs in where that is needed, sends the call, and writes the response once its signature is verified (profile
 * hmac-sha256). @return an exit status
 */
int envelope_call(apr_pool_t *p, const envelope_options *options, const address *at);

#endif
