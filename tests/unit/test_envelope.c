/* The envelope: equivalent calls in JSON and XML, refusals, responses, and their signatures. */
#include "support.h"
#include "interauth/envelope.h"
#include "interauth/xml.h"

static ia_result parse(ia_envelope *out, apr_pool_t *p, ia_envelope_format format, const char *text,
                       ia_json_error *error)
{
    memset(out, 0x55, sizeof *out);
    return ia_envelope_parse(out, p, format, exact(p, text, strlen(text)), strlen(text), error);
}

static ia_envelope parse_ok(apr_pool_t *p, ia_envelope_format format, const char *text)
{
    ia_json_error error = {0, NULL};
    ia_envelope envelope;
    ia_result rc = parse(&envelope, p, format, text, &error);

    if (rc != IA_OK) {
        fail_msg("%s refused: %s, %s", text, ia_outcome_of(rc)->tag, error.reason);
    }
    assert_int_equal(envelope.format, format);
    assert_non_null(envelope.request);
    assert_non_null(envelope.request_text);
    return envelope;
}

static void check_refused(apr_pool_t *p, ia_envelope_format format, const char *text, ia_result wanted)
{
    static const ia_envelope cleared;
    ia_json_error error = {0, NULL};
    ia_envelope envelope;
    ia_result rc = parse(&envelope, p, format, text, &error);

    if (rc != wanted) {
        fail_msg("%.100s: %s, not %s", text, ia_outcome_of(rc)->tag, ia_outcome_of(wanted)->tag);
    }
    assert_memory_equal(&envelope, &cleared, sizeof cleared);
    assert_non_null(error.reason);
    assert_null(strstr(error.reason, "CANARY"));
    assert_result(parse(&envelope, p, format, text, NULL), wanted);
}

static void check_same_text(const char *a, const char *b)
{
    assert_int_equal(a == NULL, b == NULL);
    if (a != NULL) {
        assert_string_equal(a, b);
    }
}

static const char *shown(apr_pool_t *p, const ia_json *value)
{
    ia_json_writer *w = ia_json_writer_create(p);

    ia_json_write_value(w, value);
    return ia_json_writer_text(w, NULL);
}

/* Two texts of one call. The bytes of the request differ with the format. */
static void test_twins(void **state)
{
    static const struct {
        const char *json, *json_request, *xml, *xml_request;
    } cases[] = {
        {"{\"method\":\"auth.request\",\"request\":{\"username\":\"guest\"}}", "{\"username\":\"guest\"}",
         "<xml><method>auth.request</method><request><username>guest</username></request></xml>",
         "<username>guest</username>"},
        {" { \"request\" : { \"a\" : \"}\\\"{\" , \"b\":{\"c\":\"\"} } ,\n\"method\":\"m\" } ",
         "{ \"a\" : \"}\\\"{\" , \"b\":{\"c\":\"\"} }",
         "<?xml version=\"1.0\"?>\n<xml> <request> <a>}\"{</a><b><c/></b></request>\n<method>m</method> "
         "</xml>\n",
         " <a>}\"{</a><b><c/></b>"},
        {"{\"method\":\"photo.get\",\"token\":\"t\",\"signature\":\"s\",\"nonce\":\"n\",\"timestamp\":"
         "1700000001,"
         "\"request\":{}}",
         "{}",
         "<xml><method>photo.get</method><token>t</token><signature>s</signature><nonce>n</nonce>"
         "<timestamp>1700000001</timestamp><request></request></xml>",
         ""},
        {"{\"method\":\"m\",\"timestamp\":\"0\",\"request\":{}}", "{}",
         "<xml><method>m</method><timestamp>0</timestamp><request/></xml>", ""},
        {"{\"m\\u0065thod\":\"\\u006d\",\"requ\\u0065st\":\"a<&\\n\\u20ac\"}", "\"a<&\\n\\u20ac\"",
         "<xml><method>&#109;</method><request>a&lt;<![CDATA[&]]>&#10;\xe2\x82\xac</request></xml>",
         "a&lt;<![CDATA[&]]>&#10;\xe2\x82\xac"},
        {"{\"token\":\"<]]>'\\\"&\",\"method\":\"a-b_c:d/e.F9\",\"request\":\"\"}", "\"\"",
         "<xml><token>&lt;]]&gt;'\"&amp;</token><method>a-b_c:d/e.F9</method><request><![CDATA[]]></"
         "request></xml>",
         "<![CDATA[]]>"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        ia_envelope json = parse_ok(*state, IA_ENVELOPE_JSON, cases[i].json);
        ia_envelope xml = parse_ok(*state, IA_ENVELOPE_XML, cases[i].xml);

        assert_string_equal(json.method, xml.method);
        check_same_text(json.token, xml.token);
        check_same_text(json.signature, xml.signature);
        check_same_text(json.nonce, xml.nonce);
        check_same_text(json.timestamp_text, xml.timestamp_text);
        assert_true(json.timestamp == xml.timestamp);
        assert_string_equal(shown(*state, json.request), shown(*state, xml.request));
        assert_string_equal(json.request->name, xml.request->name);
        assert_string_equal(apr_pstrmemdup(*state, json.request_text, json.request_len), cases[i].json_request);
        assert_string_equal(apr_pstrmemdup(*state, xml.request_text, xml.request_len), cases[i].xml_request);
    }
}

static void test_members(void **state)
{
    ia_envelope e = parse_ok(*state, IA_ENVELOPE_JSON,
                             "{\"method\":\"photo.get\",\"token\":\"T\",\"signature\":\"S\",\"nonce\":\"N\","
                             "\"timestamp\":1700000001,\"request\":[1,2]}");

    assert_string_equal(e.method, "photo.get");
    assert_string_equal(e.token, "T");
    assert_string_equal(e.signature, "S");
    assert_string_equal(e.nonce, "N");
    assert_string_equal(e.timestamp_text, "1700000001");
    assert_true(e.timestamp == apr_time_from_sec(1700000001));
    assert_int_equal(e.request->type, IA_JSON_ARRAY);
    e = parse_ok(*state, IA_ENVELOPE_JSON, "{\"method\":\"m\",\"request\":null}");
    assert_null(e.token);
    assert_null(e.signature);
    assert_null(e.nonce);
    assert_null(e.timestamp_text);
    assert_true(e.timestamp == 0);
    assert_int_equal(e.request_len, 4);
}

/* The same fault in both formats has the same outcome. */
static void test_refused_twins(void **state)
{
    static const struct {
        const char *json, *xml;
        ia_result rc;
    } cases[] = {
        {"{}", "<xml/>", IA_ENVELOPE_MALFORMED},
        {"\"CANARY\"", "<xml>CANARY</xml>", IA_ENVELOPE_MALFORMED},
        {"{\"method\":\"m\"}", "<xml><method>m</method></xml>", IA_ENVELOPE_MALFORMED},
        {"{\"request\":{}}", "<xml><request/></xml>", IA_ENVELOPE_MALFORMED},
        {"{\"method\":\"m\",\"request\":{},\"CANARY\":\"1\"}",
         "<xml><method>m</method><request/><CANARY>1</CANARY></xml>", IA_ENVELOPE_MALFORMED},
        {"{\"Method\":\"m\",\"request\":{}}", "<xml><Method>m</Method><request/></xml>", IA_ENVELOPE_MALFORMED},
        {"{\"method\":\"\",\"request\":{}}", "<xml><method/><request/></xml>", IA_ENVELOPE_MALFORMED},
        {"{\"method\":{\"a\":\"1\"},\"request\":{}}", "<xml><method><a>1</a></method><request/></xml>",
         IA_ENVELOPE_MALFORMED},
        {"{\"method\":\" m\",\"request\":{}}", "<xml><method> m</method><request/></xml>", IA_ENVELOPE_MALFORMED},
        {"{\"method\":\"m\",\"token\":\"\",\"request\":{}}", "<xml><method>m</method><token/><request/></xml>",
         IA_ENVELOPE_MALFORMED},
        {"{\"method\":\"m\",\"signature\":\"\",\"request\":{}}", "<xml><method>m</method><signature/><request/></xml>",
         IA_ENVELOPE_MALFORMED},
        {"{\"method\":\"m\",\"nonce\":{\"a\":\"1\"},\"request\":{}}",
         "<xml><method>m</method><nonce><a>1</a></nonce><request/></xml>", IA_ENVELOPE_MALFORMED},
        {"{\"method\":\"m\",\"timestamp\":\"\",\"request\":{}}", "<xml><method>m</method><timestamp/><request/></xml>",
         IA_TIMESTAMP_MALFORMED},
        {"{\"method\":\"m\",\"timestamp\":-1,\"request\":{}}",
         "<xml><method>m</method><timestamp>-1</timestamp><request/></xml>", IA_TIMESTAMP_MALFORMED},
        {"{\"method\":\"m\",\"timestamp\":1.5,\"request\":{}}",
         "<xml><method>m</method><timestamp>1.5</timestamp><request/></xml>", IA_TIMESTAMP_MALFORMED},
        {"{\"method\":\"m\",\"timestamp\":1e9,\"request\":{}}",
         "<xml><method>m</method><timestamp>1e9</timestamp><request/></xml>", IA_TIMESTAMP_MALFORMED},
        {"{\"method\":\"m\",\"timestamp\":\"0123\",\"request\":{}}",
         "<xml><method>m</method><timestamp>0123</timestamp><request/></xml>", IA_TIMESTAMP_MALFORMED},
        {"{\"method\":\"m\",\"timestamp\":123456789012,\"request\":{}}",
         "<xml><method>m</method><timestamp>123456789012</timestamp><request/></xml>", IA_TIMESTAMP_MALFORMED},
        {"{\"method\":\"m\",\"timestamp\":\" 1\",\"request\":{}}",
         "<xml><method>m</method><timestamp> 1</timestamp><request/></xml>", IA_TIMESTAMP_MALFORMED},
        {"{\"method\":\"m\",\"timestamp\":{\"a\":\"1\"},\"request\":{}}",
         "<xml><method>m</method><timestamp><a>1</a></timestamp><request/></xml>", IA_TIMESTAMP_MALFORMED},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        check_refused(*state, IA_ENVELOPE_JSON, cases[i].json, cases[i].rc);
        check_refused(*state, IA_ENVELOPE_XML, cases[i].xml, cases[i].rc);
    }
}

static void test_refused_json(void **state)
{
    check_refused(*state, IA_ENVELOPE_JSON, "", IA_JSON_MALFORMED);
    check_refused(*state, IA_ENVELOPE_JSON, "{\"method\":\"m\",\"request\":{}", IA_JSON_MALFORMED);
    check_refused(*state, IA_ENVELOPE_JSON, "{\"method\":\"m\",\"request\":{},\"request\":{}}", IA_JSON_DUPLICATE);
    check_refused(*state, IA_ENVELOPE_JSON, "{\"method\":\"m\",\"request\":{\"a\":1,\"a\":2}}", IA_JSON_DUPLICATE);
    check_refused(*state, IA_ENVELOPE_JSON, "[\"method\",\"request\"]", IA_ENVELOPE_MALFORMED);
    check_refused(*state, IA_ENVELOPE_JSON, "{\"method\":1,\"request\":{}}", IA_ENVELOPE_MALFORMED);
    check_refused(*state, IA_ENVELOPE_JSON, "{\"method\":\"m\",\"token\":null,\"request\":{}}", IA_ENVELOPE_MALFORMED);
    check_refused(*state, IA_ENVELOPE_JSON, "{\"method\":\"m\",\"nonce\":12,\"request\":{}}", IA_ENVELOPE_MALFORMED);
    check_refused(*state, IA_ENVELOPE_JSON, "{\"method\":\"m\",\"timestamp\":true,\"request\":{}}",
                  IA_TIMESTAMP_MALFORMED);
    check_refused(*state, IA_ENVELOPE_JSON, "<xml><method>m</method><request/></xml>", IA_JSON_MALFORMED);
}

static void test_refused_xml(void **state)
{
    check_refused(*state, IA_ENVELOPE_XML, "", IA_XML_MALFORMED);
    check_refused(*state, IA_ENVELOPE_XML, "{\"method\":\"m\",\"request\":{}}", IA_XML_MALFORMED);
    check_refused(*state, IA_ENVELOPE_XML, "<!DOCTYPE xml><xml><method>m</method><request/></xml>", IA_XML_FORBIDDEN);
    check_refused(*state, IA_ENVELOPE_XML, "<xml><method>m</method><request><?x?></request></xml>", IA_XML_FORBIDDEN);
    check_refused(*state, IA_ENVELOPE_XML, "<call><method>m</method><request/></call>", IA_ENVELOPE_MALFORMED);
    check_refused(*state, IA_ENVELOPE_XML, "<XML><method>m</method><request/></XML>", IA_ENVELOPE_MALFORMED);
    check_refused(*state, IA_ENVELOPE_XML, "<xml><method>m</method><method>m</method><request/></xml>",
                  IA_ENVELOPE_MALFORMED);
    check_refused(*state, IA_ENVELOPE_XML, "<xml><method>m</method><request/><request>2</request></xml>",
                  IA_ENVELOPE_MALFORMED);
    check_refused(*state, IA_ENVELOPE_XML, "<xml><method>m</method><request a=\"b\"/></xml>", IA_XML_MALFORMED);
    check_refused(*state, IA_ENVELOPE_XML, "<xml><method>a<!-- -->b</method><request/></xml>", IA_XML_MALFORMED);
    check_refused(*state, IA_ENVELOPE_XML, "<xml>t<method>m</method><request/></xml>", IA_XML_MALFORMED);
}

static const char *filled(apr_pool_t *p, size_t len, const char *head, const char *tail)
{
    char *middle = apr_palloc(p, len + 1);

    memset(middle, 'x', len);
    middle[len] = '\0';
    return apr_pstrcat(p, head, middle, tail, NULL);
}

static void test_bounds(void **state)
{
    static const char *const heads[] = {"{\"method\":\"m\",\"request\":\"", "<xml><method>m</method><request>"};
    static const char *const tails[] = {"\"}", "</request></xml>"};
    ia_json_error error;
    ia_envelope e;

    for (int f = IA_ENVELOPE_JSON; f <= IA_ENVELOPE_XML; f++) {
        size_t room = IA_ENVELOPE_MAX - strlen(heads[f]) - strlen(tails[f]);

        parse_ok(*state, f, filled(*state, room, heads[f], tails[f]));
        check_refused(*state, f, filled(*state, room + 1, heads[f], tails[f]), IA_TOO_LONG);
    }
    assert_result(ia_envelope_parse(&e, *state, IA_ENVELOPE_XML, NULL, SIZE_MAX, &error), IA_TOO_LONG);

    char *json = apr_pcalloc(*state, 2 * IA_ENVELOPE_NODES + 100), *at = json;
    at = apr_cpystrn(at, "{\"method\":\"m\",\"request\":[", 100);
    for (int i = 0; i < IA_ENVELOPE_NODES; i++) {
        *at++ = '1';
        *at++ = ',';
    }
    memcpy(at - 1, "]}", 3);
    check_refused(*state, IA_ENVELOPE_JSON, json, IA_JSON_LIMIT);
    char *xml = apr_pcalloc(*state, 4 * IA_ENVELOPE_NODES + 100);
    at = apr_cpystrn(xml, "<xml><method>m</method><request>", 100);
    for (int i = 0; i < IA_ENVELOPE_NODES; i++, at += 4) {
        memcpy(at, "<a/>", 4);
    }
    memcpy(at, "</request></xml>", 17);
    check_refused(*state, IA_ENVELOPE_XML, xml, IA_XML_LIMIT);
}

static void test_method_names(void **state)
{
    static const char *const good[] = {"a", "auth.request", "A-z_0:9/.", "Z"};
    static const char *const bad[] = {"a b", "a\n", "a,b", "a@b", "a[", "a`", "a{", "\xc3\xa9", "a;b", "a?"};
    const char *longest = filled(*state, IA_ENVELOPE_METHOD_MAX, "", "");

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(ia_envelope_is_method(exact(*state, good[i], strlen(good[i])), strlen(good[i])));
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(ia_envelope_is_method(exact(*state, bad[i], strlen(bad[i])), strlen(bad[i])));
    }
    assert_false(ia_envelope_is_method("", 0));
    assert_false(ia_envelope_is_method("a\0", 2));
    assert_true(ia_envelope_is_method(longest, IA_ENVELOPE_METHOD_MAX));
    assert_false(ia_envelope_is_method(filled(*state, IA_ENVELOPE_METHOD_MAX, "", "y"), IA_ENVELOPE_METHOD_MAX + 1));
    check_refused(*state, IA_ENVELOPE_JSON, "{\"method\":\"a b\",\"request\":{}}", IA_ENVELOPE_MALFORMED);
}

static ia_envelope call(apr_pool_t *p, ia_envelope_format format, const char *request)
{
    return parse_ok(p, format,
                    format == IA_ENVELOPE_XML
                        ? apr_pstrcat(p, "<xml><method>m</method><request>", request, "</request></xml>", NULL)
                        : apr_pstrcat(p, "{\"method\":\"m\",\"request\":", request, "}", NULL));
}

static void test_request_members(void **state)
{
    static const char *const names[] = {"username", "profile", NULL}, *const none[] = {NULL};
    static const struct {
        const char *json, *xml;
        const char *username; /* as found */
        int is_allowed;
    } cases[] = {
        {"{\"username\":\"g\"}", "<username>g</username>", "g", 1},
        {"{\"username\":\"g\",\"profile\":\"md5\"}", "<username>g</username>\n<profile>md5</profile>", "g", 1},
        {"{\"profile\":\"md5\"}", "<profile>md5</profile>", NULL, 1},
        {"{}", "", NULL, 1},
        {"{\"username\":\"\"}", "<username/>", NULL, 1},
        {"{\"username\":\"g\",\"other\":\"1\"}", "<username>g</username><other>1</other>", "g", 0},
        {"{\"username\":{\"a\":\"g\"}}", "<username><a>g</a></username>", NULL, 0},
        {"\"username\"", "username", NULL, 0},
        {"\" \"", " ", NULL, 0},
        {NULL, "<username>g</username><username>h</username>", NULL, 0},
        {NULL, "<username>g</username><username>g</username>", NULL, 0},
        {NULL, "<username x=\"\">g</username>", NULL, 0},
        {NULL, "<username>g</username>text", NULL, 0},
        {NULL, "<username>ad<!-- -->min</username>", NULL, 0},
        {NULL, "<!-- c --><username>g</username>", NULL, 0},
        {NULL, "<username xmlns=\"urn:x\">g</username>", NULL, 0},
        {NULL, "<username><![CDATA[g]]></username>", "g", 1},
        {"{\"username\":1}", NULL, NULL, 0},
        {"{\"username\":null}", NULL, NULL, 0},
        {"[\"username\"]", NULL, NULL, 0},
        {"null", NULL, NULL, 0},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        for (int f = IA_ENVELOPE_JSON; f <= IA_ENVELOPE_XML; f++) {
            const char *text = f == IA_ENVELOPE_XML ? cases[i].xml : cases[i].json;
            ia_envelope e;

            if (text == NULL) {
                continue;
            }
            e = call(*state, f, text);
            check_same_text(ia_envelope_request_string(&e, "username"), cases[i].username);
            if (ia_envelope_request_is(&e, names) != cases[i].is_allowed) {
                fail_msg("%s: not %d", text, cases[i].is_allowed);
            }
            assert_int_equal(ia_envelope_request_is(&e, none),
                             e.request->type == IA_JSON_OBJECT && e.request->count == 0);
            assert_null(ia_envelope_request_string(&e, "absent"));
        }
    }
}

static void test_media_types(void **state)
{
    static const struct {
        const char *text;
        ia_envelope_format format;
    } good[] = {
        {"application/json", IA_ENVELOPE_JSON},
        {"Application/JSON", IA_ENVELOPE_JSON},
        {"application/json; charset=utf-8", IA_ENVELOPE_JSON},
        {"application/json;charset=UTF-8", IA_ENVELOPE_JSON},
        {"text/xml", IA_ENVELOPE_XML},
        {"text/xml ; Charset=\"Utf-8\" ", IA_ENVELOPE_XML},
        {"application/xml;", IA_ENVELOPE_XML},
        {"application/xml; ;charset=utf-8", IA_ENVELOPE_XML},
    };
    static const char *const bad[] = {
        "",
        "application",
        "application/jsonp",
        "application/json,text/xml",
        "application/json charset=utf-8",
        "application/json; charset=iso-8859-1",
        "application/json; charset=utf-8; charset=utf-8",
        "application/json; charset=utf-16",
        "application/json; charset=\"utf-8",
        "application/json; charset=utf-8\"",
        "application/json; charset",
        "application/json; charset=",
        "application/json; profile=x",
        "text/xml; charset=utf-80",
        "text/html",
        "text/plain",
        "application/xml+x",
        "application/x-www-form-urlencoded",
        " application/json",
    };
    ia_envelope_format format = IA_ENVELOPE_XML;

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        format = good[i].format == IA_ENVELOPE_XML ? IA_ENVELOPE_JSON : IA_ENVELOPE_XML;
        assert_result(ia_envelope_format_of(&format, exact_string(*state, good[i].text)), IA_OK);
        assert_int_equal(format, good[i].format);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (ia_envelope_format_of(&format, exact_string(*state, bad[i])) != IA_MEDIA_TYPE) {
            fail_msg("%s accepted", bad[i]);
        }
    }
    assert_result(ia_envelope_format_of(&format, NULL), IA_MEDIA_TYPE);
    assert_string_equal(ia_envelope_media_type(IA_ENVELOPE_JSON), "application/json");
    assert_string_equal(ia_envelope_media_type(IA_ENVELOPE_XML), "text/xml");
}

static void test_responses(void **state)
{
    const ia_envelope_member members[] = {
        {"lifetime", NULL, 600}, {"challenge", "a<&\"\n\xe2\x82\xac", 0}, {"n-1_", NULL, -1}};
    ia_envelope_member many[IA_ENVELOPE_MEMBERS + 1];
    apr_size_t len;
    const char *text = ia_envelope_response(*state, IA_ENVELOPE_JSON, members, 3, &len);

    assert_string_equal(text,
                        "{\"status\":\"valid\",\"response\":{\"lifetime\":600,\"challenge\":\"a<&\\\"\\n\xe2\x82\xac\","
                        "\"n-1_\":-1}}");
    assert_int_equal(len, strlen(text));
    text = ia_envelope_response(*state, IA_ENVELOPE_XML, members, 3, &len);
    assert_string_equal(text, "<xml><status>valid</status><response><lifetime>600</lifetime><challenge>a&lt;&amp;&quot;"
                              "&#10;\xe2\x82\xac</challenge><n-1_>-1</n-1_></response></xml>");
    assert_int_equal(len, strlen(text));
    assert_string_equal(ia_envelope_response(*state, IA_ENVELOPE_JSON, NULL, 0, NULL),
                        "{\"status\":\"valid\",\"response\":{}}");
    assert_string_equal(ia_envelope_response(*state, IA_ENVELOPE_XML, NULL, 0, NULL),
                        "<xml><status>valid</status><response></response></xml>");
    assert_string_equal(ia_envelope_error(*state, IA_ENVELOPE_JSON, "invalid_credentials", "Invalid", &len),
                        "{\"status\":\"error\",\"error\":{\"code\":\"invalid_credentials\",\"message\":\"Invalid\"}}");
    assert_string_equal(ia_envelope_error(*state, IA_ENVELOPE_XML, "c", "a < b", &len),
                        "<xml><status>error</status><error><code>c</code><message>a &lt; b</message></error></xml>");
    for (size_t i = 0; i < COUNT_OF(many); i++) {
        many[i] = members[0];
        many[i].name = apr_psprintf(*state, "m%d", (int)i);
    }
    for (int f = IA_ENVELOPE_JSON; f <= IA_ENVELOPE_XML; f++) {
        assert_non_null(ia_envelope_response(*state, f, many, IA_ENVELOPE_MEMBERS, &len));
        assert_null(ia_envelope_response(*state, f, many, IA_ENVELOPE_MEMBERS + 1, &len));
        assert_int_equal(len, 0);
    }
}

static void test_responses_that_cannot_be_written(void **state)
{
    static const char *const names[] = {"", "1a", "-a", "a b", "a<", "a:b", "\xc3\xa9"};
    apr_size_t len = 99;

    for (int f = IA_ENVELOPE_JSON; f <= IA_ENVELOPE_XML; f++) {
        for (size_t i = 0; i < COUNT_OF(names); i++) {
            ia_envelope_member member = {names[i], "x", 0};

            assert_null(ia_envelope_response(*state, f, &member, 1, &len));
            assert_int_equal(len, 0);
        }
        assert_null(ia_envelope_error(*state, f, "code", "\xff", &len));
    }
    assert_non_null(ia_envelope_error(*state, IA_ENVELOPE_JSON, "code", "\x01", &len));
    assert_null(ia_envelope_error(*state, IA_ENVELOPE_XML, "code", "\x01", &len));
    assert_int_equal(len, 0);
}

/* What the filter does, then what the client does. */
static void check_signing(apr_pool_t *p, ia_envelope_format format, const char *response, const char *wanted)
{
    apr_size_t len = strlen(response), held = len < IA_ENVELOPE_TAIL ? len : IA_ENVELOPE_TAIL, kept = 99;
    const char *tail = exact(p, response + len - held, held), *sent;
    const char *end = ia_envelope_signed_end(p, format, tail, held, "0aF9", &kept);
    ia_envelope_signed taken;

    if (wanted == NULL) {
        assert_null(end);
        assert_int_equal(kept, 0);
        return;
    }
    assert_non_null(end);
    sent = apr_pstrcat(p, apr_pstrmemdup(p, response, len - held + kept), end, NULL);
    assert_string_equal(sent, wanted);
    assert_result(ia_envelope_unsign(&taken, p, format, exact(p, sent, strlen(sent)), strlen(sent)), IA_OK);
    assert_string_equal(taken.signature, "0aF9");
    assert_string_equal(
        apr_pstrcat(p, apr_pstrmemdup(p, sent, taken.head_len), apr_pstrmemdup(p, taken.tail, taken.tail_len), NULL),
        response);
}

static void test_signed_responses(void **state)
{
    static const struct {
        ia_envelope_format format;
        const char *response, *wanted;
    } cases[] = {
        {IA_ENVELOPE_JSON, "{}", "{\"signature\":\"0aF9\"}"},
        {IA_ENVELOPE_JSON, " { \n}\r\n", " { \n\"signature\":\"0aF9\"}\r\n"},
        {IA_ENVELOPE_JSON, "{\"a\":1}", "{\"a\":1,\"signature\":\"0aF9\"}"},
        {IA_ENVELOPE_JSON, "{\"a\":{}}", "{\"a\":{},\"signature\":\"0aF9\"}"},
        {IA_ENVELOPE_JSON, "{\"a\":\"{\"}", "{\"a\":\"{\",\"signature\":\"0aF9\"}"},
        {IA_ENVELOPE_JSON, "{\"a\":1\n}\n", "{\"a\":1\n,\"signature\":\"0aF9\"}\n"},
        {IA_ENVELOPE_JSON, "[]", NULL},
        {IA_ENVELOPE_JSON, "}", NULL},
        {IA_ENVELOPE_JSON, "", NULL},
        {IA_ENVELOPE_JSON, "<xml></xml>", NULL},
        {IA_ENVELOPE_XML, "<xml></xml>", "<xml><signature>0aF9</signature></xml>"},
        {IA_ENVELOPE_XML, "<xml><a>1</a>\n</xml>\n", "<xml><a>1</a>\n<signature>0aF9</signature></xml>\n"},
        {IA_ENVELOPE_XML, "<xml/>", NULL},
        {IA_ENVELOPE_XML, "<xml></xml ><!-- -->", NULL},
        {IA_ENVELOPE_XML, "</XML>", NULL},
        {IA_ENVELOPE_XML, "xml>", NULL},
        {IA_ENVELOPE_XML, "", NULL},
        {IA_ENVELOPE_XML, "{}", NULL},
    };
    static const char *const bad[] = {"", "a\"", "<", "a b", "\xc3\xa9"};
    const char *longer = filled(*state, 500, "{\"a\":\"", "\"}"), *blank = filled(*state, 0, "{\"a\":1", "");
    apr_size_t kept;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        check_signing(*state, cases[i].format, cases[i].response, cases[i].wanted);
    }
    check_signing(*state, IA_ENVELOPE_JSON, longer, filled(*state, 500, "{\"a\":\"", "\",\"signature\":\"0aF9\"}"));
    for (int i = 0; i < IA_ENVELOPE_TAIL; i++) {
        blank = apr_pstrcat(*state, blank, " ", NULL);
    }
    check_signing(*state, IA_ENVELOPE_JSON, apr_pstrcat(*state, blank, "}", NULL), NULL);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_null(ia_envelope_signed_end(*state, IA_ENVELOPE_JSON, "{}", 2, bad[i], &kept));
        assert_null(ia_envelope_signed_end(*state, IA_ENVELOPE_XML, LIT("<xml></xml>"), bad[i], &kept));
    }
}

static void test_what_is_not_signed(void **state)
{
    static const ia_envelope_signed cleared;
    static const struct {
        ia_envelope_format format;
        const char *text;
    } cases[] = {
        {IA_ENVELOPE_JSON, ""},
        {IA_ENVELOPE_JSON, "{}"},
        {IA_ENVELOPE_JSON, "{\"a\":1}"},
        {IA_ENVELOPE_JSON, "{\"signature\":\"\"}"},
        {IA_ENVELOPE_JSON, "{\"signature\":\"a b\"}"},
        {IA_ENVELOPE_JSON, "{\"signature\": \"ab\"}"},
        {IA_ENVELOPE_JSON, "{\"signature\":\"ab\" }"},
        {IA_ENVELOPE_JSON, "{\"signature\":\"ab\",\"a\":1}"},
        {IA_ENVELOPE_JSON, "\"signature\":\"ab\"}"},
        {IA_ENVELOPE_JSON, "x\"signature\":\"ab\"}"},
        {IA_ENVELOPE_JSON, "ab\"}"},
        {IA_ENVELOPE_JSON, "{\"xsignature\":\"ab\"}"},
        {IA_ENVELOPE_JSON, "{\"signature\":\"ab\"}x"},
        {IA_ENVELOPE_JSON, "<xml><signature>ab</signature></xml>"},
        {IA_ENVELOPE_XML, "<xml></xml>"},
        {IA_ENVELOPE_XML, "<xml><signature></signature></xml>"},
        {IA_ENVELOPE_XML, "<xml><signature>a b</signature></xml>"},
        {IA_ENVELOPE_XML, "<xml><signature>ab</signature> </xml>"},
        {IA_ENVELOPE_XML, "<xml><signature>ab</signature>"},
        {IA_ENVELOPE_XML, "ab</signature></xml>"},
        {IA_ENVELOPE_XML, "<xml><xsignature>ab</xsignature></xml>"},
        {IA_ENVELOPE_XML, "{\"signature\":\"ab\"}"},
    };
    ia_envelope_signed taken;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *text = cases[i].text;

        memset(&taken, 0x55, sizeof taken);
        if (ia_envelope_unsign(&taken, *state, cases[i].format, exact(*state, text, strlen(text)), strlen(text)) !=
            IA_ENVELOPE_MALFORMED) {
            fail_msg("%s taken for signed", text);
        }
        assert_memory_equal(&taken, &cleared, sizeof cleared);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pool_test(test_twins),
        pool_test(test_members),
        pool_test(test_refused_twins),
        pool_test(test_refused_json),
        pool_test(test_refused_xml),
        pool_test(test_bounds),
        pool_test(test_method_names),
        pool_test(test_request_members),
        pool_test(test_media_types),
        pool_test(test_responses),
        pool_test(test_responses_that_cannot_be_written),
        pool_test(test_signed_responses),
        pool_test(test_what_is_not_signed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
