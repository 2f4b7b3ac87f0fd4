/* JSON: what is read, what is refused and why, the bounds, and the writer. */
#include "support.h"
#include "interauth/json.h"

#define MANY_NODES 100000

static ia_result parse(const ia_json **out, apr_pool_t *p, const char *text, size_t len)
{
    static const ia_json stale = {IA_JSON_NULL, NULL, NULL, 0, 0, NULL, NULL, 0};

    *out = &stale;
    return ia_json_parse(out, p, exact(p, text, len), len, MANY_NODES, NULL);
}

static const ia_json *parse_ok(apr_pool_t *p, const char *text)
{
    const ia_json *value;
    ia_result rc = parse(&value, p, text, strlen(text));

    if (rc != IA_OK) {
        fail_msg("%s refused: %s", text, ia_outcome_of(rc)->tag);
    }
    assert_non_null(value);
    return value;
}

static void check_refused(apr_pool_t *p, const char *text, size_t len, ia_result wanted)
{
    const ia_json *value;
    ia_json_error error = {99999, NULL};
    ia_result rc = parse(&value, p, text, len);

    if (rc != wanted) {
        fail_msg("\"%.*s\": %s, not %s", (int)(len < 60 ? len : 60), text, ia_outcome_of(rc)->tag,
                 ia_outcome_of(wanted)->tag);
    }
    assert_null(value);
    assert_result(ia_json_parse(&value, p, exact(p, text, len), len, MANY_NODES, &error), wanted);
    assert_non_null(error.reason);
    assert_true(error.offset <= len);
}

static void test_scalars(void **state)
{
    assert_int_equal(parse_ok(*state, "null")->type, IA_JSON_NULL);
    assert_int_equal(parse_ok(*state, " true ")->type, IA_JSON_BOOL);
    assert_int_equal(parse_ok(*state, "true")->integer, 1);
    assert_int_equal(parse_ok(*state, "false")->integer, 0);
    assert_int_equal(parse_ok(*state, "\"\"")->string_len, 0);
    assert_string_equal(parse_ok(*state, "\"a\\u0041\\n\\/\\\\\"")->string, "aA\n/\\");
    assert_string_equal(parse_ok(*state, "\"\\uD83D\\uDE00\"")->string, "\xf0\x9f\x98\x80");
    assert_string_equal(parse_ok(*state, "\"\xe2\x82\xac\"")->string, "\xe2\x82\xac");
}

static void test_numbers(void **state)
{
    static const struct {
        const char *text;
        apr_int64_t value;
    } integers[] = {{"0", 0},
                    {"-1", -1},
                    {"72000", 72000},
                    {"9223372036854775807", APR_INT64_MAX},
                    {"-9223372036854775808", APR_INT64_MIN}};
    static const char *const others[] = {"1.0",
                                         "-0.5",
                                         "1e3",
                                         "1E+3",
                                         "9223372036854775808",
                                         "-9223372036854775809",
                                         "123456789012345678901234567890",
                                         "1e999999"};
    static const char *const bad[] = {"01",  "-",   "+1",       ".5",        "1.",    "1e",  "1e+", "0x10",
                                      "-01", "NaN", "Infinity", "-Infinity", "1_000", "1 2", "--1", "00"};

    for (size_t i = 0; i < COUNT_OF(integers); i++) {
        const ia_json *value = parse_ok(*state, integers[i].text);

        assert_int_equal(value->type, IA_JSON_INTEGER);
        assert_true(value->integer == integers[i].value);
    }
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        const ia_json *value = parse_ok(*state, others[i]);

        assert_int_equal(value->type, IA_JSON_NUMBER);
        assert_string_equal(value->string, others[i]);
        assert_int_equal(value->string_len, strlen(others[i]));
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        check_refused(*state, bad[i], strlen(bad[i]), IA_JSON_MALFORMED);
    }
}

static void test_structure(void **state)
{
    const ia_json *root = parse_ok(*state, "{\"a\":[1,\"x\",{}],\"b\":null,\"c\":{\"d\":true}}");
    const ia_json *a = ia_json_member(root, "a");

    assert_int_equal(root->type, IA_JSON_OBJECT);
    assert_int_equal(root->count, 3);
    assert_null(root->name);
    assert_ptr_equal(root->first, a);
    assert_string_equal(a->name, "a");
    assert_int_equal(a->count, 3);
    assert_null(a->first->name);
    assert_int_equal(a->first->integer, 1);
    assert_string_equal(a->first->next->string, "x");
    assert_int_equal(a->first->next->next->type, IA_JSON_OBJECT);
    assert_null(a->first->next->next->next);
    assert_null(a->first->next->next->first);
    assert_string_equal(a->next->name, "b");
    assert_int_equal(ia_json_member(ia_json_member(root, "c"), "d")->integer, 1);
    assert_null(a->next->next->next);
}

static void test_member_look_up(void **state)
{
    const ia_json *root = parse_ok(*state, "{\"s\":\"text\",\"n\":1,\"\":\"empty\",\"z\":null}");

    assert_string_equal(ia_json_member_string(root, "s"), "text");
    assert_string_equal(ia_json_member_string(root, ""), "empty");
    assert_null(ia_json_member_string(root, "n"));
    assert_null(ia_json_member_string(root, "z"));
    assert_null(ia_json_member_string(root, "absent"));
    assert_null(ia_json_member_string(NULL, "s"));
    assert_null(ia_json_member(NULL, "s"));
    assert_null(ia_json_member(ia_json_member(root, "s"), "s"));
    assert_null(ia_json_member(parse_ok(*state, "[1]"), "s"));
}

static void test_malformed(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "}",
        "[",
        "]",
        "[1,]",
        "[,1]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":1]",
        "[1}",
        "tru",
        "True",
        "nul",
        "\"",
        "\"a",
        "\"\\x41\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"a\nb\"",
        "\"a\tb\"",
        "1 1",
        "{}{}",
        "{}\"",
        "{\"a\":1}\"b}",
        "1 \"a",
        "2\"1",
        "true\"",
        "null\"\\",
        "[\f]",
        "{}\v",
        "\f1",
        "\"\f\"",
        "[1,\x08 2]",
        "[1\xc2\xa0]",
        "\"a\"\"",
        "[] x",
        "null,",
        "/* c */ 1",
        "1 // c",
        "\xef\xbb\xbf{}",
        "{\"a\" 1}",
        "{1:2}",
        "[1 2]",
        "\"\\\"",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1,,\"b\":2}",
    };

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        check_refused(*state, bad[i], strlen(bad[i]), IA_JSON_MALFORMED);
    }
}

static void test_nul_is_refused_everywhere(void **state)
{
    check_refused(*state, LIT("\"a\0b\""), IA_JSON_MALFORMED);
    check_refused(*state, LIT("{}\0"), IA_JSON_MALFORMED);
    check_refused(*state, LIT("\0{}"), IA_JSON_MALFORMED);
    check_refused(*state, LIT("\"a\\u0000b\""), IA_JSON_MALFORMED);
    check_refused(*state, LIT("{\"a\\u0000b\":1}"), IA_JSON_MALFORMED);
    check_refused(*state, LIT("[\"\\u0000\"]"), IA_JSON_MALFORMED);
}

static void test_unicode_refusals(void **state)
{
    static const char *const bad[] = {
        "\"\\uD83D\"",
        "\"\\uDE00\"",
        "\"\\uD83D\\uD83D\"",
        "\"\\uD83Dx\"",
        "\"\\uDE00\\uD83D\"",
        "\"\\uD83D\\n\"",
        "\"\xff\"",
        "\"\x80\"",
        "\"\xc3\"",
        "\"\xc0\x80\"",
        "\"\xc1\xbf\"",
        "\"\xe0\x80\x80\"",
        "\"\xed\xa0\x80\"",
        "\"\xed\xbf\xbf\"",
        "\"\xf4\x90\x80\x80\"",
        "\"\xf5\x80\x80\x80\"",
        "\"\xe2\x82\"",
        "\"\xf0\x80\x80\x80\"",
        "{\"\xff\":1}",
        "{\"\\uD800\":1}",
        "\"\xc3(\"",
        "\"\\uDBFF\\u0041\"",
    };

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        check_refused(*state, bad[i], strlen(bad[i]), IA_JSON_MALFORMED);
    }
    parse_ok(*state, "\"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\"");
    parse_ok(*state, "\"\\uDBFF\\uDFFF\"");
}

static void test_repeated_members(void **state)
{
    check_refused(*state, LIT("{\"a\":1,\"a\":1}"), IA_JSON_DUPLICATE);
    check_refused(*state, LIT("{\"a\":1,\"b\":2,\"\\u0061\":3}"), IA_JSON_DUPLICATE);
    check_refused(*state, LIT("[{\"x\":{\"\":1,\"\":2}}]"), IA_JSON_DUPLICATE);
    parse_ok(*state, "[{\"a\":1},{\"a\":1},{\"A\":1,\"a\":{\"a\":2}}]");
}

static void test_depth_bound(void **state)
{
    for (unsigned depth = 1; depth <= IA_JSON_DEPTH + 2; depth++) {
        char *arrays = repeat_text(*state, "", "[", repeat_text(*state, "", "]", "", depth), depth);
        char *objects = repeat_text(*state, "", "{\"a\":", repeat_text(*state, "1", "}", "", depth), depth);

        if (depth <= IA_JSON_DEPTH) {
            parse_ok(*state, arrays);
            parse_ok(*state, objects);
        } else {
            check_refused(*state, arrays, strlen(arrays), IA_JSON_LIMIT);
            check_refused(*state, objects, strlen(objects), IA_JSON_LIMIT);
        }
    }
    char *deep = repeat_text(*state, "", "[", "", 200000);
    check_refused(*state, deep, strlen(deep), IA_JSON_LIMIT);
}

static void test_node_bound(void **state)
{
    const ia_json *value;

    assert_result(ia_json_parse(&value, *state, exact(*state, LIT("[1,2,3]")), 7, 4, NULL), IA_OK);
    assert_result(ia_json_parse(&value, *state, exact(*state, LIT("[1,2,3]")), 7, 3, NULL), IA_JSON_LIMIT);
    assert_null(value);
    assert_result(ia_json_parse(&value, *state, LIT("{\"a\":{\"b\":1}}"), 3, NULL), IA_OK);
    assert_result(ia_json_parse(&value, *state, LIT("{\"a\":{\"b\":1}}"), 2, NULL), IA_JSON_LIMIT);
    assert_null(value);
}

/* Many members: a repeated one is found, and it does not take quadratic time to see that none is. */
static void test_many_members(void **state)
{
    apr_pool_t *p = *state;
    ia_json_writer *w = ia_json_writer_create(p);
    const ia_json *value;
    const char *text;
    char *twice;
    apr_size_t len;

    ia_json_write_object(w);
    for (int i = 0; i < 20000; i++) {
        ia_json_write_name(w, apr_psprintf(p, "member%d", i));
        ia_json_write_integer(w, i);
    }
    ia_json_write_end(w);
    text = ia_json_writer_text(w, &len);
    assert_non_null(text);
    assert_result(parse(&value, p, text, len), IA_OK);
    assert_int_equal(value->count, 20000);
    twice = apr_pstrcat(p, apr_pstrmemdup(p, text, len - 1), ",\"member10000\":0}", NULL);
    check_refused(p, twice, strlen(twice), IA_JSON_DUPLICATE);
}

/* Reasons go into logs and answers: they must not carry what the input held. */
static void test_reason_holds_no_value(void **state)
{
    static const char *const bad[] = {"{\"k\":\"CANARY\",\"k\":\"CANARY\"}",
                                      "{\"k\":\"CANARY\" x}",
                                      "[\"CANARY\"",
                                      "\"CANARY\\u0000\"",
                                      "\"CANARY\xff\"",
                                      "CANARY",
                                      "[\"CANARY\\x\"]"};

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const ia_json *value;
        ia_json_error error = {0, NULL};

        assert_int_not_equal(ia_json_parse(&value, *state, bad[i], strlen(bad[i]), 10, &error), IA_OK);
        assert_non_null(error.reason);
        assert_null(strstr(error.reason, "CANARY"));
    }
}

static void test_every_prefix_is_refused(void **state)
{
    static const char text[] = "{\"access_for\":[\"read\",\"\\u20ac\\uD83D\\uDE00\"],\"n\":-1.5e3,\"t\":true,\"o\":{}}";

    parse_ok(*state, text);
    for (size_t len = 0; len < sizeof text - 1; len++) {
        check_refused(*state, text, len, IA_JSON_MALFORMED);
    }
}

/* Each value as it stands in the text. */
static void test_member_text(void **state)
{
    static const struct {
        const char *text, *name, *wanted;
    } cases[] = {
        {"{\"a\":1}", "a", "1"},
        {"{\"a\":1,\"b\":-2.5e3 }", "b", "-2.5e3"},
        {" {\n\"a\" : true\t, \"b\"\r: null } ", "a", "true"},
        {" {\n\"a\" : true\t, \"b\"\r: null } ", "b", "null"},
        {"{\"x\":{\"a\":0},\"a\":{\"b\":[1,{\"c\":\"}]\\\"\"}] , \"d\":{}}  ,\"z\":0}", "a",
         "{\"b\":[1,{\"c\":\"}]\\\"\"}] , \"d\":{}}"},
        {"{\"x\":[[],\"]\",[1,2]],\"a\":[]}", "a", "[]"},
        {"{\"x\":\"\\\\\",\"a\":\"\\\\\\\"\\\\\"}", "a", "\"\\\\\\\"\\\\\""},
        {"{\"\\u0061\\\"\":\"{\",\"\\u0061\":\"\\u0061\"}", "a", "\"\\u0061\""},
        {"{\"\":\"\",\",\":\":\",\":\":0}", "", "\"\""},
        {"{\"\":\"\",\",\":\":\",\":\":0}", ",", "\":\""},
        {"{\"\":\"\",\",\":\":\",\":\":0}", ":", "0"},
        {"{\"a\":1}", "b", NULL},
        {"{}", "a", NULL},
        {"[1]", "a", NULL},
        {"\"a\"", "a", NULL},
    };
    const ia_json *object = parse_ok(*state, "{\"a\":[{},\"b\"],\"c\":1}");
    static const char text[] = "{ \"a\" : [ { } , \"b\" ] , \"c\" : 1 }";
    apr_size_t len;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *block = exact(*state, cases[i].text, strlen(cases[i].text));
        const char *found =
            ia_json_member_text(block, strlen(cases[i].text), parse_ok(*state, cases[i].text), cases[i].name, &len);

        assert_int_equal(found == NULL, cases[i].wanted == NULL);
        if (found != NULL) {
            assert_string_equal(apr_pstrmemdup(*state, found, len), cases[i].wanted);
        } else {
            assert_int_equal(len, 0);
        }
    }
    /* A text that ends early is a misuse, and stays without harm. */
    for (size_t n = 0; n < sizeof text - 1; n++) {
        const char *block = exact(*state, text, n), *found = ia_json_member_text(block, n, object, "c", &len);

        assert_true(found == NULL || (found >= block && found + len <= block + n));
    }
}

static void test_writer(void **state)
{
    ia_json_writer *w = ia_json_writer_create(*state);
    apr_size_t len;
    const char *text;

    ia_json_write_object(w);
    ia_json_write_member(w, "s", "a\"\\\n\x01\xe2\x82\xac");
    ia_json_write_name(w, "i");
    ia_json_write_integer(w, APR_INT64_MIN);
    ia_json_write_name(w, "l");
    ia_json_write_array(w);
    ia_json_write_bool(w, 1);
    ia_json_write_bool(w, 0);
    ia_json_write_null(w);
    ia_json_write_string(w, "");
    ia_json_write_object(w);
    ia_json_write_end(w);
    ia_json_write_end(w);
    ia_json_write_end(w);
    text = ia_json_writer_text(w, &len);
    assert_non_null(text);
    assert_int_equal(len, strlen(text));
    assert_null(strchr(text, '\n'));
    assert_null(strchr(text, ' '));

    const ia_json *back = parse_ok(*state, text);
    assert_string_equal(ia_json_member_string(back, "s"), "a\"\\\n\x01\xe2\x82\xac");
    assert_true(ia_json_member(back, "i")->integer == APR_INT64_MIN);
    assert_int_equal(ia_json_member(back, "l")->count, 5);
}

static void test_writer_writes_what_was_parsed(void **state)
{
    static const char *const texts[] = {"{\"a\":[1,2.50,\"x\",{\"b\":null}],\"c\":true,\"d\":-"
                                        "9223372036854775808,\"e\":1e999,\"f\":[],\"g\":{}}",
                                        "[]",
                                        "0",
                                        "\"\xe2\x82\xac\"",
                                        "[[[[]]]]",
                                        "123456789012345678901234567890"};

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        ia_json_writer *w = ia_json_writer_create(*state);
        ia_json_writer *pretty = ia_json_writer_create_pretty(*state);
        const char *text;

        ia_json_write_value(w, parse_ok(*state, texts[i]));
        text = ia_json_writer_text(w, NULL);
        assert_non_null(text);
        assert_string_equal(text, texts[i]);

        ia_json_write_value(pretty, parse_ok(*state, texts[i]));
        text = ia_json_writer_text(pretty, NULL);
        assert_non_null(text);
        w = ia_json_writer_create(*state);
        ia_json_write_value(w, parse_ok(*state, text));
        assert_string_equal(ia_json_writer_text(w, NULL), texts[i]);
    }
}

typedef void misuse(ia_json_writer *w);

static void misuse_value_for_name(ia_json_writer *w)
{
    ia_json_write_object(w);
    ia_json_write_integer(w, 1);
    ia_json_write_end(w);
}

static void misuse_name_without_value(ia_json_writer *w)
{
    ia_json_write_object(w);
    ia_json_write_name(w, "a");
    ia_json_write_end(w);
}

static void misuse_not_closed(ia_json_writer *w)
{
    ia_json_write_array(w);
}

static void misuse_closed_twice(ia_json_writer *w)
{
    ia_json_write_array(w);
    ia_json_write_end(w);
    ia_json_write_end(w);
}

static void misuse_bad_utf8(ia_json_writer *w)
{
    ia_json_write_string(w, "\xff");
}

static void misuse_bad_utf8_name(ia_json_writer *w)
{
    ia_json_write_object(w);
    ia_json_write_member(w, "\xc3", "x");
    ia_json_write_end(w);
}

static void misuse_nothing(ia_json_writer *w)
{
    (void)w;
}

static void misuse_two_values(ia_json_writer *w)
{
    ia_json_write_integer(w, 1);
    ia_json_write_integer(w, 2);
}

static void misuse_name_in_array(ia_json_writer *w)
{
    ia_json_write_array(w);
    ia_json_write_name(w, "a");
    ia_json_write_integer(w, 2);
    ia_json_write_end(w);
}

static void misuse_string_for_name(ia_json_writer *w)
{
    ia_json_write_object(w);
    ia_json_write_string(w, "a");
    ia_json_write_integer(w, 1);
    ia_json_write_end(w);
}

static void misuse_name_for_value(ia_json_writer *w)
{
    ia_json_write_object(w);
    ia_json_write_name(w, "a");
    ia_json_write_name(w, "b");
    ia_json_write_end(w);
}

static void misuse_overlong_utf8(ia_json_writer *w)
{
    ia_json_write_string(w, "\xc0\x80");
}

static void misuse_too_deep(ia_json_writer *w)
{
    for (unsigned i = 0; i <= IA_JSON_DEPTH; i++) {
        ia_json_write_array(w);
    }
    for (unsigned i = 0; i <= IA_JSON_DEPTH; i++) {
        ia_json_write_end(w);
    }
}

static void test_writer_misuse_gives_no_text(void **state)
{
    static misuse *const misuses[] = {misuse_value_for_name,  misuse_name_without_value, misuse_not_closed,
                                      misuse_closed_twice,    misuse_bad_utf8,           misuse_bad_utf8_name,
                                      misuse_nothing,         misuse_two_values,         misuse_name_in_array,
                                      misuse_string_for_name, misuse_name_for_value,     misuse_overlong_utf8,
                                      misuse_too_deep};

    for (size_t i = 0; i < COUNT_OF(misuses); i++) {
        ia_json_writer *w = ia_json_writer_create(*state);

        misuses[i](w);
        if (ia_json_writer_text(w, NULL) != NULL) {
            fail_msg("misuse %u gave a text", (unsigned)i);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pool_test(test_scalars),
        pool_test(test_numbers),
        pool_test(test_structure),
        pool_test(test_member_look_up),
        pool_test(test_member_text),
        pool_test(test_malformed),
        pool_test(test_nul_is_refused_everywhere),
        pool_test(test_unicode_refusals),
        pool_test(test_repeated_members),
        pool_test(test_depth_bound),
        pool_test(test_node_bound),
        pool_test(test_many_members),
        pool_test(test_reason_holds_no_value),
        pool_test(test_every_prefix_is_refused),
        pool_test(test_writer),
        pool_test(test_writer_writes_what_was_parsed),
        pool_test(test_writer_misuse_gives_no_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
