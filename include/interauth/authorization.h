/**
 * The SAuth Authorization header, both ways.
 *
 *   Authorization: SAuth response="<b64url(token:hexhmac)>",nonce="<b64url(N)>"   hexhmac = HMAC(secret, token " " N)
 *   Authorization: SAuth <b64url(token:hexhmac)>                                  N: one of the next nonces held
 *
 * N is the 22-character text of the nonce (the published web client) or its 16 bytes (others). A nonce parameter
 * decodes to one of the two, and the HMAC covers the one that the client uses.
 */
#ifndef INTERAUTH_AUTHORIZATION_H
#define INTERAUTH_AUTHORIZATION_H

#include <apr_pools.h>
#include "interauth/mac.h"
#include "interauth/token.h"

#ifdef __cplusplus
extern "C" {
#endif

#define IA_AUTHORIZATION_MAX 4096 /**< bytes of the header value */

typedef struct ia_authorization {
    char token[IA_TOKEN_TEXT_MAX + 1];
    apr_size_t token_len;
    ia_hash hash;
    unsigned char mac[IA_MAC_MAX];
    int bare;                           /**< no nonce parameter */
    unsigned char nonce[IA_NONCE_LEN];  /**< the nonce itself, where not bare */
    unsigned char n[IA_NONCE_TEXT_LEN]; /**< N: what the HMAC covers */
    apr_size_t n_len;                   /**< 22 or 16 */
} ia_authorization;

/** Whether a header value is of the scheme "SAuth" (any case). `value` may be NULL. */
int ia_authorization_is_sauth(const char *value);

/** Whether the scheme occurs anywhere in it, also in a second header that httpd joined with ", ". */
int ia_authorization_names_sauth(const char *value);

/**
 * Parses a header value. Parameters may come in either order. Unknown parameters are refused, and so is a second header
 * that httpd merged into the first.
 * @return IA_OK, IA_AUTHORIZATION_MALFORMED, IA_AUTHORIZATION_REPEATED or IA_SCHEME_NOT_ACCEPTED
 */
ia_result ia_authorization_parse(ia_authorization *out, const char *value);

/** Verifies that HMAC(key, token " " N) equals `auth->mac`. @return IA_OK or IA_MAC_MISMATCH */
ia_result ia_authorization_verify(const ia_authorization *auth, const ia_mac_key *key, const void *n, apr_size_t n_len);

/**
 * Formats a header value, in `p`.
 * @param nonce 22 characters, as received
 * @return NULL if token or nonce have the wrong syntax
 */
char *ia_authorization_format(apr_pool_t *p, const char *token, const char *nonce, ia_hash hash, const ia_mac_key *key);

#ifdef __cplusplus
}
#endif
#endif
