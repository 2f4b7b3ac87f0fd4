/*
 * The challenge protocol. The first 32 bytes are used as a challenge, the first 64 as a secret. They are followed by a
 * profile, three numbers for the windows, a signature, and a request. The signature must not be accepted as ours.
 */
#include "fuzz.h"
#include "interauth/challenge_seal.h"
#include "interauth/challenge_verify.h"

#define HEAD        64
#define NUMBERS_LEN (1 + 3 * 8)

static apr_int64_t number_at(const uint8_t *data)
{
    apr_uint64_t number = 0;

    for (unsigned i = 0; i < 8; i++) {
        number = number << 8 | data[i];
    }
    return (apr_int64_t)number;
}

static int is_hex(const char *text, size_t len)
{
    return strspn(text, "0123456789abcdef") >= len;
}

static void check_challenge(const char *head, const ia_mac_key *nonce_key)
{
    char text[IA_CHALLENGE_LEN + 1];
    ia_challenge_seal seal;
    ia_result rc = ia_challenge_open(&seal, nonce_key, head, IA_CHALLENGE_LEN);

    CHECK((rc == IA_MALFORMED) == !is_hex(head, IA_CHALLENGE_LEN));
    CHECK(rc == IA_OK || rc == IA_MALFORMED || rc == IA_CHALLENGE_UNKNOWN);
    if (rc == IA_OK) {
        CHECK(seal.stamp < APR_UINT64_C(1) << 56);
        CHECK(ia_challenge_mint(text, nonce_key, &seal) == IA_OK && memcmp(text, head, IA_CHALLENGE_LEN) == 0);
    } else {
        CHECK(seal.profile == IA_CHALLENGE_PROFILE_NONE && seal.stamp == 0);
    }
}

static void check_secret(ia_challenge_secret *secret, ia_challenge_profile profile, const char *head)
{
    static const char good[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    size_t len = profile == IA_CHALLENGE_PROFILE_MD5 ? IA_CHALLENGE_MD5_LEN : IA_CHALLENGE_HMAC_LEN;
    ia_result rc = ia_challenge_secret_load(secret, profile, head, len);

    CHECK(rc == (is_hex(head, len) ? IA_OK : IA_MALFORMED));
    CHECK((rc == IA_OK) == (secret->fingerprint != 0));
    if (rc) {
        CHECK(secret->text[0] == '\0');
        CHECK(ia_challenge_secret_load(secret, profile, good, len) == IA_OK);
    }
}

static void check_windows(apr_int64_t windows[IA_CHALLENGE_WINDOWS], const uint8_t *numbers)
{
    apr_int64_t now = number_at(numbers), lifetime = number_at(numbers + 8), skew = number_at(numbers + 16);
    apr_int64_t nonce = ia_challenge_window(now, lifetime);

    ia_challenge_windows(windows, now, lifetime, skew);
    CHECK(windows[0] == nonce && nonce >= 0);
    for (unsigned i = 1; i < IA_CHALLENGE_WINDOWS; i++) {
        CHECK(windows[i] >= 0);
        CHECK(lifetime < 1 || lifetime > 86400 ||
              (windows[i] - nonce <= lifetime && nonce - windows[i] <= lifetime && windows[i] % lifetime == 0));
    }
    CHECK(ia_challenge_token_expires(nonce, now, lifetime, skew) >= 0);
    CHECK(ia_challenge_check_age((apr_uint64_t)now, now, 1) == (now >= 0 ? IA_OK : IA_CHALLENGE_EXPIRED));
}

static void check_verify(ia_challenge_profile profile, const ia_challenge_secret *secret, const apr_int64_t *windows,
                         const char *sent, const char *request, size_t request_len)
{
    ia_challenge_message message = {"method", "0123456789abcdef", "1700000001", request, request_len};
    ia_challenge_terms terms = {profile, ":", secret->text};
    ia_challenge_claim claim = {NULL, NULL, sent, &message};
    char token[IA_CHALLENGE_TEXT_SIZE], signature[IA_CHALLENGE_TEXT_SIZE];
    ia_challenge_match match;

    CHECK(ia_challenge_token(token, &terms, sent, windows[2]) == IA_OK);
    claim.token = token;
    CHECK(ia_challenge_sign(signature, &terms, token, windows[2], &message) == IA_OK);
    CHECK(ia_challenge_verify(&match, profile, ":", secret, &claim, windows) == IA_MAC_MISMATCH);
    CHECK(match.token[0] == '\0' && match.signature[0] == '\0' && match.nonce == 0);
    claim.signature = signature;
    CHECK(ia_challenge_verify(&match, profile, ":", secret, &claim, windows) == IA_OK);
    CHECK(match.nonce == windows[2] && strcmp(match.token, token) == 0 && strcmp(match.signature, signature) == 0);
    CHECK(ia_challenge_verify(&match, profile, ":", NULL, &claim, windows) == IA_MAC_MISMATCH);
    signature[request_len % strlen(signature)] ^= 1;
    CHECK(ia_challenge_verify(&match, profile, ":", secret, &claim, windows) == IA_MAC_MISMATCH);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p;
    char *head, *sent;
    ia_challenge_profile profile;
    ia_challenge_secret secret;
    apr_int64_t windows[IA_CHALLENGE_WINDOWS];
    ia_mac_key nonce_key;
    size_t sent_len;

    if (size < HEAD + NUMBERS_LEN) {
        return 0;
    }
    p = fuzz_pool();
    head = apr_pstrmemdup(p, (const char *)data, HEAD);
    profile = data[HEAD] & 1 ? IA_CHALLENGE_PROFILE_HMAC : IA_CHALLENGE_PROFILE_MD5;
    CHECK(ia_mac_key_load(&nonce_key, "the nonce key of the fuzzer", 23) == IA_OK);
    check_challenge(head, &nonce_key);
    check_secret(&secret, profile, head);
    check_windows(windows, data + HEAD + 1);
    data += HEAD + NUMBERS_LEN;
    size -= HEAD + NUMBERS_LEN;
    sent = apr_pstrmemdup(p, (const char *)data, size);
    sent_len = strlen(sent);
    check_verify(profile, &secret, windows, sent, sent + sent_len, size - sent_len);
    apr_pool_destroy(p);
    return 0;
}
