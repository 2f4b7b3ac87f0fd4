/*
 * Reads keys from PEM. Public keys are parsed from DER here, not by OpenSSL: one encoding, named curves and
 * uncompressed points only, no parameters that change the meaning. OpenSSL parses certificates and private keys.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include "key_internal.h"

/* id-RSASSA-PSS (RFC 4055) and the names in its parameters, which may only be those of rsa-pss-sha512. */
#define PSS    "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"
#define MGF1   "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"
#define SHA512 "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03"

/* A position in DER. */
typedef struct der {
    const unsigned char *at, *end;
} der;

/* Enters an element with this tag: `inner` becomes its content, `outer` continues after it. */
static int enter(der *inner, der *outer, unsigned char tag)
{
    apr_size_t len, count;

    if (outer->end - outer->at < 2 || *outer->at++ != tag)
        return 0;
    len = *outer->at++;
    if (len >= 0x80) {
        count = len & 0x7f;
        if (count < 1 || count > 2 || (apr_size_t)(outer->end - outer->at) < count || *outer->at == 0)
            return 0;
        for (len = 0; count > 0; count--)
            len = len << 8 | *outer->at++;
        if (len < 0x80)
            return 0;
    }
    if ((apr_size_t)(outer->end - outer->at) < len)
        return 0;
    inner->at = outer->at;
    inner->end = outer->at += len;
    return 1;
}

/* A positive INTEGER without its sign byte. */
static int enter_number(der *inner, der *outer)
{
    if (!enter(inner, outer, 0x02) || inner->at == inner->end || *inner->at >= 0x80)
        return 0;
    if (*inner->at == 0) {
        inner->at++;
        return inner->at < inner->end && *inner->at >= 0x80;
    }
    return 1;
}

static ia_result take_rsa(ia_key_raw *raw, der *bits)
{
    der sequence, n, e;

    if (!enter(&sequence, bits, 0x30) || bits->at != bits->end || !enter_number(&n, &sequence) ||
        !enter_number(&e, &sequence) || sequence.at != sequence.end)
        return IA_KEY_MALFORMED;
    if (n.end - n.at > (apr_ssize_t)sizeof raw->bytes)
        return IA_KEY_SIZE;
    if (e.end - e.at > 4)
        return IA_KEY_EXPONENT;
    raw->len = (apr_uint32_t)(n.end - n.at);
    memcpy(raw->bytes, n.at, raw->len);
    for (; e.at < e.end; e.at++)
        raw->exponent = raw->exponent << 8 | *e.at;
    return IA_OK;
}

static ia_result take_point(ia_key_raw *raw, const der *bits)
{
    apr_size_t len = (apr_size_t)(bits->end - bits->at), prefix = raw->type == IA_KEY_ED25519 ? 0 : 1;

    if (len != prefix + iai_key_part_len(raw->type) * (prefix + 1) || (prefix == 1 && *bits->at != 4))
        return IA_KEY_MALFORMED;
    raw->len = (apr_uint32_t)(len - prefix);
    memcpy(raw->bytes, bits->at + prefix, raw->len);
    return IA_OK;
}

/*
 * The type from a whole AlgorithmIdentifier, parameters included. id-RSASSA-PSS also determines the algorithm.
 */
static ia_result find_type(ia_key_raw *raw, const der *identifier)
{
    static const struct {
        const char *bytes;
        unsigned char len, ec;
        ia_key_type type;
        ia_algorithm algorithm;
    } identifiers[] = {
        {"\x06\x03\x2b\x65\x70", 5, 0, IA_KEY_ED25519, IA_ALGORITHM_NONE},
        {"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 19, 1, IA_KEY_P256,
         IA_ALGORITHM_NONE},
        {"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22", 16, 1, IA_KEY_P384, IA_ALGORITHM_NONE},
        {"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00", 13, 0, IA_KEY_RSA, IA_ALGORITHM_NONE},
        {PSS, 11, 0, IA_KEY_RSA, IA_ALGORITHM_RSA_PSS}, /* no parameters: any hash */
        {PSS "\x30\x34\xa0\x0f\x30\x0d" SHA512 "\x05\x00\xa1\x1c\x30\x1a" MGF1 "\x30\x0d" SHA512
             "\x05\x00\xa2\x03\x02\x01\x40",
         65, 0, IA_KEY_RSA, IA_ALGORITHM_RSA_PSS},
        {PSS "\x30\x30\xa0\x0d\x30\x0b" SHA512 "\xa1\x1a\x30\x18" MGF1 "\x30\x0b" SHA512 "\xa2\x03\x02\x01\x40", 61, 0,
         IA_KEY_RSA, IA_ALGORITHM_RSA_PSS}}; /* RFC 4055: NULL parameters of a hash may be left out */
    apr_size_t len = (apr_size_t)(identifier->end - identifier->at);
    ia_result rc = IA_KEY_TYPE_UNKNOWN;
    unsigned i;

    for (i = 0; i < sizeof identifiers / sizeof identifiers[0]; i++) {
        if (len == identifiers[i].len && ia_mac_equal(identifier->at, identifiers[i].bytes, len)) {
            raw->type = identifiers[i].type;
            raw->algorithm = identifiers[i].algorithm;
            return IA_OK;
        }
        if (identifiers[i].ec && len >= 9 && ia_mac_equal(identifier->at, identifiers[i].bytes, 9))
            rc = IA_KEY_CURVE_UNKNOWN;
    }
    return rc;
}

/* The requested algorithm, unless the key itself determines another one. */
static ia_result choose_algorithm(ia_key_raw *raw, ia_algorithm algorithm)
{
    if (algorithm == IA_ALGORITHM_NONE)
        return IA_OK;
    if (raw->algorithm != IA_ALGORITHM_NONE && raw->algorithm != (apr_uint32_t)algorithm)
        return IA_KEY_ALGORITHM;
    return ia_key_set_algorithm(raw, algorithm);
}

static ia_result from_spki(ia_key_raw *out, const unsigned char *bytes, apr_size_t len, ia_algorithm algorithm)
{
    der all = {bytes, bytes + len}, info, identifier, bits;
    ia_result rc;

    memset(out, 0, sizeof *out);
    if (!enter(&info, &all, 0x30) || all.at != all.end || !enter(&identifier, &info, 0x30) ||
        !enter(&bits, &info, 0x03) || info.at != info.end || bits.at == bits.end || *bits.at++ != 0)
        return IA_KEY_MALFORMED;
    rc = find_type(out, &identifier);
    if (rc == IA_OK)
        rc = out->type == IA_KEY_RSA ? take_rsa(out, &bits) : take_point(out, &bits);
    if (rc == IA_OK)
        rc = choose_algorithm(out, algorithm);
    if (rc == IA_OK)
        rc = iai_key_complete(out);
    if (rc != IA_OK)
        memset(out, 0, sizeof *out);
    return rc;
}

/* PKCS #1: RSAPublicKey (RFC 8017, appendix A.1.1) without the AlgorithmIdentifier around it. */
static ia_result from_pkcs1(ia_key_raw *out, const unsigned char *bytes, apr_size_t len, ia_algorithm algorithm)
{
    der all = {bytes, bytes + len};
    ia_result rc;

    memset(out, 0, sizeof *out);
    out->type = IA_KEY_RSA;
    rc = take_rsa(out, &all);
    if (rc == IA_OK)
        rc = choose_algorithm(out, algorithm);
    if (rc == IA_OK)
        rc = iai_key_complete(out);
    if (rc != IA_OK)
        memset(out, 0, sizeof *out);
    return rc;
}

static ia_result from_certificate(ia_key_raw *out, const unsigned char *bytes, long len, ia_algorithm algorithm)
{
    const unsigned char *at = bytes;
    X509 *certificate = d2i_X509(NULL, &at, len);
    unsigned char *spki = NULL;
    int spki_len = 0;
    ia_result rc = IA_KEY_MALFORMED;

    if (certificate && at == bytes + len)
        spki_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &spki);
    if (spki_len > 0)
        rc = from_spki(out, spki, (apr_size_t)spki_len, algorithm);
    OPENSSL_free(spki);
    X509_free(certificate);
    return rc;
}

static ia_result from_private(ia_key **out, const unsigned char *bytes, long len, ia_algorithm algorithm)
{
    const unsigned char *at = bytes;
    EVP_PKEY *pkey = d2i_AutoPrivateKey(NULL, &at, len);
    unsigned char *spki = NULL;
    int spki_len = 0;
    ia_key_raw raw;
    ia_result rc = IA_KEY_MALFORMED;

    if (pkey && at == bytes + len)
        spki_len = i2d_PUBKEY(pkey, &spki);
    if (spki_len > 0)
        rc = from_spki(&raw, spki, (apr_size_t)spki_len, algorithm);
    OPENSSL_free(spki);
    if (rc == IA_OK)
        return iai_key_create_private(out, &raw, pkey);
    EVP_PKEY_free(pkey);
    return rc;
}

typedef struct block {
    char *name, *header;
    unsigned char *data;
    long len;
} block;

static void drop(block *b)
{
    OPENSSL_free(b->name);
    OPENSSL_free(b->header);
    OPENSSL_clear_free(b->data, (size_t)b->len);
    memset(b, 0, sizeof *b);
}

/* Finds the block; there must be exactly one. */
static ia_result read_block(block *out, const char *text, apr_size_t len)
{
    block second = {0};
    ia_result rc = IA_KEY_MALFORMED;
    BIO *bio;

    memset(out, 0, sizeof *out);
    if (len == 0 || len > IA_KEY_TEXT_MAX)
        return IA_KEY_MALFORMED;
    bio = BIO_new_mem_buf(text, (int)len);
    if (!bio)
        return IA_FAULT_MEMORY;
    if (PEM_read_bio(bio, &out->name, &out->header, &out->data, &out->len) == 1 && *out->header == '\0')
        rc = IA_OK;
    if (rc == IA_OK && PEM_read_bio(bio, &second.name, &second.header, &second.data, &second.len) == 1)
        rc = IA_KEY_MALFORMED;
    drop(&second);
    if (rc != IA_OK)
        drop(out);
    BIO_free(bio);
    return rc;
}

static int is_private(const block *b)
{
    return strcmp(b->name, PEM_STRING_PKCS8INF) == 0 || strcmp(b->name, PEM_STRING_RSA) == 0 ||
           strcmp(b->name, PEM_STRING_ECPRIVATEKEY) == 0;
}

static int is_public(const block *b)
{
    return strcmp(b->name, PEM_STRING_PUBLIC) == 0 || strcmp(b->name, PEM_STRING_RSA_PUBLIC) == 0 ||
           strcmp(b->name, PEM_STRING_X509) == 0;
}

ia_result ia_key_from_pem(ia_key_raw *out, const char *text, apr_size_t len, ia_algorithm algorithm)
{
    block b;
    ia_result rc;

    memset(out, 0, sizeof *out);
    ERR_set_mark();
    rc = read_block(&b, text, len);
    if (rc == IA_OK && strcmp(b.name, PEM_STRING_PUBLIC) == 0)
        rc = from_spki(out, b.data, (apr_size_t)b.len, algorithm);
    else if (rc == IA_OK && strcmp(b.name, PEM_STRING_RSA_PUBLIC) == 0)
        rc = from_pkcs1(out, b.data, (apr_size_t)b.len, algorithm);
    else if (rc == IA_OK && strcmp(b.name, PEM_STRING_X509) == 0)
        rc = from_certificate(out, b.data, b.len, algorithm);
    else if (rc == IA_OK)
        rc = is_private(&b) ? IA_KEY_PRIVATE : IA_KEY_MALFORMED;
    drop(&b);
    ERR_pop_to_mark();
    return rc;
}

ia_result ia_key_create_from_pem(ia_key **out, const char *text, apr_size_t len, ia_algorithm algorithm)
{
    block b;
    ia_result rc;

    *out = NULL;
    ERR_set_mark();
    rc = read_block(&b, text, len);
    if (rc == IA_OK && is_private(&b))
        rc = from_private(out, b.data, b.len, algorithm);
    else if (rc == IA_OK)
        rc = is_public(&b) ? IA_KEY_PUBLIC : IA_KEY_MALFORMED;
    drop(&b);
    ERR_pop_to_mark();
    return rc;
}
