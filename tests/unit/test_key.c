/* Keys: every form that is read, every refusal, and that the two forms of one key are the same key. */
#include <apr_thread_proc.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include "support.h"
#include "keys.h"
#include "interauth/encoding.h"
#include "interauth/sign.h"

static const ia_json *parse(apr_pool_t *p, const char *text)
{
    const ia_json *jwk;

    assert_result(ia_json_parse(&jwk, p, text, strlen(text), 1000, NULL), IA_OK);
    return jwk;
}

static int is_empty(const ia_key_raw *raw)
{
    static const ia_key_raw none;

    return memcmp(raw, &none, sizeof none) == 0;
}

/* A refusal leaves nothing behind: no key, and no entry in OpenSSL's queue, which others in the process read.
 */
static void refuse_jwk(apr_pool_t *p, const char *text, ia_result expected)
{
    ia_key_raw raw;

    memset(&raw, 0xff, sizeof raw);
    assert_result(ia_key_from_jwk(&raw, parse(p, text)), expected);
    assert_true(is_empty(&raw));
    assert_int_equal(ERR_peek_error(), 0);
}

static void refuse_private_jwk(apr_pool_t *p, const char *text, ia_algorithm algorithm, ia_result expected)
{
    ia_key *key = (ia_key *)p;

    assert_result(ia_key_create_from_jwk(&key, parse(p, text), algorithm), expected);
    assert_null(key);
    assert_int_equal(ERR_peek_error(), 0);
}

static void refuse_pem(apr_pool_t *p, const char *text, ia_result expected)
{
    ia_key_raw raw;

    memset(&raw, 0xff, sizeof raw);
    assert_result(ia_key_from_pem(&raw, exact(p, text, strlen(text)), strlen(text), IA_ALGORITHM_NONE), expected);
    assert_true(is_empty(&raw));
    assert_int_equal(ERR_peek_error(), 0);
}

static ia_key_raw take_jwk(apr_pool_t *p, const char *text)
{
    ia_key_raw raw;

    assert_result(ia_key_from_jwk(&raw, parse(p, text)), IA_OK);
    return raw;
}

static const struct {
    const char *jwk, *private_jwk, *pem, *private_pem;
    ia_key_type type;
    ia_algorithm algorithm;
    unsigned len;
} kinds[] = {
    {"{" ED25519_MEMBERS "}", "{" ED25519_MEMBERS ED25519_SECRETS "}", ED25519_PUBLIC, ED25519_PRIVATE, IA_KEY_ED25519,
     IA_ALGORITHM_ED25519, 32},
    {"{" P256_MEMBERS "}", "{" P256_MEMBERS P256_SECRETS "}", P256_PUBLIC, P256_PRIVATE, IA_KEY_P256,
     IA_ALGORITHM_ECDSA_P256, 64},
    {"{" P384_MEMBERS "}", "{" P384_MEMBERS P384_SECRETS "}", P384_PUBLIC, P384_PRIVATE, IA_KEY_P384,
     IA_ALGORITHM_ECDSA_P384, 96},
    {"{" RSA_MEMBERS "}", "{" RSA_MEMBERS RSA_SECRETS "}", RSA_PUBLIC, RSA_PRIVATE, IA_KEY_RSA, IA_ALGORITHM_RSA_PSS,
     256},
};

static void test_all_forms_are_one_key(void **state)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        ia_key_raw raw = take_jwk(*state, kinds[i].jwk), pem;
        ia_key *key, *from_jwk, *from_pem;

        assert_int_equal(raw.type, kinds[i].type);
        assert_int_equal(raw.algorithm, kinds[i].algorithm);
        assert_int_equal(raw.len, kinds[i].len);
        assert_int_equal(raw.exponent, raw.type == IA_KEY_RSA ? 65537 : 0);
        assert_result(ia_key_from_pem(&pem, kinds[i].pem, strlen(kinds[i].pem), IA_ALGORITHM_NONE), IA_OK);
        assert_memory_equal(&raw, &pem, sizeof raw);
        assert_result(ia_key_create(&key, &raw), IA_OK);
        assert_memory_equal(ia_key_public(key), &raw, sizeof raw);
        assert_int_equal(ia_key_algorithm(key), kinds[i].algorithm);
        assert_false(ia_key_can_sign(key));
        assert_result(ia_key_create_from_jwk(&from_jwk, parse(*state, kinds[i].private_jwk), IA_ALGORITHM_NONE), IA_OK);
        assert_memory_equal(ia_key_public(from_jwk), &raw, sizeof raw);
        assert_true(ia_key_can_sign(from_jwk));
        assert_result(
            ia_key_create_from_pem(&from_pem, kinds[i].private_pem, strlen(kinds[i].private_pem), IA_ALGORITHM_NONE),
            IA_OK);
        assert_memory_equal(ia_key_public(from_pem), &raw, sizeof raw);
        ia_key_unref(key);
        ia_key_unref(from_jwk);
        ia_key_unref(from_pem);
    }
    assert_int_equal(ERR_peek_error(), 0);
}

static void test_certificates_are_containers(void **state)
{
    static const char *const pairs[][2] = {{ED25519_CERTIFICATE, "{" ED25519_MEMBERS "}"},
                                           {P256_CERTIFICATE, "{" P256_MEMBERS "}"},
                                           {RSA_CERTIFICATE, "{" RSA_MEMBERS "}"}};

    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        ia_key_raw raw, jwk = take_jwk(*state, pairs[i][1]);

        assert_result(ia_key_from_pem(&raw, pairs[i][0], strlen(pairs[i][0]), IA_ALGORITHM_NONE), IA_OK);
        assert_memory_equal(&raw, &jwk, sizeof raw);
    }
}

static void test_older_private_pem(void **state)
{
    static const char *const texts[] = {P256_TRADITIONAL, RSA_TRADITIONAL, RSA_PSS_PRIVATE};
    ia_key *key;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        assert_result(ia_key_create_from_pem(&key, texts[i], strlen(texts[i]), IA_ALGORITHM_NONE), IA_OK);
        ia_key_unref(key);
    }
}

static void test_pss_identifier(void **state)
{
    ia_key_raw raw;
    ia_key *key;

    (void)state;
    assert_result(ia_key_from_pem(&raw, RSA_PSS_PUBLIC, strlen(RSA_PSS_PUBLIC), IA_ALGORITHM_NONE), IA_OK);
    assert_int_equal(raw.algorithm, IA_ALGORITHM_RSA_PSS);
    assert_result(ia_key_create_from_pem(&key, RSA_PSS_PRIVATE, strlen(RSA_PSS_PRIVATE), IA_ALGORITHM_RSA_V1_5),
                  IA_KEY_ALGORITHM);
    assert_null(key);
    assert_result(ia_key_from_pem(&raw, RSA_PSS_PUBLIC, strlen(RSA_PSS_PUBLIC), IA_ALGORITHM_RSA_PSS), IA_OK);
    assert_result(ia_key_from_pem(&raw, RSA_PSS_PUBLIC, strlen(RSA_PSS_PUBLIC), IA_ALGORITHM_RSA_V1_5),
                  IA_KEY_ALGORITHM);
    assert_int_equal(raw.type, IA_KEY_NONE);
    assert_result(ia_key_from_pem(&raw, RSA_PSS_EXACT_PUBLIC, strlen(RSA_PSS_EXACT_PUBLIC), IA_ALGORITHM_RSA_V1_5),
                  IA_KEY_ALGORITHM);
}

/* Keys restricted to exactly what rsa-pss-sha512 is; every other restriction is refused. */
static void test_pss_parameters(void **state)
{
    static const char *const others[] = {RSA_PSS_SHA256, RSA_PSS_MGF1_SHA256, RSA_PSS_SALT_32, RSA_PSS_DEFAULTS,
                                         RSA_PSS_TRAILER};
    ia_key_raw raw, bare, pkcs1;
    unsigned char made[IA_SIGNATURE_MAX];
    apr_size_t len;
    ia_key *key, *public;

    assert_result(ia_key_from_pem(&raw, RSA_PSS_EXACT_PUBLIC, strlen(RSA_PSS_EXACT_PUBLIC), IA_ALGORITHM_NONE), IA_OK);
    assert_int_equal(raw.algorithm, IA_ALGORITHM_RSA_PSS);
    assert_result(ia_key_from_pem(&bare, RSA_PSS_NO_NULL, strlen(RSA_PSS_NO_NULL), IA_ALGORITHM_NONE), IA_OK);
    assert_memory_equal(&raw, &bare, sizeof raw);
    assert_result(ia_key_from_pem(&pkcs1, RSA_PSS_EXACT_PKCS1, strlen(RSA_PSS_EXACT_PKCS1), IA_ALGORITHM_NONE), IA_OK);
    assert_memory_equal(&raw, &pkcs1, sizeof raw);
    assert_result(ia_key_create(&public, &raw), IA_OK);
    assert_result(ia_key_create_from_pem(&key, RSA_PSS_EXACT_PRIVATE, strlen(RSA_PSS_EXACT_PRIVATE), IA_ALGORITHM_NONE),
                  IA_OK);
    assert_result(ia_signature_mint(made, &len, key, "abc", 3), IA_OK);
    assert_result(ia_signature_verify(public, "abc", 3, made, len), IA_OK);
    ia_key_unref(key);
    ia_key_unref(public);
    for (size_t i = 0; i < COUNT_OF(others); i++)
        refuse_pem(*state, others[i], IA_KEY_TYPE_UNKNOWN);
    refuse_pem(*state, RSA_PKCS1_LONGER, IA_KEY_MALFORMED);
    assert_result(ia_key_create_from_pem(&key, RSA_PSS_EXACT_PKCS1, strlen(RSA_PSS_EXACT_PKCS1), IA_ALGORITHM_NONE),
                  IA_KEY_PUBLIC);
}

static void test_algorithm_names(void **state)
{
    static const char *const names[] = {"ed25519",        "ecdsa-p256-sha256", "ecdsa-p384-sha384",
                                        "rsa-pss-sha512", "rsa-v1_5-sha256",   "hmac-sha256"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_int_equal(ia_algorithm_find(names[i], strlen(names[i])), i + 1);
        assert_string_equal(ia_algorithm_name((ia_algorithm)(i + 1)), names[i]);
        assert_int_equal(ia_algorithm_find(names[i], strlen(names[i]) - 1), IA_ALGORITHM_NONE);
    }
    assert_int_equal(ia_algorithm_find(LIT("none")), IA_ALGORITHM_NONE);
    assert_string_equal(ia_algorithm_name((ia_algorithm)99), "none");
}

static void test_jwk_names_the_algorithm(void **state)
{
    ia_key_raw raw = take_jwk(*state, "{" RSA_MEMBERS ",\"alg\":\"RS256\",\"use\":\"sig\",\"key_ops\":[\"verify\"]}");

    assert_int_equal(raw.algorithm, IA_ALGORITHM_RSA_V1_5);
    raw = take_jwk(*state, "{" RSA_MEMBERS ",\"alg\":\"PS512\",\"kid\":\"1\",\"x5t\":\"unused\"}");
    assert_int_equal(raw.algorithm, IA_ALGORITHM_RSA_PSS);
    assert_result(ia_key_set_algorithm(&raw, IA_ALGORITHM_RSA_V1_5), IA_OK);
    assert_int_equal(raw.algorithm, IA_ALGORITHM_RSA_V1_5);
    assert_result(ia_key_set_algorithm(&raw, IA_ALGORITHM_ED25519), IA_KEY_ALGORITHM);
    assert_result(ia_key_set_algorithm(&raw, IA_ALGORITHM_HMAC), IA_KEY_ALGORITHM);
    assert_result(ia_key_set_algorithm(&raw, IA_ALGORITHM_NONE), IA_KEY_ALGORITHM);
}

/* RFC 7638 section 3.1, RFC 8037 appendix A.3; the EC one was computed by hand from its JSON. */
static void test_thumbprints(void **state)
{
    static const char rsa[] =
        "{\"kty\":\"RSA\",\"n\":"
        "\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebW"
        "KRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_"
        "FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgd"
        "AZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_"
        "xBniIqbw0Ls1jF44-csFCur-kEgU8awapJz"
        "KnqDKgw\",\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}";
    static const char ed25519[] =
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}";
    char ec[300], wanted[IA_BASE64URL_SIZE(32)];
    const struct {
        const char *jwk, *thumbprint;
    } cases[] = {{rsa, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"},
                 {ed25519, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"},
                 {"{" P384_MEMBERS "}", wanted}};
    const ia_json *jwk = parse(*state, cases[2].jwk);
    unsigned char hash[IA_SHA256_LEN];
    ia_bytes part = {ec, 0};

    part.len = (size_t)snprintf(ec, sizeof ec, "{\"crv\":\"P-384\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}",
                                ia_json_member_string(jwk, "x"), ia_json_member_string(jwk, "y"));
    ia_sha256(hash, &part, 1);
    ia_base64url_encode(wanted, hash, sizeof hash);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        ia_key_raw raw = take_jwk(*state, cases[i].jwk);
        char text[IA_BASE64URL_SIZE(32)];

        assert_result(ia_key_thumbprint(hash, &raw), IA_OK);
        ia_base64url_encode(text, hash, sizeof hash);
        assert_string_equal(text, cases[i].thumbprint);
        raw.type = IA_KEY_NONE;
        assert_result(ia_key_thumbprint(hash, &raw), IA_KEY_TYPE_UNKNOWN);
    }
}

static void test_refuses_malformed_jwk(void **state)
{
    static const char *const texts[] = {
        "[]",
        "{}",
        "{\"kty\":1}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":7}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"\"}",
        /* one byte short, one too many, padded */
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"JG9iIYS9b82U3u8IN0U4A2aX5BROnqfHNVx32R7Kbf\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"JG9iIYS9b82U3u8IN0U4A2aX5BROnqfHNVx32R7KbfMA\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"JG9iIYS9b82U3u8IN0U4A2aX5BROnqfHNVx32R7KbfM=\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"OFIifAXxl7Plx6Q4os4ZwhlsQxUNiEsev361QhlrduQ\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"UiJ8BfGXs-XHpDiizhnCGWxDFQ2ISx6_frVCGWt25A\",\"y\":"
        "\"aVgVMgpaT3a7JTkITZwFafbTjsGZ"
        "zR85IFRjre7As6I\"}",
        "{\"kty\":\"RSA\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"n\":\"AJ8\",\"e\":\"AQAB\"}",
    };
    ia_key_raw raw;

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        refuse_jwk(*state, texts[i], IA_KEY_MALFORMED);
    }
    assert_result(ia_key_from_jwk(&raw, NULL), IA_KEY_MALFORMED);
}

static void test_refuses_unknown_types(void **state)
{
    refuse_jwk(*state, "{\"kty\":\"oct2\"}", IA_KEY_TYPE_UNKNOWN);
    refuse_jwk(*state, "{\"kty\":\"okp\",\"crv\":\"Ed25519\"}", IA_KEY_TYPE_UNKNOWN);
    refuse_private_jwk(*state, "{\"kty\":\"oct\",\"k\":\"AAAA\"}", IA_ALGORITHM_NONE, IA_KEY_TYPE_UNKNOWN);
    refuse_pem(*state, X25519_PUBLIC, IA_KEY_TYPE_UNKNOWN);
}

static void test_refuses_unknown_curves(void **state)
{
    refuse_jwk(*state, "{\"kty\":\"OKP\"}", IA_KEY_CURVE_UNKNOWN);
    refuse_jwk(*state, "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"\"}", IA_KEY_CURVE_UNKNOWN);
    refuse_jwk(*state, "{\"kty\":\"OKP\",\"crv\":\"P-256\",\"x\":\"\"}", IA_KEY_CURVE_UNKNOWN);
    refuse_jwk(*state, "{\"kty\":\"EC\",\"crv\":\"secp256k1\"}", IA_KEY_CURVE_UNKNOWN);
    refuse_pem(*state, P521_PUBLIC, IA_KEY_CURVE_UNKNOWN);
    refuse_pem(*state, P256_EXPLICIT, IA_KEY_CURVE_UNKNOWN);
}

static ia_result check_point(const char *hex)
{
    ia_key_raw raw = {IA_KEY_ED25519, IA_ALGORITHM_ED25519, 0, 32, {0}};
    apr_size_t len;
    ia_key *key;
    ia_result rc;

    assert_result(ia_hex_decode(raw.bytes, 32, &len, hex, strlen(hex)), IA_OK);
    assert_int_equal(len, 32);
    rc = ia_key_create(&key, &raw);
    ia_key_unref(key);
    return rc;
}

/* All eight points of small order: with the neutral element as key, any message verifies. */
static void test_refuses_small_order(void **state)
{
    static const char *const points[] = {
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    };

    for (size_t i = 0; i < COUNT_OF(points); i++) {
        assert_result(check_point(points[i]), IA_KEY_SMALL_ORDER);
    }
    refuse_jwk(*state, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
               IA_KEY_SMALL_ORDER);
}

/* y = p .. p + 18 and the sign bit of x = 0: second encodings of points that have one. */
static void test_refuses_points_not_canonical(void **state)
{
    char hex[65];

    (void)state;
    for (unsigned low = 0xed; low <= 0xff; low++) {
        for (unsigned high = 0x7f; high <= 0xff; high += 0x80) {
            memset(hex, 'f', 64);
            snprintf(hex, 3, "%02x", low);
            hex[2] = 'f';
            snprintf(hex + 62, 3, "%02x", high);
            assert_result(check_point(hex), IA_KEY_POINT_INVALID);
        }
    }
    assert_result(check_point("0100000000000000000000000000000000000000000000000000000000000080"),
                  IA_KEY_POINT_INVALID);
    assert_result(check_point("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
                  IA_KEY_POINT_INVALID);
}

static void test_refuses_points_off_the_curve(void **state)
{
    uint64_t seed = 25519;
    unsigned valid = 0;
    ia_key_raw raw;
    ia_key *key;

    assert_result(check_point("0200000000000000000000000000000000000000000000000000000000000000"),
                  IA_KEY_POINT_INVALID);
    /* about half of all y have an x */
    for (unsigned i = 0; i < 400; i++) {
        ia_key_raw any = {IA_KEY_ED25519, IA_ALGORITHM_ED25519, 0, 32, {0}};
        ia_result rc;

        random_fill(&seed, any.bytes, 32);
        any.bytes[31] &= 0xbf;
        rc = ia_key_create(&key, &any);
        ia_key_unref(key);
        assert_true(rc == IA_OK || rc == IA_KEY_POINT_INVALID);
        valid += rc == IA_OK;
    }
    assert_in_range(valid, 150, 250);
    for (size_t i = 1; i <= 2; i++) {
        raw = take_jwk(*state, kinds[i].jwk);
        raw.bytes[raw.len - 1] ^= 1;
        assert_result(ia_key_create(&key, &raw), IA_KEY_POINT_INVALID);
        memset(raw.bytes, 0, raw.len);
        assert_result(ia_key_create(&key, &raw), IA_KEY_POINT_INVALID);
        memset(raw.bytes, 0xff, raw.len);
        assert_result(ia_key_create(&key, &raw), IA_KEY_POINT_INVALID);
    }
    assert_int_equal(ERR_peek_error(), 0);
}

/* Numbers of that size; nothing asks whether they are products of two primes. */
static ia_key_raw rsa_of(unsigned bits, unsigned exponent)
{
    ia_key_raw raw = {IA_KEY_RSA, IA_ALGORITHM_RSA_PSS, exponent, (bits + 7) / 8, {0}};
    uint64_t seed = bits;

    random_fill(&seed, raw.bytes, raw.len);
    raw.bytes[0] = (unsigned char)(bits % 8 == 0 ? 0x80 : 1u << (bits % 8 - 1));
    raw.bytes[raw.len - 1] |= 1;
    return raw;
}

static ia_result create(const ia_key_raw *raw)
{
    ia_key *key;
    ia_result rc = ia_key_create(&key, raw);

    assert_int_equal(rc == IA_OK, key != NULL);
    ia_key_unref(key);
    return rc;
}

static void test_refuses_rsa_sizes(void **state)
{
    static const struct {
        unsigned bits;
        ia_result expected;
    } cases[] = {{1024, IA_KEY_SIZE}, {2040, IA_KEY_SIZE}, {2047, IA_KEY_SIZE}, {2048, IA_OK},
                 {2049, IA_OK},       {3072, IA_OK},       {4096, IA_OK}};
    char n[IA_BASE64URL_SIZE(513)];
    unsigned char bytes[513];
    ia_key_raw raw;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        raw = rsa_of(cases[i].bits, 65537);
        assert_result(create(&raw), cases[i].expected);
    }
    memset(bytes, 0xff, sizeof bytes);
    ia_base64url_encode(n, bytes, sizeof bytes);
    refuse_jwk(*state, apr_pstrcat(*state, "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"", n, "\"}", NULL), IA_KEY_SIZE);
    refuse_pem(*state, RSA_1024_PUBLIC, IA_KEY_SIZE);
    raw = rsa_of(2048, 65537);
    raw.bytes[255] &= 0xfe;
    assert_result(create(&raw), IA_KEY_MALFORMED);
    memmove(raw.bytes + 1, raw.bytes, 256);
    raw.bytes[0] = 0;
    raw.len = 257;
    assert_result(create(&raw), IA_KEY_MALFORMED);
}

static void test_refuses_rsa_exponents(void **state)
{
    static const unsigned bad[] = {0, 1, 2, 4, 65536, 0xfffffffe}, good[] = {3, 5, 65537, 0xffffffff};
    ia_key_raw raw;

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        raw = rsa_of(2048, bad[i]);
        assert_result(create(&raw), IA_KEY_EXPONENT);
    }
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        raw = rsa_of(2048, good[i]);
        assert_result(create(&raw), IA_OK);
    }
    refuse_jwk(*state,
               apr_psprintf(*state, "{%.*s,\"e\":\"AQ\"}", (int)(strlen(RSA_MEMBERS) - strlen(",\"e\":\"AQAB\"")),
                            RSA_MEMBERS),
               IA_KEY_EXPONENT);
    refuse_jwk(*state,
               apr_psprintf(*state, "{%.*s,\"e\":\"AQAAAAE\"}", (int)(strlen(RSA_MEMBERS) - strlen(",\"e\":\"AQAB\"")),
                            RSA_MEMBERS),
               IA_KEY_EXPONENT);
    refuse_jwk(*state,
               apr_psprintf(*state, "{%.*s,\"e\":\"AAEAAQ\"}", (int)(strlen(RSA_MEMBERS) - strlen(",\"e\":\"AQAB\"")),
                            RSA_MEMBERS),
               IA_KEY_MALFORMED);
}

/* A power of 65537 is one modulo every prime. */
static void test_refuses_roca(void **state)
{
    ia_key_raw raw = {IA_KEY_RSA, IA_ALGORITHM_RSA_PSS, 65537, 0, {0}};
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *base = BN_new(), *power = BN_new();

    (void)state;
    assert_true(BN_set_word(base, 65537) && BN_set_word(power, 140) && BN_exp(power, base, power, ctx));
    raw.len = (apr_uint32_t)BN_bn2bin(power, raw.bytes);
    assert_result(create(&raw), IA_KEY_WEAK);
    raw.bytes[raw.len - 1] ^= 2;
    assert_result(create(&raw), IA_OK);
    BN_free(base);
    BN_free(power);
    BN_CTX_free(ctx);
}

static void test_refuses_wrong_use(void **state)
{
    refuse_jwk(*state, "{" ED25519_MEMBERS ",\"use\":\"enc\"}", IA_KEY_USE);
    refuse_jwk(*state, "{" ED25519_MEMBERS ",\"use\":[\"sig\"]}", IA_KEY_USE);
    refuse_private_jwk(*state, "{" ED25519_MEMBERS ED25519_SECRETS ",\"use\":\"enc\"}", IA_ALGORITHM_NONE, IA_KEY_USE);
}

static void test_refuses_wrong_operations(void **state)
{
    static const char *const operations[] = {
        "[]", "\"verify\"", "[\"sign\"]", "[\"verify\",\"verify\"]", "[\"verify\",\"encrypt\"]", "[\"verify\",1]"};

    for (size_t i = 0; i < COUNT_OF(operations); i++) {
        refuse_jwk(*state, apr_pstrcat(*state, "{" ED25519_MEMBERS ",\"key_ops\":", operations[i], "}", NULL),
                   IA_KEY_OPERATIONS);
    }
    refuse_private_jwk(*state, "{" ED25519_MEMBERS ED25519_SECRETS ",\"key_ops\":[\"verify\"]}", IA_ALGORITHM_NONE,
                       IA_KEY_OPERATIONS);
}

static void test_refuses_wrong_algorithms(void **state)
{
    static const char *const texts[] = {
        "{" ED25519_MEMBERS ",\"alg\":\"ES256\"}", "{" P256_MEMBERS ",\"alg\":\"ES384\"}",
        "{" RSA_MEMBERS ",\"alg\":\"RSA-OAEP\"}",  "{" RSA_MEMBERS ",\"alg\":\"HS256\"}",
        "{" RSA_MEMBERS ",\"alg\":\"none\"}",      "{" RSA_MEMBERS ",\"alg\":null}"};

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        refuse_jwk(*state, texts[i], IA_KEY_ALGORITHM);
    }
    refuse_private_jwk(*state, kinds[0].private_jwk, IA_ALGORITHM_RSA_PSS, IA_KEY_ALGORITHM);
    refuse_private_jwk(*state, kinds[3].private_jwk, IA_ALGORITHM_HMAC, IA_KEY_ALGORITHM);
}

static void test_refuses_private_as_public(void **state)
{
    static const char *const members[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};

    for (size_t i = 0; i < COUNT_OF(members); i++) {
        refuse_jwk(*state, apr_pstrcat(*state, "{" ED25519_MEMBERS ",\"", members[i], "\":\"\"}", NULL),
                   IA_KEY_PRIVATE);
    }
    refuse_pem(*state, ED25519_PRIVATE, IA_KEY_PRIVATE);
    refuse_pem(*state, P256_TRADITIONAL, IA_KEY_PRIVATE);
    refuse_pem(*state, RSA_TRADITIONAL, IA_KEY_PRIVATE);
}

static void test_refuses_public_as_private(void **state)
{
    ia_key *key;

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        refuse_private_jwk(*state, kinds[i].jwk, IA_ALGORITHM_NONE, IA_KEY_PUBLIC);
        assert_result(ia_key_create_from_pem(&key, kinds[i].pem, strlen(kinds[i].pem), IA_ALGORITHM_NONE),
                      IA_KEY_PUBLIC);
    }
    assert_result(ia_key_create_from_pem(&key, ED25519_CERTIFICATE, strlen(ED25519_CERTIFICATE), IA_ALGORITHM_NONE),
                  IA_KEY_PUBLIC);
}

/* Private numbers of another key, or one wrong digit. */
static void test_refuses_foreign_private_parts(void **state)
{
    static const char ed25519[] = ",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\"";
    static const char p256[] = ",\"d\":\"UpuF81l-kOxbjf7T4mNSv0r5tN67Gim7rnf6EFpcYDs\"";
    char *rsa = apr_pstrdup(*state, kinds[3].private_jwk), *d = strstr(rsa, "\"d\":\"") + 20;
    char *q = strstr(rsa, "\"qi\":\"") + 20;

    refuse_private_jwk(*state, apr_pstrcat(*state, "{" ED25519_MEMBERS, ed25519, "}", NULL), IA_ALGORITHM_NONE,
                       IA_KEY_PAIR);
    refuse_private_jwk(*state, apr_pstrcat(*state, "{" P256_MEMBERS, p256, "}", NULL), IA_ALGORITHM_NONE, IA_KEY_PAIR);
    refuse_private_jwk(*state, "{" P256_MEMBERS ",\"d\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
                       IA_ALGORITHM_NONE, IA_KEY_PAIR);
    refuse_private_jwk(*state, "{" P256_MEMBERS ",\"d\":\"__________________________________________8\"}",
                       IA_ALGORITHM_NONE, IA_KEY_PAIR);
    *q = *q == 'A' ? 'B' : 'A';
    *d = *d == 'A' ? 'B' : 'A';
    refuse_private_jwk(*state, rsa, IA_ALGORITHM_NONE, IA_KEY_PAIR);
}

static void test_refuses_incomplete_private_parts(void **state)
{
    refuse_private_jwk(*state, "{" ED25519_MEMBERS ",\"d\":\"AAAA\"}", IA_ALGORITHM_NONE, IA_KEY_MALFORMED);
    refuse_private_jwk(*state, "{" ED25519_MEMBERS ",\"d\":1}", IA_ALGORITHM_NONE, IA_KEY_MALFORMED);
    refuse_private_jwk(*state, "{" P256_MEMBERS ",\"d\":\"AAAA\"}", IA_ALGORITHM_NONE, IA_KEY_MALFORMED);
    refuse_private_jwk(*state, "{" RSA_MEMBERS ",\"d\":\"AAAA\"}", IA_ALGORITHM_NONE, IA_KEY_MALFORMED);
    refuse_private_jwk(*state, "{" RSA_MEMBERS RSA_SECRETS ",\"oth\":[]}", IA_ALGORITHM_NONE, IA_KEY_MALFORMED);
    refuse_private_jwk(*state, "[]", IA_ALGORITHM_NONE, IA_KEY_MALFORMED);
}

static void test_refuses_malformed_pem(void **state)
{
    static const char *const texts[] = {
        "", "no pem", "-----BEGIN PUBLIC KEY-----\n", "-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n",
        /* one byte after the structure */
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAJG9iIYS9b82U3u8IN0U4A2aX5BROnqfHNVx32R7KbfMA\n"
        "-----END PUBLIC KEY-----\n",
        ED25519_PUBLIC ED25519_PUBLIC, P256_COMPRESSED, RSA_PKCS1_LONGER, ED25519_ENCRYPTED, RSA_TRADITIONAL_ENCRYPTED};
    char *cut, *large = apr_palloc(*state, IA_KEY_TEXT_MAX + 2);
    ia_key *key;

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        refuse_pem(*state, texts[i], IA_KEY_MALFORMED);
        assert_result(ia_key_create_from_pem(&key, texts[i], strlen(texts[i]), IA_ALGORITHM_NONE),
                      i == 3 || i == 4 || i == 6 || i == 7 ? IA_KEY_PUBLIC : IA_KEY_MALFORMED);
    }
    for (size_t i = 60; i + 30 < strlen(RSA_CERTIFICATE); i += 64) {
        cut = apr_pstrdup(*state, RSA_CERTIFICATE);
        cut[i] = '#';
        refuse_pem(*state, cut, IA_KEY_MALFORMED);
    }
    memset(large, '\n', IA_KEY_TEXT_MAX + 1);
    memcpy(large, ED25519_PUBLIC, strlen(ED25519_PUBLIC));
    large[IA_KEY_TEXT_MAX + 1] = '\0';
    refuse_pem(*state, large, IA_KEY_MALFORMED);
}

/* Every byte of a DER key in turn: another key of the same kind, or refused. Never the same key, never a
 * crash. */
static void test_damaged_pem(void **state)
{
    for (size_t k = 0; k < COUNT_OF(kinds); k++) {
        ia_key_raw original = take_jwk(*state, kinds[k].jwk), raw;

        for (size_t i = strlen("-----BEGIN PUBLIC KEY-----\n"); kinds[k].pem[i] != '-'; i++) {
            char *text = apr_pstrdup(*state, kinds[k].pem);

            if (text[i] == '\n') {
                continue;
            }
            text[i] = text[i] == 'A' ? 'B' : 'A';
            if (ia_key_from_pem(&raw, text, strlen(text), IA_ALGORITHM_NONE) == IA_OK) {
                assert_int_equal(raw.type, original.type);
                assert_memory_not_equal(&raw, &original, sizeof raw);
            }
        }
    }
    assert_int_equal(ERR_peek_error(), 0);
}

/* Shared memory can hold anything. */
static void test_refuses_damaged_raw_keys(void **state)
{
    ia_key_raw good = take_jwk(*state, kinds[0].jwk), raw = good;

    raw.type = IA_KEY_NONE;
    assert_result(create(&raw), IA_KEY_TYPE_UNKNOWN);
    raw.type = 77;
    assert_result(create(&raw), IA_KEY_TYPE_UNKNOWN);
    raw = good;
    raw.algorithm = IA_ALGORITHM_NONE;
    assert_result(create(&raw), IA_KEY_ALGORITHM);
    raw.algorithm = 1000;
    assert_result(create(&raw), IA_KEY_ALGORITHM);
    raw.algorithm = IA_ALGORITHM_HMAC;
    assert_result(create(&raw), IA_KEY_ALGORITHM);
    raw = good;
    raw.len = 0xffffffff;
    assert_result(create(&raw), IA_KEY_MALFORMED);
    raw.len = 31;
    assert_result(create(&raw), IA_KEY_MALFORMED);
    raw = good;
    raw.exponent = 3;
    assert_result(create(&raw), IA_KEY_MALFORMED);
    raw = good;
    raw.bytes[IA_KEY_BYTES_MAX - 1] = 1;
    assert_result(create(&raw), IA_KEY_MALFORMED);
    raw = take_jwk(*state, kinds[1].jwk);
    raw.len = 96;
    assert_result(create(&raw), IA_KEY_MALFORMED);
    raw = rsa_of(2048, 65537);
    raw.len = 0;
    memset(raw.bytes, 0, sizeof raw.bytes);
    assert_result(create(&raw), IA_KEY_MALFORMED);
}

static void refuse_secret(apr_pool_t *p, const char *text, ia_result expected)
{
    static const ia_mac_key none;
    ia_mac_key secret;

    memset(&secret, 0xff, sizeof secret);
    assert_result(ia_key_secret_from_jwk(&secret, parse(p, text)), expected);
    assert_memory_equal(&secret, &none, sizeof none);
}

#define K32 "\"k\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\""

static void test_secrets(void **state)
{
    static const char *const good[] = {"{\"kty\":\"oct\"," K32 "}",
                                       "{\"kty\":\"oct\"," K32 ",\"alg\":\"HS256\",\"use\":\"sig\"}",
                                       "{\"kty\":\"oct\"," K32 ",\"key_ops\":[\"verify\"]}",
                                       "{\"kty\":\"oct\"," K32 ",\"key_ops\":[\"sign\",\"verify\"]}"};
    unsigned char bytes[32];
    ia_mac_key wanted, secret;

    for (unsigned char i = 0; i < 32; i++) {
        bytes[i] = i;
    }
    assert_result(ia_key_secret_load(&wanted, bytes, 32), IA_OK);
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_result(ia_key_secret_from_jwk(&secret, parse(*state, good[i])), IA_OK);
        assert_memory_equal(&secret, &wanted, sizeof wanted);
    }
    refuse_secret(*state, "[]", IA_KEY_MALFORMED);
    refuse_secret(*state, "{\"kty\":\"oct\"}", IA_KEY_MALFORMED);
    refuse_secret(*state, "{\"kty\":\"oct\",\"k\":\"A\"}", IA_KEY_MALFORMED);
    refuse_secret(*state, "{\"kty\":\"oct\",\"k\":\"\"}", IA_KEY_SIZE);
    refuse_secret(*state, "{\"kty\":\"oct\",\"k\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg\"}", IA_KEY_SIZE);
    refuse_secret(*state, "{\"kty\":\"RSA\"," K32 "}", IA_KEY_TYPE_UNKNOWN);
    refuse_secret(*state, "{\"kty\":\"oct\"," K32 ",\"alg\":\"HS512\"}", IA_KEY_ALGORITHM);
    refuse_secret(*state, "{\"kty\":\"oct\"," K32 ",\"alg\":\"RS256\"}", IA_KEY_ALGORITHM);
    refuse_secret(*state, "{\"kty\":\"oct\"," K32 ",\"use\":\"enc\"}", IA_KEY_USE);
    refuse_secret(*state, "{\"kty\":\"oct\"," K32 ",\"key_ops\":[\"encrypt\"]}", IA_KEY_OPERATIONS);
    assert_result(ia_key_secret_load(&secret, "short", 5), IA_KEY_SIZE);
    assert_result(ia_key_secret_load(&secret, "", 0), IA_KEY_SIZE);
}

/* The classic confusion: the bytes of a public key as an HMAC secret. */
static void test_refuses_public_keys_as_secrets(void **state)
{
    const char *texts[] = {ED25519_PUBLIC,
                           RSA_PUBLIC,
                           RSA_CERTIFICATE,
                           kinds[0].jwk,
                           "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI",
                           "ecdsa-sha2-nistp256 AAAAE2VjZHNh"};
    const char *pems[] = {ED25519_PUBLIC, P256_PUBLIC, P384_PUBLIC, RSA_PUBLIC};
    ia_mac_key secret;

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        assert_result(ia_key_secret_load(&secret, exact(*state, texts[i], strlen(texts[i])), strlen(texts[i])),
                      IA_KEY_SECRET_PUBLIC);
    }
    for (size_t i = 0; i < COUNT_OF(pems); i++) {
        char *base64 = apr_pstrdup(*state, strchr(pems[i], '\n')), *to = base64;
        unsigned char der[600];
        apr_size_t len;

        for (const char *from = base64; *from != '-'; from++) {
            if (*from != '\n') {
                *to++ = *from;
            }
        }
        assert_result(ia_base64_decode(der, sizeof der, &len, base64, (apr_size_t)(to - base64)), IA_OK);
        assert_result(ia_key_secret_load(&secret, der, len), IA_KEY_SECRET_PUBLIC);
    }
}

#define THREADS 4

static void *APR_THREAD_FUNC use_key(apr_thread_t *thread, void *data)
{
    ia_key *key = data;
    unsigned char signature[IA_SIGNATURE_MAX];
    apr_size_t len;
    apr_status_t failed = 0;

    for (unsigned i = 0; i < 100; i++) {
        ia_key *mine = ia_key_ref(key);

        failed |= ia_signature_mint(signature, &len, mine, &i, sizeof i) != IA_OK;
        failed |= ia_signature_verify(mine, &i, sizeof i, signature, len) != IA_OK;
        ia_key_unref(mine);
    }
    ia_key_unref(key);
    apr_thread_exit(thread, failed);
    return NULL;
}

static void test_threads_share_a_key(void **state)
{
    apr_thread_t *threads[THREADS];
    apr_status_t failed;
    ia_key *key;

    assert_result(ia_key_create_from_jwk(&key, parse(*state, kinds[1].private_jwk), IA_ALGORITHM_NONE), IA_OK);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(apr_thread_create(&threads[i], NULL, use_key, ia_key_ref(key), *state), APR_SUCCESS);
    }
    ia_key_unref(key);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(apr_thread_join(&failed, threads[i]), APR_SUCCESS);
        assert_int_equal(failed, 0);
    }
    ia_key_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pool_test(test_all_forms_are_one_key),
        pool_test(test_certificates_are_containers),
        pool_test(test_older_private_pem),
        pool_test(test_pss_identifier),
        pool_test(test_pss_parameters),
        pool_test(test_algorithm_names),
        pool_test(test_jwk_names_the_algorithm),
        pool_test(test_thumbprints),
        pool_test(test_refuses_malformed_jwk),
        pool_test(test_refuses_unknown_types),
        pool_test(test_refuses_unknown_curves),
        pool_test(test_refuses_small_order),
        pool_test(test_refuses_points_not_canonical),
        pool_test(test_refuses_points_off_the_curve),
        pool_test(test_refuses_rsa_sizes),
        pool_test(test_refuses_rsa_exponents),
        pool_test(test_refuses_roca),
        pool_test(test_refuses_wrong_use),
        pool_test(test_refuses_wrong_operations),
        pool_test(test_refuses_wrong_algorithms),
        pool_test(test_refuses_private_as_public),
        pool_test(test_refuses_public_as_private),
        pool_test(test_refuses_foreign_private_parts),
        pool_test(test_refuses_incomplete_private_parts),
        pool_test(test_refuses_malformed_pem),
        pool_test(test_damaged_pem),
        pool_test(test_refuses_damaged_raw_keys),
        pool_test(test_secrets),
        pool_test(test_refuses_public_keys_as_secrets),
        pool_test(test_threads_share_a_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
