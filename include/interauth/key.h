/**
 * Keys for signatures: Ed25519 (RFC 8032), ECDSA on P-256 and P-384, RSA (RFC 8017); read from JWK (RFC 7517,
 * 7518, 8037) and from PEM (SubjectPublicKeyInfo and certificates, RFC 5280; RSAPublicKey, RFC 8017; private
 * keys, RFC 5208).
 *
 * There are two forms. `ia_key_raw` is a public key as plain numbers: it can be copied, compared and kept in
 * shared memory, and whoever can write there gains nothing, because it is checked again whenever a key is
 * made of it. `ia_key` is what signs and verifies: immutable, counted, shared by any number of threads; it
 * lives on the heap until its last owner drops it.
 *
 * A key belongs to exactly one algorithm, which is fixed when it is loaded and never taken from a message.
 * HMAC secrets are `ia_mac_key`, another type: nothing here turns one into the other.
 *
 * What is refused: points off the curve, not in their one encoding, or of small order (OpenSSL takes such
 * Ed25519 keys, and the neutral element then verifies any message); RSA outside 2048 to 4096 bits, exponents
 * that are even, 1, or above 32 bits; moduli with the fingerprint of the ROCA generator; anything not
 * minimally encoded. Certificates are only a container of a key: neither dates nor issuers are looked at, the
 * registry pins them.
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
    IA_KEY_NONE, /**< of a zeroed struct */
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

/** The algorithm of that name, or IA_ALGORITHM_NONE. */
ia_algorithm ia_algorithm_find(const char *name, apr_size_t len);

/** A public key as plain data. */
typedef struct ia_key_raw {
    apr_uint32_t type;                     /**< ia_key_type */
    apr_uint32_t algorithm;                /**< ia_algorithm, one of the type */
    apr_uint32_t exponent;                 /**< of RSA, else 0 */
    apr_uint32_t len;                      /**< bytes in use, the others are zero */
    unsigned char bytes[IA_KEY_BYTES_MAX]; /**< the encoded point (Ed25519), x and y (EC), the modulus (RSA) */
} ia_key_raw;

/**
 * A public JWK. Members that say nothing about the key (kid, x5c, ..) are ignored.
 * @return IA_OK, or an IA_KEY_.. refusal with `*out` zeroed
 */
ia_result ia_key_from_jwk(ia_key_raw *out, const ia_json *jwk);

/**
 * A public key from the only PEM block of a text: PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE.
 * @param algorithm what its owner's record names, or IA_ALGORITHM_NONE. A key of id-RSASSA-PSS (RFC 4055) is
 * one for rsa-pss-sha512 only.
 * @return IA_OK, or an IA_KEY_.. refusal with `*out` zeroed: IA_KEY_ALGORITHM where the key is not for that
 * algorithm
 */
ia_result ia_key_from_pem(ia_key_raw *out, const char *text, apr_size_t len, ia_algorithm algorithm);

/**
 * Makes an RSA key one for the other RSA algorithm, which its owner's record names.
 * @return IA_OK, or IA_KEY_ALGORITHM where the type has no such algorithm
 */
ia_result ia_key_set_algorithm(ia_key_raw *raw, ia_algorithm algorithm);

/** SHA-256 thumbprint (RFC 7638). */
ia_result ia_key_thumbprint(unsigned char out[IA_SHA256_LEN], const ia_key_raw *raw);

typedef struct ia_key ia_key;

/** Checks `raw` (a copy of it: it may lie in shared memory) and makes a key that verifies. */
ia_result ia_key_create(ia_key **out, const ia_key_raw *raw);

/**
 * Keys that also sign, from a private JWK or an unencrypted PEM private key. It is tried out: a private part
 * that does not belong to the public one is refused with IA_KEY_PAIR. The caller wipes the text.
 * @param algorithm IA_ALGORITHM_NONE for what the JWK says, or the default of the type
 */
ia_result ia_key_create_from_jwk(ia_key **out, const ia_json *jwk, ia_algorithm algorithm);
ia_result ia_key_create_from_pem(ia_key **out, const char *text, apr_size_t len, ia_algorithm algorithm);

/** One more owner; returns `key`. */
ia_key *ia_key_ref(ia_key *key);
/** One owner less; the last one frees it. NULL is ignored. */
void ia_key_unref(ia_key *key);

/** The public half; lives as long as the key. */
const ia_key_raw *ia_key_public(const ia_key *key);
ia_algorithm ia_key_algorithm(const ia_key *key);
int ia_key_can_sign(const ia_key *key);

/**
 * A secret for hmac-sha256 from an `oct` JWK.
 * @return IA_OK, or an IA_KEY_.. refusal with `out` wiped
 */
ia_result ia_key_secret_from_jwk(ia_mac_key *out, const ia_json *jwk);

/**
 * The same from raw bytes. What is plainly a public key (PEM, an SSH or DER public key, a JWK) is refused: as
 * a secret it would be known to everybody.
 */
ia_result ia_key_secret_load(ia_mac_key *out, const void *secret, apr_size_t len);

#ifdef __cplusplus
}
#endif
#endif
