/** Keys of message signatures, from files: private keys, public keys, and shared secrets. */
#ifndef CLIENT_SIGNATURE_KEY_H
#define CLIENT_SIGNATURE_KEY_H

#include <apr_pools.h>
#include "interauth/httpsig.h"

/** Choices of --algorithm, for RSA keys; "key" means the algorithm that the key names. */
#define SIGNATURE_ALGORITHMS "key|rsa-pss-sha512|rsa-v1_5-sha256"

typedef struct signature_key {
    ia_key *key;            /**< NULL for a secret */
    ia_mac_key secret;      /**< of hmac-sha256 */
    const char *kid;        /**< of a JWK, else NULL */
    const char *thumbprint; /**< RFC 7638, base64url; NULL for a secret */
} signature_key;

/**
 * Loads the private key in `key_file` (a JWK or PEM, readable only by its owner) or the secret in `secret_file`; exactly
 * one is not NULL. `algorithm` is the index in SIGNATURE_ALGORITHMS.
 * @return an exit status; what is wrong is reported
 */
int signature_key_private(signature_key *out, apr_pool_t *p, const char *key_file, const char *secret_file,
                          int algorithm);

/** As above, for the public key in `key_file` (a JWK, PEM or certificate). */
int signature_key_public(signature_key *out, apr_pool_t *p, const char *key_file, const char *secret_file,
                         int algorithm);

/** The key in the form that signatures need; valid as long as `key`. */
ia_httpsig_key signature_key_use(const signature_key *key);

const char *signature_key_algorithm(const signature_key *key);

/** Wipes and frees. A zeroed key is allowed. */
void signature_key_close(signature_key *key);

#endif
