/* The participants file: what is read, every damaged form, and errors that name the place but no secret. */
#include "support.h"
#include "interauth/participant.h"

#define SECRET    "AAECAwQFBgcICQoLDA0ODw" /* bytes 00..0f */
#define SECRET_B  "EBESExQVFhcYGRobHB0eHw"
#define MD5_TEXT  "b1c57edb47f7c218829f64253eec41c1"
#define HMAC_TEXT "c4f93c87e54630eba5e95a8c4ef1447b9b5ef8b4dc03599a1f308261e9a93d02"
#define SECRET_C  "ICEiIyQlJicoKSorLC0uLw"

static ia_result parse(ia_participants *out, apr_pool_t *p, const char *text, ia_participant_error *error)
{
    size_t len = strlen(text);

    memset(out, 0xa5, sizeof *out);
    error->text = NULL;
    return ia_participants_parse(out, p, exact(p, text, len), len, error);
}

static const ia_participant *parse_one(apr_pool_t *p, const char *record)
{
    ia_participants all;
    ia_participant_error error;
    ia_result rc = parse(&all, p, apr_pstrcat(p, "{\"participants\":[", record, "]}", NULL), &error);

    if (rc != IA_OK) {
        fail_msg("%s refused: %s", record, error.text);
    }
    assert_int_equal(all.count, 1);
    return &all.list[0];
}

static void test_full_record(void **state)
{
    const ia_participant *one = parse_one(
        *state, "{\"id\":\"http://www.example.org\",\"name\":\"Example\",\"status\":\"approved\","
                "\"roles\":[\"consumer\",\"provider\"],\"capabilities\":[\"read\",\"update\"],\"allow_refresh\":true,"
                "\"expires\":\"2035-12-20T00:00:00Z\",\"token_max_lifespan\":86400,\"shared_secret\":\"" SECRET "\","
                "\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"k1\",\"x\":\"11qYAYKxCrfVS_"
                "7TyWQHOg7hcvPapiMlrwIaaPcHURo\",\"nbf\":0,\"exp\":0}],"
                "\"endpoints\":[{\"url\":\"https://www.example.org/api/\",\"api_version\":\"1.0\","
                "\"valid_from\":\"2026-01-01T00:00:00Z\"}]}");
    ia_secret secret;

    assert_string_equal(one->id, "http://www.example.org");
    assert_string_equal(one->name, "Example");
    assert_int_equal(one->status, IA_STATUS_APPROVED);
    assert_int_equal(one->role_count, 2);
    assert_string_equal(one->roles[1], "provider");
    assert_int_equal(one->capability_count, 2);
    assert_string_equal(one->capabilities[0], "read");
    assert_true(one->allow_refresh);
    assert_int_equal(one->expires, APR_INT64_C(2081721600) * APR_USEC_PER_SEC);
    assert_int_equal(one->token_max_lifespan, 86400);
    assert_int_equal(one->secret_count, 1);
    assert_int_equal(one->secrets[0].not_after, 0);
    assert_int_equal(one->keys->count, 1);
    assert_int_equal(one->endpoint_count, 1);
    assert_string_equal(one->endpoints[0].url, "https://www.example.org/api/");
    assert_string_equal(one->endpoints[0].api_version, "1.0");
    assert_int_equal(one->endpoints[0].valid_from, APR_INT64_C(1767225600) * APR_USEC_PER_SEC);
    assert_int_equal(one->endpoints[0].valid_until, 0);
    assert_int_equal(one->line, 1);
    assert_result(ia_secret_load(&secret, "\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17", 16, 0), IA_OK);
    assert_memory_equal(&one->secrets[0].mac, &secret.mac, sizeof secret.mac);
    assert_true(one->secrets[0].fingerprint == secret.fingerprint);
}

static void test_defaults(void **state)
{
    const ia_participant *one = parse_one(*state, "{\"id\":\"a\"}");

    assert_null(one->name);
    assert_int_equal(one->status, IA_STATUS_APPROVED);
    assert_int_equal(one->role_count + one->capability_count + one->secret_count, 0);
    assert_false(one->allow_refresh);
    assert_int_equal(one->expires, 0);
    assert_int_equal(one->token_max_lifespan, IA_LIFESPAN_DEFAULT);
    assert_null(one->keys);
    assert_int_equal(one->endpoint_count, 0);
}

static void test_many_and_none(void **state)
{
    ia_participants all;
    ia_participant_error error;

    assert_result(parse(&all, *state, "{\"participants\":[]}", &error), IA_OK);
    assert_int_equal(all.count, 0);
    assert_result(parse(&all, *state, "{\"participants\":[{\"id\":\"a\"},{\"id\":\"A\"},{\"id\":\"b\"}]}", &error),
                  IA_OK);
    assert_int_equal(all.count, 3);
    assert_string_equal(all.list[1].id, "A");
    assert_int_equal(all.list[2].line, 3);
}

static void test_statuses(void **state)
{
    static const char *const names[] = {"approved", "applied", "under_review", "rejected", "suspended", "offboarded"};

    for (unsigned i = 0; i < COUNT_OF(names); i++) {
        const ia_participant *one =
            parse_one(*state, apr_psprintf(*state, "{\"id\":\"a\",\"status\":\"%s\"}", names[i]));

        assert_int_equal(one->status, i);
        assert_string_equal(ia_participant_status_name((ia_participant_status)i), names[i]);
    }
    assert_string_equal(ia_participant_status_name((ia_participant_status)99), "unknown");
    assert_string_equal(ia_participant_status_name((ia_participant_status)-1), "unknown");
}

static void test_overlapping_secrets(void **state)
{
    const ia_participant *one = parse_one(*state, "{\"id\":\"a\",\"shared_secrets\":[{\"value\":\"" SECRET
                                                  "\",\"not_after\":\"2026-01-01T00:00:00Z\"},{\"value\":\"" SECRET_B
                                                  "\"},{\"value\":\"" SECRET_C "\"}]}");

    assert_int_equal(one->secret_count, 3);
    assert_int_equal(one->secrets[0].not_after, APR_INT64_C(1767225600) * APR_USEC_PER_SEC);
    assert_int_equal(one->secrets[1].not_after, 0);
    assert_true(one->secrets[0].fingerprint != one->secrets[1].fingerprint);
    assert_true(one->secrets[1].fingerprint != one->secrets[2].fingerprint);
}

/* Each row: a record, and what its error must name. */
static const struct damaged {
    const char *record, *names;
} damaged[] = {
    {"7", "object"},
    {"null", "object"},
    {"[]", "object"},
    {"{}", "id"},
    {"{\"id\":\"\"}", "id"},
    {"{\"id\":7}", "id"},
    {"{\"id\":null}", "id"},
    {"{\"id\":\"a b\"}", "id"},
    {"{\"id\":\"a\\u0001\"}", "id"},
    {"{\"id\":\"\xc3\xa9\"}", "id"},
    {"{\"id\":\"a\\\"\"}", "id"},
    {"{\"id\":\"a\",\"ID\":\"b\"}", "ID"},
    {"{\"id\":\"a\",\"bogus\":1}", "bogus"},
    {"{\"id\":\"a\",\"name\":1}", "name"},
    {"{\"id\":\"a\",\"status\":\"Approved\"}", "status"},
    {"{\"id\":\"a\",\"status\":\"\"}", "status"},
    {"{\"id\":\"a\",\"status\":0}", "status"},
    {"{\"id\":\"a\",\"status\":null}", "status"},
    {"{\"id\":\"a\",\"roles\":\"x\"}", "roles"},
    {"{\"id\":\"a\",\"roles\":{}}", "roles"},
    {"{\"id\":\"a\",\"roles\":[1]}", "roles"},
    {"{\"id\":\"a\",\"roles\":[\"\"]}", "roles"},
    {"{\"id\":\"a\",\"roles\":[\"x y\"]}", "roles"},
    {"{\"id\":\"a\",\"roles\":[\"x\",\"x\"]}", "roles"},
    {"{\"id\":\"a\",\"capabilities\":[\"read write\"]}", "capabilities"},
    {"{\"id\":\"a\",\"capabilities\":[\"re\\\"ad\"]}", "capabilities"},
    {"{\"id\":\"a\",\"capabilities\":[\"\"]}", "capabilities"},
    {"{\"id\":\"a\",\"capabilities\":[null]}", "capabilities"},
    {"{\"id\":\"a\",\"capabilities\":\"read\"}", "capabilities"},
    {"{\"id\":\"a\",\"capabilities\":[\"r\",\"r\"]}", "capabilities"},
    {"{\"id\":\"a\",\"allow_refresh\":1}", "allow_refresh"},
    {"{\"id\":\"a\",\"allow_refresh\":\"true\"}", "allow_refresh"},
    {"{\"id\":\"a\",\"allow_refresh\":null}", "allow_refresh"},
    {"{\"id\":\"a\",\"expires\":0}", "expires"},
    {"{\"id\":\"a\",\"expires\":\"\"}", "expires"},
    {"{\"id\":\"a\",\"expires\":\"2035-13-20T00:00:00Z\"}", "expires"},
    {"{\"id\":\"a\",\"expires\":\"1970-01-01T00:00:00Z\"}", "expires"},
    {"{\"id\":\"a\",\"expires\":\"2035-12-20\"}", "expires"},
    {"{\"id\":\"a\",\"expires\":null}", "expires"},
    {"{\"id\":\"a\",\"token_max_lifespan\":0}", "token_max_lifespan"},
    {"{\"id\":\"a\",\"token_max_lifespan\":-1}", "token_max_lifespan"},
    {"{\"id\":\"a\",\"token_max_lifespan\":1.5}", "token_max_lifespan"},
    {"{\"id\":\"a\",\"token_max_lifespan\":1e3}", "token_max_lifespan"},
    {"{\"id\":\"a\",\"token_max_lifespan\":\"60\"}", "token_max_lifespan"},
    {"{\"id\":\"a\",\"token_max_lifespan\":31622401}", "token_max_lifespan"},
    {"{\"id\":\"a\",\"token_max_lifespan\":99999999999999999999}", "token_max_lifespan"},
    {"{\"id\":\"a\",\"shared_secret\":7}", "secret"},
    {"{\"id\":\"a\",\"shared_secret\":\"\"}", "secret"},
    {"{\"id\":\"a\",\"shared_secret\":null}", "secret"},
    {"{\"id\":\"a\",\"shared_secret\":[\"" SECRET "\"]}", "secret"},
    {"{\"id\":\"a\",\"shared_secret\":\"" SECRET "==\"}", "secret"},
    {"{\"id\":\"a\",\"shared_secret\":\"" SECRET " \"}", "secret"},
    {"{\"id\":\"a\",\"shared_secret\":\"AAECAwQFBgcICQoLDA0O\"}", "secret"},
    {"{\"id\":\"a\",\"shared_secret\":\"" SECRET "\",\"shared_secrets\":[{\"value\":\"" SECRET_B "\"}]}",
     "shared_secret"},
    {"{\"id\":\"a\",\"shared_secret\":\"" SECRET "\",\"shared_secrets\":[{\"value\":\"" SECRET_B
     "\"},{\"value\":\"" SECRET_C "\"},{\"value\":\"MDEyMzQ1Njc4OTo7PD0-Pw\"}]}",
     "shared_secrets"},
    {"{\"id\":\"a\",\"shared_secrets\":[{\"value\":\"" SECRET_B "\"},{\"value\":\"" SECRET_C
     "\"},{\"value\":\"MDEyMzQ1Njc4OTo7PD0-Pw\"}],\"shared_secret\":\"" SECRET "\"}",
     "shared_secret"},
    {"{\"id\":\"a\",\"shared_secrets\":[]}", "shared_secrets"},
    {"{\"id\":\"a\",\"shared_secrets\":\"" SECRET "\"}", "shared_secrets"},
    {"{\"id\":\"a\",\"shared_secrets\":[\"" SECRET "\"]}", "shared_secrets"},
    {"{\"id\":\"a\",\"shared_secrets\":[{}]}", "shared_secrets"},
    {"{\"id\":\"a\",\"shared_secrets\":[{\"value\":\"" SECRET "\",\"until\":1}]}", "shared_secrets"},
    {"{\"id\":\"a\",\"shared_secrets\":[{\"value\":\"" SECRET "\",\"not_after\":1}]}", "not_after"},
    {"{\"id\":\"a\",\"shared_secrets\":[{\"value\":\"" SECRET "\",\"not_after\":\"soon\"}]}", "not_after"},
    {"{\"id\":\"a\",\"shared_secrets\":[{\"not_after\":\"2026-01-01T00:00:00Z\"}]}", "shared_secrets"},
    {"{\"id\":\"a\",\"shared_secrets\":[{\"value\":\"" SECRET "\"},{\"value\":\"" SECRET "\"}]}", "shared_secrets"},
    {"{\"id\":\"a\",\"shared_secrets\":[{\"value\":\"" SECRET "\"},{\"value\":\"" SECRET_B "\"},{\"value\":\"" SECRET_C
     "\"},{\"value\":\"MDEyMzQ1Njc4OTo7PD0-Pw\"}]}",
     "shared_secrets"},
    {"{\"id\":\"a\",\"challenge_secret\":{}}", "challenge_secret"},
    {"{\"id\":\"a\",\"challenge_secret\":\"" MD5_TEXT "\"}", "challenge_secret"},
    {"{\"id\":\"a\",\"challenge_secret\":null}", "challenge_secret"},
    {"{\"id\":\"a\",\"challenge_secret\":[]}", "challenge_secret"},
    {"{\"id\":\"a\",\"challenge_secret\":[\"" MD5_TEXT "\"]}", "challenge_secret"},
    {"{\"id\":\"a\",\"challenge_secret\":{\"md5\":7}}", "challenge_secret"},
    {"{\"id\":\"a\",\"challenge_secret\":{\"md5\":\"\"}}", "challenge_secret"},
    {"{\"id\":\"a\",\"challenge_secret\":{\"md5\":\"" MD5_TEXT "0\"}}", "challenge_secret"},
    {"{\"id\":\"a\",\"challenge_secret\":{\"md5\":\"B1C57EDB47F7C218829F64253EEC41C1\"}}", "challenge_secret"},
    {"{\"id\":\"a\",\"challenge_secret\":{\"md5\":\"" HMAC_TEXT "\"}}", "challenge_secret"},
    {"{\"id\":\"a\",\"challenge_secret\":{\"hmac-sha256\":\"" MD5_TEXT "\"}}", "challenge_secret"},
    {"{\"id\":\"a\",\"challenge_secret\":{\"none\":\"\"}}", "challenge_secret"},
    {"{\"id\":\"a\",\"challenge_secret\":{\"md5\":\"" MD5_TEXT "\",\"sha1\":\"" MD5_TEXT "\"}}", "challenge_secret"},
    {"{\"id\":\"a\",\"challenge_secret\":{\"md5\":\"" MD5_TEXT "\",\"separator\":\":\"}}", "challenge_secret"},
    {"{\"id\":\"a\",\"keys\":{}}", "keys"},
    {"{\"id\":\"a\",\"keys\":[1]}", "keys"},
    {"{\"id\":\"a\",\"keys\":[{\"kty\":\"OKP\"}]}", "keys"},
    {"{\"id\":\"a\",\"keys\":[{\"kid\":\"k\"},{\"kid\":\"k\"}]}", "keys"},
    {"{\"id\":\"a\",\"keys\":[{\"kid\":\"k\",\"d\":\"" SECRET "\"}]}", "keys"},
    {"{\"id\":\"a\",\"keys\":[{\"kid\":\"k\",\"x\":null}]}", "keys"},
    {"{\"id\":\"a\",\"keys\":[{\"kid\":\"\"}]}", "keys"},
    {"{\"id\":\"a\",\"keys\":[{\"kid\":\"a#b\"}]}", "keys"},
    {"{\"id\":\"a\",\"keys\":[{\"kid\":7}]}", "keys"},
    {"{\"id\":\"a\",\"keys\":[{\"kid\":\"k\",\"file\":\"\"}]}", "keys"},
    {"{\"id\":\"a\",\"keys\":[{\"kid\":\"k\",\"file\":7}]}", "keys"},
    {"{\"id\":\"a\",\"keys\":[{\"kid\":\"k\",\"file\":\"k.pem\",\"kty\":\"OKP\"}]}", "keys"},
    {"{\"id\":\"a\",\"keys\":[{\"kid\":\"k\",\"file\":\"k.pem\",\"alg\":\"none\"}]}", "keys"},
    {"{\"id\":\"a\",\"keys\":[{\"kid\":\"k\",\"file\":\"k.pem\",\"nbf\":-1}]}", "keys"},
    {"{\"id\":\"a\",\"keys\":[{\"kid\":\"k\",\"file\":\"k.pem\",\"nbf\":\"0\"}]}", "keys"},
    {"{\"id\":\"a\",\"keys\":[{\"kid\":\"k\",\"file\":\"k.pem\",\"exp\":253402300800}]}", "keys"},
    {"{\"id\":\"a\",\"keys\":[{\"kid\":\"k\",\"file\":\"a.pem\"},{\"kid\":\"k\",\"file\":\"b.pem\"}]}", "keys"},
    {"{\"id\":\"a\",\"endpoints\":\"https://example.org/\"}", "endpoints"},
    {"{\"id\":\"a\",\"endpoints\":[{}]}", "endpoints"},
    {"{\"id\":\"a\",\"endpoints\":[{\"url\":\"\"}]}", "endpoints"},
    {"{\"id\":\"a\",\"endpoints\":[1]}", "endpoints"},
    {"{\"id\":\"a\",\"endpoints\":[{\"url\":1}]}", "endpoints"},
    {"{\"id\":\"a\",\"endpoints\":[{\"url\":\"/api/\"}]}", "endpoints"},
    {"{\"id\":\"a\",\"endpoints\":[{\"url\":\"ftp://example.org/\"}]}", "endpoints"},
    {"{\"id\":\"a\",\"endpoints\":[{\"url\":\"https:///x\"}]}", "endpoints"},
    {"{\"id\":\"a\",\"endpoints\":[{\"url\":\"https://u:p@example.org/\"}]}", "endpoints"},
    {"{\"id\":\"a\",\"endpoints\":[{\"url\":\"https://example.org/#f\"}]}", "endpoints"},
    {"{\"id\":\"a\",\"endpoints\":[{\"url\":\"https://example.org/a b\"}]}", "endpoints"},
    {"{\"id\":\"a\",\"endpoints\":[{\"url\":\"https://example.org/\u00fc\"}]}", "endpoints"},
    {"{\"id\":\"a\",\"endpoints\":[{\"url\":\"https://example.org/\",\"api_version\":1}]}", "endpoints"},
    {"{\"id\":\"a\",\"endpoints\":[{\"url\":\"https://example.org/\",\"api_version\":\"\"}]}", "endpoints"},
    {"{\"id\":\"a\",\"endpoints\":[{\"url\":\"https://example.org/\",\"valid_from\":0}]}", "endpoints"},
    {"{\"id\":\"a\",\"endpoints\":[{\"url\":\"https://example.org/\",\"valid_until\":\"never\"}]}", "endpoints"},
    {"{\"id\":\"a\",\"endpoints\":[{\"api_version\":\"1\"}]}", "endpoints"},
    {"{\"id\":\"a\",\"endpoints\":[{\"url\":\"https://example.org/\",\"bogus\":1}]}", "endpoints"},
};

static void check_no_secret(const char *text)
{
    assert_non_null(text);
    assert_null(strstr(text, "AAECAwQF"));
    assert_null(strstr(text, "EBESExQV"));
    assert_null(strstr(text, "ICEiIyQl"));
    assert_null(strstr(text, "MDEyMzQ1"));
    assert_null(strstr(text, "b1c57edb"));
    assert_null(strstr(text, "c4f93c87"));
}

/* The damaged record stands second, so that the position in the text is seen to be counted. */
static void test_damaged_records(void **state)
{
    for (size_t i = 0; i < COUNT_OF(damaged); i++) {
        ia_participants all;
        ia_participant_error error;
        ia_result rc =
            parse(&all, *state,
                  apr_pstrcat(*state, "{\"participants\":[{\"id\":\"first\",\"shared_secret\":\"" SECRET_C "\"},",
                              damaged[i].record, "]}", NULL),
                  &error);

        if (rc != IA_MALFORMED) {
            fail_msg("%s: %s", damaged[i].record, ia_outcome_of(rc)->tag);
        }
        assert_int_equal(all.count, 0);
        check_no_secret(error.text);
        if (strstr(error.text, "participant 2") == NULL || strstr(error.text, damaged[i].names) == NULL) {
            fail_msg("%s: the error \"%s\" does not name participant 2 and %s", damaged[i].record, error.text,
                     damaged[i].names);
        }
        assert_null(strchr(error.text, '\n'));
    }
}

static void test_damaged_documents(void **state)
{
    static const struct {
        const char *text;
        ia_result rc;
    } documents[] = {
        {"", IA_JSON_MALFORMED},
        {"{\"participants\":[", IA_JSON_MALFORMED},
        {"{\"participants\":[{\"id\":\"a\",\"shared_secret\":\"" SECRET "\"}]", IA_JSON_MALFORMED},
        {"{\"participants\":[{\"id\":\"a\",\"shared_secret\":\"" SECRET "\" x}]}", IA_JSON_MALFORMED},
        {"{\"participants\":[{\"id\":\"a\",\"shared_secret\":\"" SECRET "}]}", IA_JSON_MALFORMED},
        {"{\"participants\":[],\"participants\":[]}", IA_JSON_DUPLICATE},
        {"{\"participants\":[{\"id\":\"a\",\"shared_secret\":\"" SECRET "\",\"shared_secret\":\"" SECRET_B "\"}]}",
         IA_JSON_DUPLICATE},
        {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", IA_JSON_LIMIT},
        {"{}", IA_MALFORMED},
        {"[]", IA_MALFORMED},
        {"null", IA_MALFORMED},
        {"{\"participants\":null}", IA_MALFORMED},
        {"{\"participants\":{}}", IA_MALFORMED},
        {"{\"participants\":\"" SECRET "\"}", IA_MALFORMED},
        {"{\"participants\":[],\"more\":1}", IA_MALFORMED},
        {"{\"participants\":[{\"id\":\"a\"},{\"id\":\"a\"}]}", IA_MALFORMED},
    };

    for (size_t i = 0; i < COUNT_OF(documents); i++) {
        ia_participants all;
        ia_participant_error error;
        ia_result rc = parse(&all, *state, documents[i].text, &error);

        if (rc != documents[i].rc) {
            fail_msg("%s: %s", documents[i].text, ia_outcome_of(rc)->tag);
        }
        assert_int_equal(all.count, 0);
        check_no_secret(error.text);
        assert_true(strlen(error.text) > 0);
    }
}

static void test_position_of_a_grammar_error(void **state)
{
    ia_participants all;
    ia_participant_error error;

    assert_result(parse(&all, *state, "{\"participants\": [\n  {\"id\": \"a\"},\n  {\"id\": oops}\n]}\n", &error),
                  IA_JSON_MALFORMED);
    assert_non_null(strstr(error.text, "line 3"));
}

static void test_repeated_id_names_the_second(void **state)
{
    ia_participants all;
    ia_participant_error error;

    assert_result(parse(&all, *state, "{\"participants\":[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"a\"}]}", &error),
                  IA_MALFORMED);
    assert_non_null(strstr(error.text, "participant 3"));
    assert_non_null(strstr(error.text, "(a)"));
}

static void test_bounds_that_still_pass(void **state)
{
    char name[IA_NAME_MAX + 1];
    const char *roles = "\"r0\"";

    memset(name, 'n', IA_NAME_MAX);
    name[IA_NAME_MAX] = '\0';
    for (int i = 1; i < IA_PARTICIPANT_ROLES; i++) {
        roles = apr_psprintf(*state, "%s,\"r%d\"", roles, i);
    }
    const ia_participant *one = parse_one(
        *state, apr_psprintf(*state, "{\"id\":\"%s\",\"name\":\"%s\",\"roles\":[%s],\"token_max_lifespan\":%d}", name,
                             name, roles, IA_LIFESPAN_MAX));
    ia_participants all;
    ia_participant_error error;

    assert_int_equal(one->role_count, IA_PARTICIPANT_ROLES);
    assert_int_equal(one->token_max_lifespan, IA_LIFESPAN_MAX);
    assert_int_equal(parse_one(*state, "{\"id\":\"a\",\"token_max_lifespan\":1}")->token_max_lifespan, 1);
    assert_result(parse(&all, *state, apr_psprintf(*state, "{\"participants\":[{\"id\":\"%sx\"}]}", name), &error),
                  IA_MALFORMED);
    assert_result(
        parse(&all, *state, apr_psprintf(*state, "{\"participants\":[{\"id\":\"a\",\"name\":\"%sx\"}]}", name), &error),
        IA_MALFORMED);
    assert_result(parse(&all, *state,
                        apr_psprintf(*state, "{\"participants\":[{\"id\":\"a\",\"roles\":[%s,\"x\"]}]}", roles),
                        &error),
                  IA_MALFORMED);
}

static ia_participant parse_object(apr_pool_t *p, const char *record, const ia_json **object, ia_result *rc)
{
    ia_participant one;
    ia_participant_error error = {NULL};

    assert_result(ia_json_parse(object, p, record, strlen(record), 100, NULL), IA_OK);
    *rc = ia_participant_parse(&one, p, *object, 1, &error);
    return one;
}

static void check_wiped(const ia_json *value)
{
    assert_non_null(value);
    for (apr_size_t i = 0; i < value->string_len; i++) {
        assert_int_equal(value->string[i], '\0');
    }
}

/* Nothing of a raw secret stays in the pool, whether the record is taken or refused. */
static void test_secrets_are_wiped(void **state)
{
    const ia_json *object;
    ia_result rc;

    parse_object(*state, "{\"id\":\"a\",\"shared_secret\":\"" SECRET "\"}", &object, &rc);
    assert_result(rc, IA_OK);
    check_wiped(ia_json_member(object, "shared_secret"));
    parse_object(*state, "{\"id\":\"a\",\"shared_secret\":\"AAECAwQF\"}", &object, &rc);
    assert_result(rc, IA_MALFORMED);
    check_wiped(ia_json_member(object, "shared_secret"));
    parse_object(*state, "{\"id\":\"a\",\"shared_secrets\":[{\"value\":\"" SECRET "\"}]}", &object, &rc);
    assert_result(rc, IA_OK);
    check_wiped(ia_json_member(ia_json_member(object, "shared_secrets")->first, "value"));
}

static void test_challenge_secrets(void **state)
{
    static const ia_challenge_secret none;
    ia_challenge_secret md5, hmac;
    const ia_participant *one = parse_one(*state, "{\"id\":\"a\",\"challenge_secret\":{\"hmac-sha256\":\"" HMAC_TEXT
                                                  "\",\"md5\":\"" MD5_TEXT "\"}}");

    assert_result(ia_challenge_secret_load(&md5, IA_CHALLENGE_PROFILE_MD5, LIT(MD5_TEXT)), IA_OK);
    assert_result(ia_challenge_secret_load(&hmac, IA_CHALLENGE_PROFILE_HMAC, LIT(HMAC_TEXT)), IA_OK);
    assert_memory_equal(&one->challenge_md5, &md5, sizeof md5);
    assert_memory_equal(&one->challenge_hmac, &hmac, sizeof hmac);
    assert_int_equal(one->secret_count, 0);
    one = parse_one(*state,
                    "{\"id\":\"a\",\"challenge_secret\":{\"md5\":\"" MD5_TEXT "\"},\"shared_secret\":\"" SECRET "\"}");
    assert_memory_equal(&one->challenge_md5, &md5, sizeof md5);
    assert_memory_equal(&one->challenge_hmac, &none, sizeof none);
    assert_int_equal(one->secret_count, 1);
    one = parse_one(*state, "{\"id\":\"a\",\"challenge_secret\":{\"hmac-sha256\":\"" HMAC_TEXT "\"}}");
    assert_memory_equal(&one->challenge_md5, &none, sizeof none);
    assert_memory_equal(&one->challenge_hmac, &hmac, sizeof hmac);
    one = parse_one(*state, "{\"id\":\"a\"}");
    assert_memory_equal(&one->challenge_md5, &none, sizeof none);
    assert_memory_equal(&one->challenge_hmac, &none, sizeof none);
}

static void test_challenge_secrets_are_wiped(void **state)
{
    static const char *const records[] = {
        "{\"id\":\"a\",\"challenge_secret\":{\"md5\":\"" MD5_TEXT "\",\"hmac-sha256\":\"" HMAC_TEXT "\"}}",
        "{\"id\":\"a\",\"challenge_secret\":{\"md5\":\"" MD5_TEXT "\",\"other\":\"" HMAC_TEXT "\"}}",
        "{\"id\":\"a\",\"challenge_secret\":{\"other\":1,\"md5\":\"" MD5_TEXT "\"}}",
        "{\"id\":\"a\",\"challenge_secret\":{\"hmac-sha256\":\"" MD5_TEXT "\"}}",
        "{\"id\":\"a\",\"challenge_secret\":{\"md5\":\"" MD5_TEXT "\"},\"bogus\":1}"};
    static const ia_challenge_secret none;

    for (unsigned i = 0; i < COUNT_OF(records); i++) {
        const ia_json *object, *member;
        ia_result rc;
        ia_participant one = parse_object(*state, records[i], &object, &rc);

        assert_result(rc, i ? IA_MALFORMED : IA_OK);
        for (member = ia_json_member(object, "challenge_secret")->first; member; member = member->next)
            if (member->type == IA_JSON_STRING)
                check_wiped(member);
        if (!rc)
            ia_participant_wipe(&one);
        assert_memory_equal(&one.challenge_md5, &none, sizeof none);
        assert_memory_equal(&one.challenge_hmac, &none, sizeof none);
    }
}

static void test_weak_secrets(void **state)
{
    ia_participant strong = *parse_one(*state, "{\"id\":\"a\",\"shared_secret\":\"jwLRajO-cBzpRVuo9hedJA\"}");
    ia_participant weak = *parse_one(*state, "{\"id\":\"a\",\"shared_secrets\":[{\"value\":\"" SECRET
                                             "\"},{\"value\":\"jwLRajO-cBzpRVuo9hedJA\"}]}");

    assert_int_equal(strong.secret_weaknesses, 0);
    assert_true(weak.secret_weaknesses & IA_SECRET_PATTERN);
    ia_participant_wipe(&weak);
    assert_int_equal(weak.secret_weaknesses, 0);
}

static void test_refused_record_holds_no_secret(void **state)
{
    static const ia_secret zero;
    const ia_json *object;
    ia_result rc;
    ia_participant one = parse_object(*state, "{\"shared_secret\":\"" SECRET "\",\"bogus\":1}", &object, &rc);

    assert_result(rc, IA_MALFORMED);
    assert_int_equal(one.secret_count, 0);
    assert_memory_equal(&one.secrets[0], &zero, sizeof zero);
}

static void test_secret_load(void **state)
{
    unsigned char bytes[IA_SECRET_MAX + 1];
    ia_secret a, b;

    memset(bytes, 7, sizeof bytes);
    assert_result(ia_secret_load(&a, exact(*state, bytes, 15), 15, 0), IA_SECRET_MISSING);
    assert_int_equal(a.fingerprint, 0);
    assert_result(ia_secret_load(&a, NULL, 0, 0), IA_SECRET_MISSING);
    assert_result(ia_secret_load(&a, exact(*state, bytes, sizeof bytes), sizeof bytes, 0), IA_SECRET_MISSING);
    assert_result(ia_secret_load(&a, exact(*state, bytes, 16), 16, 5), IA_OK);
    assert_int_equal(a.not_after, 5);
    assert_result(ia_secret_load(&b, bytes, 16, 6), IA_OK);
    assert_true(a.fingerprint != 0 && a.fingerprint == b.fingerprint);
    assert_result(ia_secret_load(&b, bytes, 17, 5), IA_OK);
    assert_true(a.fingerprint != b.fingerprint);
    bytes[15] ^= 1;
    assert_result(ia_secret_load(&b, bytes, 16, 5), IA_OK);
    assert_true(a.fingerprint != b.fingerprint);
    assert_memory_not_equal(&a.fingerprint, "\7\7\7\7\7\7\7\7", 8);
}

static void test_key_files(void **state)
{
    const ia_participant *one = parse_one(
        *state,
        "{\"id\":\"a\",\"keys\":[{\"kid\":\"k1\",\"file\":\"a.pem\",\"alg\":\"rsa-v1_5-sha256\",\"nbf\":1,\"exp\":"
        "253402300799},{\"kid\":\"k2\",\"file\":\"b.pem\"}]}");

    assert_int_equal(one->public_key_count, 2);
    assert_string_equal(one->public_keys[0].kid, "k1");
    assert_string_equal(one->public_keys[0].file, "a.pem");
    assert_int_equal(one->public_keys[0].algorithm, ia_algorithm_find("rsa-v1_5-sha256", 15));
    assert_int_equal(one->public_keys[0].not_before, APR_USEC_PER_SEC);
    assert_int_equal(one->public_keys[0].not_after, APR_INT64_C(253402300799) * APR_USEC_PER_SEC);
    assert_int_equal(one->public_keys[0].raw.type, IA_KEY_NONE);
    assert_int_equal(one->public_keys[1].algorithm, IA_ALGORITHM_NONE);
    assert_int_equal(one->public_keys[1].not_after, 0);
}

/* A key has one owner. Keys whose files were not read yet are not compared. */
static void test_one_owner(void **state)
{
    static const char key[] = "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"k\",\"x\":\"11qYAYKxCrfVS_"
                              "7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}";
    static const char file[] = "{\"kid\":\"f\",\"file\":\"k.pem\"}";
    ia_participants all;
    ia_participant_error error;

    assert_result(parse(&all, *state,
                        apr_pstrcat(*state, "{\"participants\":[{\"id\":\"a\",\"keys\":[", key, ",", file,
                                    "]},{\"id\":\"b\",\"keys\":[", file, "]}]}", NULL),
                        &error),
                  IA_OK);
    assert_result(ia_participants_check_keys(&all, *state, &error), IA_OK);
    assert_result(parse(&all, *state,
                        apr_pstrcat(*state, "{\"participants\":[{\"id\":\"a\",\"keys\":[", key,
                                    "]},{\"id\":\"b\",\"keys\":[", key, "]}]}", NULL),
                        &error),
                  IA_MALFORMED);
    assert_non_null(strstr(error.text, "keys: k is also a key of a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pool_test(test_full_record),
        pool_test(test_defaults),
        pool_test(test_many_and_none),
        pool_test(test_statuses),
        pool_test(test_overlapping_secrets),
        pool_test(test_damaged_records),
        pool_test(test_damaged_documents),
        pool_test(test_position_of_a_grammar_error),
        pool_test(test_repeated_id_names_the_second),
        pool_test(test_bounds_that_still_pass),
        pool_test(test_secrets_are_wiped),
        pool_test(test_challenge_secrets),
        pool_test(test_challenge_secrets_are_wiped),
        pool_test(test_weak_secrets),
        pool_test(test_refused_record_holds_no_secret),
        pool_test(test_secret_load),
        pool_test(test_key_files),
        pool_test(test_one_owner),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
