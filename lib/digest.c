/* Parses, computes, and compares Content-Digest (RFC 9530). */
#include <apr_strings.h>
#include <openssl/evp.h>
#include "interauth/digest.h"
#include "interauth/encoding.h"
#include "interauth/sfv.h"

#define ALGORITHMS 2

/* One row per active algorithm. */
static const struct algorithm {
    unsigned bit;
    const char *name;
    const char *evp_name;
    apr_size_t len;
    apr_size_t offset; /* of its value in a claim */
} algorithms[ALGORITHMS] = {
    {IA_DIGEST_SHA256, "sha-256", "SHA256", IA_SHA256_LEN, offsetof(ia_digest_claim, sha256)},
    {IA_DIGEST_SHA512, "sha-512", "SHA512", IA_SHA512_LEN, offsetof(ia_digest_claim, sha512)},
};

#define KNOWN (IA_DIGEST_SHA256 | IA_DIGEST_SHA512)

static const char *const deprecated[] = {"md5", "sha", "unixsum", "unixcksum", "adler", "crc32c"};

struct ia_digest {
    unsigned algorithms;
    int finished;
    EVP_MD_CTX *contexts[ALGORITHMS];
};

static unsigned char *value_in(ia_digest_claim *claim, const struct algorithm *a)
{
    return (unsigned char *)claim + a->offset;
}

static const unsigned char *value_of(const ia_digest_claim *claim, const struct algorithm *a)
{
    return (const unsigned char *)claim + a->offset;
}

static int is_deprecated(const ia_sfv_text *key)
{
    unsigned i;

    for (i = 0; i < sizeof deprecated / sizeof deprecated[0]; i++) {
        if (ia_sfv_text_is(key, deprecated[i]))
            return 1;
    }
    return 0;
}

/* Takes the value of a member whose key is active. */
static ia_result claim_member(ia_digest_claim *claim, const ia_sfv_member *member)
{
    const struct algorithm *a;

    if (member->value.type != IA_SFV_BYTES)
        return IA_DIGEST_MALFORMED;
    for (a = algorithms; a < algorithms + ALGORITHMS; a++) {
        if (!ia_sfv_text_is(&member->key, a->name))
            continue;
        if (member->value.text.len != a->len)
            return IA_DIGEST_MALFORMED;
        memcpy(value_in(claim, a), member->value.text.data, a->len);
        claim->algorithms |= a->bit;
    }
    return IA_OK;
}

ia_result ia_digest_parse(ia_digest_claim *out, apr_pool_t *p, const char *value, apr_size_t len)
{
    static const ia_sfv_limits limits = {IA_DIGEST_FIELD_MAX, 16, 16};
    const ia_sfv_member *member;
    ia_digest_claim claim = {0};
    int any_deprecated = 0;
    ia_sfv_field field;

    memset(out, 0, sizeof *out);
    if (ia_sfv_parse(&field, p, IA_SFV_DICTIONARY, value, len, IA_SFV_STRICT, &limits) != IA_OK)
        return IA_DIGEST_MALFORMED;
    for (member = field.first; member; member = member->next) {
        if (claim_member(&claim, member) != IA_OK)
            return IA_DIGEST_MALFORMED;
        any_deprecated |= is_deprecated(&member->key);
    }
    if (claim.algorithms == 0)
        return any_deprecated ? IA_DIGEST_DEPRECATED : IA_DIGEST_UNSUPPORTED;
    *out = claim;
    return IA_OK;
}

static apr_status_t free_contexts(void *data)
{
    ia_digest *digest = data;
    unsigned i;

    for (i = 0; i < ALGORITHMS; i++) {
        EVP_MD_CTX_free(digest->contexts[i]);
        digest->contexts[i] = NULL;
    }
    return APR_SUCCESS;
}

static ia_result start_context(EVP_MD_CTX **out, const char *evp_name)
{
    EVP_MD *md = EVP_MD_fetch(NULL, evp_name, NULL);
    int started;

    *out = EVP_MD_CTX_new();
    started = md && *out && EVP_DigestInit_ex2(*out, md, NULL) == 1;
    EVP_MD_free(md); /* the context holds its own reference */
    return started ? IA_OK : IA_FAULT_CRYPTO;
}

ia_result ia_digest_create(ia_digest **out, apr_pool_t *p, unsigned wanted)
{
    ia_digest *digest;
    unsigned i;

    *out = NULL;
    if (wanted == 0 || (wanted & ~KNOWN) != 0)
        return IA_FAULT_CRYPTO;
    digest = apr_pcalloc(p, sizeof *digest);
    digest->algorithms = wanted;
    apr_pool_cleanup_register(p, digest, free_contexts, apr_pool_cleanup_null);
    for (i = 0; i < ALGORITHMS; i++) {
        if ((wanted & algorithms[i].bit) != 0 && start_context(&digest->contexts[i], algorithms[i].evp_name) != IA_OK)
            return IA_FAULT_CRYPTO;
    }
    *out = digest;
    return IA_OK;
}

ia_result ia_digest_update(ia_digest *digest, const void *data, apr_size_t len)
{
    unsigned i;

    if (digest->finished)
        return IA_FAULT_CRYPTO;
    for (i = 0; i < ALGORITHMS; i++) {
        if (digest->contexts[i] && EVP_DigestUpdate(digest->contexts[i], data, len) != 1) {
            digest->finished = 1; /* the result would be the digest of other content */
            return IA_FAULT_CRYPTO;
        }
    }
    return IA_OK;
}

ia_result ia_digest_finish(ia_digest_claim *out, ia_digest *digest)
{
    ia_digest_claim claim = {0};
    unsigned i, len;

    memset(out, 0, sizeof *out);
    if (digest->finished)
        return IA_FAULT_CRYPTO;
    digest->finished = 1;
    for (i = 0; i < ALGORITHMS; i++) {
        if (!digest->contexts[i])
            continue;
        if (EVP_DigestFinal_ex(digest->contexts[i], value_in(&claim, &algorithms[i]), &len) != 1 ||
            len != algorithms[i].len)
            return IA_FAULT_CRYPTO;
    }
    claim.algorithms = digest->algorithms;
    *out = claim;
    return IA_OK;
}

ia_result ia_digest_compare(const ia_digest_claim *claimed, const ia_digest_claim *computed)
{
    const struct algorithm *a;

    if (claimed->algorithms == 0 || (claimed->algorithms & ~(computed->algorithms & KNOWN)) != 0)
        return IA_DIGEST_MISMATCH;
    for (a = algorithms; a < algorithms + ALGORITHMS; a++) {
        if ((claimed->algorithms & a->bit) != 0 && !ia_mac_equal(value_of(claimed, a), value_of(computed, a), a->len))
            return IA_DIGEST_MISMATCH;
    }
    return IA_OK;
}

char *ia_digest_format(apr_pool_t *p, const ia_digest_claim *claim)
{
    char text[IA_BASE64_SIZE(IA_SHA512_LEN)];
    const struct algorithm *a;
    char *value = NULL;

    for (a = algorithms; a < algorithms + ALGORITHMS; a++) {
        if ((claim->algorithms & a->bit) == 0)
            continue;
        ia_base64_encode(text, value_of(claim, a), a->len);
        value = apr_pstrcat(p, value ? value : "", value ? ", " : "", a->name, "=:", text, ":", NULL);
    }
    return value;
}

const char *ia_digest_names(unsigned bits)
{
    static const char *const names[] = {"", "sha-256", "sha-512", "sha-256 sha-512"};

    return names[bits & KNOWN];
}
