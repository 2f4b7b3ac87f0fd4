/* Shared by the files that handle keys. */
#ifndef IAI_KEY_INTERNAL_H
#define IAI_KEY_INTERNAL_H

#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdatomic.h>
#include "interauth/key.h"

#define IAI_EC_POINT_MAX (1 + 2 * 48) /* bytes of an uncompressed point */

struct ia_key {
    atomic_uint owners;
    int can_sign;
    ia_key_raw raw;
    EVP_PKEY *pkey;
};

/* Bytes of a coordinate, and of a private number; 0 if the type has none. */
static inline apr_size_t iai_key_part_len(apr_uint32_t type)
{
    return type == IA_KEY_P384 ? 48 : type == IA_KEY_RSA ? 0 : 32;
}

/* OpenSSL's name for the group of an EC type. */
static inline const char *iai_key_group(apr_uint32_t type)
{
    return type == IA_KEY_P384 ? "P-384" : "P-256";
}

/* Checks type, algorithm, and whether the numbers are valid and not weak. */
ia_result iai_key_check(const ia_key_raw *raw);

/* Whether 32 bytes are the canonical encoding of a point of edwards25519 that is not of small order. */
ia_result iai_ed25519_check(const unsigned char point[32]);

/* Whether x and y are a point on P-256 or P-384. */
ia_result iai_ec_check(apr_uint32_t type, const unsigned char *point, apr_size_t len);

/* Checks size, parity, exponent, and the fingerprint of ROCA. */
ia_result iai_rsa_check(const ia_key_raw *raw);

/* Sets the default algorithm of the type if `raw` has none, and checks `raw`. */
ia_result iai_key_complete(ia_key_raw *raw);

/*
 * Creates a key that signs, from a checked public key and a key of OpenSSL, which it owns afterwards, also on refusal.
 */
ia_result iai_key_create_private(ia_key **out, const ia_key_raw *raw, EVP_PKEY *pkey);

/* Creates a key of OpenSSL from parameters; NULL if OpenSSL refuses them. */
EVP_PKEY *iai_pkey_from_params(const char *type, OSSL_PARAM_BLD *build, int selection);

/*
 * Group and point of an EC key; `point` must exist until the parameters are built. @return whether that worked
 */
int iai_push_ec(OSSL_PARAM_BLD *build, const ia_key_raw *raw, unsigned char point[IAI_EC_POINT_MAX]);

#endif
