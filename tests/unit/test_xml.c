/* XML: what is read, what is refused and why, the bounds, where the opaque element lies, and escaping. */
#include <limits.h>
#include "support.h"
#include "interauth/xml.h"

#define MANY_NODES 100000

static ia_result parse(const ia_json **out, apr_pool_t *p, const char *text, size_t len, const char *opaque,
                       ia_xml_slice *slice, ia_json_error *error)
{
    static const ia_json stale = {IA_JSON_NULL, NULL, NULL, 0, 0, NULL, NULL, 0};

    *out = &stale;
    if (slice != NULL) {
        slice->text = "stale";
        slice->len = 5;
    }
    return ia_xml_parse(out, p, text, len, MANY_NODES, opaque, slice, error);
}

/* The tree as JSON. */
static const char *shown(apr_pool_t *p, const ia_json *tree)
{
    ia_json_writer *w = ia_json_writer_create(p);
    const char *text;

    ia_json_write_value(w, tree);
    text = ia_json_writer_text(w, NULL);
    assert_non_null(text);
    return text;
}

static const ia_json *parse_ok(apr_pool_t *p, const char *text, size_t len, const char *opaque, ia_xml_slice *slice)
{
    const ia_json *tree;
    ia_json_error error = {0, NULL};
    ia_result rc = parse(&tree, p, text, len, opaque, slice, &error);

    if (rc != IA_OK) {
        fail_msg("%s refused: %s, %s", text, ia_outcome_of(rc)->tag, error.reason);
    }
    assert_non_null(tree);
    return tree;
}

static void check_tree(apr_pool_t *p, const char *text, const char *wanted)
{
    const ia_json *tree = parse_ok(p, exact(p, text, strlen(text)), strlen(text), NULL, NULL);

    if (strcmp(shown(p, tree), wanted) != 0) {
        fail_msg("%s: %s, not %s", text, shown(p, tree), wanted);
    }
}

static void check_refused_in(apr_pool_t *p, const char *text, size_t len, const char *opaque, ia_result wanted)
{
    const ia_json *tree;
    ia_xml_slice slice;
    ia_json_error error = {99999999, NULL};
    ia_result rc = parse(&tree, p, exact(p, text, len), len, opaque, &slice, &error);

    if (rc != wanted) {
        fail_msg("\"%.*s\": %s, not %s", (int)(len < 80 ? len : 80), text, ia_outcome_of(rc)->tag,
                 ia_outcome_of(wanted)->tag);
    }
    assert_null(tree);
    assert_null(slice.text);
    assert_int_equal(slice.len, 0);
    assert_non_null(error.reason);
    assert_null(strstr(error.reason, "CANARY"));
    assert_true(error.offset <= len);
    assert_result(parse(&tree, p, exact(p, text, len), len, opaque, NULL, NULL), wanted);
}

static void check_refused(apr_pool_t *p, const char *text, ia_result wanted)
{
    check_refused_in(p, text, strlen(text), NULL, wanted);
}

static void test_trees(void **state)
{
    static const struct {
        const char *xml, *json;
    } cases[] = {
        {"<a/>", "\"\""},
        {"<a></a>", "\"\""},
        {"<a>x</a>", "\"x\""},
        {"<a> x\ty </a>", "\" x\\ty \""},
        {"<a>1\r\n2\r3</a>", "\"1\\n2\\n3\""},
        {"<a>&lt;&gt;&amp;&quot;&apos;&#65;&#x20AC;</a>", "\"<>&\\\"'A\xe2\x82\xac\""},
        {"<a><![CDATA[<b>&amp;]]></a>", "\"<b>&amp;\""},
        {"<a>x<![CDATA[y]]>z</a>", "\"xyz\""},
        {"<a><b>1</b><c>2</c></a>", "{\"b\":\"1\",\"c\":\"2\"}"},
        {"<a>\n  <b>1</b>\r\n\t<c/> </a>\n", "{\"b\":\"1\",\"c\":\"\"}"},
        {"<a><b><c><d>x</d></c></b></a>", "{\"b\":{\"c\":{\"d\":\"x\"}}}"},
        {"<a><b>1</b><b>2</b></a>", "{\"b\":\"1\",\"b\":\"2\"}"},
        {"<?xml version=\"1.0\"?><a>x</a>", "\"x\""},
        {"<?xml version='1.0' encoding='UTF-8' standalone='yes'?>\n<a>x</a>", "\"x\""},
        {"<?xml version=\"1.0\" encoding=\"utf-8\"?><a>\xe2\x82\xac</a>", "\"\xe2\x82\xac\""},
        {"\xef\xbb\xbf<a>x</a>", "\"x\""},
        {"\xef\xbb\xbf<?xml version=\"1.0\"?><a>x</a>", "\"x\""},
        {"<\xc3\xa9>x</\xc3\xa9>", "\"x\""},
    };
    const ia_json *tree;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        check_tree(*state, cases[i].xml, cases[i].json);
    }
    tree = parse_ok(*state, LIT("<xml><b>12</b></xml>"), NULL, NULL);
    assert_string_equal(tree->name, "xml");
    assert_int_equal(tree->count, 1);
    assert_string_equal(tree->first->name, "b");
    assert_int_equal(tree->first->type, IA_JSON_STRING);
    assert_int_equal(tree->first->string_len, 2);
}

static void test_malformed(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "x",
        "<",
        "<a>",
        "<a><b></a>",
        "<a></b>",
        "<a/><b/>",
        "<a/>x",
        "x<a/>",
        "<a",
        "<a>x",
        "<a>x</a",
        "</a>",
        "<a>&</a>",
        "<a>&lt</a>",
        "<a>]]></a>",
        "<a><![CDATA[x</a>",
        "<a><!-- x</a>",
        "<1a/>",
        "<a>\x01</a>",
        "<a>\x1b</a>",
        "<a>&#0;</a>",
        "<a>&#1;</a>",
        "<a>&#xD800;</a>",
        "<a>&#x110000;</a>",
        "<a>&#99999999999;</a>",
        "<a>&#xFFFE;</a>",
        "<a>\xef\xbf\xbe</a>",
        "<a>&nbsp;</a>",
        "<a>&CANARY;</a>",
        "<a>CANARY<b/></a>",
        "{\"a\":1}",
        "<a>\xff</a>",
        "<a>\xc0\x80</a>",
        "<a>\xed\xa0\x80</a>",
        "<a>\xe2\x82</a>",
        "<\xc0\xaf/>",
        " <?xml version=\"1.0\"?><a/>",
        "<?xml?><a/>",
        "<?xml encoding=\"UTF-8\"?><a/>",
        "<a><?xml version=\"1.0\"?></a>",
        "<!DOCTYPE",
    };

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        check_refused(*state, bad[i], IA_XML_MALFORMED);
    }
}

static void test_nul_is_refused_everywhere(void **state)
{
    check_refused_in(*state, LIT("<a>x\0</a>"), NULL, IA_XML_MALFORMED);
    check_refused_in(*state, LIT("<a/>\0"), NULL, IA_XML_MALFORMED);
    check_refused_in(*state, LIT("\0<a/>x"), NULL, IA_XML_FORBIDDEN);
    check_refused_in(*state, LIT("<a\0/>"), NULL, IA_XML_MALFORMED);
    check_refused_in(*state, LIT("<a><o><![CDATA[\0]]></o></a>"), "o", IA_XML_MALFORMED);
    check_refused_in(*state, LIT("\0"), NULL, IA_XML_MALFORMED);
}

static void test_other_encodings(void **state)
{
    check_refused_in(*state, LIT("\xff\xfe<\0a\0/\0>\0"), NULL, IA_XML_FORBIDDEN);
    check_refused_in(*state, LIT("\xfe\xff\0<\0a\0/\0>"), NULL, IA_XML_FORBIDDEN);
    check_refused_in(*state, LIT("<\0a\0/\0>\0"), NULL, IA_XML_FORBIDDEN);
    check_refused_in(*state, LIT("\0<\0a\0/\0>"), NULL, IA_XML_FORBIDDEN);
    check_refused_in(*state, LIT("\0\0\0<\0\0\0a"), NULL, IA_XML_MALFORMED);
    check_refused(*state, "<?xml version=\"1.0\" encoding=\"UTF-16\"?><a/>", IA_XML_FORBIDDEN);
    check_refused(*state, "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a/>", IA_XML_FORBIDDEN);
    check_refused(*state, "<?xml version=\"1.0\" encoding=\"UTF-7\"?><a>+ADw-</a>", IA_XML_FORBIDDEN);
    check_refused(*state, "<?xml version=\"1.0\" encoding=\"US-ASCII\"?><a/>", IA_XML_FORBIDDEN);
    check_refused(*state, "<?xml version=\"1.1\"?><a/>", IA_XML_FORBIDDEN);
}

static void test_document_types_and_instructions(void **state)
{
    static const char *const bad[] = {
        "<!DOCTYPE a><a/>",
        "<!DOCTYPE a SYSTEM \"http://127.0.0.1:1/CANARY\"><a/>",
        "<!DOCTYPE a PUBLIC \"-//x\" \"file:///etc/passwd\"><a/>",
        "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
        "<!DOCTYPE a [<!ENTITY % x SYSTEM \"file:///etc/passwd\"> %x;]><a/>",
        "<!DOCTYPE a [<!ENTITY l \"lol\"><!ENTITY m \"&l;&l;&l;&l;&l;&l;&l;&l;\"><!ENTITY n "
        "\"&m;&m;&m;&m;&m;&m;\">]>"
        "<a>&n;&n;&n;</a>",
        "<!DOCTYPE a [<!ATTLIST a b CDATA \"x\">]><a/>",
        "<!DOCTYPE a [<!NOTATION n SYSTEM \"x\"><!ENTITY u SYSTEM \"x\" NDATA n>]><a/>",
        "<?php x ?><a/>",
        "<a><?x?></a>",
        "<a/><?xml-stylesheet href=\"CANARY\"?>",
    };

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        check_refused(*state, bad[i], IA_XML_FORBIDDEN);
    }
    check_refused_in(*state, LIT("<a><o><?x?></o></a>"), "o", IA_XML_FORBIDDEN);
    check_refused_in(*state, LIT("<a><o><!DOCTYPE a></o></a>"), "o", IA_XML_MALFORMED);
    check_refused_in(*state, LIT("<a><o>&x;</o></a>"), "o", IA_XML_MALFORMED);
}

/* Each is refused, unless it stands in the opaque element; then this is no plain tree. */
static void test_what_only_opaque_may_have(void **state)
{
    static const char *const parts[] = {
        "<b c=\"d\"/>",
        "<b c='d' e='f'>x</b>",
        "<b xmlns=\"urn:x\"/>",
        "<p:b xmlns:p=\"urn:x\"/>",
        "<p:b/>",
        "<b/>text",
        "text<b/>",
        "<b/><![CDATA[x]]>",
        "<b>x<c/></b>",
        "<!-- c -->",
        "<b>ad<!-- -->min</b>",
    };

    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        const char *text = apr_pstrcat(*state, "<a><o>", parts[i], "</o><z>1</z></a>", NULL);
        ia_xml_slice slice;
        const ia_json *tree;

        check_refused(*state, apr_pstrcat(*state, "<a>", parts[i], "</a>", NULL), IA_XML_MALFORMED);
        check_refused(*state, text, IA_XML_MALFORMED);
        check_refused_in(*state, text, strlen(text), "p", IA_XML_MALFORMED);
        tree = parse_ok(*state, text, strlen(text), "o", &slice);
        assert_string_equal(shown(*state, tree), "{\"o\":\"\",\"z\":\"1\"}");
        assert_int_equal(slice.len, strlen(parts[i]));
        assert_ptr_equal(slice.text, text + strlen("<a><o>"));
        text = apr_pstrcat(*state, "<a><o/><z>", parts[i], "</z></a>", NULL);
        check_refused_in(*state, text, strlen(text), "o", IA_XML_MALFORMED);
    }
    check_refused_in(*state, LIT("<a><o b=\"c\"/></a>"), "o", IA_XML_MALFORMED);
    check_refused_in(*state, LIT("<a b=\"c\"><o/></a>"), "o", IA_XML_MALFORMED);
    check_refused_in(*state, LIT("<a xmlns=\"urn:x\"><o/></a>"), "o", IA_XML_MALFORMED);
    check_refused_in(*state, LIT("<o b=\"c\"/>"), "o", IA_XML_MALFORMED);
    check_refused_in(*state, LIT("<a><b><o c=\"d\"/></b></a>"), "o", IA_XML_MALFORMED);
    check_refused_in(*state, LIT("<a><o><b c=\"1\" c=\"2\"/></o></a>"), "o", IA_XML_MALFORMED);
    check_refused_in(*state, LIT("<a><o><b c=1/></o></a>"), "o", IA_XML_MALFORMED);
    check_refused_in(*state, LIT("<!-- c --><a><o/></a>"), "o", IA_XML_MALFORMED);
    check_refused_in(*state, LIT("<a><o/></a><!-- c -->"), "o", IA_XML_MALFORMED);
}

static void test_slices(void **state)
{
    static const struct {
        const char *head, *content, *tail, *tree;
    } cases[] = {
        {"<a><o>", "", "</o></a>", "{\"o\":\"\"}"},
        {"<a><o/>", "", "</a>", "{\"o\":\"\"}"},
        {"<a><o\n/>", "", "<b>1</b></a>", "{\"o\":\"\",\"b\":\"1\"}"},
        {"<a><o >", "x", "</o ></a>", "{\"o\":\"x\"}"},
        {"<a> <o>", " <b>1</b>\r\n", "</o> </a>", "{\"o\":{\"b\":\"1\"}}"},
        {"<a><o>", "<![CDATA[</o>]]>", "</o></a>", "{\"o\":\"</o>\"}"},
        {"<a><o>", "<o><o>1</o></o>", "</o></a>", "{\"o\":{\"o\":{\"o\":\"1\"}}}"},
        {"<a><o>", "<o/>", "</o></a>", "{\"o\":{\"o\":\"\"}}"},
        {"<a><b><o>1</o></b><o>", "2", "</o></a>", "{\"b\":{\"o\":\"1\"},\"o\":\"2\"}"},
        {"<a><o>", "&lt;&#13;\r\n", "</o></a>", "{\"o\":\"<\\r\\n\"}"},
        {"<a><o>", "<!--</o>-->", "</o></a>", "{\"o\":\"\"}"},
        {"<a><o>", "1", "</o><o>2</o></a>", "{\"o\":\"1\",\"o\":\"2\"}"},
        {"<a><o/>", "", "<o>2</o></a>", "{\"o\":\"\",\"o\":\"2\"}"},
        {"\xef\xbb\xbf<?xml version=\"1.0\"?>\r\n<a><e>\xe2\x82\xac</e><o>", "\xf0\x9f\x98\x80", "</o></a>",
         "{\"e\":\"\xe2\x82\xac\",\"o\":\"\xf0\x9f\x98\x80\"}"},
    };
    ia_xml_slice none;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *text = apr_pstrcat(*state, cases[i].head, cases[i].content, cases[i].tail, NULL);
        const char *block = exact(*state, text, strlen(text));
        ia_xml_slice slice;
        const ia_json *tree;

        tree = parse_ok(*state, block, strlen(text), "o", &slice);
        assert_string_equal(shown(*state, tree), cases[i].tree);
        if (slice.text != block + strlen(cases[i].head) || slice.len != strlen(cases[i].content)) {
            fail_msg("%s: slice at %d, %d bytes", text, (int)(slice.text - block), (int)slice.len);
        }
    }
    parse_ok(*state, LIT("<a><b><o>1</o></b></a>"), "o", &none);
    assert_null(none.text);
    parse_ok(*state, LIT("<o>1</o>"), "o", &none);
    assert_null(none.text);
    parse_ok(*state, LIT("<a><o>1</o></a>"), NULL, &none);
    assert_null(none.text);
    check_refused_in(*state, LIT("<a><o><b x=\"</o>\"/></o></a>"), "o", IA_XML_MALFORMED);
}

/* As in JSON, a tree has at most IA_JSON_DEPTH objects one in the other. */
static void test_depth_bound(void **state)
{
    const char *deep = repeat_text(*state, "", "<a>", "", 200000);

    for (unsigned depth = 1; depth <= IA_JSON_DEPTH + 2; depth++) {
        const char *text = repeat_text(*state, "", "<a>", repeat_text(*state, "<b>1</b>", "</a>", "", depth), depth);
        const char *opaque = repeat_text(*state, "<r><o>", "<a x=\"\">",
                                         repeat_text(*state, "<b>1</b>", "</a>", "</o></r>", depth), depth);

        if (depth <= IA_JSON_DEPTH) {
            parse_ok(*state, text, strlen(text), NULL, NULL);
        } else {
            check_refused(*state, text, IA_XML_LIMIT);
        }
        if (depth + 2 <= IA_JSON_DEPTH) {
            parse_ok(*state, opaque, strlen(opaque), "o", NULL);
        } else {
            check_refused_in(*state, opaque, strlen(opaque), "o", IA_XML_LIMIT);
        }
    }
    check_refused(*state, deep, IA_XML_LIMIT);
}

static void test_node_bound(void **state)
{
    static const struct {
        const char *text;
        unsigned nodes;
    } cases[] = {{"<a/>", 1}, {"<a><b/><c/></a>", 3}, {"<a><o><b x='' y=''/></o></a>", 5}, {"<a><o>t<b/>t</o></a>", 3}};
    const ia_json *tree;
    const char *wide = repeat_text(*state, "<a>", "<b/>", "</a>", MANY_NODES);

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *text = cases[i].text;

        assert_result(ia_xml_parse(&tree, *state, text, strlen(text), cases[i].nodes, "o", NULL, NULL), IA_OK);
        assert_result(ia_xml_parse(&tree, *state, text, strlen(text), cases[i].nodes - 1, "o", NULL, NULL),
                      IA_XML_LIMIT);
        assert_null(tree);
    }
    check_refused(*state, wide, IA_XML_LIMIT);
    wide = repeat_text(*state, "<a>", "<b/>", "</a>", MANY_NODES - 1);
    assert_int_equal(parse_ok(*state, wide, strlen(wide), NULL, NULL)->count, MANY_NODES - 1);
}

static void test_long_parts(void **state)
{
    const char *text = repeat_text(*state, "<a>", "0123456789abcdef", "</a>", 65536);
    const char *name = repeat_text(*state, "<", "n", "/>", 100000);
    const char *value = repeat_text(*state, "<a><o><b c=\"", "0123456789abcdef", "\"/></o></a>", 65000);
    const char *entities = repeat_text(*state, "<a>", "&#x10FFFF;", "</a>", 10000);
    const ia_json *tree;

    assert_int_equal(parse_ok(*state, text, strlen(text), NULL, NULL)->string_len, 16 * 65536);
    assert_int_equal(strlen(parse_ok(*state, name, strlen(name), NULL, NULL)->name), 100000);
    parse_ok(*state, value, strlen(value), "o", NULL);
    check_refused(*state, value, IA_XML_MALFORMED);
    assert_int_equal(parse_ok(*state, entities, strlen(entities), NULL, NULL)->string_len, 40000);
    assert_result(ia_xml_parse(&tree, *state, "<a/>", (apr_size_t)INT_MAX + 1, 1, NULL, NULL, NULL), IA_XML_LIMIT);
}

static void test_every_prefix_is_refused(void **state)
{
    static const char text[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xml><a>&#65;\xe2\x82\xac<![CDATA[x]]></a>"
                               "<o><b c=\"d\">t<!-- c --></b></o></xml>";

    parse_ok(*state, LIT(text), "o", NULL);
    for (size_t len = 0; len < sizeof text - 1; len++) {
        check_refused_in(*state, text, len, "o", IA_XML_MALFORMED);
    }
}

static void test_offset_says_where(void **state)
{
    ia_json_error error;
    const ia_json *tree;

    assert_result(parse(&tree, *state, LIT("<a><b></c></a>"), NULL, NULL, &error), IA_XML_MALFORMED);
    assert_in_range(error.offset, 6, 8);
    assert_result(parse(&tree, *state, LIT("<a><b/><?x?></a>"), NULL, NULL, &error), IA_XML_FORBIDDEN);
    assert_int_equal(error.offset, 7);
}

static void test_escape(void **state)
{
    static const struct {
        const char *text, *escaped;
    } cases[] = {
        {"", ""},
        {"plain \xe2\x82\xac\x7f", "plain \xe2\x82\xac\x7f"},
        {"<a b=\"c\" d='e'>&amp;]]>", "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;amp;]]&gt;"},
        {"\t\r\n", "&#9;&#13;&#10;"},
    };
    static const char *const bad[] = {"\x01",     "a\x1f",        "\x08",         "\xff",
                                      "\xc0\x80", "\xed\xa0\x80", "\xef\xbf\xbe", "\xef\xbf\xbf"};

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *escaped = ia_xml_escape(*state, exact_string(*state, cases[i].text)), *text;

        assert_string_equal(escaped, cases[i].escaped);
        text = apr_pstrcat(*state, "<a>", escaped, "</a>", NULL);
        assert_string_equal(parse_ok(*state, text, strlen(text), NULL, NULL)->string, cases[i].text);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_null(ia_xml_escape(*state, exact_string(*state, bad[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pool_test(test_trees),
        pool_test(test_malformed),
        pool_test(test_nul_is_refused_everywhere),
        pool_test(test_other_encodings),
        pool_test(test_document_types_and_instructions),
        pool_test(test_what_only_opaque_may_have),
        pool_test(test_slices),
        pool_test(test_depth_bound),
        pool_test(test_node_bound),
        pool_test(test_long_parts),
        pool_test(test_every_prefix_is_refused),
        pool_test(test_offset_says_where),
        pool_test(test_escape),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
