/*
 * The computations of the challenge protocol. Published vectors for md5; for hmac-sha256 the same user, computed apart from this
 * library with Python's hashlib.scrypt and hmac:
 *
 *   hashed = scrypt(b"guest", salt=sha256(b"guest|example.org").digest(), n=32768, r=8, p=3, dklen=32).hex()
 *   h = lambda key, *rest: hmac.new(key.encode(), b"\0".join(rest), "sha256").hexdigest()
 *   secret = h(hashed, b"guest", b"example.org"); token = h(secret, challenge, b"1700000400")
 *
 * Linked with --wrap, so that computations are counted and made to fail.
 */
#include "support.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include "interauth/challenge_seal.h"
#include "interauth/challenge_verify.h"
#include "interauth/encoding.h"

#define LIFETIME  600
#define NONCE     APR_INT64_C(1700000400)
#define START     APR_INT64_C(1699999800) /* of the window that ends at NONCE */
#define CHALLENGE "fa10c4d7b02a13e27a2ae5a5bbe8130b"
#define US(sec)   ((sec)*APR_INT64_C(1000000))

#define MD5  IA_CHALLENGE_PROFILE_MD5
#define HMAC IA_CHALLENGE_PROFILE_HMAC
#define NONE IA_CHALLENGE_PROFILE_NONE

typedef struct vector {
    ia_challenge_profile profile;
    const char *separator, *secret, *token, *signature;
} vector;

static const vector vectors[] = {{MD5, "", "b1c57edb47f7c218829f64253eec41c1", "4299003ceb5011f902e762e0ae3c9ce3",
                                  "103bde3cb89682d6401c385c0720913a"},
                                 {MD5, ":", "61cf6851d089a1a84b5379eaaa4ef60a", "a86ae27a9bdb9cb19686e1557ff2191e",
                                  "5a4431a0e59dc617d9ffc10d64efcfa1"},
                                 {HMAC, "", "c4f93c87e54630eba5e95a8c4ef1447b9b5ef8b4dc03599a1f308261e9a93d02",
                                  "68aae0189e9729ec31c8dd10fe6f23af87372209f10d94b70e8584ce778e0b92",
                                  "86375e1627f9b091993490d962122550a6b291d41641b2d8320b90432a15c2b3"}};

static const ia_challenge_message message = {"shop.list", "0123456789abcdef", "1700000001", "{\"a\":1}\0\xff", 9};

/* --- what is wrapped --------------------------------------------------------------------------------------------- */

static unsigned macs, digests;
static int fail_digest, fail_scrypt, fail_cipher;

void __real_ia_mac_compute(unsigned char *, ia_hash, const ia_mac_key *, const ia_bytes *, unsigned);
void __wrap_ia_mac_compute(unsigned char *, ia_hash, const ia_mac_key *, const ia_bytes *, unsigned);
int __real_EVP_DigestFinal_ex(EVP_MD_CTX *, unsigned char *, unsigned int *);
int __wrap_EVP_DigestFinal_ex(EVP_MD_CTX *, unsigned char *, unsigned int *);
int __real_EVP_PBE_scrypt(const char *, size_t, const unsigned char *, size_t, uint64_t, uint64_t, uint64_t, uint64_t,
                          unsigned char *, size_t);
int __wrap_EVP_PBE_scrypt(const char *, size_t, const unsigned char *, size_t, uint64_t, uint64_t, uint64_t, uint64_t,
                          unsigned char *, size_t);
int __real_EVP_CipherUpdate(EVP_CIPHER_CTX *, unsigned char *, int *, const unsigned char *, int);
int __wrap_EVP_CipherUpdate(EVP_CIPHER_CTX *, unsigned char *, int *, const unsigned char *, int);

void __wrap_ia_mac_compute(unsigned char *out, ia_hash hash, const ia_mac_key *key, const ia_bytes *parts,
                           unsigned count)
{
    macs++;
    __real_ia_mac_compute(out, hash, key, parts, count);
}

int __wrap_EVP_DigestFinal_ex(EVP_MD_CTX *ctx, unsigned char *out, unsigned int *len)
{
    digests++;
    return (fail_digest && digests >= (unsigned)fail_digest) ? 0 : __real_EVP_DigestFinal_ex(ctx, out, len);
}

int __wrap_EVP_PBE_scrypt(const char *pass, size_t pass_len, const unsigned char *salt, size_t salt_len, uint64_t n,
                          uint64_t r, uint64_t p, uint64_t memory, unsigned char *out, size_t len)
{
    if (fail_scrypt) {
        ERR_put_error(ERR_LIB_EVP, 0, fail_scrypt, __FILE__, __LINE__);
        return 0;
    }
    return __real_EVP_PBE_scrypt(pass, pass_len, salt, salt_len, n, r, p, memory, out, len);
}

int __wrap_EVP_CipherUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *len, const unsigned char *in, int in_len)
{
    return fail_cipher ? 0 : __real_EVP_CipherUpdate(ctx, out, len, in, in_len);
}

static void all_work(void)
{
    fail_digest = fail_scrypt = fail_cipher = 0;
}

/* --- profiles and secrets ---------------------------------------------------------------------------------------- */

static void test_profiles(void **state)
{
    (void)state;
    assert_string_equal(ia_challenge_profile_name(MD5), "md5");
    assert_string_equal(ia_challenge_profile_name(HMAC), "hmac-sha256");
    assert_string_equal(ia_challenge_profile_name(NONE), "none");
    assert_string_equal(ia_challenge_profile_name((ia_challenge_profile)3), "none");
    assert_string_equal(ia_challenge_profile_name((ia_challenge_profile)-1), "none");
    assert_int_equal(ia_challenge_profile_named("md5"), MD5);
    assert_int_equal(ia_challenge_profile_named("hmac-sha256"), HMAC);
    assert_int_equal(ia_challenge_profile_named("none"), NONE);
    assert_int_equal(ia_challenge_profile_named("MD5"), NONE);
    assert_int_equal(ia_challenge_profile_named(""), NONE);
    assert_int_equal(ia_challenge_profile_named(NULL), NONE);
}

static ia_challenge_secret secret_of(const vector *v)
{
    ia_challenge_secret secret;

    assert_result(ia_challenge_secret_load(&secret, v->profile, v->secret, strlen(v->secret)), IA_OK);
    return secret;
}

static void test_vectors(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(vectors); i++) {
        const vector *v = &vectors[i];
        ia_challenge_secret secret, loaded = secret_of(v);
        ia_challenge_terms terms = {v->profile, v->separator, secret.text};
        char token[IA_CHALLENGE_TEXT_SIZE], signature[IA_CHALLENGE_TEXT_SIZE];

        assert_result(ia_challenge_secret_derive(&secret, v->profile, v->separator, "guest", "guest", 5, "example.org"),
                      IA_OK);
        assert_string_equal(secret.text, v->secret);
        assert_memory_equal(&secret, &loaded, sizeof secret);
        assert_result(ia_challenge_token(token, &terms, CHALLENGE, ia_challenge_window(US(1700000001), LIFETIME)),
                      IA_OK);
        assert_string_equal(token, v->token);
        assert_result(ia_challenge_sign(signature, &terms, token, NONCE, NULL), IA_OK);
        assert_string_equal(signature, v->signature);
    }
}

static void test_secret_load(void **state)
{
    static const ia_challenge_secret none;
    ia_challenge_secret md5 = secret_of(&vectors[0]), other = secret_of(&vectors[1]), hmac = secret_of(&vectors[2]);
    ia_challenge_secret out;
    char text[IA_CHALLENGE_HMAC_LEN + 2];

    assert_true(md5.fingerprint && other.fingerprint && hmac.fingerprint && md5.fingerprint != other.fingerprint);
    assert_true(md5.fingerprint == secret_of(&vectors[0]).fingerprint);
    for (unsigned i = 0; i < 2; i++) {
        const ia_challenge_profile profile = i ? HMAC : MD5;
        const size_t len = i ? IA_CHALLENGE_HMAC_LEN : IA_CHALLENGE_MD5_LEN;
        static const char wrong[] = {'A', 'F', 'g', '/', ':', '`', '@', ' ', '\0', '\x80', '\xff'};

        memset(text, 'a', sizeof text);
        assert_result(ia_challenge_secret_load(&out, profile, exact(*state, text, len), len), IA_OK);
        assert_true(out.fingerprint != 0);
        assert_int_equal(strlen(out.text), len);
        for (size_t other_len = 0; other_len <= sizeof text; other_len++) {
            memset(&out, 1, sizeof out);
            if (other_len == len)
                continue;
            assert_result(ia_challenge_secret_load(&out, profile, exact(*state, text, other_len), other_len),
                          IA_MALFORMED);
            assert_memory_equal(&out, &none, sizeof out);
        }
        for (unsigned k = 0; k < sizeof wrong; k++) {
            text[k * 2] = wrong[k];
            assert_result(ia_challenge_secret_load(&out, profile, text, len), IA_MALFORMED);
            assert_memory_equal(&out, &none, sizeof out);
            text[k * 2] = 'a';
        }
        text[len - 1] = 'G';
        assert_result(ia_challenge_secret_load(&out, profile, text, len), IA_MALFORMED);
        memcpy(text, "0189af", 6);
        text[len - 1] = '0';
        assert_result(ia_challenge_secret_load(&out, profile, text, len), IA_OK);
    }
    assert_result(ia_challenge_secret_load(&out, NONE, text, 0), IA_MALFORMED);
    assert_result(ia_challenge_secret_load(&out, NONE, text, 32), IA_MALFORMED);
    assert_result(ia_challenge_secret_load(&out, (ia_challenge_profile)3, text, 64), IA_MALFORMED);
}

static ia_result derive(ia_challenge_secret *out, ia_challenge_profile profile, const char *separator,
                        const char *username, size_t password_len, const char *domain)
{
    static char password[IA_CHALLENGE_PASSWORD_MAX + 1];

    memset(password, 'p', sizeof password);
    memset(out, 1, sizeof *out);
    return ia_challenge_secret_derive(out, profile, separator, username, password, password_len, domain);
}

static void test_derive_refuses(void **state)
{
    static const ia_challenge_secret none;
    char longest[256], *too_long = apr_pcalloc(*state, 257);
    ia_challenge_secret out;

    memset(longest, 'u', sizeof longest);
    longest[255] = '\0';
    memset(too_long, 'u', 256);
    assert_result(derive(&out, MD5, "12345678", longest, IA_CHALLENGE_PASSWORD_MAX, longest), IA_OK);
    assert_result(derive(&out, HMAC, "", longest, IA_CHALLENGE_PASSWORD_MAX, longest), IA_OK);
    assert_result(derive(&out, MD5, "", "u", 1, "d"), IA_OK);
    assert_result(derive(&out, MD5, "", "", 1, "d"), IA_MALFORMED);
    assert_result(derive(&out, MD5, "", "u", 0, "d"), IA_MALFORMED);
    assert_result(derive(&out, MD5, "", "u", 1, ""), IA_MALFORMED);
    assert_result(derive(&out, MD5, "", too_long, 1, "d"), IA_MALFORMED);
    assert_result(derive(&out, HMAC, "", "u", 1, too_long), IA_MALFORMED);
    assert_result(derive(&out, HMAC, "", "u", IA_CHALLENGE_PASSWORD_MAX + 1, "d"), IA_MALFORMED);
    assert_result(derive(&out, MD5, "123456789", "u", 1, "d"), IA_MALFORMED);
    assert_result(derive(&out, NONE, "", "u", 1, "d"), IA_MALFORMED);
    assert_memory_equal(&out, &none, sizeof out);
}

/* The salt has both names in it: the same password of another user, or elsewhere, is another secret. */
static void test_derive_depends_on_all(void **state)
{
    ia_challenge_secret one, other;

    (void)state;
    assert_result(ia_challenge_secret_derive(&one, HMAC, "", "ab", "p", 1, "c"), IA_OK);
    assert_result(ia_challenge_secret_derive(&other, HMAC, ":", "ab", "p", 1, "c"), IA_OK);
    assert_string_equal(one.text, other.text); /* the separator is md5's */
    assert_result(ia_challenge_secret_derive(&other, HMAC, "", "a", "p", 1, "bc"), IA_OK);
    assert_string_not_equal(one.text, other.text);
    assert_result(ia_challenge_secret_derive(&other, HMAC, "", "ab", "q", 1, "c"), IA_OK);
    assert_string_not_equal(one.text, other.text);
    /* A password is bytes. */
    assert_result(ia_challenge_secret_derive(&one, MD5, "", "ab", "p\0q", 3, "c"), IA_OK);
    assert_result(ia_challenge_secret_derive(&other, MD5, "", "ab", "p\0r", 3, "c"), IA_OK);
    assert_string_not_equal(one.text, other.text);
}

static void test_derive_faults(void **state)
{
    static const ia_challenge_secret none;
    ia_challenge_secret out;

    (void)state;
    for (int at = 1; at <= 2; at++) {
        digests = 0;
        fail_digest = at;
        assert_result(derive(&out, MD5, "", "u", 1, "d"), IA_FAULT_CRYPTO);
        assert_memory_equal(&out, &none, sizeof out);
    }
    all_work();
    fail_scrypt = ERR_R_MALLOC_FAILURE;
    assert_result(derive(&out, HMAC, "", "u", 1, "d"), IA_FAULT_MEMORY);
    fail_scrypt = EVP_R_MEMORY_LIMIT_EXCEEDED;
    assert_result(derive(&out, HMAC, "", "u", 1, "d"), IA_FAULT_CRYPTO);
    assert_memory_equal(&out, &none, sizeof out);
    assert_int_equal(ERR_peek_error(), 0);
    all_work();
}

/* --- windows ----------------------------------------------------------------------------------------------------- */

static void test_window_edges(void **state)
{
    (void)state;
    assert_int_equal(ia_challenge_window(US(1700000001), LIFETIME), NONCE);
    assert_int_equal(ia_challenge_window(US(NONCE), LIFETIME), NONCE);
    assert_int_equal(ia_challenge_window(US(NONCE) - 1, LIFETIME), NONCE);
    assert_int_equal(ia_challenge_window(US(NONCE) + 1, LIFETIME), NONCE + LIFETIME);
    assert_int_equal(ia_challenge_window(US(START), LIFETIME), START);
    assert_int_equal(ia_challenge_window(US(START) + 1, LIFETIME), NONCE);
    assert_int_equal(ia_challenge_window(US(7), 1), 7);
    assert_int_equal(ia_challenge_window(US(7) + 1, 1), 8);
    assert_int_equal(ia_challenge_window(0, LIFETIME), 0);
    assert_int_equal(ia_challenge_window(1, LIFETIME), LIFETIME);
    /* Nothing that comes in overflows. */
    assert_int_equal(ia_challenge_window(-5, LIFETIME), 0);
    assert_int_equal(ia_challenge_window(US(7), 0), 7);
    assert_int_equal(ia_challenge_window(US(7), -9), 7);
    assert_true(ia_challenge_window(INT64_MAX, INT64_MAX) > 0);
    assert_true(ia_challenge_window(INT64_MAX, 1) > 0);
}

static void check_windows(apr_time_t now, apr_int64_t lifetime, apr_time_t skew, apr_int64_t a, apr_int64_t b,
                          apr_int64_t c)
{
    apr_int64_t out[IA_CHALLENGE_WINDOWS] = {-1, -1, -1};

    ia_challenge_windows(out, now, lifetime, skew);
    assert_int_equal(out[0], a);
    assert_int_equal(out[1], b);
    assert_int_equal(out[2], c);
}

static void test_windows(void **state)
{
    const apr_time_t skew = US(30), end = US(NONCE), start = US(START);

    (void)state;
    check_windows(start + US(300), LIFETIME, skew, NONCE, NONCE, NONCE);
    check_windows(start + US(300), LIFETIME, 0, NONCE, NONCE, NONCE);
    check_windows(end - skew, LIFETIME, skew, NONCE, NONCE, NONCE);
    check_windows(end - skew + 1, LIFETIME, skew, NONCE, NONCE + LIFETIME, NONCE);
    check_windows(end, LIFETIME, skew, NONCE, NONCE + LIFETIME, NONCE);
    check_windows(end + 1, LIFETIME, skew, NONCE + LIFETIME, NONCE, NONCE + LIFETIME);
    check_windows(end + skew, LIFETIME, skew, NONCE + LIFETIME, NONCE, NONCE + LIFETIME);
    check_windows(end + skew + 1, LIFETIME, skew, NONCE + LIFETIME, NONCE + LIFETIME, NONCE + LIFETIME);
    check_windows(end, LIFETIME, 0, NONCE, NONCE, NONCE);
    check_windows(end, LIFETIME, -US(9), NONCE, NONCE, NONCE);
    /* So wide that all three are meant: the nearer one first. */
    check_windows(start + US(301), LIFETIME, US(400), NONCE, NONCE + LIFETIME, START);
    check_windows(start + US(299), LIFETIME, US(400), NONCE, START, NONCE + LIFETIME);
    /* Wider than a window counts as one window. */
    check_windows(start + US(299), LIFETIME, US(86400), NONCE, START, NONCE + LIFETIME);
    check_windows(start + US(299), LIFETIME, INT64_MAX, NONCE, START, NONCE + LIFETIME);
    check_windows(start + US(300), LIFETIME, US(300), NONCE, START, NONCE); /* a window begins after its first moment */
    check_windows(start + US(300), LIFETIME, US(300) + 1, NONCE, START, NONCE + LIFETIME);
    check_windows(US(5), LIFETIME, US(30), LIFETIME, 0, LIFETIME); /* nothing before 1970 */
}

static void test_token_expires(void **state)
{
    const apr_time_t skew = US(30), end = US(NONCE), next = US(NONCE + LIFETIME);

    (void)state;
    assert_int_equal(ia_challenge_token_expires(NONCE, US(START) + 1, LIFETIME, skew), end + skew);
    assert_int_equal(ia_challenge_token_expires(NONCE, end - skew - 1, LIFETIME, skew), end + skew);
    assert_int_equal(ia_challenge_token_expires(NONCE, end - skew, LIFETIME, skew), next + skew);
    assert_int_equal(ia_challenge_token_expires(NONCE, end, LIFETIME, skew), next + skew);
    assert_int_equal(ia_challenge_token_expires(NONCE, end + skew, LIFETIME, skew), next + skew);
    assert_int_equal(ia_challenge_token_expires(NONCE, end - 1, LIFETIME, 0), end);
    assert_int_equal(ia_challenge_token_expires(NONCE, end, LIFETIME, 0), next);
    assert_int_equal(ia_challenge_token_expires(NONCE, US(START) + 1, LIFETIME, US(86400)), next + US(LIFETIME));
    assert_int_equal(ia_challenge_token_expires(NONCE, US(START), LIFETIME, -1), end);
    assert_true(ia_challenge_token_expires(INT64_MAX, 0, INT64_MAX, INT64_MAX) > 0);
    assert_true(ia_challenge_token_expires(INT64_MIN, INT64_MAX, INT64_MIN, INT64_MIN) > 0);
}

/* --- Token and Signature ----------------------------------------------------------------------------------------- */

static void test_signatures_of_calls(void **state)
{
    const vector *hmac = &vectors[2], *md5 = &vectors[0];
    ia_challenge_terms terms = {HMAC, "", hmac->secret}, old = {MD5, "", md5->secret};
    ia_challenge_message empty = {NULL, NULL, NULL, NULL, 0}, longer = message;
    unsigned char digest[IA_SHA256_LEN];
    ia_bytes response = {"answer", 6};
    char out[IA_CHALLENGE_TEXT_SIZE], other[IA_CHALLENGE_TEXT_SIZE];

    (void)state;
    assert_result(ia_challenge_sign(out, &terms, hmac->token, NONCE, &message), IA_OK);
    assert_string_equal(out, "bebd9754e9d54131f0084faceee5bbe1e6354f55261e57201320d78dbb1294ec");
    longer.request_len = 8; /* less than is there: the bytes count, not a NUL */
    assert_result(ia_challenge_sign(other, &terms, hmac->token, NONCE, &longer), IA_OK);
    assert_string_not_equal(out, other);
    assert_result(ia_challenge_sign(out, &terms, hmac->token, NONCE, &empty), IA_OK);
    assert_string_equal(out, "0eca3de447c18dfa82f059f25b0ecb0d585dbcde4995341e83de6dd2f90d2922");
    ia_sha256(digest, &response, 1);
    assert_result(ia_challenge_sign_response(out, &terms, hmac->token, NONCE, message.nonce, digest), IA_OK);
    assert_string_equal(out, "7abb7e178c46f60d293d60d43286eb52acd8d4f5ec29ac28336cd9fd9284c79e");
    /* md5 covers no message, and no response. */
    assert_result(ia_challenge_sign(out, &old, md5->token, NONCE, &message), IA_OK);
    assert_string_equal(out, md5->signature);
    assert_result(ia_challenge_sign_response(out, &old, md5->token, NONCE, message.nonce, digest), IA_FAULT_CRYPTO);
    assert_string_equal(out, "");
}

/* Without a whole secret nothing is computed. */
static void test_terms_without_secret(void **state)
{
    static const unsigned char digest[IA_SHA256_LEN];
    const ia_challenge_terms wrong[] = {{MD5, "", ""},
                                        {MD5, "", NULL},
                                        {MD5, "", vectors[2].secret},
                                        {HMAC, "", ""},
                                        {HMAC, "", vectors[0].secret},
                                        {NONE, "", ""},
                                        {NONE, "", vectors[0].secret}};
    char out[IA_CHALLENGE_TEXT_SIZE];

    (void)state;
    macs = digests = 0;
    for (unsigned i = 0; i < COUNT_OF(wrong); i++) {
        memset(out, 'x', sizeof out);
        assert_result(ia_challenge_token(out, &wrong[i], CHALLENGE, NONCE), IA_FAULT_CRYPTO);
        assert_string_equal(out, "");
        memset(out, 'x', sizeof out);
        assert_result(ia_challenge_sign(out, &wrong[i], vectors[0].token, NONCE, NULL), IA_FAULT_CRYPTO);
        assert_string_equal(out, "");
        memset(out, 'x', sizeof out);
        assert_result(ia_challenge_sign_response(out, &wrong[i], vectors[0].token, NONCE, "n", digest),
                      IA_FAULT_CRYPTO);
        assert_string_equal(out, "");
    }
    assert_int_equal(macs + digests, 0);
}

static void test_md5_faults(void **state)
{
    ia_challenge_terms terms = {MD5, "", vectors[0].secret};
    ia_challenge_secret secret = secret_of(&vectors[0]);
    ia_challenge_claim claim = {CHALLENGE, NULL, vectors[0].signature, NULL};
    const apr_int64_t windows[] = {NONCE, NONCE + LIFETIME, NONCE};
    static const ia_challenge_match none;
    ia_challenge_match match;
    char out[IA_CHALLENGE_TEXT_SIZE];

    (void)state;
    digests = 0;
    fail_digest = 1;
    assert_result(ia_challenge_token(out, &terms, CHALLENGE, NONCE), IA_FAULT_CRYPTO);
    assert_string_equal(out, "");
    assert_result(ia_challenge_sign(out, &terms, vectors[0].token, NONCE, NULL), IA_FAULT_CRYPTO);
    assert_string_equal(out, "");
    /* Also where the first window had already matched. */
    for (fail_digest = 1; fail_digest <= 6; fail_digest++) {
        digests = 0;
        memset(&match, 1, sizeof match);
        assert_result(ia_challenge_verify(&match, MD5, "", &secret, &claim, windows), IA_FAULT_CRYPTO);
        assert_memory_equal(&match, &none, sizeof match);
    }
    all_work();
    assert_result(ia_challenge_verify(&match, MD5, "", &secret, &claim, windows), IA_OK);
}

/* --- verification ------------------------------------------------------------------------------------------------ */

typedef struct attempt {
    const vector *v;
    ia_challenge_secret secret;
    ia_challenge_claim claim;
    apr_int64_t windows[IA_CHALLENGE_WINDOWS];
    ia_challenge_match match;
} attempt;

static attempt attempt_of(const vector *v)
{
    attempt a = {v, secret_of(v), {CHALLENGE, NULL, v->signature, NULL}, {NONCE, NONCE, NONCE}, {0}};

    return a;
}

static void check_refused(attempt *a, const ia_challenge_secret *secret)
{
    static const ia_challenge_match none;

    memset(&a->match, 1, sizeof a->match);
    assert_result(ia_challenge_verify(&a->match, a->v->profile, a->v->separator, secret, &a->claim, a->windows),
                  IA_MAC_MISMATCH);
    assert_memory_equal(&a->match, &none, sizeof none);
}

static void check_accepted(attempt *a, apr_int64_t nonce)
{
    assert_result(ia_challenge_verify(&a->match, a->v->profile, a->v->separator, &a->secret, &a->claim, a->windows),
                  IA_OK);
    assert_int_equal(a->match.nonce, nonce);
    assert_string_equal(a->match.token, a->v->token);
    assert_string_equal(a->match.signature, a->claim.signature);
}

static void test_verify(void **state)
{
    for (unsigned i = 0; i < COUNT_OF(vectors); i++) {
        attempt a = attempt_of(&vectors[i]);
        const size_t len = strlen(a.v->signature);

        check_accepted(&a, NONCE);
        for (unsigned place = 0; place < IA_CHALLENGE_WINDOWS; place++) { /* whichever window is meant */
            for (unsigned k = 0; k < IA_CHALLENGE_WINDOWS; k++)
                a.windows[k] = k == place ? NONCE : NONCE + LIFETIME * (k + 1);
            check_accepted(&a, NONCE);
        }
        a.windows[2] = NONCE - LIFETIME;
        check_refused(&a, &a.secret);
        a.windows[0] = NONCE;
        for (size_t k = 0; k < len; k++) { /* every digit counts */
            char *wrong = exact_string(*state, a.v->signature);

            wrong[k] = wrong[k] == '0' ? '1' : '0';
            a.claim.signature = wrong;
            check_refused(&a, &a.secret);
        }
        a.claim.signature = apr_pstrndup(*state, a.v->signature, len - 1);
        check_refused(&a, &a.secret);
        a.claim.signature = apr_pstrcat(*state, a.v->signature, "0", NULL);
        check_refused(&a, &a.secret);
        a.claim.signature = "";
        check_refused(&a, &a.secret);
        a.claim.signature = NULL;
        check_refused(&a, &a.secret);
        a.claim.signature = a.v->signature;
        a.claim.challenge = "fa10c4d7b02a13e27a2ae5a5bbe8130c";
        check_refused(&a, &a.secret);
        a.claim.challenge = CHALLENGE "0";
        check_refused(&a, &a.secret);
        a.claim.challenge = "";
        check_refused(&a, &a.secret);
    }
}

static void test_verify_token(void **state)
{
    for (unsigned i = 0; i < COUNT_OF(vectors); i++) {
        attempt a = attempt_of(&vectors[i]);
        ia_challenge_terms terms = {a.v->profile, a.v->separator, a.v->secret};
        char signature[IA_CHALLENGE_TEXT_SIZE];

        a.claim.challenge = NULL;
        a.claim.token = a.v->token;
        check_accepted(&a, NONCE);
        a.claim.token = apr_pstrcat(*state, a.v->token, "0", NULL);
        check_refused(&a, &a.secret);
        a.claim.token = NULL;
        check_refused(&a, &a.secret);
        /* Nor does a token of another length count as an empty one. */
        assert_result(ia_challenge_sign(signature, &terms, "", NONCE, NULL), IA_OK);
        a.claim.signature = signature;
        check_refused(&a, &a.secret);
        a.claim.token = "";
        check_refused(&a, &a.secret);
    }
}

/* The token was sent before: it is not accepted as a signature with its challenge as the token. */
static void test_challenge_is_no_token(void **state)
{
    attempt a = attempt_of(&vectors[2]);

    (void)state;
    a.claim.challenge = NULL;
    a.claim.token = CHALLENGE;
    a.claim.signature = a.v->token;
    check_refused(&a, &a.secret);
}

static void test_verify_message(void **state)
{
    attempt a = attempt_of(&vectors[2]);
    ia_challenge_message other;

    (void)state;
    a.claim.challenge = NULL;
    a.claim.token = a.v->token;
    a.claim.message = &message;
    check_refused(&a, &a.secret); /* signed was no message */
    a.claim.signature = "bebd9754e9d54131f0084faceee5bbe1e6354f55261e57201320d78dbb1294ec";
    check_accepted(&a, NONCE);
    a.claim.message = &other;
    other = message;
    other.method = "shop.lisT";
    check_refused(&a, &a.secret);
    other = message;
    other.nonce = "0123456789abcdeF";
    check_refused(&a, &a.secret);
    other = message;
    other.timestamp = "1700000002";
    check_refused(&a, &a.secret);
    other = message;
    other.request = "{\"a\":2}\0\xff";
    check_refused(&a, &a.secret);
    other = message;
    other.request = NULL;
    check_refused(&a, &a.secret);
    a.claim.message = NULL;
    check_refused(&a, &a.secret);
}

static void test_secret_of_nobody(void **state)
{
    static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(vectors); i++) {
        attempt a = attempt_of(&vectors[i]);
        const char *guess = i == 2 ? zeros : zeros + 32;
        ia_challenge_terms terms = {a.v->profile, a.v->separator, guess};
        ia_challenge_secret unknown = a.secret;
        char token[IA_CHALLENGE_TEXT_SIZE], signature[IA_CHALLENGE_TEXT_SIZE];

        check_refused(&a, NULL);
        unknown.fingerprint = 0;
        check_refused(&a, &unknown);
        unknown = a.secret;
        unknown.text[10] = '\0';
        check_refused(&a, &unknown);
        /* Who knows what is computed with instead gains nothing. */
        assert_result(ia_challenge_token(token, &terms, CHALLENGE, NONCE), IA_OK);
        assert_result(ia_challenge_sign(signature, &terms, token, NONCE, NULL), IA_OK);
        a.claim.signature = signature;
        check_refused(&a, NULL);
    }
}

static void test_verify_without_profile(void **state)
{
    attempt a = attempt_of(&vectors[0]);

    (void)state;
    assert_result(ia_challenge_verify(&a.match, NONE, "", &a.secret, &a.claim, a.windows), IA_FAULT_CRYPTO);
    assert_result(ia_challenge_verify(&a.match, NONE, "", NULL, &a.claim, a.windows), IA_FAULT_CRYPTO);
    assert_result(ia_challenge_verify(&a.match, (ia_challenge_profile)9, "", &a.secret, &a.claim, a.windows),
                  IA_FAULT_CRYPTO);
}

static unsigned count_verify(attempt *a, const ia_challenge_secret *secret, ia_result expected)
{
    macs = digests = 0;
    assert_result(ia_challenge_verify(&a->match, a->v->profile, a->v->separator, secret, &a->claim, a->windows),
                  expected);
    return macs + digests;
}

/* Right or wrong, known or unknown, first window or last: the same number of computations of K. */
static void test_same_number_of_computations(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(vectors); i++) {
        for (unsigned with_token = 0; with_token < 2; with_token++) {
            const unsigned expected = IA_CHALLENGE_WINDOWS * (with_token ? 1 : 2);
            attempt a = attempt_of(&vectors[i]);

            if (with_token) {
                a.claim.challenge = NULL;
                a.claim.token = a.v->token;
            }
            assert_int_equal(count_verify(&a, &a.secret, IA_OK), expected);
            assert_int_equal(i == 2 ? digests : macs, 0);
            a.windows[0] = a.windows[1] = NONCE + LIFETIME;
            assert_int_equal(count_verify(&a, &a.secret, IA_OK), expected);
            assert_int_equal(count_verify(&a, NULL, IA_MAC_MISMATCH), expected);
            a.windows[2] = NONCE + LIFETIME;
            assert_int_equal(count_verify(&a, &a.secret, IA_MAC_MISMATCH), expected);
            a.claim.signature = "short";
            assert_int_equal(count_verify(&a, &a.secret, IA_MAC_MISMATCH), expected);
            assert_int_equal(count_verify(&a, NULL, IA_MAC_MISMATCH), expected);
        }
    }
}

/* --- the seal ---------------------------------------------------------------------------------------------------- */

static ia_mac_key nonce_key_of(const char *text)
{
    ia_mac_key key;

    assert_result(ia_mac_key_load(&key, text, strlen(text)), IA_OK);
    return key;
}

static int same_seal(const ia_challenge_seal *a, const ia_challenge_seal *b)
{
    return a->participant_index == b->participant_index && a->participant_generation == b->participant_generation &&
           a->stamp == b->stamp && a->profile == b->profile;
}

static void test_seal_round_trip(void **state)
{
    const ia_challenge_seal seals[] = {{0, 0, 0, MD5},
                                       {IA_CHALLENGE_NO_PARTICIPANT, 0xffffffffu, (APR_UINT64_C(1) << 56) - 1, HMAC},
                                       {0x01020304, 0x05060708, APR_UINT64_C(0x090a0b0c0d0e0f), HMAC},
                                       {7, 9, APR_UINT64_C(1763800000000000), MD5}};
    ia_mac_key nonce_key = nonce_key_of("an nonce key of sixteen bytes or more");
    char text[IA_CHALLENGE_LEN + 1], again[IA_CHALLENGE_LEN + 1];

    for (unsigned i = 0; i < COUNT_OF(seals); i++) {
        ia_challenge_seal out;

        assert_result(ia_challenge_mint(text, &nonce_key, &seals[i]), IA_OK);
        assert_int_equal(strlen(text), IA_CHALLENGE_LEN);
        assert_result(ia_challenge_open(&out, &nonce_key, exact(*state, text, IA_CHALLENGE_LEN), IA_CHALLENGE_LEN),
                      IA_OK);
        assert_true(same_seal(&out, &seals[i]));
        assert_result(ia_challenge_mint(again, &nonce_key, &seals[i]), IA_OK);
        assert_string_equal(text, again);
    }
}

/* AES-256-ECB under HMAC-SHA-256(nonce key, label), computed with openssl enc. */
static void test_seal_layout(void **state)
{
    const ia_challenge_seal seal = {0x01020304, 0x0c0d0e0f, APR_UINT64_C(0x05060708090a0b), HMAC};
    ia_mac_key nonce_key = nonce_key_of("0123456789abcdef");
    char text[IA_CHALLENGE_LEN + 1];

    (void)state;
    assert_result(ia_challenge_mint(text, &nonce_key, &seal), IA_OK);
    assert_string_equal(text, "ef55c974f28d4c2e940c4002751ed68c");
}

/* A changed block decrypts to unrelated content. */
static void test_seal_every_bit(void **state)
{
    const ia_challenge_seal seal = {7, 9, APR_UINT64_C(1763800000000000), MD5};
    ia_mac_key nonce_key = nonce_key_of("an nonce key of sixteen bytes or more");
    char text[IA_CHALLENGE_LEN + 1], changed[IA_CHALLENGE_LEN + 1];
    unsigned char block[IA_CHALLENGE_LEN / 2];
    unsigned unknown = 0;
    size_t len;

    (void)state;
    assert_result(ia_challenge_mint(text, &nonce_key, &seal), IA_OK);
    assert_result(ia_hex_decode(block, sizeof block, &len, text, IA_CHALLENGE_LEN), IA_OK);
    for (unsigned bit = 0; bit < 8 * sizeof block; bit++) {
        static const ia_challenge_seal none;
        ia_challenge_seal out;
        ia_result rc;

        block[bit / 8] ^= (unsigned char)(1u << bit % 8);
        ia_hex_encode(changed, block, sizeof block);
        block[bit / 8] ^= (unsigned char)(1u << bit % 8);
        rc = ia_challenge_open(&out, &nonce_key, changed, IA_CHALLENGE_LEN);
        if (rc == IA_OK) {
            assert_true(out.stamp != seal.stamp && out.participant_index != seal.participant_index);
            continue;
        }
        assert_result(rc, IA_CHALLENGE_UNKNOWN);
        assert_memory_equal(&out, &none, sizeof none);
        unknown++;
    }
    assert_in_range(unknown, 120, 128); /* one in 128 has a profile by chance */
}

static void test_seal_of_another_nonce_key(void **state)
{
    const ia_challenge_seal seal = {7, 9, APR_UINT64_C(1763800000000000), MD5};
    ia_mac_key nonce_key = nonce_key_of("an nonce key of sixteen bytes or more"), other;
    char text[IA_CHALLENGE_LEN + 1];
    unsigned unknown = 0;

    assert_result(ia_challenge_mint(text, &nonce_key, &seal), IA_OK);
    for (unsigned i = 0; i < 64; i++) {
        ia_challenge_seal out;

        other = nonce_key_of(apr_psprintf(*state, "another nonce key, number %u", i));
        if (ia_challenge_open(&out, &other, text, IA_CHALLENGE_LEN) == IA_CHALLENGE_UNKNOWN)
            unknown++;
        else
            assert_true(out.stamp != seal.stamp);
    }
    assert_in_range(unknown, 58, 64);
}

static void test_seal_refusals(void **state)
{
    static const ia_challenge_seal none;
    ia_challenge_seal seal = {7, 9, APR_UINT64_C(1763800000000000), MD5}, out;
    ia_mac_key nonce_key = nonce_key_of("an nonce key of sixteen bytes or more");
    char text[IA_CHALLENGE_LEN + 2], bad[IA_CHALLENGE_LEN + 2];
    static const char wrong[] = {'A', 'F', 'g', '/', ':', '`', ' ', '\0', '\xff'};

    assert_result(ia_challenge_mint(text, &nonce_key, &seal), IA_OK);
    text[IA_CHALLENGE_LEN] = '0';
    for (size_t len = 0; len <= IA_CHALLENGE_LEN + 1; len++) {
        if (len == IA_CHALLENGE_LEN)
            continue;
        memset(&out, 1, sizeof out);
        assert_result(ia_challenge_open(&out, &nonce_key, exact(*state, text, len), len), IA_MALFORMED);
        assert_memory_equal(&out, &none, sizeof out);
    }
    for (unsigned i = 0; i < sizeof wrong; i++) {
        memcpy(bad, text, sizeof bad);
        bad[3 * i] = wrong[i];
        assert_result(ia_challenge_open(&out, &nonce_key, bad, IA_CHALLENGE_LEN), IA_MALFORMED);
    }
    fail_cipher = 1;
    assert_result(ia_challenge_open(&out, &nonce_key, text, IA_CHALLENGE_LEN), IA_FAULT_CRYPTO);
    assert_memory_equal(&out, &none, sizeof out);
    assert_result(ia_challenge_mint(bad, &nonce_key, &seal), IA_FAULT_CRYPTO);
    assert_string_equal(bad, "");
    all_work();
    seal.profile = NONE;
    assert_result(ia_challenge_mint(bad, &nonce_key, &seal), IA_FAULT_INTERNAL);
    seal.profile = MD5;
    seal.stamp = APR_UINT64_C(1) << 56;
    assert_result(ia_challenge_mint(bad, &nonce_key, &seal), IA_FAULT_INTERNAL);
    assert_string_equal(bad, "");
}

static void test_age(void **state)
{
    const apr_uint64_t stamp = (apr_uint64_t)US(NONCE);
    const apr_time_t now = US(NONCE);

    (void)state;
    assert_result(ia_challenge_check_age(stamp, now, LIFETIME), IA_OK);
    assert_result(ia_challenge_check_age(stamp, now + US(LIFETIME) - 1, LIFETIME), IA_OK);
    assert_result(ia_challenge_check_age(stamp, now + US(LIFETIME), LIFETIME), IA_OK);
    assert_result(ia_challenge_check_age(stamp, now + US(LIFETIME) + 1, LIFETIME), IA_CHALLENGE_EXPIRED);
    assert_result(ia_challenge_check_age(stamp, now - 1, LIFETIME), IA_CHALLENGE_EXPIRED);
    assert_result(ia_challenge_check_age(stamp, now, 0), IA_OK);
    assert_result(ia_challenge_check_age(stamp, now + 1, 0), IA_CHALLENGE_EXPIRED);
    assert_result(ia_challenge_check_age(stamp, now, -1), IA_CHALLENGE_EXPIRED);
    assert_result(ia_challenge_check_age(UINT64_MAX, now, LIFETIME), IA_CHALLENGE_EXPIRED);
    assert_result(ia_challenge_check_age(0, INT64_MAX, INT64_MAX), IA_OK);
    assert_result(ia_challenge_check_age(1, -5, LIFETIME), IA_CHALLENGE_EXPIRED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pool_test(test_profiles),
        pool_test(test_vectors),
        pool_test(test_secret_load),
        pool_test(test_derive_refuses),
        pool_test(test_derive_depends_on_all),
        pool_test(test_derive_faults),
        pool_test(test_window_edges),
        pool_test(test_windows),
        pool_test(test_token_expires),
        pool_test(test_signatures_of_calls),
        pool_test(test_terms_without_secret),
        pool_test(test_md5_faults),
        pool_test(test_verify),
        pool_test(test_verify_token),
        pool_test(test_challenge_is_no_token),
        pool_test(test_verify_message),
        pool_test(test_secret_of_nobody),
        pool_test(test_verify_without_profile),
        pool_test(test_same_number_of_computations),
        pool_test(test_seal_round_trip),
        pool_test(test_seal_layout),
        pool_test(test_seal_every_bit),
        pool_test(test_seal_of_another_nonce_key),
        pool_test(test_seal_refusals),
        pool_test(test_age),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
