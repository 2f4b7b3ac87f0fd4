/* JWK (RFC 7517, 7518, 8037), thumbprints (RFC 7638), secrets. */
#include <apr_strings.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <string.h>
#include "interauth/encoding.h"
#include "key_internal.h"

static const struct {
    const char *kty, *crv;
    ia_key_type type;
} kinds[] = {{"OKP", "Ed25519", IA_KEY_ED25519},
             {"EC", "P-256", IA_KEY_P256},
             {"EC", "P-384", IA_KEY_P384},
             {"RSA", NULL, IA_KEY_RSA}};
#define KINDS (sizeof kinds / sizeof kinds[0])

static const struct {
    const char *alg;
    ia_algorithm algorithm;
} jose_names[] = {{"EdDSA", IA_ALGORITHM_ED25519},    {"Ed25519", IA_ALGORITHM_ED25519},
                  {"ES256", IA_ALGORITHM_ECDSA_P256}, {"ES384", IA_ALGORITHM_ECDSA_P384},
                  {"PS512", IA_ALGORITHM_RSA_PSS},    {"RS256", IA_ALGORITHM_RSA_V1_5},
                  {"HS256", IA_ALGORITHM_HMAC}};
#define JOSE_NAMES (sizeof jose_names / sizeof jose_names[0])

static int member_is(const ia_json *jwk, const char *name, const char *value)
{
    const char *string = ia_json_member_string(jwk, name);

    return string && strcmp(string, value) == 0;
}

static ia_result read_type(ia_key_raw *raw, const ia_json *jwk)
{
    int known = 0;
    unsigned i;

    if (!ia_json_member_string(jwk, "kty"))
        return IA_KEY_MALFORMED;
    for (i = 0; i < KINDS; i++) {
        if (!member_is(jwk, "kty", kinds[i].kty))
            continue;
        known = 1;
        if (!kinds[i].crv || member_is(jwk, "crv", kinds[i].crv)) {
            raw->type = kinds[i].type;
            return IA_OK;
        }
    }
    return known ? IA_KEY_CURVE_UNKNOWN : IA_KEY_TYPE_UNKNOWN;
}

static ia_result read_algorithm(ia_key_raw *raw, const ia_json *jwk)
{
    unsigned i;

    if (!ia_json_member(jwk, "alg"))
        return IA_OK;
    for (i = 0; i < JOSE_NAMES; i++) {
        if (member_is(jwk, "alg", jose_names[i].alg)) {
            raw->algorithm = jose_names[i].algorithm;
            return IA_OK;
        }
    }
    return IA_KEY_ALGORITHM;
}

/* `needed` must be among the operations; only "verify" is allowed besides it. */
static ia_result check_purpose(const ia_json *jwk, const char *needed)
{
    const ia_json *operations = ia_json_member(jwk, "key_ops"), *item, *other;
    int found = 0;

    if (ia_json_member(jwk, "use") && !member_is(jwk, "use", "sig"))
        return IA_KEY_USE;
    if (!operations)
        return IA_OK;
    if (operations->type != IA_JSON_ARRAY)
        return IA_KEY_OPERATIONS;
    for (item = operations->first; item; item = item->next) {
        if (item->type != IA_JSON_STRING)
            return IA_KEY_OPERATIONS;
        for (other = item->next; other; other = other->next) {
            if (other->type == IA_JSON_STRING && strcmp(other->string, item->string) == 0)
                return IA_KEY_OPERATIONS;
        }
        if (strcmp(item->string, needed) == 0)
            found = 1;
        else if (strcmp(item->string, "verify") != 0)
            return IA_KEY_OPERATIONS;
    }
    return found ? IA_OK : IA_KEY_OPERATIONS;
}

/* Decodes a member; `too_long` is the result if it has more than `capacity` bytes. */
static ia_result read_bytes(unsigned char *out, apr_size_t capacity, apr_size_t *len, const ia_json *jwk,
                            const char *name, ia_result too_long)
{
    const ia_json *member = ia_json_member(jwk, name);
    ia_result rc;

    *len = 0;
    if (!member || member->type != IA_JSON_STRING)
        return IA_KEY_MALFORMED;
    rc = ia_base64url_decode(out, capacity, len, member->string, member->string_len);
    return rc == IA_TOO_LONG ? too_long : rc == IA_OK ? IA_OK : IA_KEY_MALFORMED;
}

static ia_result read_exactly(unsigned char *out, apr_size_t wanted, const ia_json *jwk, const char *name)
{
    apr_size_t len;
    ia_result rc = read_bytes(out, wanted, &len, jwk, name, IA_KEY_MALFORMED);

    return rc == IA_OK && len != wanted ? IA_KEY_MALFORMED : rc;
}

static ia_result read_rsa(ia_key_raw *raw, const ia_json *jwk)
{
    unsigned char e[4];
    apr_size_t len, i;
    ia_result rc = read_bytes(raw->bytes, sizeof raw->bytes, &len, jwk, "n", IA_KEY_SIZE);

    raw->len = (apr_uint32_t)len;
    if (rc == IA_OK)
        rc = read_bytes(e, sizeof e, &len, jwk, "e", IA_KEY_EXPONENT);
    if (rc != IA_OK)
        return rc;
    if (len == 0 || e[0] == 0)
        return IA_KEY_MALFORMED;
    for (i = 0; i < len; i++)
        raw->exponent = raw->exponent << 8 | e[i];
    return IA_OK;
}

static ia_result read_public(ia_key_raw *raw, const ia_json *jwk, const char *operation)
{
    apr_size_t len;
    ia_result rc;

    memset(raw, 0, sizeof *raw);
    rc = check_purpose(jwk, operation);
    if (rc == IA_OK)
        rc = read_type(raw, jwk);
    if (rc == IA_OK)
        rc = read_algorithm(raw, jwk);
    if (rc != IA_OK)
        return rc;
    if (raw->type == IA_KEY_RSA) {
        rc = read_rsa(raw, jwk);
    } else {
        len = iai_key_part_len(raw->type);
        rc = read_exactly(raw->bytes, len, jwk, "x");
        if (rc == IA_OK && raw->type != IA_KEY_ED25519) {
            rc = read_exactly(raw->bytes + len, len, jwk, "y");
            len *= 2;
        }
        raw->len = (apr_uint32_t)len;
    }
    return rc == IA_OK ? iai_key_complete(raw) : rc;
}

ia_result ia_key_from_jwk(ia_key_raw *out, const ia_json *jwk)
{
    static const char *const private_members[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
    ia_result rc = IA_OK;
    unsigned i;

    memset(out, 0, sizeof *out);
    if (!jwk || jwk->type != IA_JSON_OBJECT)
        return IA_KEY_MALFORMED;
    for (i = 0; i < sizeof private_members / sizeof private_members[0]; i++) {
        if (ia_json_member(jwk, private_members[i]))
            rc = IA_KEY_PRIVATE;
    }
    if (rc == IA_OK)
        rc = read_public(out, jwk, "verify");
    if (rc != IA_OK)
        memset(out, 0, sizeof *out);
    return rc;
}

/* Reads a number of a private key into memory that OpenSSL wipes. */
static ia_result push_number(OSSL_PARAM_BLD *build, BIGNUM **number, const ia_json *jwk, const char *name,
                             const char *parameter)
{
    unsigned char bytes[IA_KEY_BYTES_MAX];
    apr_size_t len;
    ia_result rc = read_bytes(bytes, sizeof bytes, &len, jwk, name, IA_KEY_MALFORMED);

    if (rc == IA_OK) {
        *number = BN_secure_new();
        if (!*number || !BN_bin2bn(bytes, (int)len, *number) || OSSL_PARAM_BLD_push_BN(build, parameter, *number) != 1)
            rc = IA_FAULT_CRYPTO;
    }
    ia_wipe(bytes, sizeof bytes);
    return rc;
}

static ia_result push_public_rsa(OSSL_PARAM_BLD *build, BIGNUM **numbers, const ia_key_raw *raw)
{
    numbers[0] = BN_bin2bn(raw->bytes, (int)raw->len, NULL);
    numbers[1] = BN_new();
    if (!numbers[0] || !numbers[1] || BN_set_word(numbers[1], raw->exponent) != 1 ||
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, numbers[0]) != 1 ||
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, numbers[1]) != 1)
        return IA_FAULT_CRYPTO;
    return IA_OK;
}

/* All six private numbers are required, more than two primes refused. */
static ia_result private_rsa(EVP_PKEY **out, OSSL_PARAM_BLD *build, const ia_key_raw *raw, const ia_json *jwk)
{
    static const struct {
        const char *member, *parameter;
    } parts[] = {{"d", OSSL_PKEY_PARAM_RSA_D},          {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
                 {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},    {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
                 {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2}, {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}};
    BIGNUM *numbers[2 + 6] = {NULL};
    ia_result rc = IA_KEY_MALFORMED;
    unsigned i;

    if (!ia_json_member(jwk, "oth"))
        rc = push_public_rsa(build, numbers, raw);
    for (i = 0; i < 6 && rc == IA_OK; i++)
        rc = push_number(build, &numbers[2 + i], jwk, parts[i].member, parts[i].parameter);
    if (rc == IA_OK) {
        *out = iai_pkey_from_params("RSA", build, EVP_PKEY_KEYPAIR);
        rc = *out ? IA_OK : IA_KEY_PAIR;
    }
    for (i = 0; i < 8; i++)
        BN_clear_free(numbers[i]);
    return rc;
}

static ia_result private_ec(EVP_PKEY **out, OSSL_PARAM_BLD *build, const ia_key_raw *raw, const ia_json *jwk)
{
    unsigned char point[IAI_EC_POINT_MAX], d[48];
    apr_size_t len = iai_key_part_len(raw->type);
    BIGNUM *number = NULL;
    ia_result rc = read_exactly(d, len, jwk, "d");

    ia_wipe(d, sizeof d);
    if (rc == IA_OK)
        rc = push_number(build, &number, jwk, "d", OSSL_PKEY_PARAM_PRIV_KEY);
    if (rc == IA_OK && !iai_push_ec(build, raw, point))
        rc = IA_FAULT_CRYPTO;
    if (rc == IA_OK) {
        *out = iai_pkey_from_params("EC", build, EVP_PKEY_KEYPAIR);
        rc = *out ? IA_OK : IA_KEY_PAIR;
    }
    BN_clear_free(number);
    return rc;
}

static ia_result private_ed25519(EVP_PKEY **out, const ia_json *jwk)
{
    unsigned char d[32];
    ia_result rc = read_exactly(d, sizeof d, jwk, "d");

    if (rc == IA_OK) {
        *out = EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, d, sizeof d);
        rc = *out ? IA_OK : IA_FAULT_CRYPTO;
    }
    ia_wipe(d, sizeof d);
    return rc;
}

static ia_result private_pkey(EVP_PKEY **out, const ia_key_raw *raw, const ia_json *jwk)
{
    OSSL_PARAM_BLD *build;
    ia_result rc;

    if (raw->type == IA_KEY_ED25519)
        return private_ed25519(out, jwk);
    build = OSSL_PARAM_BLD_new();
    if (!build)
        return IA_FAULT_MEMORY;
    rc = raw->type == IA_KEY_RSA ? private_rsa(out, build, raw, jwk) : private_ec(out, build, raw, jwk);
    OSSL_PARAM_BLD_free(build);
    return rc;
}

ia_result ia_key_create_from_jwk(ia_key **out, const ia_json *jwk, ia_algorithm algorithm)
{
    EVP_PKEY *pkey = NULL;
    ia_key_raw raw;
    ia_result rc;

    *out = NULL;
    if (!jwk || jwk->type != IA_JSON_OBJECT)
        return IA_KEY_MALFORMED;
    if (!ia_json_member(jwk, "d"))
        return !ia_json_member(jwk, "k") ? IA_KEY_PUBLIC : IA_KEY_TYPE_UNKNOWN;
    rc = read_public(&raw, jwk, "sign");
    if (rc == IA_OK && algorithm != IA_ALGORITHM_NONE)
        rc = ia_key_set_algorithm(&raw, algorithm);
    if (rc != IA_OK)
        return rc;
    ERR_set_mark();
    rc = private_pkey(&pkey, &raw, jwk);
    if (rc == IA_OK)
        rc = iai_key_create_private(out, &raw, pkey);
    ERR_pop_to_mark();
    return rc;
}

ia_result ia_key_thumbprint(unsigned char out[IA_SHA256_LEN], const ia_key_raw *raw)
{
    char first[IA_BASE64URL_SIZE(IA_KEY_BYTES_MAX)], second[IA_BASE64URL_SIZE(48)];
    char text[sizeof first + sizeof second + 64];
    apr_size_t part = iai_key_part_len(raw->type), i, n = 0;
    unsigned char e[4];
    ia_bytes bytes;
    ia_result rc = iai_key_check(raw);

    memset(out, 0, IA_SHA256_LEN);
    if (rc != IA_OK)
        return rc;
    ia_base64url_encode(first, raw->bytes, part != 0 ? part : raw->len);
    if (raw->type == IA_KEY_RSA) {
        for (i = 0; i < 4; i++) {
            if (n > 0 || raw->exponent >> (24 - 8 * i) != 0)
                e[n++] = (unsigned char)(raw->exponent >> (24 - 8 * i));
        }
        ia_base64url_encode(second, e, n);
        apr_snprintf(text, sizeof text, "{\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}", second, first);
    } else if (raw->type == IA_KEY_ED25519) {
        apr_snprintf(text, sizeof text, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"%s\"}", first);
    } else {
        ia_base64url_encode(second, raw->bytes + part, part);
        apr_snprintf(text, sizeof text, "{\"crv\":\"%s\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}",
                     iai_key_group(raw->type), first, second);
    }
    bytes.data = text;
    bytes.len = strlen(text);
    ia_sha256(out, &bytes, 1);
    return IA_OK;
}

/* Prefixes of public texts, which a secret must not have. */
static int looks_public(const unsigned char *secret, apr_size_t len)
{
    static const char *const openings[] = {"-----BEGIN ",
                                           "ssh-",
                                           "ecdsa-sha2-",
                                           "{\"",
                                           "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03",
                                           "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d",
                                           "\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d"};
    apr_size_t size;
    unsigned i;

    for (i = 0; i < sizeof openings / sizeof openings[0]; i++) {
        size = strlen(openings[i]);
        if (len >= size && ia_mac_equal(secret, openings[i], size))
            return 1;
    }
    /* SubjectPublicKeyInfo of an RSA key */
    return len > 19 && secret[0] == 0x30 && secret[1] == 0x82 &&
           ia_mac_equal(secret + 4, "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", 13);
}

ia_result ia_key_secret_load(ia_mac_key *out, const void *secret, apr_size_t len)
{
    if (looks_public(secret, len)) {
        ia_wipe(out, sizeof *out);
        return IA_KEY_SECRET_PUBLIC;
    }
    return ia_mac_key_load(out, secret, len) == IA_OK ? IA_OK : IA_KEY_SIZE;
}

ia_result ia_key_secret_from_jwk(ia_mac_key *out, const ia_json *jwk)
{
    unsigned char secret[IA_SECRET_MAX];
    apr_size_t len = 0;
    ia_key_raw raw = {0};
    ia_result rc;

    ia_wipe(out, sizeof *out);
    if (!jwk || jwk->type != IA_JSON_OBJECT)
        return IA_KEY_MALFORMED;
    rc = check_purpose(jwk, "verify");
    if (rc == IA_KEY_OPERATIONS)
        rc = check_purpose(jwk, "sign");
    if (rc == IA_OK && !member_is(jwk, "kty", "oct"))
        rc = IA_KEY_TYPE_UNKNOWN;
    if (rc == IA_OK)
        rc = read_algorithm(&raw, jwk);
    if (rc == IA_OK && raw.algorithm != IA_ALGORITHM_NONE && raw.algorithm != IA_ALGORITHM_HMAC)
        rc = IA_KEY_ALGORITHM;
    if (rc == IA_OK)
        rc = read_bytes(secret, sizeof secret, &len, jwk, "k", IA_KEY_SIZE);
    if (rc == IA_OK)
        rc = len < IA_OCT_SECRET_MIN ? IA_KEY_SIZE : ia_key_secret_load(out, secret, len);
    ia_wipe(secret, sizeof secret);
    return rc;
}
