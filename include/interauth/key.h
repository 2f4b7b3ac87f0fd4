/**
 * Keys for signatures: Ed25519 (RFC 8032), ECDSA on P-256 and P-384, RSA (RFC 8017). Read from JWK (RFC 7517, 7518, 8037)
 * and from PEM (SubjectPublicKeyInfo and certificates, RFC 5280; RSAPublicKey, RFC 8017; private keys, RFC 5208).
 *
 * There are two forms. `ia_key_raw` is a public key as plain data, which can be copied, compared and kept in shared
 * memory; it is checked each time that a key is created from it. `ia_key` signs and verifies: it is immutable, reference
 * counted, and may be used by any number of threads. It is on the heap, and freed with its last reference.
 *
 * A key has exactly one algorithm, which is set when it is loaded and never taken from a message. HMAC secrets are of
 * another type, `ia_mac_key`, and no function converts one into the other.
 *
 * Refused are points that are not on the curve, not canonically encoded, or of small order (OpenSSL accepts such Ed25519
 * keys, and the neutral element then verifies any message); RSA keys outside 2048 to 4096 bits, and exponents that are
 * even, 1, or above 32 bits; moduli with the fingerprint of the ROCA generator; anything not minimally encoded. Of a
 * certificate only the key is used: neither dates nor issuers are checked, because participants' records pin it.
 */
#ifndef INTERAUTH_KEY_H
#define INTERAUTH_KEY_H

#include <apr.h>
#include "interauth/json.h"
#include "interauth/mac.h"

#ifdef __cplusplus
extern "C" {
#endif

#define IA_RSA_BITS_MIN   2048
#define IA_RSA_BITS_MAX   4096
#define IA_KEY_BYTES_MAX  (IA_RSA_BITS_MAX / 8)
#define IA_KEY_TEXT_MAX   (64 * 1024) /**< bytes of a PEM text */
#define IA_OCT_SECRET_MIN 32          /**< bytes of a JWK secret for hmac-sha256 (RFC 7518 section 3.2) */

typedef enum ia_key_type {
    IA_KEY_NONE, /**< the value of a zeroed struct */
    IA_KEY_ED25519,
    IA_KEY_P256,
    IA_KEY_P384,
    IA_KEY_RSA
} ia_key_type;

/** The algorithms of RFC 9421 section 3.3. */
typedef enum ia_algorithm {
    IA_ALGORITHM_NONE,
    IA_ALGORITHM_ED25519,
    IA_ALGORITHM_ECDSA_P256,
    IA_ALGORITHM_ECDSA_P384,
    IA_ALGORITHM_RSA_PSS,  /**< rsa-pss-sha512, salt of 64 bytes: what RSA keys are for unless their record
                              says otherwise */
    IA_ALGORITHM_RSA_V1_5, /**< rsa-v1_5-sha256 */
    IA_ALGORITHM_HMAC      /**< hmac-sha256; of no ia_key */
} ia_algorithm;

/** Its name in RFC 9421, such as "ed25519"; "none" outside the enum. */
const char *ia_algorithm_name(ia_algorithm algorithm);

/** The algorithm with this name, or IA_ALGORITHM_NONE. */
ia_algorithm ia_algorithm_find(const char *name, apr_size_t len);

/** A public key as plain data. */
typedef struct ia_key_raw {
    apr_uint32_t type;                     /**< ia_key_type */
    apr_uint32_t algorithm;                /**< ia_algorithm, one for the type */
    apr_uint32_t exponent;                 /**< of RSA, else 0 */
    apr_uint32_t len;                      /**< bytes used; the others are zero */
    unsigned char bytes[IA_KEY_BYTES_MAX]; /**< the encoded point (Ed25519), x and y (EC), the modulus (RSA) */
} ia_key_raw;

/**
 * Reads a public JWK. Members that are not part of the key (kid, x5c, ..) are ignored.
 * @return IA_OK, or an IA_KEY_.. refusal with `*out` zeroed
 */
ia_result ia_key_from_jwk(ia_key_raw *out, const ia_json *jwk);

/**
 * Reads a public key from a text with one PEM block: PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE.
 * @param algorithm that of the participant's record, or IA_ALGORITHM_NONE. A key of id-RSASSA-PSS (RFC 4055) is for
 *        rsa-pss-sha512 only
 * @return IA_OK, or an IA_KEY_.. refusal with `*out` zeroed: IA_KEY_ALGORITHM if the key is not for that algorithm
 */
ia_result ia_key_from_pem(ia_key_raw *out, const char *text, apr_size_t len, ia_algorithm algorithm);

/**
 * Sets the algorithm of an RSA key, as the participant's record demands.
 * @return IA_OK, or IA_KEY_ALGORITHM if the type does not have this algorithm
 */
ia_result ia_key_set_algorithm(ia_key_raw *raw, ia_algorithm algorithm);

/** SHA-256 thumbprint (RFC 7638). */
ia_result ia_key_thumbprint(unsigned char out[IA_SHA256_LEN], const ia_key_raw *raw);

typedef struct ia_key ia_key;

/** Checks a copy of `raw`, which may be in shared memory, and creates a key that verifies. `*out` has one reference. */
ia_result ia_key_create(ia_key **out, const ia_key_raw *raw);

/**
 * Creates a key that also signs, from a private JWK or an unencrypted PEM private key. A trial signature is made: a private
 * part that does not match the public one is refused with IA_KEY_PAIR. The caller wipes the text.
 * @param algorithm IA_ALGORITHM_NONE for that of the JWK, or the default of the type
 */
ia_result ia_key_create_from_jwk(ia_key **out, const ia_json *jwk, ia_algorithm algorithm);
ia_result ia_key_create_from_pem(ia_key **out, const char *text, apr_size_t len, ia_algorithm algorithm);

/** Adds a reference; returns `key`. */
ia_key *ia_key_ref(ia_key *key);
/** Drops a reference; the last one frees the key. NULL is ignored. */
void ia_key_unref(ia_key *key);

/** The public key; valid as long as `key`. */
const ia_key_raw *ia_key_public(const ia_key *key);
ia_algorithm ia_key_algorithm(const ia_key *key);
int ia_key_can_sign(const ia_key *key);

/**
 * Loads a secret for hmac-sha256 from an `oct` JWK.
 * @return IA_OK, or an IA_KEY_.. refusal with `out` wiped
 */
ia_result ia_key_secret_from_jwk(ia_mac_key *out, const ia_json *jwk);

/**
 * Loads a secret from raw bytes. Public keys in PEM, DER, SSH or JWK format are refused: everybody knows them.
 * Results as above.
 */
ia_result ia_key_secret_load(ia_mac_key *out, const void *secret, apr_size_t len);

#ifdef __cplusplus
}
#endif
#endif
