/** A call in an envelope, signed with a token of the challenge protocol. */
#ifndef CLIENT_ENVELOPE_CALL_H
#define CLIENT_ENVELOPE_CALL_H

#include "address.h"
#include "login.h"
#include "output.h"

typedef struct envelope_options {
    login_options login;
    const char *method; /**< of the envelope */
    const char *data;   /**< the request as given with -d; NULL for an empty one */
    int is_xml;
    const apr_array_header_t *headers; /**< additional header fields */
    const char *ca_file;
    apr_int64_t timeout;
    unsigned digest; /**< IA_DIGEST_* */
    output out;
    int json; /**< print a summary on standard output */
} envelope_options;

/**
 * Logs in if necessary, sends the call, verifies the signature of the response (profile hmac-sha256), and writes it.
 * @return an exit status
 */
int envelope_call(apr_pool_t *p, const envelope_options *options, const address *at);

#endif
