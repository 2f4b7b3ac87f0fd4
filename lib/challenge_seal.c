/*
 * Encrypts and decrypts challenges. The plain text is one AES block: index 4 bytes, stamp 7, profile 1, generation 4,
 * all big-endian. No mode is needed, because no two blocks are equal: each has another stamp.
 */
#include <openssl/evp.h>
#include <string.h>
#include "challenge_internal.h"
#include "interauth/challenge_seal.h"
#include "interauth/encoding.h"

#define BLOCK         16
#define INDEX_AT      0
#define STAMP_AT      4
#define PROFILE_AT    11
#define GENERATION_AT 12
#define STAMP_LEN     (PROFILE_AT - STAMP_AT)
#define STAMP_MAX     ((APR_UINT64_C(1) << 56) - 1)

static void put(unsigned char *out, apr_uint64_t value, int len)
{
    while (len--) {
        out[len] = (unsigned char)value;
        value >>= 8;
    }
}

static apr_uint64_t get(const unsigned char *in, int len)
{
    apr_uint64_t value = 0;

    while (len--)
        value = value << 8 | *in++;
    return value;
}

/*
 * The nonce key is also used for MACs over messages of other lengths; with the label this key differs from all of them.
 */
static ia_result cipher(unsigned char out[BLOCK], const unsigned char in[BLOCK], const ia_mac_key *nonce_key,
                        int encrypt)
{
    static const char label[] = "interauth challenge seal";
    ia_bytes part = {label, sizeof label - 1};
    unsigned char key[IA_MAC_MAX];
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int good, len = 0;

    memset(out, 0, BLOCK);
    ia_mac_compute(key, IA_HASH_SHA256, nonce_key, &part, 1);
    good = ctx && EVP_CipherInit_ex(ctx, EVP_aes_256_ecb(), NULL, key, NULL, encrypt) &&
           EVP_CIPHER_CTX_set_padding(ctx, 0) && EVP_CipherUpdate(ctx, out, &len, in, BLOCK) && len == BLOCK;
    EVP_CIPHER_CTX_free(ctx); /* wipes its key */
    ia_wipe(key, sizeof key);
    return good ? IA_OK : IA_FAULT_CRYPTO;
}

ia_result ia_challenge_mint(char out[IA_CHALLENGE_LEN + 1], const ia_mac_key *nonce_key, const ia_challenge_seal *seal)
{
    unsigned char plain[BLOCK], sealed[BLOCK];
    ia_result rc;

    out[0] = '\0';
    if (!iai_challenge_text_len(seal->profile) || seal->stamp > STAMP_MAX)
        return IA_FAULT_INTERNAL;
    put(plain + INDEX_AT, seal->participant_index, 4);
    put(plain + STAMP_AT, seal->stamp, STAMP_LEN);
    put(plain + PROFILE_AT, seal->profile, 1);
    put(plain + GENERATION_AT, seal->participant_generation, 4);
    if ((rc = cipher(sealed, plain, nonce_key, 1)))
        return rc;
    ia_hex_encode(out, sealed, sizeof sealed);
    return IA_OK;
}

ia_result ia_challenge_open(ia_challenge_seal *out, const ia_mac_key *nonce_key, const char *text, apr_size_t len)
{
    unsigned char plain[BLOCK], sealed[BLOCK];
    apr_size_t sealed_len = 0;
    ia_result rc;

    memset(out, 0, sizeof *out);
    if (len != IA_CHALLENGE_LEN || !iai_challenge_is_hex(text, len) ||
        ia_hex_decode(sealed, sizeof sealed, &sealed_len, text, len))
        return IA_MALFORMED;
    if ((rc = cipher(plain, sealed, nonce_key, 0)))
        return rc;
    if (!iai_challenge_text_len((ia_challenge_profile)plain[PROFILE_AT]))
        return IA_CHALLENGE_UNKNOWN;
    out->participant_index = (apr_uint32_t)get(plain + INDEX_AT, 4);
    out->stamp = get(plain + STAMP_AT, STAMP_LEN);
    out->profile = (ia_challenge_profile)plain[PROFILE_AT];
    out->participant_generation = (apr_uint32_t)get(plain + GENERATION_AT, 4);
    return IA_OK;
}

ia_result ia_challenge_check_age(apr_uint64_t stamp, apr_time_t now, apr_int64_t lifetime)
{
    apr_uint64_t time = now > 0 ? (apr_uint64_t)now : 0;

    apr_uint64_t age = stamp <= time ? time - stamp : 0, seconds = (age + APR_USEC_PER_SEC - 1) / APR_USEC_PER_SEC;

    return stamp > time || lifetime < 0 || seconds > (apr_uint64_t)lifetime ? IA_CHALLENGE_EXPIRED : IA_OK;
}
