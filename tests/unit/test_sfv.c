/* Reading structured fields: every type, every refusal, bounds, the two ways with repeated keys. */
#include "support.h"
#include "interauth/sfv.h"

#define ITEM IA_SFV_ITEM
#define LIST IA_SFV_LIST
#define DICT IA_SFV_DICTIONARY

static ia_result parse_bytes(ia_sfv_field *out, apr_pool_t *p, ia_sfv_kind kind, const char *text, apr_size_t len,
                             unsigned flags, const ia_sfv_limits *limits)
{
    ia_result rc;

    memset(out, 0xa5, sizeof *out);
    rc = ia_sfv_parse(out, p, kind, exact(p, text, len), len, flags, limits);
    assert_int_equal(out->kind, kind);
    if (rc != IA_OK) {
        assert_null(out->first);
        assert_int_equal(out->count, 0);
    }
    return rc;
}

static ia_result parse(ia_sfv_field *out, apr_pool_t *p, ia_sfv_kind kind, const char *text, unsigned flags)
{
    return parse_bytes(out, p, kind, text, strlen(text), flags, NULL);
}

static const ia_sfv_member *parse_item(apr_pool_t *p, const char *text)
{
    ia_sfv_field field;

    if (parse(&field, p, ITEM, text, IA_SFV_STRICT) != IA_OK)
        fail_msg("refused: %s", text);
    assert_int_equal(field.count, 1);
    assert_null(field.first->next);
    return field.first;
}

static ia_sfv_field parse_ok(apr_pool_t *p, ia_sfv_kind kind, const char *text)
{
    ia_sfv_field field;
    const ia_sfv_member *member;
    unsigned n = 0;

    if (parse(&field, p, kind, text, IA_SFV_STRICT) != IA_OK)
        fail_msg("refused: %s", text);
    for (member = field.first; member != NULL; member = member->next)
        n++;
    assert_int_equal(n, field.count);
    return field;
}

static void assert_text(ia_sfv_text text, const char *expected)
{
    assert_non_null(text.data);
    if (text.len != strlen(expected) || memcmp(text.data, expected, text.len) != 0)
        fail_msg("\"%.*s\" instead of \"%s\"", (int)text.len, text.data, expected);
}

/* ---- bare items ---- */

static void test_numbers(void **state)
{
    static const struct {
        const char *text;
        ia_sfv_type type;
        apr_int64_t number;
    } cases[] = {
        {"0", IA_SFV_INTEGER, 0},
        {"-0", IA_SFV_INTEGER, 0},
        {"00", IA_SFV_INTEGER, 0},
        {"042", IA_SFV_INTEGER, 42},
        {"-042", IA_SFV_INTEGER, -42},
        {"999999999999999", IA_SFV_INTEGER, APR_INT64_C(999999999999999)},
        {"-999999999999999", IA_SFV_INTEGER, APR_INT64_C(-999999999999999)},
        {"000000000000001", IA_SFV_INTEGER, 1},
        {"1.5", IA_SFV_DECIMAL, 1500},
        {"-1.5", IA_SFV_DECIMAL, -1500},
        {"0.001", IA_SFV_DECIMAL, 1},
        {"-0.001", IA_SFV_DECIMAL, -1},
        {"-0.0", IA_SFV_DECIMAL, 0},
        {"1.23", IA_SFV_DECIMAL, 1230},
        {"1.200", IA_SFV_DECIMAL, 1200},
        {"999999999999.999", IA_SFV_DECIMAL, APR_INT64_C(999999999999999)},
        {"-999999999999.999", IA_SFV_DECIMAL, APR_INT64_C(-999999999999999)},
        {"@0", IA_SFV_DATE, 0},
        {"@-0", IA_SFV_DATE, 0},
        {"@1659578233", IA_SFV_DATE, 1659578233},
        {"@-62135596800", IA_SFV_DATE, APR_INT64_C(-62135596800)},
        {"@999999999999999", IA_SFV_DATE, APR_INT64_C(999999999999999)},
        {"?0", IA_SFV_BOOLEAN, 0},
        {"?1", IA_SFV_BOOLEAN, 1},
    };
    const ia_sfv_member *item;
    size_t i;

    for (i = 0; i < COUNT_OF(cases); i++) {
        item = parse_item(*state, cases[i].text);
        assert_int_equal(item->value.type, cases[i].type);
        assert_true(item->value.number == cases[i].number);
        assert_text(item->source, cases[i].text);
        assert_null(item->params);
        assert_int_equal(item->param_count, 0);
    }
}

static void test_texts(void **state)
{
    static const struct {
        const char *text;
        ia_sfv_type type;
        const char *value;
        int copied;
    } cases[] = {
        {"\"\"", IA_SFV_STRING, "", 0},
        {"\"hello world\"", IA_SFV_STRING, "hello world", 0},
        {"\"a;b=(c), d\"", IA_SFV_STRING, "a;b=(c), d", 0},
        {"\"\\\"\"", IA_SFV_STRING, "\"", 1},
        {"\"\\\\\"", IA_SFV_STRING, "\\", 1},
        {"\"a\\\\\\\"b\\\\\"", IA_SFV_STRING, "a\\\"b\\", 1},
        {"\"%c3\"", IA_SFV_STRING, "%c3", 0},
        {"a", IA_SFV_TOKEN, "a", 0},
        {"*", IA_SFV_TOKEN, "*", 0},
        {"Z9!#$%&'*+-.^_`|~:/", IA_SFV_TOKEN, "Z9!#$%&'*+-.^_`|~:/", 0},
        {"text/html", IA_SFV_TOKEN, "text/html", 0},
        {"%\"\"", IA_SFV_DISPLAY, "", 0},
        {"%\"plain \\ text\"", IA_SFV_DISPLAY, "plain \\ text", 0},
        {"%\"f%c3%bc%22%25\"", IA_SFV_DISPLAY, "f\xc3\xbc\"%", 1},
        {"%\"%61\"", IA_SFV_DISPLAY, "a", 1},
        {"%\"%f0%9f%98%80\"", IA_SFV_DISPLAY, "\xf0\x9f\x98\x80", 1},
        {"%\"%ed%9f%bf%ee%80%80%f4%8f%bf%bf\"", IA_SFV_DISPLAY, "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf", 1},
        {"%\"%e0%a0%80%f0%90%80%80%c2%80%df%bf\"", IA_SFV_DISPLAY, "\xe0\xa0\x80\xf0\x90\x80\x80\xc2\x80\xdf\xbf", 1},
        {"::", IA_SFV_BYTES, "", 1},
        {":aGVsbG8=:", IA_SFV_BYTES, "hello", 1},
        {":aGVsbG8h:", IA_SFV_BYTES, "hello!", 1},
        {":aGVsbA==:", IA_SFV_BYTES, "hell", 1},
        {":+/+/:", IA_SFV_BYTES, "\xfb\xff\xbf", 1},
    };
    const ia_sfv_member *item;
    const char *data, *start;
    size_t i;

    for (i = 0; i < COUNT_OF(cases); i++) {
        item = parse_item(*state, cases[i].text);
        assert_int_equal(item->value.type, cases[i].type);
        assert_text(item->value.text, cases[i].value);
        assert_text(item->source, cases[i].text);
        data = item->value.text.data;
        start = item->source.data;
        assert_int_equal(data >= start && data < start + item->source.len, !cases[i].copied);
    }
}

static void test_nul_in_values(void **state)
{
    const ia_sfv_member *item = parse_item(*state, ":AAEA:");

    assert_int_equal(item->value.text.len, 3);
    assert_memory_equal(item->value.text.data, "\0\1\0", 3);
    item = parse_item(*state, "%\"a%00b\"");
    assert_int_equal(item->value.text.len, 3);
    assert_memory_equal(item->value.text.data, "a\0b", 3);
}

static void test_refused_items(void **state)
{
    static const char *const cases[] = {
        /* nothing, or not only an item */
        "",
        " ",
        "   ",
        ";",
        ";a",
        "=",
        ",",
        "1,2",
        "1 2",
        "1\t",
        "\t1",
        "1;",
        "1 ;a",
        "()",
        "(1)",
        ")",
        "\x80",
        "\xff",
        /* numbers */
        "-",
        "--1",
        "+1",
        "-a",
        "1-",
        "1.",
        "1.;a",
        ".1",
        "-.1",
        "1..2",
        "1.2.3",
        "1.2345",
        "1. 2",
        "1e3",
        "0x1",
        "1234567890123456",
        "-1234567890123456",
        "0000000000000001",
        "1234567890123.0",
        "-1234567890123.0",
        "1234567890123.",
        "123456789012345.1",
        /* dates */
        "@",
        "@-",
        "@ 1",
        "@a",
        "@1.0",
        "@1.",
        "@1234567890123456",
        "@@1",
        "@\"1\"",
        /* strings */
        "\"",
        "\"a",
        "\"\\",
        "\"\\\"",
        "\"\\a\"",
        "\"\\",
        "\"a\\",
        "\"\t\"",
        "\"\n\"",
        "\"\x7f\"",
        "\"\x80\"",
        "\"\xc3\xbc\"",
        "'a'",
        "\"a\"b",
        "\"a\"\"b\"",
        /* tokens */
        "a,",
        "a b",
        "a(",
        "a\"",
        "a@",
        "a[",
        "a\\",
        "a{",
        "a?",
        "a<",
        "a\x7f",
        "a\xc3\xa4",
        "!a",
        "_a",
        "/a",
        "-a",
        "~",
        /* booleans */
        "?",
        "?2",
        "?a",
        "? 1",
        "?10",
        "?T",
        "??1",
        "?-1",
        /* byte sequences */
        ":",
        ":a",
        ":aGVsbG8=",
        ":=aGVsbG8=:",
        ":a=GVsbG8=:",
        ":aGVs bG8=:",
        ": :",
        ":aGVs\nbG8=:",
        ":a:",
        ":a===:",
        ":aGVsb:",
        ":=:",
        ":==:",
        ":====:",
        ":aGVs====:",
        ":aGVs=:",
        ":aGVsbG8==:",
        ":aGVsbA===:",
        ":aGVsbG8.:",
        ":aGVsbG-_:",
        ":\xff\xff\xff\xff:",
        ":aGVsbG8=:a",
        ":aGVsbG8=::",
        /* display strings */
        "%",
        "%a",
        "%\"",
        "%\"a",
        "%\"%",
        "%\"%\"",
        "%\"%a",
        "%\"%a\"",
        "%\"%c",
        "%\"%c3",
        "%\"%C3%BC\"",
        "%\"%g0\"",
        "%\"%0g\"",
        "%\"\t\"",
        "%\"\x7f\"",
        "%\"\xc3\xbc\"",
        "% \"a\"",
        "%'a'",
        "%\"a\"b",
        /* not UTF-8: lone continuation, bad lead bytes, cut short, overlong, surrogates, above U+10FFFF */
        "%\"%80\"",
        "%\"%bf\"",
        "%\"%c3\"",
        "%\"%c3%28\"",
        "%\"%c3%c3\"",
        "%\"%c0%80\"",
        "%\"%c1%bf\"",
        "%\"%e2%82\"",
        "%\"%e2%28%a1\"",
        "%\"%e2%82%28\"",
        "%\"%e0%9f%bf\"",
        "%\"%ed%a0%80\"",
        "%\"%ed%bf%bf\"",
        "%\"%f0%28%8c%bc\"",
        "%\"%f0%9f%98\"",
        "%\"%f0%9f%98%28\"",
        "%\"%f0%8f%bf%bf\"",
        "%\"%f4%90%80%80\"",
        "%\"%f5%80%80%80\"",
        "%\"%ff\"",
        "%\"%fe%80\"",
        /* parameters */
        "1;",
        "1;;a",
        "1;A",
        "1;1",
        "1;-a",
        "1;_a",
        "1;.a",
        "1;a=",
        "1;a =1",
        "1;a= 1",
        "1;a=(1)",
        "1;a=()",
        "1;a=1 ;b",
        "1;a;",
        "1;\ta",
        "1;a\t;b",
        "1;a=1=2",
        "1;a=\"",
        "1;a=:a:",
        "1;=1",
        "1;a!b",
        "1;a=b;c=@x",
    };
    ia_sfv_field field;
    size_t i;

    for (i = 0; i < COUNT_OF(cases); i++) {
        if (parse(&field, *state, ITEM, cases[i], 0) != IA_SFV_MALFORMED)
            fail_msg("item %zu not refused: %s", i, cases[i]);
        if (parse(&field, *state, ITEM, cases[i], IA_SFV_STRICT) != IA_SFV_MALFORMED)
            fail_msg("item %zu not refused strictly: %s", i, cases[i]);
    }
}

static void test_base64_modes(void **state)
{
    static const struct {
        const char *text, *value;
    } cases[] = {
        {":aGVsbG8:", "hello"},                        /* no padding */
        {":aGVsbA:", "hell"},   {":aGVsbA=:", "hell"}, /* half of it */
        {":iZ==:", "\x89"},                            /* pad bits */
        {":iZ:", "\x89"},       {":aGVsbG9=:", "hello"},
    };
    ia_sfv_field field;
    size_t i;

    for (i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(parse(&field, *state, ITEM, cases[i].text, 0), IA_OK);
        assert_text(field.first->value.text, cases[i].value);
        assert_int_equal(parse(&field, *state, ITEM, cases[i].text, IA_SFV_UNIQUE), IA_OK);
        assert_int_equal(parse(&field, *state, ITEM, cases[i].text, IA_SFV_EXACT), IA_SFV_MALFORMED);
        assert_int_equal(parse(&field, *state, ITEM, cases[i].text, IA_SFV_STRICT), IA_SFV_MALFORMED);
    }
}

static int in_set(unsigned c, const char *set)
{
    return c != 0 && strchr(set, (int)c) != NULL;
}

/* Each of the 256 bytes in each kind of place, held against the grammar written out as sets. */
static void test_every_byte_in_every_place(void **state)
{
    static const char lower[] = "abcdefghijklmnopqrstuvwxyz", upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
                      digit[] = "0123456789";
    ia_sfv_field field;
    char text[8];
    unsigned c;
    int expected;

    for (c = 0; c < 256; c++) {
        expected = in_set(c, lower) || c == '*';
        text[0] = (char)c;
        assert_int_equal(parse_bytes(&field, *state, DICT, text, 1, 0, NULL) == IA_OK, expected || c == ' ');
        memcpy(text, "1;", 2);
        text[2] = (char)c;
        assert_int_equal(parse_bytes(&field, *state, ITEM, text, 3, 0, NULL) == IA_OK, expected);

        expected = expected || in_set(c, digit) || in_set(c, "_-.");
        text[0] = 'a';
        text[1] = (char)c;
        text[2] = 'a';
        assert_int_equal(parse_bytes(&field, *state, DICT, text, 3, 0, NULL) == IA_OK, expected || in_set(c, "=,;"));

        expected = in_set(c, lower) || in_set(c, upper) || c == '*';
        memcpy(text, "0a", 2);
        text[0] = (char)c;
        assert_int_equal(parse_bytes(&field, *state, ITEM, text, 2, 0, NULL) == IA_OK, expected || c == ' ');

        expected = expected || in_set(c, digit) || in_set(c, "!#$%&'*+-.^_`|~:/");
        memcpy(text, "a.a", 3);
        text[1] = (char)c;
        assert_int_equal(parse_bytes(&field, *state, ITEM, text, 3, 0, NULL) == IA_OK, expected || c == ';');

        memcpy(text, "\".a\"", 4);
        text[1] = (char)c;
        assert_int_equal(parse_bytes(&field, *state, ITEM, text, 4, 0, NULL) == IA_OK,
                         c >= 0x20 && c < 0x7f && c != '"' && c != '\\');
        memcpy(text, "%\".a\"", 5);
        text[2] = (char)c;
        assert_int_equal(parse_bytes(&field, *state, ITEM, text, 5, 0, NULL) == IA_OK,
                         c >= 0x20 && c < 0x7f && c != '"' && c != '%');
        memcpy(text, ":aa.a:", 6);
        text[3] = (char)c;
        assert_int_equal(parse_bytes(&field, *state, ITEM, text, 6, 0, NULL) == IA_OK,
                         in_set(c, lower) || in_set(c, upper) || in_set(c, digit) || in_set(c, "+/"));
    }
}

/* ---- structure ---- */

static void test_parameters(void **state)
{
    const ia_sfv_member *item =
        parse_item(*state, "  1;a;  b=?0;c=\"x\\\"\";*d-_.9=tok;e=:AQ==:;f=@7;g=-1.5;h=%\"%c3%bc\"  ");
    const ia_sfv_param *param;
    unsigned n = 0;

    assert_text(item->source, "1;a;  b=?0;c=\"x\\\"\";*d-_.9=tok;e=:AQ==:;f=@7;g=-1.5;h=%\"%c3%bc\"");
    assert_int_equal(item->param_count, 8);
    for (param = item->params; param != NULL; param = param->next)
        n++;
    assert_int_equal(n, 8);
    assert_text(item->params->key, "a");
    assert_text(item->params->next->key, "b");
    assert_int_equal(ia_sfv_param_get(item, "a")->type, IA_SFV_BOOLEAN);
    assert_int_equal(ia_sfv_param_get(item, "a")->number, 1);
    assert_int_equal(ia_sfv_param_get(item, "b")->type, IA_SFV_BOOLEAN);
    assert_int_equal(ia_sfv_param_get(item, "b")->number, 0);
    assert_text(ia_sfv_param_get(item, "c")->text, "x\"");
    assert_int_equal(ia_sfv_param_get(item, "c")->number, 0);
    assert_null(ia_sfv_param_get(item, "a")->text.data);
    assert_null(ia_sfv_param_get(item, "f")->text.data);
    assert_int_equal(ia_sfv_param_get(item, "*d-_.9")->type, IA_SFV_TOKEN);
    assert_text(ia_sfv_param_get(item, "e")->text, "\1");
    assert_int_equal(ia_sfv_param_get(item, "f")->type, IA_SFV_DATE);
    assert_int_equal(ia_sfv_param_get(item, "g")->number, -1500);
    assert_text(ia_sfv_param_get(item, "h")->text, "\xc3\xbc");
    assert_null(ia_sfv_param_get(item, "i"));
    assert_null(ia_sfv_param_get(item, ""));
    assert_null(ia_sfv_param_get(NULL, "a"));
}

static void test_lists(void **state)
{
    ia_sfv_field field = parse_ok(*state, LIST, " a;x , \t(\"b\";y=1  c );z,() ,3 ");
    const ia_sfv_member *m = field.first;

    assert_int_equal(field.count, 4);
    assert_text(m->source, "a;x");
    assert_int_equal(m->value.type, IA_SFV_TOKEN);
    assert_non_null(ia_sfv_param_get(m, "x"));
    m = m->next;
    assert_text(m->source, "(\"b\";y=1  c );z");
    assert_int_equal(m->value.type, IA_SFV_INNER_LIST);
    assert_int_equal(m->item_count, 2);
    assert_text(m->items->source, "\"b\";y=1");
    assert_text(m->items->value.text, "b");
    assert_int_equal(ia_sfv_param_get(m->items, "y")->number, 1);
    assert_text(m->items->next->source, "c");
    assert_null(m->items->next->next);
    assert_non_null(ia_sfv_param_get(m, "z"));
    assert_null(ia_sfv_param_get(m, "y"));
    m = m->next;
    assert_text(m->source, "()");
    assert_null(m->items);
    assert_int_equal(m->item_count, 0);
    assert_text(m->next->source, "3");
    assert_null(ia_sfv_get(&field, "a"));
}

static void test_dictionaries(void **state)
{
    ia_sfv_field field = parse_ok(*state, DICT, "a=1;x, b;foo=9,\tc=(1 2);y , d,*e=?0");

    assert_int_equal(field.count, 5);
    assert_text(field.first->key, "a");
    assert_text(field.first->source, "1;x");
    assert_text(ia_sfv_get(&field, "b")->source, ";foo=9");
    assert_int_equal(ia_sfv_get(&field, "b")->value.type, IA_SFV_BOOLEAN);
    assert_int_equal(ia_sfv_get(&field, "b")->value.number, 1);
    assert_text(ia_sfv_get(&field, "c")->source, "(1 2);y");
    assert_text(ia_sfv_get(&field, "d")->source, "");
    assert_int_equal(ia_sfv_get(&field, "*e")->value.number, 0);
    assert_null(ia_sfv_get(&field, "x"));
    assert_null(ia_sfv_get(&field, "A"));
    assert_null(ia_sfv_get(&field, ""));
    assert_null(ia_sfv_get(&field, "aa"));
}

/* As a signature verifier reads Signature-Input: the slice and the pieces. */
static void test_signature_input(void **state)
{
    static const char value[] =
        "sig1=(\"@method\" \"@query-param\";name=\"a\" \"content-digest\";req);created=1618884473;"
        "keyid=\"test-key\";nonce=\"b3k2pp5k7z-50gnwp.yemd\"";
    ia_sfv_field field = parse_ok(*state, DICT, value);
    const ia_sfv_member *sig = ia_sfv_get(&field, "sig1");

    assert_text(sig->source, value + strlen("sig1="));
    assert_int_equal(sig->item_count, 3);
    assert_text(sig->items->value.text, "@method");
    assert_text(ia_sfv_param_get(sig->items->next, "name")->text, "a");
    assert_true(ia_sfv_text_is(&sig->items->next->next->value.text, "content-digest"));
    assert_int_equal(ia_sfv_param_get(sig, "created")->number, 1618884473);
}

static void test_empty_fields(void **state)
{
    static const char *const empties[] = {"", " ", "     "};
    ia_sfv_field field;
    size_t i;

    for (i = 0; i < COUNT_OF(empties); i++) {
        assert_int_equal(parse(&field, *state, LIST, empties[i], IA_SFV_STRICT), IA_OK);
        assert_null(field.first);
        assert_int_equal(field.count, 0);
        assert_int_equal(parse(&field, *state, DICT, empties[i], IA_SFV_STRICT), IA_OK);
        assert_null(field.first);
        assert_null(ia_sfv_get(&field, "a"));
    }
    assert_int_equal(ia_sfv_parse(&field, *state, LIST, NULL, 0, 0, NULL), IA_OK);
    assert_int_equal(ia_sfv_parse(&field, *state, ITEM, NULL, 0, 0, NULL), IA_SFV_MALFORMED);
}

static void test_refused_lists(void **state)
{
    static const char *const cases[] = {
        ",",        "1,",         "1, ",   "1,\t", "1,,2",   "1, ,2",  ",1",        "1 2",    "1;a 2",
        "\t1",      "1;,2",       "(",     "(1",   "(1 ",    "(1 2",   "(1,2)",     "(1\t2)", "(\t1)",
        "(1\"a\")", "(a(b))",     "((a))", "(()",  "())",    "(1)(2)", "(1) (2)",   "(1);",   "(1);A",
        "( ",       "(\"a\";b=)", "(1",    "(a;b", "(a;b=1", "a=1",    "(1);a=(2)", "(:a:)",
    };
    ia_sfv_field field;
    size_t i;

    for (i = 0; i < COUNT_OF(cases); i++) {
        if (parse(&field, *state, LIST, cases[i], 0) != IA_SFV_MALFORMED)
            fail_msg("list not refused: %s", cases[i]);
    }
}

static void test_refused_dictionaries(void **state)
{
    static const char *const cases[] = {
        ",",    "=",    "=1",   "a=",   "a=,b",    "a =1",    "a= 1", "a=1,",   "a=1, ",   "a,,b",    "a=1 b=2",
        "a b",  "A=1",  "1=1",  "-a=1", "\"a\"=1", "a=1,B=2", "a!=1", "a=(1",   "a=(1,2)", "a=((1))", "a;",
        "a;=1", "a;b=", "a=;b", "a==1", "a=1=2",   "a.b=c=d", "\ta",  "a=1;b;", "a=?",
    };
    ia_sfv_field field;
    size_t i;

    for (i = 0; i < COUNT_OF(cases); i++) {
        if (parse(&field, *state, DICT, cases[i], 0) != IA_SFV_MALFORMED)
            fail_msg("dictionary not refused: %s", cases[i]);
    }
}

static void test_a_nul_ends_nothing(void **state)
{
    ia_sfv_field field;

    assert_int_equal(parse_bytes(&field, *state, ITEM, "a\0", 2, 0, NULL), IA_SFV_MALFORMED);
    assert_int_equal(parse_bytes(&field, *state, LIST, "a\0,b", 4, 0, NULL), IA_SFV_MALFORMED);
    assert_int_equal(parse_bytes(&field, *state, DICT, "a=1\0", 4, 0, NULL), IA_SFV_MALFORMED);
    assert_int_equal(parse_bytes(&field, *state, ITEM, "\"a\0b\"", 5, 0, NULL), IA_SFV_MALFORMED);
    assert_int_equal(parse_bytes(&field, *state, ITEM, ":AA\0A:", 6, 0, NULL), IA_SFV_MALFORMED);
}

static void test_repeated_keys(void **state)
{
    ia_sfv_field field;

    assert_int_equal(parse(&field, *state, DICT, "a=1;x,b=2,a=(3);y,c", IA_SFV_EXACT), IA_OK);
    assert_int_equal(field.count, 3);
    assert_text(field.first->key, "a");
    assert_text(field.first->source, "(3);y");
    assert_int_equal(field.first->value.type, IA_SFV_INNER_LIST);
    assert_int_equal(field.first->param_count, 1);
    assert_text(field.first->next->key, "b");
    assert_text(field.first->next->next->key, "c");
    assert_null(field.first->next->next->next);
    assert_int_equal(parse(&field, *state, DICT, "a=(1 2);x,a", 0), IA_OK);
    assert_int_equal(field.first->value.type, IA_SFV_BOOLEAN);
    assert_null(field.first->items);
    assert_null(field.first->params);

    assert_int_equal(parse(&field, *state, ITEM, "1;a=1;b=2;a=\"z\";c", 0), IA_OK);
    assert_int_equal(field.first->param_count, 3);
    assert_text(field.first->params->key, "a");
    assert_text(field.first->params->value.text, "z");
    assert_int_equal(field.first->params->value.number, 0);
    assert_text(field.first->params->next->next->key, "c");
    assert_int_equal(parse(&field, *state, ITEM, "1;a=\"z\";a", 0), IA_OK);
    assert_int_equal(field.first->params->value.type, IA_SFV_BOOLEAN);
    assert_null(field.first->params->value.text.data);
}

static void test_repeated_keys_refused(void **state)
{
    static const struct {
        ia_sfv_kind kind;
        const char *text;
    } cases[] = {
        {DICT, "a,a"},         {DICT, "a=1,b=2,a=3"},   {DICT, "a=1;x,b,c,a=1;x"}, {ITEM, "1;a;a"},
        {ITEM, "1;a=1;b;a=1"}, {LIST, "1, 2;a;b;a"},    {LIST, "(1;a;a)"},         {LIST, "(1);a;a"},
        {DICT, "a;b;b"},       {DICT, "a=(1 2;c;d;c)"}, {DICT, "a=(1);b=1;b"},     {DICT, "sig=:AA==:,sig=:AQ==:"},
    };
    ia_sfv_field field;
    size_t i;

    for (i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(parse(&field, *state, cases[i].kind, cases[i].text, 0), IA_OK);
        assert_int_equal(parse(&field, *state, cases[i].kind, cases[i].text, IA_SFV_UNIQUE), IA_SFV_DUPLICATE);
        assert_int_equal(parse(&field, *state, cases[i].kind, cases[i].text, IA_SFV_STRICT), IA_SFV_DUPLICATE);
    }
    /* the same key in different places is no repetition */
    parse_ok(*state, DICT, "a;a=1, b;a=1, c=(a;a a;a);a");
    parse_ok(*state, DICT, "a, aa, aaa, a-, a.a");
    parse_ok(*state, LIST, "a, a, (a a), (a a)");
}

/* ---- bounds ---- */

static void test_limits(void **state)
{
    static const ia_sfv_limits small = {12, 3, 2};
    static const struct {
        ia_sfv_kind kind;
        const char *text;
        ia_result rc;
    } cases[] = {
        {ITEM, "\"0123456789\"", IA_OK},
        {ITEM, "\"0123456789a\"", IA_SFV_LIMIT},
        {ITEM, "!!!!!!!!!!!!!", IA_SFV_LIMIT}, /* before anything is read */
        {LIST, "1,2,3", IA_OK},
        {LIST, "1,2,3,4", IA_SFV_LIMIT},
        {LIST, "(1 2 3),4", IA_OK},
        {LIST, "(1 2 3 )", IA_OK},
        {LIST, "(1 2 3 4)", IA_SFV_LIMIT},
        {DICT, "a,b,c", IA_OK},
        {DICT, "a,b,c,d", IA_SFV_LIMIT},
        {DICT, "a,a,a,a", IA_SFV_LIMIT},
        {DICT, "a=(1 2 3)", IA_OK},
        {DICT, "a=(1 2 3 4)", IA_SFV_LIMIT},
        {ITEM, "1;a;b", IA_OK},
        {ITEM, "1;a;b;c", IA_SFV_LIMIT},
        {ITEM, "1;a;a;a", IA_SFV_LIMIT},
        {LIST, "(1;a;b);a;b", IA_OK},
        {LIST, "(1);a;b;c", IA_SFV_LIMIT},
        {LIST, "(1;a;b;c)", IA_SFV_LIMIT},
        {DICT, "a;a;b;c", IA_SFV_LIMIT},
    };
    ia_sfv_field field;
    size_t i;

    for (i = 0; i < COUNT_OF(cases); i++) {
        if (parse_bytes(&field, *state, cases[i].kind, cases[i].text, strlen(cases[i].text), 0, &small) != cases[i].rc)
            fail_msg("limit case %zu: %s", i, cases[i].text);
    }
}

/* `head`, then n times `before`, a counter and `after`, then `tail`. */
static char *repeat(apr_pool_t *p, apr_size_t *len, const char *head, const char *before, const char *after, unsigned n,
                    const char *tail)
{
    apr_size_t room = strlen(head) + (strlen(before) + 10 + strlen(after)) * n + strlen(tail) + 1;
    char *text = apr_palloc(p, room);
    unsigned i;

    *len = (apr_size_t)snprintf(text, room, "%s", head);
    for (i = 0; i < n; i++)
        *len += (apr_size_t)snprintf(text + *len, room - *len, "%s%u%s", before, i, after);
    *len += (apr_size_t)snprintf(text + *len, room - *len, "%s", tail);
    return text;
}

static void test_limits_by_default(void **state)
{
    static const struct {
        ia_sfv_kind kind;
        const char *head, *before, *after, *tail;
        unsigned most;
    } cases[] = {
        {LIST, "0", ",", "", "", IA_SFV_MEMBERS_MAX - 1},  {DICT, "x", ",k", "", "", IA_SFV_MEMBERS_MAX - 1},
        {LIST, "(", "", " ", ")", IA_SFV_MEMBERS_MAX},     {ITEM, "1", ";k", "", "", IA_SFV_PARAMETERS_MAX},
        {LIST, "()", ";k", "", "", IA_SFV_PARAMETERS_MAX},
    };
    ia_sfv_field field;
    apr_size_t len;
    const char *text;
    size_t i;

    for (i = 0; i < COUNT_OF(cases); i++) {
        text = repeat(*state, &len, cases[i].head, cases[i].before, cases[i].after, cases[i].most, cases[i].tail);
        assert_int_equal(parse_bytes(&field, *state, cases[i].kind, text, len, IA_SFV_STRICT, NULL), IA_OK);
        text = repeat(*state, &len, cases[i].head, cases[i].before, cases[i].after, cases[i].most + 1, cases[i].tail);
        assert_int_equal(parse_bytes(&field, *state, cases[i].kind, text, len, IA_SFV_STRICT, NULL), IA_SFV_LIMIT);
    }
}

static void test_huge(void **state)
{
    static const ia_sfv_limits wide = {1 << 23, 1 << 20, 256};
    static const char fillers[] = "\"a(:%1;, =?@\\";
    apr_size_t len = 1 << 20;
    char *text = malloc(len);
    ia_sfv_field field;
    unsigned i;

    /* the largest string that is allowed, and one byte more */
    memset(text, 'x', len);
    text[0] = text[IA_SFV_BYTES_MAX - 1] = '"';
    assert_int_equal(parse_bytes(&field, *state, ITEM, text, IA_SFV_BYTES_MAX, 0, NULL), IA_OK);
    assert_int_equal(field.first->value.text.len, IA_SFV_BYTES_MAX - 2);
    assert_int_equal(parse_bytes(&field, *state, ITEM, text, IA_SFV_BYTES_MAX + 1, 0, NULL), IA_SFV_LIMIT);
    /* a megabyte of one character is refused, not crashed on, whatever it is and however it is read */
    for (i = 0; i < sizeof fillers - 1; i++) {
        memset(text, fillers[i], len);
        if (fillers[i] == 'a')
            continue;
        assert_int_not_equal(parse_bytes(&field, *state, ITEM, text, len, 0, &wide), IA_OK);
        assert_int_equal(parse_bytes(&field, *state, LIST, text, len, 0, &wide) == IA_OK, fillers[i] == ' ');
        assert_int_equal(parse_bytes(&field, *state, DICT, text, len, 0, &wide) == IA_OK, fillers[i] == ' ');
    }
    memset(text, 'a', len);
    assert_int_equal(parse_bytes(&field, *state, ITEM, text, len, 0, &wide), IA_OK);
    assert_int_equal(field.first->value.text.len, len);
    free(text);

    text = repeat(*state, &len, "0", ",", "", 500000, "");
    assert_int_equal(parse_bytes(&field, *state, LIST, text, len, 0, &wide), IA_OK);
    assert_int_equal(field.count, 500001);
}

/* ---- no read past the end, whatever is cut off or changed ---- */

static const char rich[] = "a=\"s\\\"\\\\t\";p;q=?0, b=(1 -2.5;x=tok \"z\" :aGk=: @-7 %\"%c3%bc\" "
                           "?1);l=\"v\", c, d;e=:AA==:, f=*a/b:c";

static void test_every_prefix(void **state)
{
    static const ia_sfv_kind kinds[] = {ITEM, LIST, DICT};
    ia_sfv_field field;
    size_t len, start, k, accepted = 0;

    for (len = 0; len < sizeof rich; len++) {
        for (k = 0; k < COUNT_OF(kinds); k++)
            accepted += parse_bytes(&field, *state, kinds[k], rich, len, IA_SFV_STRICT, NULL) == IA_OK;
        for (start = 0; start < len; start += 7)
            parse_bytes(&field, *state, LIST, rich + start, len - start, IA_SFV_STRICT, NULL);
    }
    assert_true(accepted > 10);
    assert_int_equal(parse_bytes(&field, *state, DICT, rich, sizeof rich - 1, IA_SFV_STRICT, NULL), IA_OK);
    assert_int_equal(field.count, 5);
}

/* What is accepted after one byte was changed says the same again after it was written and read. */
static void test_every_changed_byte(void **state)
{
    static const char bytes[] = "\0\t \"%'()*,-./09:;=?@AZ\\_az~\x7f\x80\xff";
    char text[sizeof rich], *once, *twice;
    size_t i, j, accepted = 0;
    ia_sfv_field field;
    apr_pool_t *p;

    for (i = 0; i < sizeof rich - 1; i++) {
        apr_pool_create(&p, *state);
        for (j = 0; j < sizeof bytes - 1; j++) {
            memcpy(text, rich, sizeof rich);
            text[i] = bytes[j];
            if (parse_bytes(&field, p, DICT, text, sizeof rich - 1, 0, NULL) != IA_OK)
                continue;
            accepted++;
            assert_int_equal(ia_sfv_format(&once, NULL, p, &field), IA_OK);
            assert_int_equal(parse(&field, p, DICT, once, IA_SFV_STRICT), IA_OK);
            assert_int_equal(ia_sfv_format(&twice, NULL, p, &field), IA_OK);
            assert_string_equal(once, twice);
        }
        apr_pool_destroy(p);
    }
    assert_true(accepted > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pool_test(test_numbers),
        pool_test(test_texts),
        pool_test(test_nul_in_values),
        pool_test(test_refused_items),
        pool_test(test_base64_modes),
        pool_test(test_every_byte_in_every_place),
        pool_test(test_parameters),
        pool_test(test_lists),
        pool_test(test_dictionaries),
        pool_test(test_signature_input),
        pool_test(test_empty_fields),
        pool_test(test_refused_lists),
        pool_test(test_refused_dictionaries),
        pool_test(test_a_nul_ends_nothing),
        pool_test(test_repeated_keys),
        pool_test(test_repeated_keys_refused),
        pool_test(test_limits),
        pool_test(test_limits_by_default),
        pool_test(test_huge),
        pool_test(test_every_prefix),
        pool_test(test_every_changed_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
