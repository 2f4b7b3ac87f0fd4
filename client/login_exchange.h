/** What a login says to the server: auth.request, auth.token, auth.refresh. */
#ifndef CLIENT_LOGIN_EXCHANGE_H
#define CLIENT_LOGIN_EXCHANGE_H

#include "http.h"
#include "interauth/envelope.h"
#include "login.h"

#define CALL_NONCE_BYTES 16 /**< of the nonce that a call carries */

/** One envelope on its way. */
typedef struct envelope_post {
    const char *url, *ca_file;
    ia_envelope_format format;
    const char *text;
    apr_size_t len;
    const apr_array_header_t *headers; /**< more of them, or NULL */
    unsigned digest;                   /**< IA_DIGEST_* of its Content-Digest */
    apr_int64_t timeout;
} envelope_post;

/** Sends it, and keeps the whole response. @return an exit status */
int envelope_send(http_response *response, apr_pool_t *p, const envelope_post *post);

/** A random nonce for one call, and the time as it is sent, from `p`. @return an exit status */
int envelope_stamp(ia_challenge_message *out, apr_pool_t *p);

/** Derives Secret, once; the domain must be known. @return an exit status */
int login_secret(login *l);

/** Logs in: fills token, expiry, lifetime and domain of the record held. @return an exit status */
int login_ask(login *l);

/** Asks for a token of this window. `*refreshed` is false where the server does not want to. @return an exit
 * status */
int login_refresh(login *l, int *refreshed);

#endif
