/* Keys: what their files share. */
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

/* Bytes of a coordinate, and of a private number; 0 where the type has none. */
static inline apr_size_t iai_key_part_len(apr_uint32_t type)
{
    return type == IA_KEY_P384 ? 48 : type == IA_KEY_RSA ? 0 : 32;
}

/* OpenSSL's name of the group of an EC type. */
static inline const char *iai_key_group(apr_uint32_t type)
{
    return type == IA_KEY_P384 ? "P-384" : "P-256";
}

/* Type, algorithm, and everything about the numbers that makes a key unusable or weak. */
ia_result iai_key_check(const ia_key_raw *raw);

/* Whether 32 bytes are the one encoding of a point of edwards25519 that is not of small order. */
ia_result iai_ed25519_check(const unsigned char point[32]);

/* The same of x and y on P-256 or P-384. */
ia_result iai_ec_check(apr_uint32_t type, const unsigned char *point, apr_size_t len);

/* Size, parity, exponent, fingerprint. */
ia_result iai_rsa_check(const ia_key_raw *raw);

/* Takes `raw` as the type's default algorithm where it names none, and checks it. */
ia_result iai_key_complete(ia_key_raw *raw);

/* A key that signs, of a checked public half and a key of OpenSSL's that it then owns, also on refusal. */
ia_result iai_key_create_private(ia_key **out, const ia_key_raw *raw, EVP_PKEY *pkey);

/* A key of OpenSSL's from its parameters; NULL where it refuses them. */
EVP_PKEY *iai_pkey_from_params(const char *type, OSSL_PARAM_BLD *build, int selection);

/* Group and point of an EC key; `point` must live until the parameters are made. @return whether that worked
 */
int iai_push_ec(OSSL_PARAM_BLD *build, const ia_key_raw *raw, unsigned char point[IAI_EC_POINT_MAX]);

#endif
