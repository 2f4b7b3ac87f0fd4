/** A key pair as JSON Web Keys (RFC 7517, RFC 7518, RFC 8037). */
#ifndef CLIENT_JWK_H
#define CLIENT_JWK_H

#include <apr_pools.h>
#include <openssl/evp.h>

/** The RFC 7638 thumbprint of a public key, base64url, from `p`; NULL for a type that is not supported. */
const char *jwk_thumbprint(apr_pool_t *p, const EVP_PKEY *key);

/** The public JWK as one line, or NULL. */
const char *jwk_public(apr_pool_t *p, const EVP_PKEY *key, const char *kid);

/**
 * The private JWK as one line and a line feed.
 * @param out must be wiped by the caller
 * @return 0 or -1
 */
#define JWK_PRIVATE_SIZE 8192
int jwk_private(char out[JWK_PRIVATE_SIZE], const EVP_PKEY *key, const char *kid);

#endif
