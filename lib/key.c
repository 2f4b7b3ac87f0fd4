/* Creates keys of OpenSSL from public and private numbers. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include "interauth/sign.h"
#include "key_internal.h"

static const struct {
    const char *name;
    ia_key_type type;
} algorithms[] = {
    [IA_ALGORITHM_NONE] = {"none", IA_KEY_NONE},
    [IA_ALGORITHM_ED25519] = {"ed25519", IA_KEY_ED25519},
    [IA_ALGORITHM_ECDSA_P256] = {"ecdsa-p256-sha256", IA_KEY_P256},
    [IA_ALGORITHM_ECDSA_P384] = {"ecdsa-p384-sha384", IA_KEY_P384},
    [IA_ALGORITHM_RSA_PSS] = {"rsa-pss-sha512", IA_KEY_RSA},
    [IA_ALGORITHM_RSA_V1_5] = {"rsa-v1_5-sha256", IA_KEY_RSA},
    [IA_ALGORITHM_HMAC] = {"hmac-sha256", IA_KEY_NONE},
};
#define ALGORITHMS (sizeof algorithms / sizeof algorithms[0])

const char *ia_algorithm_name(ia_algorithm algorithm)
{
    return algorithms[(unsigned)algorithm < ALGORITHMS ? (unsigned)algorithm : IA_ALGORITHM_NONE].name;
}

ia_algorithm ia_algorithm_find(const char *name, apr_size_t len)
{
    unsigned i;

    for (i = IA_ALGORITHM_NONE + 1; i < ALGORITHMS; i++) {
        if (strlen(algorithms[i].name) == len && strncmp(algorithms[i].name, name, len) == 0)
            return (ia_algorithm)i;
    }
    return IA_ALGORITHM_NONE;
}

static int has_algorithm(apr_uint32_t type, apr_uint32_t algorithm)
{
    return type != IA_KEY_NONE && algorithm < ALGORITHMS && algorithms[algorithm].type == type;
}

ia_result iai_key_check(const ia_key_raw *raw)
{
    apr_size_t i;
    ia_result rc;

    if (raw->type < IA_KEY_ED25519 || raw->type > IA_KEY_RSA)
        return IA_KEY_TYPE_UNKNOWN;
    if (!has_algorithm(raw->type, raw->algorithm))
        return IA_KEY_ALGORITHM;
    if (raw->len > sizeof raw->bytes || (raw->type != IA_KEY_RSA && raw->exponent != 0))
        return IA_KEY_MALFORMED;
    for (i = raw->len; i < sizeof raw->bytes; i++) {
        if (raw->bytes[i] != 0)
            return IA_KEY_MALFORMED;
    }
    if (raw->type == IA_KEY_RSA)
        rc = iai_rsa_check(raw);
    else if (raw->type != IA_KEY_ED25519)
        rc = iai_ec_check(raw->type, raw->bytes, raw->len);
    else
        rc = raw->len == 32 ? iai_ed25519_check(raw->bytes) : IA_KEY_MALFORMED;
    return rc;
}

ia_result iai_key_complete(ia_key_raw *raw)
{
    unsigned i;

    for (i = 1; raw->algorithm == IA_ALGORITHM_NONE && i < ALGORITHMS; i++) {
        if (has_algorithm(raw->type, i))
            raw->algorithm = i;
    }
    return iai_key_check(raw);
}

ia_result ia_key_set_algorithm(ia_key_raw *raw, ia_algorithm algorithm)
{
    if (!has_algorithm(raw->type, (apr_uint32_t)algorithm))
        return IA_KEY_ALGORITHM;
    raw->algorithm = (apr_uint32_t)algorithm;
    return IA_OK;
}

EVP_PKEY *iai_pkey_from_params(const char *type, OSSL_PARAM_BLD *build, int selection)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *pkey = NULL;

    if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &pkey, selection, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return pkey;
}

static EVP_PKEY *rsa_pkey(const ia_key_raw *raw, OSSL_PARAM_BLD *build)
{
    BIGNUM *n = BN_bin2bn(raw->bytes, (int)raw->len, NULL), *e = BN_new();
    EVP_PKEY *pkey = NULL;

    if (n && e && BN_set_word(e, raw->exponent) == 1 && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1)
        pkey = iai_pkey_from_params("RSA", build, EVP_PKEY_PUBLIC_KEY);
    BN_free(n);
    BN_free(e);
    return pkey;
}

int iai_push_ec(OSSL_PARAM_BLD *build, const ia_key_raw *raw, unsigned char point[IAI_EC_POINT_MAX])
{
    point[0] = 4; /* uncompressed */
    memcpy(point + 1, raw->bytes, raw->len);
    return OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, iai_key_group(raw->type), 0) == 1 &&
           OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + raw->len) == 1;
}

static EVP_PKEY *ec_pkey(const ia_key_raw *raw, OSSL_PARAM_BLD *build)
{
    unsigned char point[IAI_EC_POINT_MAX];

    return iai_push_ec(build, raw, point) ? iai_pkey_from_params("EC", build, EVP_PKEY_PUBLIC_KEY) : NULL;
}

static EVP_PKEY *public_pkey(const ia_key_raw *raw)
{
    OSSL_PARAM_BLD *build;
    EVP_PKEY *pkey;

    if (raw->type == IA_KEY_ED25519)
        return EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, raw->bytes, raw->len);
    build = OSSL_PARAM_BLD_new();
    if (!build)
        return NULL;
    pkey = raw->type == IA_KEY_RSA ? rsa_pkey(raw, build) : ec_pkey(raw, build);
    OSSL_PARAM_BLD_free(build);
    return pkey;
}

static ia_key *wrap(const ia_key_raw *raw, EVP_PKEY *pkey, int can_sign)
{
    ia_key *key = calloc(1, sizeof *key);

    if (!key)
        return NULL;
    atomic_init(&key->owners, 1);
    key->can_sign = can_sign;
    key->raw = *raw;
    key->pkey = pkey;
    return key;
}

ia_result ia_key_create(ia_key **out, const ia_key_raw *raw)
{
    const ia_key_raw copy = *raw;
    ia_result rc = iai_key_check(&copy);
    EVP_PKEY *pkey;

    *out = NULL;
    if (rc != IA_OK)
        return rc;
    ERR_set_mark();
    pkey = public_pkey(&copy);
    ERR_pop_to_mark();
    if (!pkey)
        return IA_FAULT_CRYPTO;
    *out = wrap(&copy, pkey, 0);
    if (!*out) {
        EVP_PKEY_free(pkey);
        return IA_FAULT_MEMORY;
    }
    return IA_OK;
}

/* Whether a signature by the private key verifies with the public numbers. */
static ia_result try_out(const ia_key *key)
{
    static const char message[] = "interauth key pair";
    unsigned char signature[IA_SIGNATURE_MAX];
    apr_size_t len;
    ia_key *public_half;
    ia_result rc = ia_key_create(&public_half, &key->raw);

    if (rc == IA_OK && ia_signature_mint(signature, &len, key, message, sizeof message) != IA_OK)
        rc = IA_KEY_PAIR;
    if (rc == IA_OK && ia_signature_verify(public_half, message, sizeof message, signature, len) != IA_OK)
        rc = IA_KEY_PAIR;
    ia_key_unref(public_half);
    return rc;
}

ia_result iai_key_create_private(ia_key **out, const ia_key_raw *raw, EVP_PKEY *pkey)
{
    ia_key *key = wrap(raw, pkey, 1);
    ia_result rc;

    *out = NULL;
    if (!key) {
        EVP_PKEY_free(pkey);
        return IA_FAULT_MEMORY;
    }
    rc = try_out(key);
    if (rc == IA_OK)
        *out = key;
    else
        ia_key_unref(key);
    return rc;
}

ia_key *ia_key_ref(ia_key *key)
{
    atomic_fetch_add_explicit(&key->owners, 1, memory_order_relaxed);
    return key;
}

void ia_key_unref(ia_key *key)
{
    if (!key || atomic_fetch_sub_explicit(&key->owners, 1, memory_order_acq_rel) != 1)
        return;
    EVP_PKEY_free(key->pkey);
    free(key);
}

const ia_key_raw *ia_key_public(const ia_key *key)
{
    return &key->raw;
}

ia_algorithm ia_key_algorithm(const ia_key *key)
{
    return (ia_algorithm)key->raw.algorithm;
}

int ia_key_can_sign(const ia_key *key)
{
    return key->can_sign;
}
