/* Form bodies: decoding, every refusal, bounds, and escape as the inverse of parse. */
#include "support.h"
#include "interauth/form.h"

static ia_result parse(ia_form *form, apr_pool_t *p, const char *text, size_t len, unsigned max)
{
    memset(form, 0xa5, sizeof *form);
    return ia_form_parse(form, p, exact(p, text, len), len, max);
}

static void check_field(const ia_form *form, const char *name, const char *value)
{
    const ia_form_field *field = ia_form_field_get(form, name);

    assert_non_null(field);
    assert_string_equal(field->name, name);
    assert_string_equal(field->value, value);
    assert_int_equal(field->value_len, strlen(value));
}

static void test_plain_fields(void **state)
{
    ia_form form;

    assert_result(parse(&form, *state, LIT("uid=http%3A%2F%2Fexample.org&timestamp=1&body=a+b%2Bc"), 4), IA_OK);
    assert_int_equal(form.count, 3);
    assert_string_equal(form.fields[0].name, "uid");
    assert_string_equal(form.fields[2].name, "body");
    check_field(&form, "uid", "http://example.org");
    check_field(&form, "timestamp", "1");
    check_field(&form, "body", "a b+c");
    assert_null(ia_form_field_get(&form, "UID"));
    assert_null(ia_form_field_get(&form, "ui"));
    assert_null(ia_form_field_get(&form, ""));
}

static void test_odd_but_well_formed(void **state)
{
    ia_form form;

    assert_result(parse(&form, *state, LIT(""), 4), IA_OK);
    assert_int_equal(form.count, 0);
    assert_result(parse(&form, *state, LIT("a="), 4), IA_OK);
    check_field(&form, "a", "");
    assert_result(parse(&form, *state, LIT("a=b=c&%61%62=%e2%82%ac"), 4), IA_OK);
    check_field(&form, "a", "b=c");
    check_field(&form, "ab", "\xe2\x82\xac");
    assert_result(parse(&form, *state, LIT("a=%3d%26%2B%25"), 4), IA_OK);
    check_field(&form, "a", "=&+%");
    assert_result(parse(&form, *state, LIT("a+b=c"), 4), IA_OK);
    check_field(&form, "a b", "c");
    assert_result(parse(&form, *state, LIT("a=%01%7f"), 4), IA_OK);
    check_field(&form, "a", "\x01\x7f");
}

static void check_refused(apr_pool_t *p, const char *text, size_t len, ia_result wanted)
{
    ia_form form;
    ia_result rc = parse(&form, p, text, len, 8);

    if (rc != wanted) {
        fail_msg("\"%.*s\": %s, not %s", (int)len, text, ia_outcome_of(rc)->tag, ia_outcome_of(wanted)->tag);
    }
    assert_int_equal(form.count, 0);
    assert_null(ia_form_field_get(&form, "a"));
}

static void test_malformed(void **state)
{
    static const char *const bad[] = {
        "a=%",    "a=%4",  "a=%4g", "a=%g4",   "a=%%",    "a=% 4", "%=a",     "%zz=a",    "=b",
        "a=1&=b", "a=%00", "%00=a", "a%00b=c", "a=b%00c", "a=%-1", "a=%0x41", "a=1&b=%4",
    };

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        check_refused(*state, bad[i], strlen(bad[i]), IA_FORM_MALFORMED);
    }
    check_refused(*state, LIT("a=b\0c"), IA_FORM_MALFORMED);
    check_refused(*state, LIT("a\0=b"), IA_FORM_MALFORMED);
    check_refused(*state, LIT("\0"), IA_FORM_MALFORMED);
}

static void test_repeated_names(void **state)
{
    check_refused(*state, LIT("a=1&a=1"), IA_FIELD_REPEATED);
    check_refused(*state, LIT("a=1&b=2&a=3"), IA_FIELD_REPEATED);
    check_refused(*state, LIT("a=1&%61=2"), IA_FIELD_REPEATED);
}

static void test_field_bound(void **state)
{
    ia_form form;

    assert_result(parse(&form, *state, LIT("a=1&b=2&c=3"), 3), IA_OK);
    assert_int_equal(form.count, 3);
    assert_result(parse(&form, *state, LIT("a=1&b=2&c=3"), 2), IA_TOO_LONG);
    assert_int_equal(form.count, 0);
}

/* The result holds its own copy: the client may wipe or reuse the text. */
static void test_result_does_not_point_into_the_text(void **state)
{
    char text[] = "name=value";
    ia_form form;

    assert_result(ia_form_parse(&form, *state, text, strlen(text), 2), IA_OK);
    memset(text, 'x', sizeof text);
    check_field(&form, "name", "value");
}

static void test_escape(void **state)
{
    assert_string_equal(ia_form_escape(*state, LIT("")), "");
    assert_string_equal(ia_form_escape(*state, LIT("aZ09*-._")), "aZ09*-._");
    assert_string_equal(ia_form_escape(*state, LIT(" +&=%~/\"")), "+%2B%26%3D%25%7E%2F%22");
    assert_string_equal(ia_form_escape(*state, exact(*state, "\xc3\xa9", 2), 2), "%C3%A9");
}

static void test_escape_is_the_inverse_of_parse(void **state)
{
    uint64_t seed = 42;

    for (unsigned round = 0; round < 300; round++) {
        unsigned char value[80];
        size_t len = random_next(&seed) % sizeof value;
        char *escaped;
        ia_form form;

        random_fill(&seed, value, len);
        for (size_t i = 0; i < len; i++) {
            value[i] = value[i] == 0 ? 1 : value[i];
        }
        escaped = ia_form_escape(*state, exact(*state, value, len), len);
        escaped = apr_pstrcat(*state, "v=", escaped, NULL);
        assert_result(parse(&form, *state, escaped, strlen(escaped), 1), IA_OK);
        assert_int_equal(form.fields[0].value_len, len);
        assert_memory_equal(form.fields[0].value, value, len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pool_test(test_plain_fields), pool_test(test_odd_but_well_formed),
        pool_test(test_malformed),    pool_test(test_repeated_names),
        pool_test(test_field_bound),  pool_test(test_result_does_not_point_into_the_text),
        pool_test(test_escape),       pool_test(test_escape_is_the_inverse_of_parse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
