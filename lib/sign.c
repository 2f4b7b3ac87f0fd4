/* Signs and verifies. OpenSSL uses ECDSA signatures in DER; they are converted here. */
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>
#include "interauth/sign.h"
#include "key_internal.h"

#define PSS_SALT   64
#define SCALAR_MAX 48
#define DER_MAX    (3 + 2 * (3 + SCALAR_MAX))

/* The orders of the groups, big-endian. */
static const unsigned char order_ed25519[32] = {0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                                0x00, 0x00, 0x00, 0x00, 0x00, 0x14, 0xde, 0xf9, 0xde, 0xa2, 0xf7,
                                                0x9c, 0xd6, 0x58, 0x12, 0x63, 0x1a, 0x5c, 0xf5, 0xd3, 0xed};
static const unsigned char order_p256[32] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                                             0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                             0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
static const unsigned char order_p384[48] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                             0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                             0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf, 0x58, 0x1a, 0x0d, 0xb2,
                                             0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73};

apr_size_t ia_signature_len(const ia_key *key)
{
    return key->raw.type == IA_KEY_RSA ? key->raw.len : 2 * iai_key_part_len(key->raw.type);
}

/* Big-endian. Not constant-time: signatures are public. */
static int is_below(const unsigned char *number, const unsigned char *limit, apr_size_t len)
{
    apr_size_t i;

    for (i = 0; i < len; i++) {
        if (number[i] != limit[i])
            return number[i] < limit[i];
    }
    return 0;
}

static int is_zero(const unsigned char *number, apr_size_t len)
{
    while (len > 0 && number[len - 1] == 0)
        len--;
    return len == 0;
}

/* Writes one positive DER integer; returns its length. */
static apr_size_t put_integer(unsigned char *der, const unsigned char *number, apr_size_t len)
{
    unsigned char *at = der;

    for (; len > 1 && *number == 0; number++)
        len--;
    *at++ = 0x02;
    *at++ = (unsigned char)(len + (*number >= 0x80));
    if (*number >= 0x80)
        *at++ = 0;
    memcpy(at, number, len);
    return (apr_size_t)(at - der) + len;
}

/* Two scalars need at most 104 bytes, so the length has the short form. */
static apr_size_t der_from_scalars(unsigned char der[DER_MAX], const unsigned char *scalars, apr_size_t len)
{
    apr_size_t n = 2;

    n += put_integer(der + n, scalars, len);
    n += put_integer(der + n, scalars + len, len);
    der[0] = 0x30;
    der[1] = (unsigned char)(n - 2);
    return n;
}

static int take_integer(unsigned char *scalar, apr_size_t len, const unsigned char **at, const unsigned char *end)
{
    apr_size_t size;

    if (end - *at < 2 || (*at)[0] != 0x02 || (*at)[1] > end - *at - 2)
        return 0;
    size = (*at)[1];
    *at += 2;
    for (; size > 0 && **at == 0; size--)
        (*at)++;
    if (size > len)
        return 0;
    memset(scalar, 0, len - size);
    memcpy(scalar + len - size, *at, size);
    *at += size;
    return 1;
}

static int scalars_from_der(unsigned char *scalars, apr_size_t len, const unsigned char *der, apr_size_t der_len)
{
    const unsigned char *at = der + 2, *end = der + der_len;

    return der_len >= 2 && der[0] == 0x30 && der[1] == der_len - 2 && take_integer(scalars, len, &at, end) &&
           take_integer(scalars + len, len, &at, end) && at == end;
}

static ia_result check_scalars(const ia_key *key, const unsigned char *signature)
{
    const unsigned char *order = key->raw.type == IA_KEY_P384 ? order_p384 : order_p256;
    apr_size_t len = iai_key_part_len(key->raw.type), i;
    unsigned char s[32];

    if (key->raw.type == IA_KEY_ED25519) {
        for (i = 0; i < sizeof s; i++)
            s[i] = signature[63 - i];
        return is_below(s, order_ed25519, sizeof s) ? IA_OK : IA_SIG_SCALAR;
    }
    for (i = 0; i < 2; i++, signature += len) {
        if (is_zero(signature, len) || !is_below(signature, order, len))
            return IA_SIG_SCALAR;
    }
    return IA_OK;
}

static const EVP_MD *digest_of(const ia_key *key)
{
    switch ((ia_algorithm)key->raw.algorithm) {
    case IA_ALGORITHM_ECDSA_P256:
    case IA_ALGORITHM_RSA_V1_5:
        return EVP_sha256();
    case IA_ALGORITHM_ECDSA_P384:
        return EVP_sha384();
    case IA_ALGORITHM_RSA_PSS:
        return EVP_sha512();
    default:
        return NULL; /* Ed25519 includes the hash */
    }
}

/* Sets the padding of RSA explicitly. */
static int set_padding(EVP_PKEY_CTX *ctx, const ia_key *key, const EVP_MD *md)
{
    if (key->raw.type != IA_KEY_RSA)
        return 1;
    if (key->raw.algorithm == IA_ALGORITHM_RSA_V1_5)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1 && EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, PSS_SALT) == 1;
}

/* 1 if valid, 0 if not, below 0 for a fault. */
static int verify(const ia_key *key, const void *message, apr_size_t message_len, const unsigned char *signature,
                  apr_size_t len)
{
    const EVP_MD *md = digest_of(key);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pkey_ctx;
    int valid = -1;

    if (ctx && EVP_DigestVerifyInit(ctx, &pkey_ctx, md, NULL, key->pkey) == 1 && set_padding(pkey_ctx, key, md))
        valid = EVP_DigestVerify(ctx, signature, len, message, message_len) == 1;
    EVP_MD_CTX_free(ctx);
    return valid;
}

ia_result ia_signature_verify(const ia_key *key, const void *message, apr_size_t message_len, const void *signature,
                              apr_size_t len)
{
    const unsigned char *bytes = signature;
    unsigned char der[DER_MAX];
    ia_result rc;
    int valid;

    if (len != ia_signature_len(key))
        return IA_SIG_LENGTH;
    if (key->raw.type != IA_KEY_RSA) {
        rc = check_scalars(key, bytes);
        if (rc != IA_OK)
            return rc;
    }
    if (key->raw.type == IA_KEY_P256 || key->raw.type == IA_KEY_P384) {
        len = der_from_scalars(der, bytes, len / 2);
        bytes = der;
    }
    ERR_set_mark();
    valid = verify(key, message, message_len, bytes, len);
    ERR_pop_to_mark();
    return valid > 0 ? IA_OK : valid == 0 ? IA_SIG_MISMATCH : IA_FAULT_CRYPTO;
}

static int mint(unsigned char *out, size_t *len, const ia_key *key, const void *message, apr_size_t message_len)
{
    const EVP_MD *md = digest_of(key);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pkey_ctx;
    int done;

    done = ctx && EVP_DigestSignInit(ctx, &pkey_ctx, md, NULL, key->pkey) == 1 && set_padding(pkey_ctx, key, md) &&
           EVP_DigestSign(ctx, out, len, message, message_len) == 1;
    EVP_MD_CTX_free(ctx);
    return done;
}

ia_result ia_signature_mint(unsigned char out[IA_SIGNATURE_MAX], apr_size_t *len, const ia_key *key,
                            const void *message, apr_size_t message_len)
{
    apr_size_t wanted = ia_signature_len(key);
    unsigned char made[IA_SIGNATURE_MAX];
    size_t made_len = sizeof made;
    int done;

    *len = 0;
    memset(out, 0, IA_SIGNATURE_MAX);
    if (!key->can_sign)
        return IA_KEY_PUBLIC;
    ERR_set_mark();
    done = mint(made, &made_len, key, message, message_len);
    ERR_pop_to_mark();
    if (done && (key->raw.type == IA_KEY_P256 || key->raw.type == IA_KEY_P384)) {
        done = scalars_from_der(out, wanted / 2, made, made_len);
    } else if (done) {
        done = made_len == wanted;
        memcpy(out, made, done ? wanted : 0);
    }
    if (!done) {
        memset(out, 0, IA_SIGNATURE_MAX);
        return IA_FAULT_CRYPTO;
    }
    *len = wanted;
    return IA_OK;
}

void ia_signature_mint_mac(unsigned char out[IA_SHA256_LEN], const ia_mac_key *secret, const void *message,
                           apr_size_t message_len)
{
    const ia_bytes part = {message, message_len};

    ia_mac_compute(out, IA_HASH_SHA256, secret, &part, 1);
}

ia_result ia_signature_verify_mac(const ia_mac_key *secret, const void *message, apr_size_t message_len,
                                  const void *signature, apr_size_t len)
{
    unsigned char mac[IA_SHA256_LEN];
    ia_result rc;

    if (len != sizeof mac)
        return IA_SIG_LENGTH;
    ia_signature_mint_mac(mac, secret, message, message_len);
    rc = ia_mac_equal(mac, signature, sizeof mac) ? IA_OK : IA_SIG_MISMATCH;
    ia_wipe(mac, sizeof mac);
    return rc;
}
