/** What a server says about nonces: WWW-Authenticate (RFC 9110 section 11.6.1) and Authentication-Info (RFC
 * 7615). */
#ifndef CLIENT_WWW_AUTHENTICATE_H
#define CLIENT_WWW_AUTHENTICATE_H

#include "http.h"
#include "interauth/nonce.h"

typedef struct sauth_challenge {
    int present; /**< there is a challenge of the scheme SAuth */
    int stale;
    int is_for_envelopes;              /**< there is one of the scheme Challenge */
    int is_for_signatures;             /**< there is one of the scheme Signature, or an Accept-Signature */
    char nonce[IA_NONCE_TEXT_LEN + 1]; /**< empty where it has none of the right form */
} sauth_challenge;

void challenge_read(sauth_challenge *out, apr_pool_t *p, const http_response *response);

/** The nextnonce of Authentication-Info; false where there is none of the right form. */
int nextnonce_read(char out[IA_NONCE_TEXT_LEN + 1], apr_pool_t *p, const http_response *response);

/** Whether a text is a nonce: 22 characters of base64url that decode to 16 bytes. */
int nonce_is_valid(const char *text);

#endif
