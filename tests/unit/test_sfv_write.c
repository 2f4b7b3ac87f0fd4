/* Writing structured fields: canonical forms, every refusal, what was read comes out as it should. */
#include <math.h>
#include "support.h"
#include "interauth/encoding.h"
#include "interauth/sfv.h"

#define ITEM IA_SFV_ITEM
#define LIST IA_SFV_LIST
#define DICT IA_SFV_DICTIONARY
#define MAX  APR_INT64_C(999999999999999)

/* Texts go through exact-size blocks, so that the serialiser's reads are bounded too. */
static ia_sfv_text text_of(apr_pool_t *p, const char *data, size_t len)
{
    ia_sfv_text text = {exact(p, data, len), len};

    return text;
}

static ia_sfv_value number_value(ia_sfv_type type, apr_int64_t number)
{
    ia_sfv_value value = {type, number, {NULL, 0}};

    return value;
}

static ia_sfv_value text_value(apr_pool_t *p, ia_sfv_type type, const char *data, size_t len)
{
    ia_sfv_value value = {type, 0, text_of(p, data, len)};

    return value;
}

static ia_sfv_member *add_member(apr_pool_t *p, ia_sfv_field *field, const char *key, ia_sfv_value value)
{
    ia_sfv_member *member = apr_pcalloc(p, sizeof *member), **end = &field->first;

    while (*end != NULL)
        end = &(*end)->next;
    *end = member;
    field->count++;
    member->value = value;
    if (key != NULL)
        member->key = text_of(p, key, strlen(key));
    return member;
}

static void add_param(apr_pool_t *p, ia_sfv_member *member, const char *key, ia_sfv_value value)
{
    ia_sfv_param *param = apr_pcalloc(p, sizeof *param), **end = &member->params;

    while (*end != NULL)
        end = &(*end)->next;
    *end = param;
    member->param_count++;
    param->key = text_of(p, key, strlen(key));
    param->value = value;
}

static void assert_written(apr_pool_t *p, const ia_sfv_field *field, const char *expected)
{
    apr_size_t len = 12345;
    char *text = NULL;

    assert_result(ia_sfv_format(&text, &len, p, field), IA_OK);
    assert_string_equal(text, expected);
    assert_int_equal(len, strlen(expected));
    assert_result(ia_sfv_format(&text, NULL, p, field), IA_OK);
    assert_string_equal(text, expected);
}

static void assert_refused(apr_pool_t *p, const ia_sfv_field *field, ia_result rc)
{
    apr_size_t len = 12345;
    char *text = apr_pstrdup(p, "before");

    assert_result(ia_sfv_format(&text, &len, p, field), rc);
    assert_null(text);
    assert_int_equal(len, 0);
    text = apr_pstrdup(p, "before");
    assert_result(ia_sfv_format(&text, NULL, p, field), rc);
    assert_null(text);
}

static void assert_value(apr_pool_t *p, ia_sfv_value value, const char *expected)
{
    ia_sfv_field field = {ITEM, NULL, 0};

    add_member(p, &field, NULL, value);
    if (expected != NULL)
        assert_written(p, &field, expected);
    else
        assert_refused(p, &field, IA_SFV_MALFORMED);
}

static void test_numbers(void **state)
{
    static const struct {
        ia_sfv_type type;
        apr_int64_t number;
        const char *text;
    } cases[] = {
        {IA_SFV_INTEGER, 0, "0"},
        {IA_SFV_INTEGER, -1, "-1"},
        {IA_SFV_INTEGER, MAX, "999999999999999"},
        {IA_SFV_INTEGER, -MAX, "-999999999999999"},
        {IA_SFV_INTEGER, MAX + 1, NULL},
        {IA_SFV_INTEGER, -MAX - 1, NULL},
        {IA_SFV_INTEGER, INT64_MAX, NULL},
        {IA_SFV_INTEGER, INT64_MIN, NULL},
        {IA_SFV_DECIMAL, 0, "0.0"},
        {IA_SFV_DECIMAL, 1, "0.001"},
        {IA_SFV_DECIMAL, -1, "-0.001"},
        {IA_SFV_DECIMAL, 10, "0.01"},
        {IA_SFV_DECIMAL, -100, "-0.1"},
        {IA_SFV_DECIMAL, 1000, "1.0"},
        {IA_SFV_DECIMAL, 10000, "10.0"},
        {IA_SFV_DECIMAL, -1230, "-1.23"},
        {IA_SFV_DECIMAL, 1203, "1.203"},
        {IA_SFV_DECIMAL, MAX, "999999999999.999"},
        {IA_SFV_DECIMAL, -MAX, "-999999999999.999"},
        {IA_SFV_DECIMAL, MAX + 1, NULL},
        {IA_SFV_DECIMAL, -MAX - 1, NULL},
        {IA_SFV_DECIMAL, INT64_MIN, NULL},
        {IA_SFV_DATE, 0, "@0"},
        {IA_SFV_DATE, -62135596800, "@-62135596800"},
        {IA_SFV_DATE, MAX, "@999999999999999"},
        {IA_SFV_DATE, MAX + 1, NULL},
        {IA_SFV_DATE, -MAX - 1, NULL},
        {IA_SFV_BOOLEAN, 0, "?0"},
        {IA_SFV_BOOLEAN, 1, "?1"},
        {IA_SFV_BOOLEAN, 2, NULL},
        {IA_SFV_BOOLEAN, -1, NULL},
        {IA_SFV_INNER_LIST, 0, NULL}, /* an item is none */
        {(ia_sfv_type)99, 0, NULL},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_value(*state, number_value(cases[i].type, cases[i].number), cases[i].text);
}

static void test_texts(void **state)
{
    static const struct {
        ia_sfv_type type;
        const char *data;
        size_t len;
        const char *text;
    } cases[] = {
        {IA_SFV_STRING, LIT(""), "\"\""},
        {IA_SFV_STRING, LIT("a b~"), "\"a b~\""},
        {IA_SFV_STRING, LIT("\"\\\""), "\"\\\"\\\\\\\"\""},
        {IA_SFV_STRING, LIT("a\0b"), NULL},
        {IA_SFV_STRING, LIT("\t"), NULL},
        {IA_SFV_STRING, LIT("\r\n"), NULL},
        {IA_SFV_STRING, LIT("\x7f"), NULL},
        {IA_SFV_STRING, LIT("\xc3\xbc"), NULL},
        {IA_SFV_TOKEN, LIT("a"), "a"},
        {IA_SFV_TOKEN, LIT("*a/b:c"), "*a/b:c"},
        {IA_SFV_TOKEN, LIT("A!#$%&'*+-.^_`|~9"), "A!#$%&'*+-.^_`|~9"},
        {IA_SFV_TOKEN, LIT(""), NULL},
        {IA_SFV_TOKEN, LIT("1a"), NULL},
        {IA_SFV_TOKEN, LIT(":a"), NULL},
        {IA_SFV_TOKEN, LIT("a b"), NULL},
        {IA_SFV_TOKEN, LIT("a\0"), NULL},
        {IA_SFV_TOKEN, LIT("a,b"), NULL},
        {IA_SFV_TOKEN, LIT("a\xff"), NULL},
        {IA_SFV_BYTES, LIT(""), "::"},
        {IA_SFV_BYTES, LIT("hello"), ":aGVsbG8=:"},
        {IA_SFV_BYTES, LIT("\0\xff\0"), ":AP8A:"},
        {IA_SFV_BYTES, LIT("\xff"), ":/w==:"},
        {IA_SFV_DISPLAY, LIT(""), "%\"\""},
        {IA_SFV_DISPLAY, LIT("a b\\"), "%\"a b\\\""},
        {IA_SFV_DISPLAY, LIT("f\xc3\xbc \"50%\"\n"), "%\"f%c3%bc %2250%25%22%0a\""},
        {IA_SFV_DISPLAY, LIT("a\0\x7f"), "%\"a%00%7f\""},
        {IA_SFV_DISPLAY, LIT("\xc3"), NULL},
        {IA_SFV_DISPLAY, LIT("a\x80"), NULL},
        {IA_SFV_DISPLAY, LIT("\xed\xa0\x80"), NULL},
        {IA_SFV_DISPLAY, LIT("\xc0\x80"), NULL},
        {IA_SFV_DISPLAY, LIT("\xf4\x90\x80\x80"), NULL},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_value(*state, text_value(*state, cases[i].type, cases[i].data, cases[i].len), cases[i].text);
    /* an empty text may be a null pointer */
    assert_value(*state, number_value(IA_SFV_STRING, 0), "\"\"");
    assert_value(*state, number_value(IA_SFV_BYTES, 0), "::");
    assert_value(*state, number_value(IA_SFV_DISPLAY, 0), "%\"\"");
    assert_value(*state, number_value(IA_SFV_TOKEN, 0), NULL);
}

static void test_keys(void **state)
{
    static const struct {
        const char *key;
        int good;
    } cases[] = {
        {"a", 1},   {"*", 1},  {"*a", 1},  {"a0_-.*", 1},    {"sha-256", 1}, {"", 0},
        {"A", 0},   {"1", 0},  {"_a", 0},  {"-", 0},         {".a", 0},      {"aA", 0},
        {"a b", 0}, {"a=", 0}, {"a;b", 0}, {"a\xc3\xa4", 0}, {"a,b", 0},     {"a:", 0},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        ia_sfv_field dictionary = {DICT, NULL, 0}, item = {ITEM, NULL, 0}, list = {LIST, NULL, 0};
        const char *key = cases[i].key;

        add_member(*state, &dictionary, key, number_value(IA_SFV_INTEGER, 1));
        add_param(*state, add_member(*state, &item, NULL, number_value(IA_SFV_INTEGER, 1)), key,
                  number_value(IA_SFV_INTEGER, 2));
        add_param(*state, add_member(*state, &list, NULL, number_value(IA_SFV_INNER_LIST, 0)), key,
                  number_value(IA_SFV_BOOLEAN, 1));
        if (cases[i].good) {
            assert_written(*state, &dictionary, apr_pstrcat(*state, key, "=1", NULL));
            assert_written(*state, &item, apr_pstrcat(*state, "1;", key, "=2", NULL));
            assert_written(*state, &list, apr_pstrcat(*state, "();", key, NULL));
        } else {
            assert_refused(*state, &dictionary, IA_SFV_MALFORMED);
            assert_refused(*state, &item, IA_SFV_MALFORMED);
            assert_refused(*state, &list, IA_SFV_MALFORMED);
        }
    }
}

static void test_structure(void **state)
{
    apr_pool_t *p = *state;
    ia_sfv_field field = {DICT, NULL, 0}, inner = {LIST, NULL, 0};
    ia_sfv_member *member;
    char *text;

    member = add_member(p, &field, "sig1", number_value(IA_SFV_INNER_LIST, 0));
    add_param(p, add_member(p, &inner, NULL, text_value(p, IA_SFV_STRING, LIT("@query-param"))), "name",
              text_value(p, IA_SFV_STRING, LIT("a")));
    add_member(p, &inner, NULL, text_value(p, IA_SFV_STRING, LIT("date")));
    member->items = inner.first;
    add_param(p, member, "created", number_value(IA_SFV_INTEGER, 1618884473));
    add_param(p, member, "flag", number_value(IA_SFV_BOOLEAN, 1));
    add_param(p, member, "not", number_value(IA_SFV_BOOLEAN, 0));
    add_param(p, add_member(p, &field, "yes", number_value(IA_SFV_BOOLEAN, 1)), "q", number_value(IA_SFV_DECIMAL, 500));
    add_member(p, &field, "no", number_value(IA_SFV_BOOLEAN, 0));
    assert_written(p, &field,
                   "sig1=(\"@query-param\";name=\"a\" \"date\");created=1618884473;flag;not=?0, yes;q=0.5, no=?0");
    assert_result(ia_sfv_format_member(&text, NULL, p, member), IA_OK);
    assert_string_equal(text, "(\"@query-param\";name=\"a\" \"date\");created=1618884473;flag;not=?0");
    assert_result(ia_sfv_format_member(&text, NULL, p, member->items), IA_OK);
    assert_string_equal(text, "\"@query-param\";name=\"a\"");
    /* alone, true is written */
    assert_result(ia_sfv_format_member(&text, NULL, p, member->next), IA_OK);
    assert_string_equal(text, "?1;q=0.5");
    field.kind = LIST;
    assert_written(p, &field, "(\"@query-param\";name=\"a\" \"date\");created=1618884473;flag;not=?0, ?1;q=0.5, ?0");
}

static void test_empty_fields(void **state)
{
    ia_sfv_field list = {LIST, NULL, 0}, dictionary = {DICT, NULL, 0}, item = {ITEM, NULL, 0};

    assert_written(*state, &list, "");
    assert_written(*state, &dictionary, "");
    assert_refused(*state, &item, IA_SFV_MALFORMED);
}

static void test_refused_structures(void **state)
{
    apr_pool_t *p = *state;
    ia_sfv_field two = {ITEM, NULL, 0}, nested = {LIST, NULL, 0}, inner = {LIST, NULL, 0}, param = {LIST, NULL, 0},
                 late = {DICT, NULL, 0};
    ia_sfv_member *member;

    add_member(p, &two, NULL, number_value(IA_SFV_INTEGER, 1));
    add_member(p, &two, NULL, number_value(IA_SFV_INTEGER, 2));
    assert_refused(p, &two, IA_SFV_MALFORMED);

    member = add_member(p, &nested, NULL, number_value(IA_SFV_INNER_LIST, 0));
    add_member(p, &inner, NULL, number_value(IA_SFV_INTEGER, 1));
    member->items = inner.first;
    assert_written(p, &nested, "(1)");
    inner.first->value.type = IA_SFV_INNER_LIST;
    assert_refused(p, &nested, IA_SFV_MALFORMED);

    add_param(p, add_member(p, &param, NULL, number_value(IA_SFV_INTEGER, 1)), "a", number_value(IA_SFV_INNER_LIST, 0));
    assert_refused(p, &param, IA_SFV_MALFORMED);

    /* the fault may come last, or in a parameter of an inner item */
    add_member(p, &late, "a", number_value(IA_SFV_INTEGER, 1));
    add_member(p, &late, "b", number_value(IA_SFV_INTEGER, MAX + 1));
    assert_refused(p, &late, IA_SFV_MALFORMED);
    inner.first->value.type = IA_SFV_INTEGER;
    add_param(p, inner.first, "x", text_value(p, IA_SFV_TOKEN, LIT("1")));
    assert_refused(p, &nested, IA_SFV_MALFORMED);
}

static void test_repeated_keys(void **state)
{
    apr_pool_t *p = *state;
    ia_sfv_field field = {DICT, NULL, 0};
    ia_sfv_member *member = add_member(p, &field, "a", number_value(IA_SFV_INTEGER, 1));
    char *text;

    add_param(p, member, "a", number_value(IA_SFV_INTEGER, 1));
    add_member(p, &field, "b", number_value(IA_SFV_INTEGER, 1));
    assert_written(p, &field, "a=1;a=1, b=1");
    add_member(p, &field, "a", number_value(IA_SFV_INTEGER, 1));
    assert_refused(p, &field, IA_SFV_DUPLICATE);
    add_param(p, member, "b", number_value(IA_SFV_INTEGER, 1));
    assert_result(ia_sfv_format_member(&text, NULL, p, member), IA_OK);
    add_param(p, member, "a", number_value(IA_SFV_INTEGER, 2));
    assert_result(ia_sfv_format_member(&text, NULL, p, member), IA_SFV_DUPLICATE);
    assert_null(text);
    field.kind = LIST;
    assert_refused(p, &field, IA_SFV_DUPLICATE);
}

static void test_canonical_forms(void **state)
{
    static const struct {
        ia_sfv_kind kind;
        const char *read, *written;
    } cases[] = {
        {ITEM, "  -042 ; a=?1 ", NULL},
        {ITEM, "  -042;  a=?1;b=-0 ", "-42;a;b=0"},
        {ITEM, "1.200", "1.2"},
        {ITEM, "-0.0", "0.0"},
        {ITEM, "@-0", "@0"},
        {ITEM, ":iZ:", ":iQ==:"},
        {ITEM, "%\"%61%7e%25\"", "%\"a~%25\""},
        {ITEM, "\"\\\"\\\\\"", "\"\\\"\\\\\""},
        {LIST, " a ,\tb,(  c   d )  ", "a, b, (c d)"},
        {LIST, "()", "()"},
        {LIST, "(  );a=?1", "();a"},
        {LIST, "?1,?0", "?1, ?0"},
        {DICT, "a=?1,b=?0,c=?1;d=?1", "a, b=?0, c;d"},
        {DICT, "a=1,b=2,a=3", "a=3, b=2"},
        {DICT, "a;x=1;y=2;x=3", "a;x=3;y=2"},
        {DICT, "  ", ""},
    };
    apr_pool_t *p = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t len = strlen(cases[i].read);
        ia_sfv_field field;
        ia_result rc = ia_sfv_parse(&field, p, cases[i].kind, exact(p, cases[i].read, len), len, 0, NULL);

        assert_result(rc, cases[i].written != NULL ? IA_OK : IA_SFV_MALFORMED);
        if (cases[i].written != NULL)
            assert_written(p, &field, cases[i].written);
    }
}

static void test_bytes_of_every_length(void **state)
{
    uint64_t seed = 11;
    unsigned char data[200] = {0};

    for (size_t len = 0; len <= sizeof data; len++) {
        char encoded[IA_BASE64_SIZE(sizeof data)];
        ia_sfv_field field = {ITEM, NULL, 0};
        apr_size_t text_len;
        char *text;

        random_fill(&seed, data, len);
        ia_base64_encode(encoded, data, len);
        add_member(*state, &field, NULL, text_value(*state, IA_SFV_BYTES, (const char *)data, len));
        assert_written(*state, &field, apr_pstrcat(*state, ":", encoded, ":", NULL));
        assert_result(ia_sfv_format(&text, &text_len, *state, &field), IA_OK);
        assert_result(ia_sfv_parse(&field, *state, ITEM, exact(*state, text, text_len), text_len, IA_SFV_STRICT, NULL),
                      IA_OK);
        assert_int_equal(field.first->value.text.len, len);
        assert_memory_equal(field.first->value.text.data, data, len);
    }
}

/* Random trees: what is written is read strictly as the same tree. */
static ia_sfv_value random_value(apr_pool_t *p, uint64_t *seed)
{
    static const char token[] = "aZ*09!#$%&'+-.^_`|~:/";
    ia_sfv_type type = (ia_sfv_type)(random_next(seed) % IA_SFV_INNER_LIST);
    ia_sfv_value value = {type, (apr_int64_t)(random_next(seed) % (2 * (uint64_t)MAX + 1)) - MAX, {NULL, 0}};
    char data[24];
    size_t len = random_next(seed) % sizeof data, i;

    if (type == IA_SFV_BOOLEAN)
        value.number &= 1;
    random_fill(seed, data, sizeof data);
    for (i = 0; i < sizeof data; i++) {
        if (type == IA_SFV_STRING)
            data[i] = (char)(0x20 + (unsigned char)data[i] % 0x5f);
        else if (type == IA_SFV_TOKEN)
            data[i] = i == 0 ? 'T' : token[(unsigned char)data[i] % (sizeof token - 1)];
        else if (type == IA_SFV_DISPLAY)
            data[i] &= 0x7f;
    }
    value.text = text_of(p, data, type == IA_SFV_TOKEN ? len + (len == 0) : len);
    return value;
}

static void assert_same_value(const ia_sfv_value *a, const ia_sfv_value *b)
{
    assert_int_equal(a->type, b->type);
    if (a->type == IA_SFV_STRING || a->type == IA_SFV_TOKEN || a->type == IA_SFV_BYTES || a->type == IA_SFV_DISPLAY) {
        assert_int_equal(a->text.len, b->text.len);
        assert_memory_equal(a->text.data, b->text.data, a->text.len);
    } else {
        assert_true(a->number == b->number);
    }
}

static void test_random_trees(void **state)
{
    uint64_t seed = 42;

    for (unsigned round = 0; round < 300; round++) {
        ia_sfv_field field = {round % 2 ? DICT : LIST, NULL, 0}, again;
        const ia_sfv_member *a, *b;
        apr_size_t len;
        apr_pool_t *p;
        char *text;

        apr_pool_create(&p, *state);
        for (unsigned i = 0; i < round % 9; i++) {
            ia_sfv_member *member = add_member(p, &field, apr_psprintf(p, "k%u", i), random_value(p, &seed));

            for (unsigned j = 0; j < random_next(&seed) % 4; j++)
                add_param(p, member, apr_psprintf(p, "*%u", j), random_value(p, &seed));
        }
        assert_result(ia_sfv_format(&text, &len, p, &field), IA_OK);
        assert_result(ia_sfv_parse(&again, p, field.kind, exact(p, text, len), len, IA_SFV_STRICT, NULL), IA_OK);
        assert_int_equal(again.count, field.count);
        for (a = field.first, b = again.first; a != NULL; a = a->next, b = b->next) {
            const ia_sfv_param *x = a->params, *y = b->params;

            assert_same_value(&a->value, &b->value);
            assert_int_equal(a->param_count, b->param_count);
            for (; x != NULL; x = x->next, y = y->next)
                assert_same_value(&x->value, &y->value);
        }
        apr_pool_destroy(p);
    }
}

static void test_decimal(void **state)
{
    static const struct {
        double number;
        apr_int64_t thousandths;
    } cases[] = {
        {0, 0},
        {-0.0, 0},
        {1, 1000},
        {-1.5, -1500},
        {0.0015, 2},
        {0.0025, 2},
        {-0.0015, -2},
        {-0.0025, -2},
        {9.9995, 10000},
        {0.0004, 0},
        {0.0006, 1},
        {-0.0006, -1},
        {1e-300, 0},
        {1.23, 1230},
        {123456.789, 123456789},
        {999999999999.999, MAX},
        {-999999999999.999, -MAX},
    };
    static const double refused[] = {1e12,  -1e12,  1000000000000.1,  -1000000000000.1,  999999999999.9999, 1e18,
                                     1e300, -1e300, (double)INFINITY, -(double)INFINITY, (double)NAN};
    apr_int64_t n;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        n = 77;
        assert_result(ia_sfv_decimal(&n, cases[i].number), IA_OK);
        assert_true(n == cases[i].thousandths);
    }
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        n = 77;
        assert_result(ia_sfv_decimal(&n, refused[i]), IA_SFV_MALFORMED);
        assert_int_equal(n, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pool_test(test_numbers),       pool_test(test_texts),           pool_test(test_keys),
        pool_test(test_structure),     pool_test(test_empty_fields),    pool_test(test_refused_structures),
        pool_test(test_repeated_keys), pool_test(test_canonical_forms), pool_test(test_bytes_of_every_length),
        pool_test(test_random_trees),  pool_test(test_decimal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
