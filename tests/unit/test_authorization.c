/* The Authorization header: both published vectors, both forms, every refusal, and the client's writer. */
#include "support.h"
#include "interauth/authorization.h"
#include "interauth/encoding.h"

#define TOKEN     "2E82CF26-E5EE-11F1-8470-78AEB6B8DC6E"
#define NONCE     "JY55RaYo5GfMD6r8fxNr7A"
#define MAC_TEXT  "4601352554fe93f4321fa9edf5e461b105eaf901"
#define MAC_BYTES "9a32439934f74319473e90ef1da9be430b0dca1e"
#define SHA256HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char *encode(apr_pool_t *p, const void *data, size_t len)
{
    char *text = apr_palloc(p, len * 2 + 4);

    ia_base64url_encode(text, data, len);
    return text;
}

static const char *response_of(apr_pool_t *p, const char *token, const char *mac)
{
    const char *plain = apr_pstrcat(p, token, ":", mac, NULL);

    return encode(p, plain, strlen(plain));
}

static void nonce_bytes(unsigned char out[IA_NONCE_LEN])
{
    apr_size_t len;

    assert_result(ia_base64url_decode(out, IA_NONCE_LEN, &len, LIT(NONCE)), IA_OK);
    assert_int_equal(len, IA_NONCE_LEN);
}

static ia_mac_key vector_key(void)
{
    unsigned char secret[16];
    ia_mac_key key;

    for (unsigned i = 0; i < sizeof secret; i++) {
        secret[i] = (unsigned char)i;
    }
    assert_result(ia_mac_key_load(&key, secret, sizeof secret), IA_OK);
    return key;
}

static ia_result parse(ia_authorization *auth, apr_pool_t *p, const char *value)
{
    memset(auth, 0xa5, sizeof *auth);
    return ia_authorization_parse(auth, exact_string(p, value));
}

static void test_published_vector_with_text(void **state)
{
    const char *value = apr_psprintf(*state, "SAuth response=\"%s\",nonce=\"%s\"", response_of(*state, TOKEN, MAC_TEXT),
                                     encode(*state, LIT(NONCE)));
    unsigned char bytes[IA_NONCE_LEN];
    ia_mac_key key = vector_key();
    ia_authorization auth;

    nonce_bytes(bytes);
    assert_result(parse(&auth, *state, value), IA_OK);
    assert_false(auth.bare);
    assert_string_equal(auth.token, TOKEN);
    assert_int_equal(auth.token_len, strlen(TOKEN));
    assert_int_equal(auth.hash, IA_HASH_SHA1);
    assert_int_equal(auth.n_len, 22);
    assert_memory_equal(auth.n, NONCE, 22);
    assert_memory_equal(auth.nonce, bytes, IA_NONCE_LEN);
    assert_result(ia_authorization_verify(&auth, &key, auth.n, auth.n_len), IA_OK);
    assert_result(ia_authorization_verify(&auth, &key, bytes, sizeof bytes), IA_MAC_MISMATCH);
}

static void test_published_vector_with_bytes(void **state)
{
    unsigned char bytes[IA_NONCE_LEN];
    ia_mac_key key = vector_key();
    ia_authorization auth;

    nonce_bytes(bytes);
    assert_result(parse(&auth, *state,
                        apr_psprintf(*state, "SAuth response=\"%s\",nonce=\"%s\"",
                                     response_of(*state, TOKEN, MAC_BYTES), encode(*state, bytes, sizeof bytes))),
                  IA_OK);
    assert_int_equal(auth.n_len, 16);
    assert_memory_equal(auth.n, bytes, 16);
    assert_memory_equal(auth.nonce, bytes, 16);
    assert_result(ia_authorization_verify(&auth, &key, auth.n, auth.n_len), IA_OK);
    assert_result(ia_authorization_verify(&auth, &key, NONCE, 22), IA_MAC_MISMATCH);
}

static void test_bare_form(void **state)
{
    ia_mac_key key = vector_key();
    ia_authorization auth;

    assert_result(parse(&auth, *state, apr_psprintf(*state, "SAuth %s", response_of(*state, TOKEN, MAC_TEXT))), IA_OK);
    assert_true(auth.bare);
    assert_string_equal(auth.token, TOKEN);
    assert_result(ia_authorization_verify(&auth, &key, NONCE, 22), IA_OK);
    assert_result(ia_authorization_verify(&auth, &key, NONCE, 21), IA_MAC_MISMATCH);
}

static void test_scheme(void **state)
{
    (void)state;
    assert_true(ia_authorization_is_sauth("SAuth x"));
    assert_true(ia_authorization_is_sauth("sauth x"));
    assert_true(ia_authorization_is_sauth("SAUTH x"));
    assert_true(ia_authorization_is_sauth(exact_string(*state, "SAuth")));
    assert_false(ia_authorization_is_sauth(NULL));
    assert_false(ia_authorization_is_sauth(exact_string(*state, "")));
    assert_false(ia_authorization_is_sauth(exact_string(*state, "SAut")));
    assert_false(ia_authorization_is_sauth("SAuthX y"));
    assert_false(ia_authorization_is_sauth("SAuth=y"));
    assert_false(ia_authorization_is_sauth(" SAuth y"));
    assert_false(ia_authorization_is_sauth("Bearer y"));
    assert_false(ia_authorization_is_sauth("Basic SAuth"));
}

/* R is a good response, N a good nonce; the words are put in by expand. */
static const struct header {
    const char *value;
    ia_result rc;
} headers[] = {
    {"SAuth response=\"R\",nonce=\"N\"", IA_OK},
    {"sauth response=\"R\",nonce=\"N\"", IA_OK},
    {"SAuth nonce=\"N\",response=\"R\"", IA_OK},
    {"SAuth nonce=\"N\", response=\"R\"", IA_OK},
    {"SAuth   response=\"R\" , nonce=\"N\"", IA_OK},
    {"SAuth R", IA_OK},
    {"", IA_SCHEME_NOT_ACCEPTED},
    {"Bearer R", IA_SCHEME_NOT_ACCEPTED},
    {"Basic dXNlcjpwYXNz", IA_SCHEME_NOT_ACCEPTED},
    {"SAuthR", IA_SCHEME_NOT_ACCEPTED},
    {"SAuth", IA_AUTHORIZATION_MALFORMED},
    {"SAuth ", IA_AUTHORIZATION_MALFORMED},
    {"SAuth R=", IA_AUTHORIZATION_MALFORMED},
    {"SAuth R==", IA_AUTHORIZATION_MALFORMED},
    {"SAuth RA", IA_AUTHORIZATION_MALFORMED},
    {"SAuth !R", IA_AUTHORIZATION_MALFORMED},
    {"SAuth R R", IA_AUTHORIZATION_MALFORMED},
    {"SAuth response=\"R\"", IA_AUTHORIZATION_MALFORMED},
    {"SAuth nonce=\"N\"", IA_AUTHORIZATION_MALFORMED},
    {"SAuth response=\"R\",nonce=\"N\",", IA_AUTHORIZATION_MALFORMED},
    {"SAuth ,response=\"R\",nonce=\"N\"", IA_AUTHORIZATION_MALFORMED},
    {"SAuth response=\"R\" nonce=\"N\"", IA_AUTHORIZATION_MALFORMED},
    {"SAuth response=\"R\";nonce=\"N\"", IA_AUTHORIZATION_MALFORMED},
    {"SAuth response=\"R\",nonce=\"N\",realm=\"x\"", IA_AUTHORIZATION_MALFORMED},
    {"SAuth response=\"R\",nonce=\"N\",nonce=\"N\"", IA_AUTHORIZATION_MALFORMED},
    {"SAuth response=\"R\",response=\"R\",nonce=\"N\"", IA_AUTHORIZATION_MALFORMED},
    {"SAuth response=\"R\",nonce=\"\"", IA_AUTHORIZATION_MALFORMED},
    {"SAuth response=\"\",nonce=\"N\"", IA_AUTHORIZATION_MALFORMED},
    {"SAuth response=\"R,nonce=\"N\"", IA_AUTHORIZATION_MALFORMED},
    {"SAuth response=\"R\",nonce=\"N", IA_AUTHORIZATION_MALFORMED},
    {"SAuth response=\"R\",nonce=\"N\"x", IA_AUTHORIZATION_MALFORMED},
    {"SAuth response=\"R\",nonce=\"\\N\"", IA_AUTHORIZATION_MALFORMED},
    {"SAuth response=\"R\",nonce=\"N=\"", IA_AUTHORIZATION_MALFORMED},
    {"SAuth response=\"R\",nonce=\"N \"", IA_AUTHORIZATION_MALFORMED},
    {"SAuth response=\"R\",nonce=\"AAAA\"", IA_AUTHORIZATION_MALFORMED},
    {"SAuth response=\"R\",nonce\"N\"", IA_AUTHORIZATION_MALFORMED},
    {"SAuth response=\"R\",nonce=\"N\", Negotiate", IA_AUTHORIZATION_REPEATED},
    {"SAuth response=\"R\",=\"N\"", IA_AUTHORIZATION_MALFORMED},
    {"SAuth response=\"R\",nonce=\"N\", SAuth response=\"R\",nonce=\"N\"", IA_AUTHORIZATION_REPEATED},
    {"SAuth response=\"R\",nonce=\"N\", Bearer R", IA_AUTHORIZATION_REPEATED},
    {"SAuth R, SAuth R", IA_AUTHORIZATION_REPEATED},
    {"SAuth R, Basic dXNlcjpwYXNz", IA_AUTHORIZATION_REPEATED},
};

static const char *expand(apr_pool_t *p, const char *pattern)
{
    const char *response = response_of(p, TOKEN, MAC_TEXT), *nonce = encode(p, LIT(NONCE)), *out = "";

    for (; *pattern != '\0'; pattern++) {
        int lone = !(pattern[1] >= 'a' && pattern[1] <= 'z');

        if (*pattern == 'R' && lone) {
            out = apr_pstrcat(p, out, response, NULL);
        } else if (*pattern == 'N' && lone) {
            out = apr_pstrcat(p, out, nonce, NULL);
        } else {
            out = apr_psprintf(p, "%s%c", out, *pattern);
        }
    }
    return out;
}

static void test_headers(void **state)
{
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        ia_authorization auth;
        ia_result rc = parse(&auth, *state, expand(*state, headers[i].value));

        if (rc != headers[i].rc) {
            fail_msg("%s: %s, not %s", headers[i].value, ia_outcome_of(rc)->tag, ia_outcome_of(headers[i].rc)->tag);
        }
    }
    ia_authorization auth;
    assert_result(ia_authorization_parse(&auth, NULL), IA_SCHEME_NOT_ACCEPTED);
}

static void check_response(apr_pool_t *p, const char *token, const char *mac, ia_result wanted)
{
    ia_authorization auth;
    ia_result rc = parse(&auth, p, apr_psprintf(p, "SAuth %s", response_of(p, token, mac)));

    if (rc != wanted) {
        fail_msg("%s:%s: %s, not %s", token, mac, ia_outcome_of(rc)->tag, ia_outcome_of(wanted)->tag);
    }
}

static void test_responses(void **state)
{
    char token[IA_TOKEN_TEXT_MAX + 2];

    memset(token, 't', sizeof token);
    token[IA_TOKEN_TEXT_MAX] = '\0';
    check_response(*state, token, SHA256HEX, IA_OK);
    check_response(*state, "t", SHA256HEX, IA_OK);
    check_response(*state, "a:b", MAC_TEXT, IA_OK);
    token[IA_TOKEN_TEXT_MAX] = 't';
    token[IA_TOKEN_TEXT_MAX + 1] = '\0';
    check_response(*state, token, MAC_TEXT, IA_AUTHORIZATION_MALFORMED);
    check_response(*state, token, SHA256HEX, IA_AUTHORIZATION_MALFORMED);
    check_response(*state, "", SHA256HEX, IA_AUTHORIZATION_MALFORMED);
    check_response(*state, "t t", SHA256HEX, IA_AUTHORIZATION_MALFORMED);
    check_response(*state, "t\n", SHA256HEX, IA_AUTHORIZATION_MALFORMED);
    check_response(*state, "t\x7f", SHA256HEX, IA_AUTHORIZATION_MALFORMED);
    check_response(*state, "t\xc3\xa9", SHA256HEX, IA_AUTHORIZATION_MALFORMED);
    check_response(*state, "t", "", IA_AUTHORIZATION_MALFORMED);
    check_response(*state, "t", SHA256HEX "0", IA_AUTHORIZATION_MALFORMED);
    check_response(*state, "t", SHA256HEX "00", IA_AUTHORIZATION_MALFORMED);
    check_response(*state, "t", MAC_TEXT "00", IA_AUTHORIZATION_MALFORMED);
    check_response(*state, "t", "x601352554fe93f4321fa9edf5e461b105eaf901", IA_AUTHORIZATION_MALFORMED);

    ia_authorization auth;
    const char *no_colon = apr_psprintf(*state, "SAuth %s", encode(*state, LIT("t" SHA256HEX)));
    const char *nul = apr_psprintf(*state, "SAuth %s", encode(*state, LIT("t\0t:" SHA256HEX)));
    assert_result(parse(&auth, *state, no_colon), IA_AUTHORIZATION_MALFORMED);
    assert_result(parse(&auth, *state, nul), IA_AUTHORIZATION_MALFORMED);
}

/* A nonce decodes to 16 bytes or to the 22 characters that are the text of 16 bytes; nothing else. */
static void test_nonce_forms(void **state)
{
    static const struct {
        const char *data;
        size_t len;
        ia_result rc;
    } nonces[] = {
        {LIT("0123456789abcdef"), IA_OK},
        {LIT("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), IA_OK},
        {LIT("JY55RaYo5GfMD6r8fxNr7A"), IA_OK},
        {LIT("JY55RaYo5GfMD6r8fxNr7B"), IA_AUTHORIZATION_MALFORMED},
        {LIT("JY55RaYo5GfMD6r8fxNr7="), IA_AUTHORIZATION_MALFORMED},
        {LIT("JY55RaYo5GfMD6r8fxNr+A"), IA_AUTHORIZATION_MALFORMED},
        {LIT("JY55RaYo5GfMD6r8fxNr7\0"), IA_AUTHORIZATION_MALFORMED},
        {LIT("0123456789abcde"), IA_AUTHORIZATION_MALFORMED},
        {LIT("0123456789abcdefg"), IA_AUTHORIZATION_MALFORMED},
        {LIT("JY55RaYo5GfMD6r8fxNr7"), IA_AUTHORIZATION_MALFORMED},
        {LIT("JY55RaYo5GfMD6r8fxNr7AA"), IA_AUTHORIZATION_MALFORMED},
        {LIT("JY55RaYo5GfMD6r8fxNr7AJY55RaYo5GfMD6r8fxNr7A"), IA_AUTHORIZATION_MALFORMED},
    };

    for (size_t i = 0; i < COUNT_OF(nonces); i++) {
        ia_authorization auth;
        const char *value =
            apr_psprintf(*state, "SAuth response=\"%s\",nonce=\"%s\"", response_of(*state, TOKEN, MAC_TEXT),
                         encode(*state, nonces[i].data, nonces[i].len));

        assert_result(parse(&auth, *state, value), nonces[i].rc);
    }
}

static void test_header_bound(void **state)
{
    const char *good = expand(*state, "response=\"R\",nonce=\"N\"");
    size_t pad = IA_AUTHORIZATION_MAX - strlen("SAuth") - strlen(good);
    char *value = apr_palloc(*state, IA_AUTHORIZATION_MAX + 2);
    ia_authorization auth;

    memset(value, ' ', IA_AUTHORIZATION_MAX + 2);
    memcpy(value, "SAuth", 5);
    memcpy(value + 5 + pad, good, strlen(good) + 1);
    assert_int_equal(strlen(value), IA_AUTHORIZATION_MAX);
    assert_result(parse(&auth, *state, value), IA_OK);
    memcpy(value + 5 + pad, " ", 1);
    memcpy(value + 5 + pad + 1, good, strlen(good) + 1);
    assert_result(parse(&auth, *state, value), IA_AUTHORIZATION_MALFORMED);
}

static void test_every_changed_bit_is_a_mismatch(void **state)
{
    ia_mac_key key = vector_key();
    ia_authorization auth;

    assert_result(parse(&auth, *state, expand(*state, "SAuth R")), IA_OK);
    for (unsigned bit = 0; bit < IA_SHA1_LEN * 8; bit++) {
        auth.mac[bit / 8] ^= (unsigned char)(1u << bit % 8);
        assert_result(ia_authorization_verify(&auth, &key, NONCE, 22), IA_MAC_MISMATCH);
        auth.mac[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    auth.token[0] ^= 1;
    assert_result(ia_authorization_verify(&auth, &key, NONCE, 22), IA_MAC_MISMATCH);
}

static void test_format_and_back(void **state)
{
    ia_mac_key key = vector_key();

    for (unsigned h = 0; h < 2; h++) {
        ia_hash hash = h ? IA_HASH_SHA1 : IA_HASH_SHA256;
        char *value = ia_authorization_format(*state, TOKEN, NONCE, hash, &key);
        ia_authorization auth;

        assert_non_null(value);
        assert_result(parse(&auth, *state, value), IA_OK);
        assert_int_equal(auth.hash, hash);
        assert_string_equal(auth.token, TOKEN);
        assert_result(ia_authorization_verify(&auth, &key, auth.n, auth.n_len), IA_OK);
    }
    assert_string_equal(ia_authorization_format(*state, TOKEN, NONCE, IA_HASH_SHA1, &key),
                        expand(*state, "SAuth response=\"R\",nonce=\"N\""));
}

static void test_format_refusals(void **state)
{
    static const char *const bad_nonces[] = {"",
                                             "JY55RaYo5GfMD6r8fxNr7",
                                             "JY55RaYo5GfMD6r8fxNr7AA",
                                             "JY55RaYo5GfMD6r8fxNr7B",
                                             "JY55RaYo5GfMD6r8fxNr+A",
                                             "JY55RaYo5GfMD6r8fxNr\"A"};
    static const char *const bad_tokens[] = {"", "a b", "a\n", "a\x7f", "\xc3\xa9"};
    char token[IA_TOKEN_TEXT_MAX + 2];
    ia_mac_key key = vector_key();

    for (size_t i = 0; i < COUNT_OF(bad_nonces); i++) {
        assert_null(ia_authorization_format(*state, TOKEN, bad_nonces[i], IA_HASH_SHA256, &key));
    }
    for (size_t i = 0; i < COUNT_OF(bad_tokens); i++) {
        assert_null(ia_authorization_format(*state, bad_tokens[i], NONCE, IA_HASH_SHA256, &key));
    }
    memset(token, 't', sizeof token);
    token[IA_TOKEN_TEXT_MAX + 1] = '\0';
    assert_null(ia_authorization_format(*state, token, NONCE, IA_HASH_SHA256, &key));
    token[IA_TOKEN_TEXT_MAX] = '\0';
    assert_non_null(ia_authorization_format(*state, token, NONCE, IA_HASH_SHA256, &key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pool_test(test_published_vector_with_text),
        pool_test(test_published_vector_with_bytes),
        pool_test(test_bare_form),
        pool_test(test_scheme),
        pool_test(test_headers),
        pool_test(test_responses),
        pool_test(test_nonce_forms),
        pool_test(test_header_bound),
        pool_test(test_every_changed_bit_is_a_mismatch),
        pool_test(test_format_and_back),
        pool_test(test_format_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
