/* Access requests: the published vector, every refusal of form and body, secrets that rotate, and time. */
#include "support.h"
#include "interauth/access_verify.h"
#include "interauth/encoding.h"
#include "interauth/form.h"

#define UID       "http://www.example.org"
#define BODY      "{\"access_for\":[\"read\"],\"token_lifespan\":72000,\"uid\":\"" UID "\"}"
#define VECTOR    "69cae5897515d295831f4f9891bdae0d168a4185"
#define SHA256HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define NOW       (APR_INT64_C(1300000000) * APR_USEC_PER_SEC)

static const char *make_form(apr_pool_t *p, const char *uid, const char *timestamp, const char *hmac, const char *body)
{
    return apr_psprintf(p, "uid=%s&timestamp=%s&hmac=%s&body=%s", ia_form_escape(p, uid, strlen(uid)), timestamp, hmac,
                        ia_form_escape(p, body, strlen(body)));
}

static ia_result parse_form(ia_access_form *form, apr_pool_t *p, const char *text, size_t len)
{
    const char *detail = "stale";
    ia_result rc;

    memset(form, 0xa5, sizeof *form);
    rc = ia_access_form_parse(form, p, exact(p, text, len), len, &detail);
    if (rc == IA_OK) {
        assert_null(detail);
    } else {
        assert_true(detail == NULL || strstr(detail, "CANARY") == NULL);
    }
    return rc;
}

static ia_access_form good_form(apr_pool_t *p, const char *body)
{
    ia_access_form form;
    const char *text = make_form(p, UID, "1300000000", SHA256HEX, body);

    assert_result(parse_form(&form, p, text, strlen(text)), IA_OK);
    return form;
}

static ia_result parse_body(ia_access_body *out, apr_pool_t *p, const char *body, ia_access_kind kind)
{
    ia_access_form form = good_form(p, body);
    const char *detail = "stale";
    ia_result rc;

    memset(out, 0xa5, sizeof *out);
    rc = ia_access_body_parse(out, p, &form, kind, &detail);
    assert_true(detail == NULL || strstr(detail, "CANARY") == NULL);
    return rc;
}

static void load(ia_secret *secret, unsigned char first, apr_time_t not_after)
{
    unsigned char bytes[16];

    for (unsigned i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)(first + i);
    }
    assert_result(ia_secret_load(secret, bytes, sizeof bytes, not_after), IA_OK);
}

static void test_published_vector(void **state)
{
    const char *text = make_form(*state, UID, "1300000000", VECTOR, BODY);
    unsigned char mac[IA_MAC_MAX], wanted[IA_SHA1_LEN];
    ia_access_form form;
    ia_secret secret;
    apr_size_t len;
    unsigned index = 9;

    assert_result(ia_hex_decode(wanted, sizeof wanted, &len, LIT(VECTOR)), IA_OK);
    load(&secret, 0, 0);
    ia_access_mac(mac, IA_HASH_SHA1, &secret.mac, "1300000000", BODY, strlen(BODY));
    assert_memory_equal(mac, wanted, sizeof wanted);

    assert_result(parse_form(&form, *state, text, strlen(text)), IA_OK);
    assert_string_equal(form.uid, UID);
    assert_string_equal(form.timestamp_text, "1300000000");
    assert_true(form.timestamp == NOW);
    assert_string_equal(form.body, BODY);
    assert_int_equal(form.body_len, strlen(BODY));
    assert_int_equal(form.hash, IA_HASH_SHA1);
    assert_result(ia_access_verify(&index, mac, &form, &secret, 1, NOW), IA_OK);
    assert_int_equal(index, 0);
    assert_memory_equal(mac, wanted, sizeof wanted);
}

/* The published code dropped the secret from the computation: other secrets must give other MACs. */
static void test_the_secret_matters(void **state)
{
    unsigned char a[IA_MAC_MAX], b[IA_MAC_MAX];
    ia_secret secrets[2];

    (void)state;
    load(&secrets[0], 0, 0);
    load(&secrets[1], 1, 0);
    ia_access_mac(a, IA_HASH_SHA256, &secrets[0].mac, "1", "{}", 2);
    ia_access_mac(b, IA_HASH_SHA256, &secrets[1].mac, "1", "{}", 2);
    assert_memory_not_equal(a, b, IA_SHA256_LEN);
}

static const struct refused_form {
    const char *text;
    ia_result rc;
} refused_forms[] = {
    {"", IA_FIELD_MISSING},
    {"uid=a&timestamp=1&hmac=" VECTOR, IA_FIELD_MISSING},
    {"uid=a&timestamp=1&body=CANARY", IA_FIELD_MISSING},
    {"uid=a&hmac=" VECTOR "&body=CANARY", IA_FIELD_MISSING},
    {"timestamp=1&hmac=" VECTOR "&body=CANARY", IA_FIELD_MISSING},
    {"uid=a&uid=a&timestamp=1&hmac=" VECTOR "&body=x", IA_FIELD_REPEATED},
    {"uid=a&timestamp=1&hmac=" VECTOR "&body=x&body=x", IA_FIELD_REPEATED},
    {"uid=a&timestamp=1&hmac=" VECTOR "&body=x&CANARY=1", IA_FIELD_UNKNOWN},
    {"uid=a&timestamp=1&hmac=" VECTOR "&body=x&Body=x", IA_FIELD_UNKNOWN},
    {"uid=a&timestamp=1&hmac=" VECTOR "&body=%zz", IA_FORM_MALFORMED},
    {"uid=a&timestamp=1&hmac=" VECTOR "&body=x%00", IA_FORM_MALFORMED},
    {"uid=&timestamp=1&hmac=" VECTOR "&body=x", IA_MALFORMED},
    {"uid=a+b&timestamp=1&hmac=" VECTOR "&body=x", IA_MALFORMED},
    {"uid=%c3%a9&timestamp=1&hmac=" VECTOR "&body=x", IA_MALFORMED},
    {"uid=a%0a&timestamp=1&hmac=" VECTOR "&body=x", IA_MALFORMED},
    {"uid=a&timestamp=&hmac=" VECTOR "&body=x", IA_TIMESTAMP_MALFORMED},
    {"uid=a&timestamp=01&hmac=" VECTOR "&body=x", IA_TIMESTAMP_MALFORMED},
    {"uid=a&timestamp=-1&hmac=" VECTOR "&body=x", IA_TIMESTAMP_MALFORMED},
    {"uid=a&timestamp=+1&hmac=" VECTOR "&body=x", IA_TIMESTAMP_MALFORMED},
    {"uid=a&timestamp=1.0&hmac=" VECTOR "&body=x", IA_TIMESTAMP_MALFORMED},
    {"uid=a&timestamp=100000000000&hmac=" VECTOR "&body=x", IA_TIMESTAMP_MALFORMED},
    {"uid=a&timestamp=1&hmac=&body=x", IA_HMAC_MALFORMED},
    {"uid=a&timestamp=1&hmac=" VECTOR "0&body=x", IA_HMAC_MALFORMED},
    {"uid=a&timestamp=1&hmac=" VECTOR "00&body=x", IA_HMAC_MALFORMED},
    {"uid=a&timestamp=1&hmac=69cae5897515d295831f4f9891bdae0d168a41&body=x", IA_HMAC_MALFORMED},
    {"uid=a&timestamp=1&hmac=g9cae5897515d295831f4f9891bdae0d168a4185&body=x", IA_HMAC_MALFORMED},
    {"uid=a&timestamp=1&hmac=" SHA256HEX "00&body=x", IA_HMAC_MALFORMED},
    {"uid=a&timestamp=1&hmac=aSnK5Yl1FdKVgx9PmJG9rg0WikGFAAAAAAAAAAAA&body=x", IA_HMAC_MALFORMED},
};

static void test_refused_forms(void **state)
{
    for (size_t i = 0; i < COUNT_OF(refused_forms); i++) {
        ia_access_form form;
        ia_result rc = parse_form(&form, *state, refused_forms[i].text, strlen(refused_forms[i].text));

        if (rc != refused_forms[i].rc) {
            fail_msg("%s: %s, not %s", refused_forms[i].text, ia_outcome_of(rc)->tag,
                     ia_outcome_of(refused_forms[i].rc)->tag);
        }
    }
}

static void test_missing_field_is_named(void **state)
{
    ia_access_form form;
    const char *detail = NULL;

    assert_result(ia_access_form_parse(&form, *state, LIT("uid=a&timestamp=1&body=x"), &detail), IA_FIELD_MISSING);
    assert_string_equal(detail, "hmac");
}

static void test_form_bound(void **state)
{
    size_t len = IA_ACCESS_BODY_MAX;
    char *text = apr_palloc(*state, len + 2);
    const char *head = "uid=a&timestamp=1&hmac=" VECTOR "&body=";
    ia_access_form form;

    memset(text, 'x', len + 2);
    memcpy(text, head, strlen(head));
    assert_result(parse_form(&form, *state, text, len), IA_OK);
    assert_int_equal(form.body_len, len - strlen(head));
    assert_result(parse_form(&form, *state, text, len + 1), IA_TOO_LONG);
}

/* The body is used byte for byte: what the HMAC covers is what was sent, spaces and order included. */
static void test_body_is_kept_byte_for_byte(void **state)
{
    static const char odd[] = " { \"uid\" : \"" UID "\" ,\n\"access_for\":[\"\\u0072ead\"]} ";
    ia_access_form form = good_form(*state, odd);
    ia_access_body body;

    assert_string_equal(form.body, odd);
    assert_int_equal(form.body_len, strlen(odd));
    assert_result(parse_body(&body, *state, odd, IA_ACCESS_REQUEST), IA_OK);
    assert_string_equal(body.access_for[0], "read");
}

static void test_request_body(void **state)
{
    ia_access_body body;

    assert_result(parse_body(&body, *state, BODY, IA_ACCESS_REQUEST), IA_OK);
    assert_string_equal(body.uid, UID);
    assert_int_equal(body.access_for_count, 1);
    assert_string_equal(body.access_for[0], "read");
    assert_int_equal(body.lifespan, 72000);
    assert_int_equal(body.nonces, 0);
    assert_null(body.token);
    assert_null(body.id);
    assert_null(body.audience);

    assert_result(parse_body(&body, *state,
                             "{\"uid\":\"" UID "\",\"access-for\":[\"b\",\"a\"],\"token-lifespan\":5,\"nonces\":32,"
                             "\"id\":\"r1\",\"aud\":\"https://host/sauth/request_access\"}",
                             IA_ACCESS_REQUEST),
                  IA_OK);
    assert_int_equal(body.access_for_count, 2);
    assert_string_equal(body.access_for[0], "b");
    assert_int_equal(body.lifespan, 5);
    assert_int_equal(body.nonces, 32);
    assert_string_equal(body.id, "r1");
    assert_string_equal(body.audience, "https://host/sauth/request_access");

    assert_result(parse_body(&body, *state, "{\"uid\":\"" UID "\",\"access_for\":[\"a\"]}", IA_ACCESS_REQUEST), IA_OK);
    assert_int_equal(body.lifespan, 0);
}

static void test_refresh_body(void **state)
{
    ia_access_body body;

    assert_result(
        parse_body(&body, *state, "{\"token\":\"T\",\"token_lifespan\":60,\"uid\":\"" UID "\"}", IA_ACCESS_REFRESH),
        IA_OK);
    assert_string_equal(body.token, "T");
    assert_int_equal(body.lifespan, 60);
    assert_int_equal(body.access_for_count, 0);
}

#define U "\"uid\":\"" UID "\""

static const struct refused_body {
    ia_access_kind kind;
    const char *body;
    ia_result rc;
} refused_bodies[] = {
    {IA_ACCESS_REQUEST, "", IA_JSON_MALFORMED},
    {IA_ACCESS_REQUEST, "{" U ",\"access_for\":[\"CANARY\"}", IA_JSON_MALFORMED},
    {IA_ACCESS_REQUEST, "{" U ",\"access_for\":[\"read\"]} x", IA_JSON_MALFORMED},
    {IA_ACCESS_REQUEST, "{" U "," U ",\"access_for\":[\"read\"]}", IA_JSON_DUPLICATE},
    {IA_ACCESS_REQUEST, "{" U ",\"access_for\":[\"a\"],\"access_for\":[\"b\"]}", IA_JSON_DUPLICATE},
    {IA_ACCESS_REQUEST, "[]", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "null", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "\"CANARY\"", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "{\"access_for\":[\"read\"]}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "{\"uid\":7,\"access_for\":[\"read\"]}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "{\"uid\":\"\",\"access_for\":[\"read\"]}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "{\"uid\":\"CANARY\",\"access_for\":[\"read\"]}", IA_UID_MISMATCH},
    {IA_ACCESS_REQUEST, "{\"uid\":\"" UID "/\",\"access_for\":[\"read\"]}", IA_UID_MISMATCH},
    {IA_ACCESS_REQUEST, "{\"uid\":\"HTTP://www.example.org\",\"access_for\":[\"read\"]}", IA_UID_MISMATCH},
    {IA_ACCESS_REQUEST, "{" U "}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "{" U ",\"access_for\":[]}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "{" U ",\"access_for\":\"read\"}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "{" U ",\"access_for\":{\"read\":1}}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "{" U ",\"access_for\":[1]}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "{" U ",\"access_for\":[\"\"]}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "{" U ",\"access_for\":[\"read CANARY\"]}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "{" U ",\"access_for\":[\"a\",\"a\"]}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "{" U ",\"access_for\":[\"a\"],\"access-for\":[\"b\"]}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "{" U ",\"access_for\":[\"a\"],\"token_lifespan\":1,\"token-lifespan\":2}",
     IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "{" U ",\"access_for\":[\"a\"],\"token_lifespan\":0}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "{" U ",\"access_for\":[\"a\"],\"token_lifespan\":-5}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "{" U ",\"access_for\":[\"a\"],\"token_lifespan\":1.5}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "{" U ",\"access_for\":[\"a\"],\"token_lifespan\":\"5\"}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "{" U ",\"access_for\":[\"a\"],\"token_lifespan\":null}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "{" U ",\"access_for\":[\"a\"],\"nonces\":0}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "{" U ",\"access_for\":[\"a\"],\"nonces\":33}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "{" U ",\"access_for\":[\"a\"],\"nonces\":4294967297}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "{" U ",\"access_for\":[\"a\"],\"nonces\":\"1\"}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "{" U ",\"access_for\":[\"a\"],\"id\":\"\"}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "{" U ",\"access_for\":[\"a\"],\"id\":7}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "{" U ",\"access_for\":[\"a\"],\"aud\":[\"x\"]}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "{" U ",\"access_for\":[\"a\"],\"token\":\"T\"}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REQUEST, "{" U ",\"access_for\":[\"a\"],\"CANARY\":1}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REFRESH, "{" U "}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REFRESH, "{" U ",\"token\":\"\"}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REFRESH, "{" U ",\"token\":7}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REFRESH, "{" U ",\"token\":\"T\",\"access_for\":[\"a\"]}", IA_ACCESS_MALFORMED},
    {IA_ACCESS_REFRESH, "{\"uid\":\"x\",\"token\":\"T\"}", IA_UID_MISMATCH},
};

static void test_refused_bodies(void **state)
{
    for (size_t i = 0; i < COUNT_OF(refused_bodies); i++) {
        ia_access_body body;
        ia_result rc = parse_body(&body, *state, refused_bodies[i].body, refused_bodies[i].kind);

        if (rc != refused_bodies[i].rc) {
            fail_msg("%s: %s, not %s", refused_bodies[i].body, ia_outcome_of(rc)->tag,
                     ia_outcome_of(refused_bodies[i].rc)->tag);
        }
    }
}

static void test_body_bounds(void **state)
{
    const char *names = "\"c0\"";
    char token[IA_NAME_MAX + 2];
    ia_access_body body;

    for (int i = 1; i < IA_ACCESS_NAMES_MAX; i++) {
        names = apr_psprintf(*state, "%s,\"c%d\"", names, i);
    }
    assert_result(
        parse_body(&body, *state, apr_psprintf(*state, "{" U ",\"access_for\":[%s]}", names), IA_ACCESS_REQUEST),
        IA_OK);
    assert_int_equal(body.access_for_count, IA_ACCESS_NAMES_MAX);
    assert_result(
        parse_body(&body, *state, apr_psprintf(*state, "{" U ",\"access_for\":[%s,\"x\"]}", names), IA_ACCESS_REQUEST),
        IA_ACCESS_MALFORMED);
    memset(token, 't', sizeof token);
    token[255] = '\0';
    assert_result(parse_body(&body, *state, apr_psprintf(*state, "{" U ",\"token\":\"%s\"}", token), IA_ACCESS_REFRESH),
                  IA_OK);
    assert_result(
        parse_body(&body, *state, apr_psprintf(*state, "{" U ",\"token\":\"%sx\"}", token), IA_ACCESS_REFRESH),
        IA_ACCESS_MALFORMED);
    assert_result(parse_body(&body, *state, "{" U ",\"access_for\":[\"a\"],\"token_lifespan\":9223372036854775807}",
                             IA_ACCESS_REQUEST),
                  IA_OK);
    assert_true(body.lifespan >= IA_LIFESPAN_MAX);
}

static void sign_form(ia_access_form *form, ia_hash hash, const ia_secret *secret)
{
    form->hash = hash;
    ia_access_mac(form->mac, hash, &secret->mac, form->timestamp_text, form->body, form->body_len);
}

static void test_rotating_secrets(void **state)
{
    static const unsigned char zero[IA_MAC_MAX];
    unsigned char mac[IA_MAC_MAX];
    ia_secret secrets[3];
    unsigned index;

    load(&secrets[0], 0, NOW - 1);
    load(&secrets[1], 16, NOW + 1);
    load(&secrets[2], 32, 0);
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned h = 0; h < 2; h++) {
            ia_access_form form = good_form(*state, BODY);
            ia_hash hash = h ? IA_HASH_SHA1 : IA_HASH_SHA256;

            sign_form(&form, hash, &secrets[i]);
            memset(mac, 0xa5, sizeof mac);
            if (i == 0) {
                assert_result(ia_access_verify(&index, mac, &form, secrets, 3, NOW), IA_MAC_MISMATCH);
                assert_memory_equal(mac, zero, sizeof mac);
                continue;
            }
            assert_result(ia_access_verify(&index, mac, &form, secrets, 3, NOW), IA_OK);
            assert_int_equal(index, i);
            assert_memory_equal(mac, form.mac, ia_hash_len(hash));
        }
    }
}

/* An unknown uid, a participant without a secret, one whose secrets have all ended: never a match. */
static void test_no_usable_secret(void **state)
{
    static const ia_mac_key zero_key;
    ia_access_form form = good_form(*state, BODY);
    unsigned char mac[IA_MAC_MAX];
    ia_secret ended;
    unsigned index;

    load(&ended, 0, NOW - 1);
    sign_form(&form, IA_HASH_SHA256, &ended);
    assert_result(ia_access_verify(&index, mac, &form, &ended, 1, NOW), IA_SECRET_MISSING);
    assert_result(ia_access_verify(&index, mac, &form, NULL, 0, NOW), IA_SECRET_MISSING);
    /* Not even who guesses that the dummy key is all zero. */
    ia_access_mac(form.mac, form.hash, &zero_key, form.timestamp_text, form.body, form.body_len);
    assert_result(ia_access_verify(&index, mac, &form, NULL, 0, NOW), IA_SECRET_MISSING);
}

static void test_every_changed_bit_is_a_mismatch(void **state)
{
    ia_access_form form = good_form(*state, BODY);
    unsigned char mac[IA_MAC_MAX];
    ia_secret secret;
    unsigned index;

    load(&secret, 0, 0);
    for (unsigned h = 0; h < 2; h++) {
        sign_form(&form, h ? IA_HASH_SHA1 : IA_HASH_SHA256, &secret);
        for (unsigned bit = 0; bit < ia_hash_len(form.hash) * 8; bit++) {
            form.mac[bit / 8] ^= (unsigned char)(1u << bit % 8);
            assert_result(ia_access_verify(&index, mac, &form, &secret, 1, NOW), IA_MAC_MISMATCH);
            form.mac[bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
        assert_result(ia_access_verify(&index, mac, &form, &secret, 1, NOW), IA_OK);
    }
    form.timestamp_text = "1300000001";
    assert_result(ia_access_verify(&index, mac, &form, &secret, 1, NOW), IA_MAC_MISMATCH);
    form.timestamp_text = "1300000000";
    form.body_len--;
    assert_result(ia_access_verify(&index, mac, &form, &secret, 1, NOW), IA_MAC_MISMATCH);
}

static void test_time(void **state)
{
    static const struct {
        apr_int64_t offset;
        ia_result rc;
    } cases[] = {
        {0, IA_OK},
        {30, IA_OK},
        {-30, IA_OK},
        {31, IA_TIMESTAMP_FUTURE},
        {-31, IA_TIMESTAMP_STALE},
        {1, IA_OK},
        {-1, IA_OK},
        {86400, IA_TIMESTAMP_FUTURE},
        {-86400, IA_TIMESTAMP_STALE},
        {-1300000000, IA_TIMESTAMP_STALE},
    };
    apr_time_t skew = 30 * APR_USEC_PER_SEC;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        apr_time_t timestamp = NOW + cases[i].offset * APR_USEC_PER_SEC;

        assert_result(ia_access_check_time(timestamp, NOW, skew), cases[i].rc);
    }
    assert_result(ia_access_check_time(NOW, NOW + 500000, 0), IA_OK);
    assert_result(ia_access_check_time(APR_INT64_C(99999999999) * APR_USEC_PER_SEC, NOW, skew), IA_TIMESTAMP_FUTURE);
    assert_result(ia_access_check_time(0, NOW, skew), IA_TIMESTAMP_STALE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pool_test(test_published_vector),
        pool_test(test_the_secret_matters),
        pool_test(test_refused_forms),
        pool_test(test_missing_field_is_named),
        pool_test(test_form_bound),
        pool_test(test_body_is_kept_byte_for_byte),
        pool_test(test_request_body),
        pool_test(test_refresh_body),
        pool_test(test_refused_bodies),
        pool_test(test_body_bounds),
        pool_test(test_rotating_secrets),
        pool_test(test_no_usable_secret),
        pool_test(test_every_changed_bit_is_a_mismatch),
        pool_test(test_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
