/* Signature bases: the examples of RFC 9421 section 2, every component, and every one that is refused. */
#include "support.h"
#include "interauth/httpsig.h"

static const ia_httpsig_field fields[] = {
    {"Host", "www.example.com"},
    {"Date", "Tue, 20 Apr 2021 02:07:56 GMT"},
    {"X-OWS-Header", "   Leading and trailing whitespace.   \t"},
    {"Cache-Control", "max-age=60"},
    {"Cache-Control", "    must-revalidate"},
    {"X-Empty-Header", ""},
    {"Priority", " u=1,   i, x=?0;p "},
    {"Want-Content-Digest", "sha-512=3, sha-256=10"},
    {"Accept-CH", "a,b"},
    {"Accept-CH", "c;q=1"},
    {"Content-Digest",
     "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"},
    {"Signature-Agent", "\"https://example.net"},
    {"X-Tab", "a\tb"},
    {"X-Break", "a\nb"},
    {"X-Latin", "caf\xe9"},
};

static const ia_httpsig_message request = {
    "POST", "https", "www.example.com", "/path?param=value", 0, fields, COUNT_OF(fields), 0, NULL};

static ia_result build(ia_sfv_text *base, apr_pool_t *p, const ia_httpsig_message *message, const char *input)
{
    const char *text = apr_pstrcat(p, "x=", input, NULL);
    ia_sfv_field field;

    assert_result(ia_sfv_parse(&field, p, IA_SFV_DICTIONARY, text, strlen(text), IA_SFV_STRICT, NULL), IA_OK);
    return ia_httpsig_base(base, p, message, field.first);
}

/* One component: its line, without the line end and the parameters' line. */
static void expect_line(apr_pool_t *p, const ia_httpsig_message *message, const char *component, const char *value)
{
    const char *input = apr_psprintf(p, "(%s)", component);
    const char *wanted = apr_psprintf(p, "%s: %s\n\"@signature-params\": (%s)", component, value, component);
    ia_sfv_text base;

    assert_result(build(&base, p, message, input), IA_OK);
    assert_string_equal(base.data, wanted);
    assert_int_equal(base.len, strlen(wanted));
}

static void refuse(apr_pool_t *p, const ia_httpsig_message *message, const char *components, ia_result expected)
{
    ia_sfv_text base = {"x", 1};

    assert_result(build(&base, p, message, apr_psprintf(p, "(%s)", components)), expected);
    assert_null(base.data);
    assert_int_equal(base.len, 0);
}

static ia_httpsig_message with_target(const char *target)
{
    ia_httpsig_message message = request;

    message.target = target;
    return message;
}

static void test_derived_components(void **state)
{
    ia_httpsig_message message = request;

    expect_line(*state, &request, "\"@method\"", "POST");
    expect_line(*state, &request, "\"@target-uri\"", "https://www.example.com/path?param=value");
    expect_line(*state, &request, "\"@authority\"", "www.example.com");
    expect_line(*state, &request, "\"@scheme\"", "https");
    expect_line(*state, &request, "\"@request-target\"", "/path?param=value");
    expect_line(*state, &request, "\"@path\"", "/path");
    expect_line(*state, &request, "\"@query\"", "?param=value");
    expect_line(*state, &request, "\"@query-param\";name=\"param\"", "value");
    message.method = "get";
    expect_line(*state, &message, "\"@method\"", "get");
    message.scheme = "HTTP";
    expect_line(*state, &message, "\"@scheme\"", "http");
}

static void test_authority(void **state)
{
    static const char *const cases[][3] = {
        {"https", "WWW.Example.COM", "www.example.com"},    {"https", "example.com:443", "example.com"},
        {"https", "example.com:80", "example.com:80"},      {"http", "example.com:80", "example.com"},
        {"http", "example.com:443", "example.com:443"},     {"https", "example.com:", "example.com"},
        {"https", "example.com:8443", "example.com:8443"},  {"https", "[::1]", "[::1]"},
        {"https", "[2001:DB8::443]:443", "[2001:db8::443]"}};
    static const char *const bad[] = {"", ":443", "user@example.com", "example.com/path", "example.com?x"};
    ia_httpsig_message message = request;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        message.scheme = cases[i][0];
        message.authority = cases[i][1];
        expect_line(*state, &message, "\"@authority\"", cases[i][2]);
        message.normalized = 1;
        expect_line(*state, &message, "\"@target-uri\"",
                    apr_psprintf(*state, "%s://%s/path?param=value", cases[i][0], cases[i][2]));
        message.normalized = 0; /* as received */
        expect_line(*state, &message, "\"@target-uri\"",
                    apr_psprintf(*state, "%s://%s/path?param=value", cases[i][0], cases[i][1]));
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        message.authority = bad[i];
        refuse(*state, &message, "\"@authority\"", IA_SIG_VALUE_MALFORMED);
        refuse(*state, &message, "\"@target-uri\"", IA_SIG_VALUE_MALFORMED);
    }
    message.authority = NULL;
    refuse(*state, &message, "\"@authority\"", IA_SIG_VALUE_MALFORMED);
}

static void test_targets(void **state)
{
    static const char *const cases[][4] = {
        /* target, path, query, target URI */
        {"/", "/", "?", "https://www.example.com/"},
        {"/path", "/path", "?", "https://www.example.com/path"},
        {"/path?", "/path", "?", "https://www.example.com/path?"},
        {"/a?b?c", "/a", "?b?c", "https://www.example.com/a?b?c"},
        {"/a//b/%7e?x=%2F", "/a//b/%7e", "?x=%2F", "https://www.example.com/a//b/%7e?x=%2F"},
        {"//a", "//a", "?", "https://www.example.com//a"},
        {"http://other.example/a?b", "/a", "?b", "https://www.example.com/a?b"},
        {"http://other.example", "/", "?", "https://www.example.com/"},
        {"http://other.example?b", "/", "?b", "https://www.example.com/?b"},
        {"*", "/", "?", "https://www.example.com"},
    };
    static const char *const bad[] = {"", "path", "www.example.com:80", "://x", "?a", "1http://x/"};

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        ia_httpsig_message message = with_target(cases[i][0]);

        expect_line(*state, &message, "\"@request-target\"", cases[i][0]);
        expect_line(*state, &message, "\"@path\"", cases[i][1]);
        expect_line(*state, &message, "\"@query\"", cases[i][2]);
        message.normalized = 1;
        expect_line(*state, &message, "\"@target-uri\"", cases[i][3]);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        ia_httpsig_message message = with_target(bad[i]);

        refuse(*state, &message, "\"@path\"", IA_SIG_VALUE_MALFORMED);
        refuse(*state, &message, "\"@request-target\"", IA_SIG_VALUE_MALFORMED);
    }
}

/* Section 2.2.8, with its examples; the value is decoded as a form and encoded again. */
static void test_query_parameters(void **state)
{
    ia_httpsig_message first = with_target("/path?param=value&foo=bar&baz=batman&qux=");
    ia_httpsig_message second =
        with_target("/parameters?var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&"
                    "fa%C3%A7ade%22%3A%20=something&&ok~=a~b!'()*&flag&%=%zz&a=b=c");

    expect_line(*state, &first, "\"@query-param\";name=\"baz\"", "batman");
    expect_line(*state, &first, "\"@query-param\";name=\"qux\"", "");
    expect_line(*state, &first, "\"@query-param\";name=\"param\"", "value");
    expect_line(*state, &second, "\"@query-param\";name=\"var\"", "this%20is%20a%20big%0Amultiline%20value");
    expect_line(*state, &second, "\"@query-param\";name=\"bar\"", "with%20plus%20whitespace");
    expect_line(*state, &second, "\"@query-param\";name=\"fa%C3%A7ade%22%3A%20\"", "something");
    expect_line(*state, &second, "\"@query-param\";name=\"ok%7E\"", "a%7Eb%21%27%28%29*");
    expect_line(*state, &second, "\"@query-param\";name=\"flag\"", "");
    expect_line(*state, &second, "\"@query-param\";name=\"%25\"", "%25zz");
    expect_line(*state, &second, "\"@query-param\";name=\"a\"", "b%3Dc");
}

static void test_refuses_missing_query_parameters(void **state)
{
    ia_httpsig_message none = with_target("/path"), other = with_target("/path?ok~=1");

    refuse(*state, &request, "\"@query-param\";name=\"Param\"", IA_SIG_QUERY_PARAM_MISSING);
    refuse(*state, &none, "\"@query-param\";name=\"param\"", IA_SIG_QUERY_PARAM_MISSING);
    refuse(*state, &none, "\"@query-param\";name=\"\"", IA_SIG_QUERY_PARAM_MISSING);
    refuse(*state, &other, "\"@query-param\";name=\"ok~\"", IA_SIG_QUERY_PARAM_MISSING);
}

static void test_refuses_repeated_query_parameters(void **state)
{
    static const char *const targets[] = {"/p?a=1&a=2", "/p?a=1&%61=1", "/p?a&b=1&a"};

    for (size_t i = 0; i < COUNT_OF(targets); i++) {
        ia_httpsig_message message = with_target(targets[i]);

        refuse(*state, &message, "\"@query-param\";name=\"a\"", IA_SIG_QUERY_PARAM_REPEATED);
    }
}

/* Decoders replace what is no UTF-8: two names, or two values, could become one. */
static void test_refuses_query_parameters_that_are_no_utf8(void **state)
{
    static const char *const targets[] = {"/p?a=%FF", "/p?a=1&%FF=2", "/p?%c0%80=1&a=1"};

    for (size_t i = 0; i < COUNT_OF(targets); i++) {
        ia_httpsig_message message = with_target(targets[i]);

        refuse(*state, &message, "\"@query-param\";name=\"a\"", IA_SIG_VALUE_MALFORMED);
    }
}

static void test_fields(void **state)
{
    expect_line(*state, &request, "\"host\"", "www.example.com");
    expect_line(*state, &request, "\"x-ows-header\"", "Leading and trailing whitespace.");
    expect_line(*state, &request, "\"cache-control\"", "max-age=60, must-revalidate");
    expect_line(*state, &request, "\"x-empty-header\"", "");
    expect_line(*state, &request, "\"x-tab\"", "a\tb");
}

/* Empty lines are joined as any other (section 2.1), by this library or by the server before it. */
static void test_empty_lines(void **state)
{
    static const ia_httpsig_field lines[] = {{"Last", "a"},   {"Last", ""},    {"First", ""},   {"First", " a "},
                                             {"Middle", "a"}, {"Middle", " "}, {"Middle", "b"}, {"Empty", ""},
                                             {"Empty", "\t"}, {"Ends", "a"},   {"Ends", ""},    {"Ends", ""}};
    static const ia_httpsig_field joined[] = {{"Last", "a, "},  {"First", ", a"},  {"Middle", "a, , b"},
                                              {"Empty", ", "},  {"Ends", "a, , "}, {"Comma", "a,"},
                                              {"Pad", " a \t "}};
    ia_httpsig_message message = {"GET", "https", "a", "/", 0, lines, COUNT_OF(lines), 0, NULL};

    for (int merged = 0; merged < 2; merged++) {
        expect_line(*state, &message, "\"last\"", "a, ");
        expect_line(*state, &message, "\"first\"", ", a");
        expect_line(*state, &message, "\"middle\"", "a, , b");
        expect_line(*state, &message, "\"empty\"", ", ");
        expect_line(*state, &message, "\"ends\"", "a, , ");
        message.fields = joined;
        message.field_count = COUNT_OF(joined);
        message.merged = 1;
    }
    expect_line(*state, &message, "\"comma\"", "a,");
    expect_line(*state, &message, "\"pad\"", "a");
    message.merged = 0; /* one line, stripped as every line is */
    expect_line(*state, &message, "\"last\"", "a,");
}

static void test_structured_fields(void **state)
{
    expect_line(*state, &request, "\"priority\"", "u=1,   i, x=?0;p");
    expect_line(*state, &request, "\"priority\";sf", "u=1, i, x=?0;p");
    expect_line(*state, &request, "\"priority\";key=\"u\"", "1");
    expect_line(*state, &request, "\"priority\";key=\"i\"", "?1");
    expect_line(*state, &request, "\"priority\";key=\"x\"", "?0;p");
    expect_line(*state, &request, "\"priority\";sf;key=\"x\"", "?0;p");
    expect_line(*state, &request, "\"accept-ch\"", "a,b, c;q=1");
    expect_line(*state, &request, "\"accept-ch\";sf", "a, b, c;q=1");
}

/* Section 2.1.3; a joined field is taken only where no comma could have been a line's end. */
static void test_byte_sequences(void **state)
{
    static const ia_httpsig_field joined[] = {
        {"One", "value"}, {"Two", "value, with, lots"}, {"Three", "a"}, {"Three", "b,c"}};
    ia_httpsig_message message = {"GET", "https", "a", "/", 0, joined, COUNT_OF(joined), 0, NULL};

    expect_line(*state, &message, "\"one\";bs", ":dmFsdWU=:");
    expect_line(*state, &message, "\"two\";bs", ":dmFsdWUsIHdpdGgsIGxvdHM=:");
    expect_line(*state, &message, "\"three\";bs", ":YQ==:, :Yixj:");
    expect_line(*state, &request, "\"x-latin\";bs", ":Y2Fm6Q==:");
    message.merged = 1;
    expect_line(*state, &message, "\"one\";bs", ":dmFsdWU=:");
    refuse(*state, &message, "\"two\";bs", IA_SIG_FIELD_LINES);
    refuse(*state, &message, "\"three\";bs", IA_SIG_FIELD_LINES);
}

/* Identifiers and parameters are written again, in the order received. */
static void test_serialised_again_in_order(void **state)
{
    ia_sfv_text base;

    assert_result(build(&base, *state, &request,
                        "(  \"@path\"   \"priority\";sf;key=\"u\" \"priority\";key=\"x\";sf );"
                        "  zeta=:AQ==:;keyid=\"a\\\\b\";created=1;   alpha;tag=\"t\";d=1.50"),
                  IA_OK);
    assert_string_equal(base.data,
                        "\"@path\": /path\n\"priority\";sf;key=\"u\": 1\n\"priority\";key=\"x\";sf: ?0;p\n"
                        "\"@signature-params\": (\"@path\" \"priority\";sf;key=\"u\" \"priority\";key=\"x\";sf);"
                        "zeta=:AQ==:;keyid=\"a\\\\b\";created=1;alpha;tag=\"t\";d=1.5");
    assert_result(build(&base, *state, &request, "()"), IA_OK);
    assert_string_equal(base.data, "\"@signature-params\": ()");
}

static void test_refuses_components_that_are_no_strings(void **state)
{
    static const char *const items[] = {"host", "1", ":aG9zdA==:", "?1", "@1", "%\"host\""};

    for (size_t i = 0; i < COUNT_OF(items); i++) {
        refuse(*state, &request, items[i], IA_SIG_COMPONENT_TYPE);
    }
}

static void test_refuses_repeated_components(void **state)
{
    refuse(*state, &request, "\"@method\" \"@path\" \"@method\"", IA_SIG_COMPONENT_REPEATED);
    refuse(*state, &request, "\"host\" \"host\"", IA_SIG_COMPONENT_REPEATED);
    refuse(*state, &request, "\"priority\";sf;key=\"u\" \"priority\";key=\"u\";sf", IA_SIG_COMPONENT_REPEATED);
    refuse(*state, &request, "\"@query-param\";name=\"param\" \"@query-param\";name=\"param\"",
           IA_SIG_COMPONENT_REPEATED);
}

static void test_differing_parameters_are_no_repetition(void **state)
{
    ia_sfv_text base;

    assert_result(build(&base, *state, &request,
                        "(\"priority\" \"priority\";sf \"priority\";bs \"priority\";key=\"u\" \"priority\";key=\"i\")"),
                  IA_OK);
}

static void test_refuses_upper_case(void **state)
{
    refuse(*state, &request, "\"Host\"", IA_SIG_COMPONENT_CASE);
    refuse(*state, &request, "\"@Method\"", IA_SIG_COMPONENT_CASE);
}

static void test_refuses_what_is_no_field_name(void **state)
{
    static const char *const names[] = {"\"\"", "\"a b\"", "\"a:b\"", "\"a/b\"", "\"a\\\"b\"", "\"a,b\"", "\" host\""};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        refuse(*state, &request, names[i], IA_SIG_COMPONENT_NAME);
    }
}

static void test_refuses_the_parameters_as_component(void **state)
{
    refuse(*state, &request, "\"@signature-params\"", IA_SIG_COMPONENT_SELF);
    refuse(*state, &request, "\"@method\" \"@signature-params\";req", IA_SIG_COMPONENT_SELF);
}

static void test_refuses_unknown_derived_components(void **state)
{
    static const char *const names[] = {"\"@\"", "\"@x\"", "\"@methods\"", "\"@request-response\"", "\"@target\""};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        refuse(*state, &request, names[i], IA_SIG_COMPONENT_UNKNOWN);
    }
}

static void test_refuses_parameters_that_do_not_belong(void **state)
{
    static const char *const items[] = {"\"host\";x",       "\"host\";name=\"a\"",        "\"@method\";sf",
                                        "\"@path\";bs",     "\"@query\";key=\"a\"",       "\"@method\";tr",
                                        "\"@query-param\"", "\"@query-param\";key=\"a\"", "\"@authority\";name=\"a\""};

    for (size_t i = 0; i < COUNT_OF(items); i++) {
        refuse(*state, &request, items[i], IA_SIG_COMPONENT_PARAMETER);
    }
}

static void test_refuses_flags_that_are_not_true(void **state)
{
    static const char *const items[] = {"\"host\";sf=?0",        "\"host\";bs=1",    "\"host\";req=?0",
                                        "\"host\";sf=\"1\"",     "\"priority\";key", "\"priority\";key=u",
                                        "\"@query-param\";name", "\"@method\";req=1"};

    for (size_t i = 0; i < COUNT_OF(items); i++) {
        refuse(*state, &request, items[i], IA_SIG_COMPONENT_FLAG);
    }
}

static void test_refuses_conflicting_parameters(void **state)
{
    refuse(*state, &request, "\"priority\";bs;sf", IA_SIG_COMPONENT_CONFLICT);
    refuse(*state, &request, "\"priority\";key=\"u\";bs", IA_SIG_COMPONENT_CONFLICT);
}

static void test_refuses_trailers(void **state)
{
    refuse(*state, &request, "\"host\";tr", IA_SIG_TRAILER);
    refuse(*state, &request, "\"host\";tr=?0", IA_SIG_TRAILER);
}

static void test_refuses_fields_of_unknown_structure(void **state)
{
    refuse(*state, &request, "\"host\";sf", IA_SIG_TYPE_UNKNOWN);
    refuse(*state, &request, "\"cache-control\";key=\"max-age\"", IA_SIG_TYPE_UNKNOWN);
}

static void test_refuses_malformed_structure(void **state)
{
    refuse(*state, &request, "\"signature-agent\";sf", IA_SIG_VALUE_MALFORMED);
    refuse(*state, &request, "\"signature-agent\";key=\"a\"", IA_SIG_VALUE_MALFORMED);
    refuse(*state, &request, "\"accept-ch\";key=\"a\"", IA_SIG_VALUE_MALFORMED);
}

static void test_refuses_missing_dictionary_keys(void **state)
{
    refuse(*state, &request, "\"priority\";key=\"U\"", IA_SIG_DICTIONARY_KEY_MISSING);
    refuse(*state, &request, "\"priority\";key=\"\"", IA_SIG_DICTIONARY_KEY_MISSING);
}

static void test_refuses_missing_fields(void **state)
{
    refuse(*state, &request, "\"x-missing\"", IA_SIG_FIELD_MISSING);
    refuse(*state, &request, "\"x-missing\";bs", IA_SIG_FIELD_MISSING);
    refuse(*state, &request, "\"sec-fetch-dest\";sf", IA_SIG_FIELD_MISSING);
    refuse(*state, &request, "\"hos\"", IA_SIG_FIELD_MISSING);
    refuse(*state, &request, "\"hostt\"", IA_SIG_FIELD_MISSING);
}

/* A line break in a value would be a line of the base that nobody signed. */
static void test_refuses_characters(void **state)
{
    ia_httpsig_message message = request;

    refuse(*state, &request, "\"x-break\"", IA_SIG_CHARACTERS);
    refuse(*state, &request, "\"x-latin\"", IA_SIG_CHARACTERS);
    message.method = "GET\n\"@path\": /";
    refuse(*state, &message, "\"@method\"", IA_SIG_CHARACTERS);
    message = with_target("/caf\xc3\xa9");
    refuse(*state, &message, "\"@path\"", IA_SIG_CHARACTERS);
    message = request;
    message.authority = "a\nb";
    refuse(*state, &message, "\"@authority\"", IA_SIG_CHARACTERS);
}

static void test_refuses_status_of_a_request(void **state)
{
    refuse(*state, &request, "\"@status\"", IA_SIG_STATUS_MISUSED);
}

static void test_refuses_req_on_a_request(void **state)
{
    refuse(*state, &request, "\"@method\";req", IA_SIG_REQ_MISUSED);
    refuse(*state, &request, "\"host\";req", IA_SIG_REQ_MISUSED);
}

static void test_responses(void **state)
{
    static const ia_httpsig_field fields[] = {{"Content-Type", "text/plain"}, {"Date", "now"}};
    ia_httpsig_message response = {NULL, NULL, NULL, NULL, 503, fields, COUNT_OF(fields), 0, &request};

    expect_line(*state, &response, "\"@status\"", "503");
    expect_line(*state, &response, "\"date\"", "now");
    expect_line(*state, &response, "\"date\";req", "Tue, 20 Apr 2021 02:07:56 GMT");
    expect_line(*state, &response, "\"@method\";req", "POST");
    expect_line(*state, &response, "\"@authority\";req", "www.example.com");
    expect_line(*state, &response, "\"priority\";req;key=\"u\"", "1");
    expect_line(*state, &response, "\"@query-param\";name=\"param\";req", "value");
    refuse(*state, &response, "\"@status\";req", IA_SIG_STATUS_MISUSED);
    refuse(*state, &response, "\"host\"", IA_SIG_FIELD_MISSING);
    for (size_t i = 0; i < 8; i++) {
        static const char *const names[] = {
            "\"@method\"",         "\"@target-uri\"", "\"@authority\"", "\"@scheme\"",
            "\"@request-target\"", "\"@path\"",       "\"@query\"",     "\"@query-param\";name=\"param\""};

        refuse(*state, &response, names[i], IA_SIG_REQUEST_ONLY);
    }
    response.status = 99;
    refuse(*state, &response, "\"@status\"", IA_SIG_VALUE_MALFORMED);
    response.request = NULL;
    refuse(*state, &response, "\"@method\";req", IA_SIG_REQ_MISUSED);
}

static void test_refuses_too_many_components(void **state)
{
    char *text = apr_pstrdup(*state, "");
    ia_httpsig_field many[IA_HTTPSIG_COMPONENTS_MAX + 1];
    ia_httpsig_message message = {"GET", "https", "a", "/", 0, many, COUNT_OF(many), 0, NULL};
    ia_sfv_text base;

    for (unsigned i = 0; i < COUNT_OF(many); i++) {
        many[i].name = apr_psprintf(*state, "x-%u", i);
        many[i].value = "v";
        if (i == IA_HTTPSIG_COMPONENTS_MAX) {
            assert_result(build(&base, *state, &message, apr_psprintf(*state, "(%s)", text)), IA_OK);
        }
        text = apr_psprintf(*state, "%s \"x-%u\"", text, i);
    }
    refuse(*state, &message, text, IA_SIG_LIMIT);
}

static void test_refuses_too_long_a_base(void **state)
{
    char *value = apr_palloc(*state, IA_HTTPSIG_BASE_MAX + 1);
    const ia_httpsig_field large[] = {{"x", value}, {"x", value}};
    ia_httpsig_message message = {"GET", "https", "a", "/", 0, large, 1, 0, NULL};

    memset(value, 'v', IA_HTTPSIG_BASE_MAX);
    value[IA_HTTPSIG_BASE_MAX] = '\0';
    refuse(*state, &message, "\"x\"", IA_SIG_LIMIT);
    message.field_count = 2;
    refuse(*state, &message, "\"x\"", IA_SIG_LIMIT);
    value[IA_HTTPSIG_BASE_MAX - 100] = '\0';
    message.field_count = 1;
    assert_result(build(&(ia_sfv_text){NULL, 0}, *state, &message, "(\"x\")"), IA_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pool_test(test_derived_components),
        pool_test(test_authority),
        pool_test(test_targets),
        pool_test(test_query_parameters),
        pool_test(test_refuses_missing_query_parameters),
        pool_test(test_refuses_repeated_query_parameters),
        pool_test(test_refuses_query_parameters_that_are_no_utf8),
        pool_test(test_fields),
        pool_test(test_empty_lines),
        pool_test(test_structured_fields),
        pool_test(test_byte_sequences),
        pool_test(test_serialised_again_in_order),
        pool_test(test_refuses_components_that_are_no_strings),
        pool_test(test_refuses_repeated_components),
        pool_test(test_differing_parameters_are_no_repetition),
        pool_test(test_refuses_upper_case),
        pool_test(test_refuses_what_is_no_field_name),
        pool_test(test_refuses_the_parameters_as_component),
        pool_test(test_refuses_unknown_derived_components),
        pool_test(test_refuses_parameters_that_do_not_belong),
        pool_test(test_refuses_flags_that_are_not_true),
        pool_test(test_refuses_conflicting_parameters),
        pool_test(test_refuses_trailers),
        pool_test(test_refuses_fields_of_unknown_structure),
        pool_test(test_refuses_malformed_structure),
        pool_test(test_refuses_missing_dictionary_keys),
        pool_test(test_refuses_missing_fields),
        pool_test(test_refuses_characters),
        pool_test(test_refuses_status_of_a_request),
        pool_test(test_refuses_req_on_a_request),
        pool_test(test_responses),
        pool_test(test_refuses_too_many_components),
        pool_test(test_refuses_too_long_a_base),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
