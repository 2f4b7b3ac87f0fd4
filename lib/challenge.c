/* Computes the windows, tokens and signatures of the challenge protocol. */
#include <apr_strings.h>
#include <openssl/evp.h>
#include <string.h>
#include "challenge_internal.h"
#include "interauth/encoding.h"

#define MD5_LEN     16
#define NUMBER_SIZE 24 /* characters of any 64-bit number, with its NUL */

static const char *const profile_names[] = {"none", "md5", "hmac-sha256"};

const char *ia_challenge_profile_name(ia_challenge_profile profile)
{
    return profile_names[iai_challenge_text_len(profile) ? profile : IA_CHALLENGE_PROFILE_NONE];
}

ia_challenge_profile ia_challenge_profile_named(const char *name)
{
    ia_challenge_profile profile;

    for (profile = IA_CHALLENGE_PROFILE_MD5; profile <= IA_CHALLENGE_PROFILE_HMAC; profile++)
        if (name && !strcmp(name, profile_names[profile]))
            return profile;
    return IA_CHALLENGE_PROFILE_NONE;
}

apr_size_t iai_challenge_text_len(ia_challenge_profile profile)
{
    if (profile == IA_CHALLENGE_PROFILE_MD5)
        return IA_CHALLENGE_MD5_LEN;
    return profile == IA_CHALLENGE_PROFILE_HMAC ? IA_CHALLENGE_HMAC_LEN : 0;
}

int iai_challenge_is_hex(const char *text, apr_size_t len)
{
    unsigned bad = 0;
    apr_size_t i;

    for (i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        bad |= !(((c >= '0') & (c <= '9')) | ((c >= 'a') & (c <= 'f')));
    }
    return !bad;
}

ia_result iai_challenge_md5(char out[IA_CHALLENGE_TEXT_SIZE], const ia_bytes *parts, unsigned count)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char digest[MD5_LEN];
    int good = ctx && EVP_DigestInit_ex(ctx, EVP_md5(), NULL);
    unsigned i;

    out[0] = '\0';
    for (i = 0; good && i < count; i++)
        good = EVP_DigestUpdate(ctx, parts[i].data, parts[i].len);
    good = good && EVP_DigestFinal_ex(ctx, digest, NULL);
    EVP_MD_CTX_free(ctx); /* wipes its state */
    if (good)
        ia_hex_encode(out, digest, sizeof digest);
    ia_wipe(digest, sizeof digest);
    return good ? IA_OK : IA_FAULT_CRYPTO;
}

void iai_challenge_hmac(char out[IA_CHALLENGE_TEXT_SIZE], const ia_mac_key *key, const ia_bytes *parts, unsigned count)
{
    unsigned char mac[IA_MAC_MAX];

    ia_mac_compute(mac, IA_HASH_SHA256, key, parts, count);
    ia_hex_encode(out, mac, IA_SHA256_LEN);
    ia_wipe(mac, sizeof mac);
}

/* --- windows ----------------------------------------------------------------------------------------------------- */

#define LIFETIME_MAX (APR_INT64_C(366) * 86400)

/* Limits arguments so that the sums below do not overflow. */
static apr_int64_t bounded(apr_int64_t value, apr_int64_t low, apr_int64_t high)
{
    if (value < low)
        return low;
    return value > high ? high : value;
}

static apr_int64_t bounded_lifetime(apr_int64_t lifetime)
{
    return bounded(lifetime, 1, LIFETIME_MAX);
}

static apr_time_t bounded_skew(apr_time_t skew, apr_int64_t lifetime)
{
    return bounded(skew, 0, apr_time_from_sec(lifetime));
}

static apr_time_t bounded_time(apr_time_t at)
{
    return bounded(at, 0, APR_INT64_MAX / 2);
}

apr_int64_t ia_challenge_window(apr_time_t at, apr_int64_t lifetime)
{
    apr_int64_t seconds = bounded_lifetime(lifetime);
    apr_time_t width = apr_time_from_sec(seconds), time = bounded_time(at);

    return (time / width + (time % width != 0)) * seconds;
}

void ia_challenge_windows(apr_int64_t out[IA_CHALLENGE_WINDOWS], apr_time_t now, apr_int64_t lifetime, apr_time_t skew)
{
    apr_int64_t seconds = bounded_lifetime(lifetime);
    apr_time_t time = bounded_time(now), within = bounded_skew(skew, seconds);
    apr_int64_t before = ia_challenge_window(time - within, seconds),
                after = ia_challenge_window(time + within, seconds);

    out[0] = ia_challenge_window(time, seconds);
    out[1] = before;
    out[2] = after;
    if (apr_time_from_sec(out[0]) - time < time - apr_time_from_sec(out[0] - seconds)) {
        out[1] = after;
        out[2] = before;
    }
}

apr_time_t ia_challenge_token_expires(apr_int64_t nonce, apr_time_t minted, apr_int64_t lifetime, apr_time_t skew)
{
    apr_int64_t seconds = bounded_lifetime(lifetime);
    apr_time_t within = bounded_skew(skew, seconds);
    apr_time_t end = apr_time_from_sec(bounded(nonce, 0, APR_INT64_MAX / 2 / APR_USEC_PER_SEC));

    if (bounded_time(minted) >= end - within)
        end += apr_time_from_sec(seconds);
    return end + within;
}

/* --- Token and Signature ----------------------------------------------------------------------------------------- */

static ia_bytes text_bytes(const char *text)
{
    ia_bytes bytes = {text ? text : "", text ? strlen(text) : 0};

    return bytes;
}

ia_result iai_challenge_signer_init(iai_challenge_signer *m, ia_challenge_profile profile, const char *separator,
                                    const char *secret)
{
    apr_size_t len = iai_challenge_text_len(profile);

    memset(m, 0, sizeof *m);
    m->profile = profile;
    m->separator = text_bytes(separator);
    m->secret = text_bytes(secret);
    if (!len || m->secret.len != len)
        return IA_FAULT_CRYPTO;
    if (profile == IA_CHALLENGE_PROFILE_HMAC && ia_mac_key_load(&m->mac, secret, len))
        return IA_FAULT_CRYPTO;
    return IA_OK;
}

ia_result iai_challenge_compute(char out[IA_CHALLENGE_TEXT_SIZE], const iai_challenge_signer *m, const char *first,
                                apr_int64_t nonce, const ia_bytes *more, unsigned more_count)
{
    char number[NUMBER_SIZE];
    ia_bytes parts[2 * IAI_CHALLENGE_MORE + 3] = {text_bytes(first), {"", 1}};
    unsigned i, count = 3;

    apr_snprintf(number, sizeof number, "%" APR_INT64_T_FMT, nonce);
    if (m->profile == IA_CHALLENGE_PROFILE_MD5) {
        ia_bytes joined[] = {parts[0], m->separator, m->secret, m->separator, text_bytes(number)};

        return iai_challenge_md5(out, joined, 5);
    }
    parts[2] = text_bytes(number);
    for (i = 0; i < more_count; i++) {
        parts[count++] = parts[1];
        parts[count++] = more[i];
    }
    iai_challenge_hmac(out, &m->mac, parts, count);
    return IA_OK;
}

ia_result iai_challenge_sign(char out[IA_CHALLENGE_TEXT_SIZE], const iai_challenge_signer *m, const char *token,
                             apr_int64_t nonce, const ia_challenge_message *message)
{
    ia_bytes more[IAI_CHALLENGE_MORE] = {{NULL, 0}};

    if (!message)
        return iai_challenge_compute(out, m, token, nonce, NULL, 0);
    more[0] = text_bytes(message->method);
    more[1] = text_bytes(message->nonce);
    more[2] = text_bytes(message->timestamp);
    more[3].data = message->request ? message->request : "";
    more[3].len = message->request ? message->request_len : 0;
    return iai_challenge_compute(out, m, token, nonce, more, IAI_CHALLENGE_MORE);
}

ia_result ia_challenge_token(char out[IA_CHALLENGE_TEXT_SIZE], const ia_challenge_terms *terms, const char *challenge,
                             apr_int64_t nonce)
{
    iai_challenge_signer m;
    ia_result rc = iai_challenge_signer_init(&m, terms->profile, terms->separator, terms->secret);

    memset(out, 0, IA_CHALLENGE_TEXT_SIZE);
    if (!rc)
        rc = iai_challenge_compute(out, &m, challenge, nonce, NULL, 0);
    ia_wipe(&m, sizeof m);
    return rc;
}

ia_result ia_challenge_sign(char out[IA_CHALLENGE_TEXT_SIZE], const ia_challenge_terms *terms, const char *token,
                            apr_int64_t nonce, const ia_challenge_message *message)
{
    iai_challenge_signer m;
    ia_result rc = iai_challenge_signer_init(&m, terms->profile, terms->separator, terms->secret);

    memset(out, 0, IA_CHALLENGE_TEXT_SIZE);
    if (!rc)
        rc = iai_challenge_sign(out, &m, token, nonce, message);
    ia_wipe(&m, sizeof m);
    return rc;
}

ia_result ia_challenge_sign_response(char out[IA_CHALLENGE_TEXT_SIZE], const ia_challenge_terms *terms,
                                     const char *token, apr_int64_t nonce, const char *call_nonce,
                                     const unsigned char digest[IA_SHA256_LEN])
{
    char hex[IA_HEX_SIZE(IA_SHA256_LEN)];
    ia_bytes more[3] = {
        text_bytes("response"), text_bytes(call_nonce), {hex, ia_hex_encode(hex, digest, IA_SHA256_LEN)}};
    iai_challenge_signer m;
    ia_result rc = iai_challenge_signer_init(&m, terms->profile, terms->separator, terms->secret);

    memset(out, 0, IA_CHALLENGE_TEXT_SIZE);
    if (!rc && terms->profile != IA_CHALLENGE_PROFILE_HMAC)
        rc = IA_FAULT_CRYPTO; /* profile md5 does not sign responses */
    if (!rc)
        rc = iai_challenge_compute(out, &m, token, nonce, more, 3);
    ia_wipe(&m, sizeof m);
    return rc;
}
