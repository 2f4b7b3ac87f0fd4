/* Writes key pairs as JSON Web Keys. */
#include "jwk.h"

#include <string.h>

#include <apr_strings.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>

#include "interauth/encoding.h"
#include "interauth/mac.h"

#define NUMBER_MAX 1024 /* bytes of one number: an RSA modulus of 8192 bits */

/* Text in a buffer of fixed size: a growing one would leave copies of private numbers behind. */
typedef struct text {
    char *out;
    apr_size_t size, len;
    int failed;
} text;

/* How to get the value of a member from a key. */
typedef struct member {
    const char *name;
    const char *param; /* OpenSSL's name of the number or byte string; NULL: `constant` is the value */
    const char *constant;
    int width; /* bytes; 0: as many as the number has; -1: a byte string */
    int is_private;
} member;

/* Members in the order of RFC 7638: the required ones make the thumbprint. */
static const member ed25519_members[] = {{"crv", NULL, "Ed25519", 0, 0},
                                         {"kty", NULL, "OKP", 0, 0},
                                         {"x", OSSL_PKEY_PARAM_PUB_KEY, NULL, -1, 0},
                                         {"d", OSSL_PKEY_PARAM_PRIV_KEY, NULL, -1, 1},
                                         {NULL, NULL, NULL, 0, 0}};
static const member p256_members[] = {{"crv", NULL, "P-256", 0, 0},
                                      {"kty", NULL, "EC", 0, 0},
                                      {"x", OSSL_PKEY_PARAM_EC_PUB_X, NULL, 32, 0},
                                      {"y", OSSL_PKEY_PARAM_EC_PUB_Y, NULL, 32, 0},
                                      {"d", OSSL_PKEY_PARAM_PRIV_KEY, NULL, 32, 1},
                                      {NULL, NULL, NULL, 0, 0}};
static const member p384_members[] = {{"crv", NULL, "P-384", 0, 0},
                                      {"kty", NULL, "EC", 0, 0},
                                      {"x", OSSL_PKEY_PARAM_EC_PUB_X, NULL, 48, 0},
                                      {"y", OSSL_PKEY_PARAM_EC_PUB_Y, NULL, 48, 0},
                                      {"d", OSSL_PKEY_PARAM_PRIV_KEY, NULL, 48, 1},
                                      {NULL, NULL, NULL, 0, 0}};
static const member rsa_members[] = {{"e", OSSL_PKEY_PARAM_RSA_E, NULL, 0, 0},
                                     {"kty", NULL, "RSA", 0, 0},
                                     {"n", OSSL_PKEY_PARAM_RSA_N, NULL, 0, 0},
                                     {"d", OSSL_PKEY_PARAM_RSA_D, NULL, 0, 1},
                                     {"p", OSSL_PKEY_PARAM_RSA_FACTOR1, NULL, 0, 1},
                                     {"q", OSSL_PKEY_PARAM_RSA_FACTOR2, NULL, 0, 1},
                                     {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1, NULL, 0, 1},
                                     {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2, NULL, 0, 1},
                                     {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1, NULL, 0, 1},
                                     {NULL, NULL, NULL, 0, 0}};

static const member *members_of(const EVP_PKEY *key)
{
    if (EVP_PKEY_is_a(key, "ED25519"))
        return ed25519_members;
    if (EVP_PKEY_is_a(key, "EC"))
        return EVP_PKEY_get_bits(key) == 384 ? p384_members : p256_members;
    return EVP_PKEY_is_a(key, "RSA") ? rsa_members : NULL;
}

static void text_add(text *t, const char *piece)
{
    apr_size_t len = strlen(piece);

    if (t->failed || len >= t->size - t->len) {
        t->failed = 1;
        return;
    }
    memcpy(t->out + t->len, piece, len + 1);
    t->len += len;
}

static void text_member(text *t, const char *name, const char *value)
{
    text_add(t, t->len == 0 ? "{\"" : ",\"");
    text_add(t, name);
    text_add(t, "\":\"");
    text_add(t, value);
    text_add(t, "\"");
}

/* Gets the bytes of a member. @return how many, or 0 */
static size_t bytes_get(unsigned char out[NUMBER_MAX], const EVP_PKEY *key, const member *m)
{
    BIGNUM *number = NULL;
    size_t len = 0;
    int width;

    if (m->width < 0)
        return EVP_PKEY_get_octet_string_param(key, m->param, out, NUMBER_MAX, &len) == 1 ? len : 0;
    if (EVP_PKEY_get_bn_param(key, m->param, &number) != 1)
        return 0;
    width = m->width > 0 ? m->width : BN_num_bytes(number);
    if (width <= NUMBER_MAX && BN_bn2binpad(number, out, width) == width)
        len = (size_t)width;
    BN_clear_free(number);
    return len;
}

static void value_add(text *t, const EVP_PKEY *key, const member *m)
{
    unsigned char bytes[NUMBER_MAX];
    char value[IA_BASE64URL_SIZE(NUMBER_MAX)];
    size_t len;

    if (!m->param) {
        text_member(t, m->name, m->constant);
        return;
    }
    len = bytes_get(bytes, key, m);
    if (len == 0) {
        t->failed = 1;
    } else {
        ia_base64url_encode(value, bytes, len);
        text_member(t, m->name, value);
        ia_wipe(value, sizeof value);
    }
    ia_wipe(bytes, sizeof bytes);
}

static void members_add(text *t, const EVP_PKEY *key, int with_private)
{
    const member *m = members_of(key);

    if (!m)
        t->failed = 1;
    for (; m && m->name; m++)
        if (with_private || !m->is_private)
            value_add(t, key, m);
}

const char *jwk_thumbprint(apr_pool_t *p, const EVP_PKEY *key)
{
    char *out = apr_palloc(p, JWK_PRIVATE_SIZE), *thumbprint = apr_palloc(p, IA_BASE64URL_SIZE(IA_SHA256_LEN));
    text t = {.out = out, .size = JWK_PRIVATE_SIZE};
    unsigned char digest[IA_SHA256_LEN];
    ia_bytes all;

    members_add(&t, key, 0);
    text_add(&t, "}");
    if (t.failed)
        return NULL;
    all.data = out;
    all.len = t.len;
    ia_sha256(digest, &all, 1);
    ia_base64url_encode(thumbprint, digest, sizeof digest);
    return thumbprint;
}

const char *jwk_public(apr_pool_t *p, const EVP_PKEY *key, const char *kid)
{
    char *out = apr_palloc(p, JWK_PRIVATE_SIZE);
    text t = {.out = out, .size = JWK_PRIVATE_SIZE};

    text_member(&t, "kid", kid);
    members_add(&t, key, 0);
    text_add(&t, "}");
    return t.failed ? NULL : out;
}

int jwk_private(char out[JWK_PRIVATE_SIZE], const EVP_PKEY *key, const char *kid)
{
    text t = {.out = out, .size = JWK_PRIVATE_SIZE};

    text_member(&t, "kid", kid);
    members_add(&t, key, 1);
    text_add(&t, "}\n");
    return t.failed ? -1 : 0;
}
