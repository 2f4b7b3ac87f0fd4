/* XML: a valid text is the same after it was written and parsed again. The slice contains the opaque element. */
#include "fuzz.h"
#include "interauth/xml.h"

#define NODES_MAX 5000

static const char *write_element(apr_pool_t *p, const ia_json *node)
{
    const char *inner = "";
    const ia_json *child;

    if (node->type == IA_JSON_STRING) {
        CHECK(strlen(node->string) == node->string_len && node->first == NULL);
        inner = ia_xml_escape(p, node->string);
        CHECK(inner != NULL);
    } else {
        CHECK(node->type == IA_JSON_OBJECT && node->first != NULL);
    }
    for (child = node->first; child != NULL; child = child->next) {
        inner = apr_pstrcat(p, inner, write_element(p, child), NULL);
    }
    return apr_pstrcat(p, "<", node->name, ">", inner, "</", node->name, ">", NULL);
}

static void check_same(const ia_json *a, const ia_json *b)
{
    const ia_json *x, *y;
    unsigned count = 0;

    CHECK(a->type == b->type && a->count == b->count && strcmp(a->name, b->name) == 0);
    CHECK(a->type != IA_JSON_STRING || strcmp(a->string, b->string) == 0);
    for (x = a->first, y = b->first; x != NULL; x = x->next, y = y->next, count++) {
        CHECK(y != NULL);
        check_same(x, y);
    }
    CHECK(y == NULL && count == a->count);
}

/* The slice alone has the same content. */
static void check_slice(apr_pool_t *p, const ia_json *tree, const ia_xml_slice *slice, const uint8_t *data, size_t size)
{
    const ia_json *again, *content = ia_json_member(tree, "request");
    ia_xml_slice same;
    const char *text;

    CHECK((content != NULL) == (slice->text != NULL));
    if (content == NULL) {
        return;
    }
    CHECK((const uint8_t *)slice->text >= data && slice->len <= size);
    CHECK((const uint8_t *)slice->text + slice->len <= data + size);
    text = apr_pstrcat(p, "<xml><request>", apr_pstrmemdup(p, slice->text, slice->len), "</request></xml>", NULL);
    CHECK(ia_xml_parse(&again, p, text, strlen(text), NODES_MAX, "request", &same, NULL) == IA_OK);
    CHECK(same.len == slice->len && strncmp(same.text, slice->text, same.len) == 0);
    check_same(content, again->first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_pool();
    ia_json_error error = {0, NULL};
    const ia_json *tree, *again;
    ia_xml_slice slice;
    ia_result rc = ia_xml_parse(&tree, p, (const char *)data, size, NODES_MAX, "request", &slice, &error);

    if (rc == IA_OK) {
        const char *text = write_element(p, tree);

        CHECK(ia_xml_parse(&again, p, text, strlen(text), NODES_MAX, NULL, NULL, NULL) == IA_OK);
        check_same(tree, again);
        CHECK(strcmp(write_element(p, again), text) == 0);
        check_slice(p, tree, &slice, data, size);
    } else {
        CHECK(rc == IA_XML_MALFORMED || rc == IA_XML_FORBIDDEN || rc == IA_XML_LIMIT);
        CHECK(tree == NULL && slice.text == NULL && error.reason != NULL && error.offset <= size);
    }
    if (ia_xml_parse(&again, p, (const char *)data, size, NODES_MAX, NULL, NULL, NULL) == IA_OK) {
        CHECK(rc == IA_OK); /* also valid with an opaque element, with the same result */
        check_same(tree, again);
    }
    apr_pool_destroy(p);
    return 0;
}
