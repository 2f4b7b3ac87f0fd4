/* JSON: a valid text is the same after it was written and parsed again. */
#include "fuzz.h"
#include "interauth/json.h"

#define NODES_MAX 5000

static const char *write_value(apr_pool_t *p, const ia_json *value, int pretty, apr_size_t *len)
{
    ia_json_writer *w = pretty ? ia_json_writer_create_pretty(p) : ia_json_writer_create(p);
    const char *text;

    ia_json_write_value(w, value);
    text = ia_json_writer_text(w, len);
    CHECK(text != NULL && strlen(text) == *len);
    return text;
}

static void check_same(const ia_json *a, const ia_json *b)
{
    const ia_json *x, *y;
    unsigned count = 0;

    CHECK(a->type == b->type && a->count == b->count && a->integer == b->integer);
    CHECK((a->name == NULL) == (b->name == NULL) && (a->name == NULL || strcmp(a->name, b->name) == 0));
    if (a->type == IA_JSON_STRING || a->type == IA_JSON_NUMBER) {
        CHECK(a->string_len == strlen(a->string) && strcmp(a->string, b->string) == 0);
    }
    for (x = a->first, y = b->first; x != NULL; x = x->next, y = y->next, count++) {
        CHECK(y != NULL);
        check_same(x, y);
    }
    CHECK(y == NULL && count == a->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_pool();
    ia_json_error error = {0, NULL};
    const ia_json *value, *again;
    ia_result rc = ia_json_parse(&value, p, (const char *)data, size, NODES_MAX, &error);

    if (rc == IA_OK) {
        apr_size_t len;
        const char *text = write_value(p, value, 0, &len);

        CHECK(ia_json_parse(&again, p, text, len, NODES_MAX, NULL) == IA_OK);
        check_same(value, again);
        CHECK(strcmp(write_value(p, again, 0, &len), text) == 0);
        text = write_value(p, value, 1, &len);
        CHECK(ia_json_parse(&again, p, text, len, NODES_MAX, NULL) == IA_OK);
        check_same(value, again);
    } else {
        CHECK(rc == IA_JSON_MALFORMED || rc == IA_JSON_DUPLICATE || rc == IA_JSON_LIMIT);
        CHECK(value == NULL && error.reason != NULL && error.offset <= size);
    }
    apr_pool_destroy(p);
    return 0;
}
