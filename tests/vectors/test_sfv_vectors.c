/*
 * The published structured field tests: $INTERAUTH_VECTORS/structured-fields/ and its serialisation-tests/.
 *
 * Each record says what a field value means (`expected`), how it is written (`canonical`, or `raw` where that
 * is canonical), or that it `must_fail`. `can_fail` marks what a parser need not accept; all of it is
 * accepted without IA_SFV_EXACT. The files hold NUL in strings, which the project's JSON reader refuses: yajl
 * is used directly.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <yajl/yajl_parse.h>
#include "interauth/sfv.h"

/* So that a test that found nothing cannot pass; 1591 and 544 records were there when this was written. */
#define LEAST_PARSED     1500
#define LEAST_SERIALISED 500
#define DEPTH            16

typedef enum kind { NOTHING, BOOLEAN, NUMBER, TEXT, ARRAY, OBJECT } kind;

typedef struct node node;
struct node {
    kind kind;
    const char *name; /* of an object's member */
    const char *text; /* TEXT and NUMBER; ends with NUL, may hold others */
    size_t len;
    int truth;
    node *first, *last, *next;
};

typedef struct builder {
    apr_pool_t *p;
    node *open[DEPTH];
    int depth;
    const char *name;
} builder;

static node *add_node(builder *b, kind what)
{
    node *n = apr_pcalloc(b->p, sizeof *n), *parent = b->open[b->depth];

    n->kind = what;
    n->name = b->name;
    b->name = NULL;
    if (parent->last != NULL)
        parent->last->next = n;
    else
        parent->first = n;
    parent->last = n;
    return n;
}

static int on_null(void *context)
{
    add_node(context, NOTHING);
    return 1;
}

static int on_boolean(void *context, int truth)
{
    add_node(context, BOOLEAN)->truth = truth;
    return 1;
}

static int add_text(builder *b, kind what, const char *text, size_t len)
{
    node *n = add_node(b, what);

    n->text = apr_pstrmemdup(b->p, text, len);
    n->len = len;
    return 1;
}

static int on_number(void *context, const char *text, size_t len)
{
    return add_text(context, NUMBER, text, len);
}

static int on_string(void *context, const unsigned char *text, size_t len)
{
    return add_text(context, TEXT, (const char *)text, len);
}

static int open_node(builder *b, kind what)
{
    node *n = add_node(b, what);

    if (b->depth + 1 == DEPTH)
        return 0;
    b->open[++b->depth] = n;
    return 1;
}

static int on_object(void *context)
{
    return open_node(context, OBJECT);
}

static int on_array(void *context)
{
    return open_node(context, ARRAY);
}

static int on_name(void *context, const unsigned char *text, size_t len)
{
    builder *b = context;

    b->name = apr_pstrmemdup(b->p, (const char *)text, len);
    return 1;
}

static int on_end(void *context)
{
    ((builder *)context)->depth--;
    return 1;
}

/* The records of one file. */
static const node *read_file(apr_pool_t *p, const char *path)
{
    static const yajl_callbacks callbacks = {on_null,   on_boolean, NULL,   NULL,     on_number, on_string,
                                             on_object, on_name,    on_end, on_array, on_end};
    node *root = apr_pcalloc(p, sizeof *root);
    builder b = {p, {root}, 0, NULL};
    unsigned char block[8192];
    yajl_handle handle = yajl_alloc(&callbacks, NULL, &b);
    FILE *file = fopen(path, "rb");
    size_t n;

    assert_non_null(file);
    while ((n = fread(block, 1, sizeof block, file)) > 0)
        assert_int_equal(yajl_parse(handle, block, n), yajl_status_ok);
    assert_int_equal(yajl_complete_parse(handle), yajl_status_ok);
    yajl_free(handle);
    fclose(file);
    assert_non_null(root->first);
    assert_int_equal(root->first->kind, ARRAY);
    return root->first;
}

static const node *member_of(const node *object, const char *name)
{
    const node *n;

    assert_int_equal(object->kind, OBJECT);
    for (n = object->first; n != NULL; n = n->next) {
        if (strcmp(n->name, name) == 0)
            return n;
    }
    return NULL;
}

/* The text of a member; "" where it has none. */
static const char *text_member(const node *object, const char *name)
{
    const node *n = member_of(object, name);

    return n != NULL && n->kind == TEXT ? n->text : "";
}

static int is_set(const node *record, const char *name)
{
    const node *n = member_of(record, name);

    return n != NULL && n->truth;
}

static const node *element(const node *array, unsigned index)
{
    const node *n;

    assert_int_equal(array->kind, ARRAY);
    for (n = array->first; n != NULL && index > 0; n = n->next)
        index--;
    assert_non_null(n);
    return n;
}

/* The texts of an array joined as field lines are. */
static ia_sfv_text join(apr_pool_t *p, const node *array)
{
    const node *n;
    ia_sfv_text all = {"", 0};
    char *joined;

    for (n = array->first; n != NULL; n = n->next) {
        joined = apr_palloc(p, all.len + n->len + 2);
        memcpy(joined, all.data, all.len);
        if (n != array->first) {
            memcpy(joined + all.len, ", ", 2);
            all.len += 2;
        }
        memcpy(joined + all.len, n->text, n->len);
        all.data = joined;
        all.len += n->len;
    }
    return all;
}

static ia_sfv_kind kind_of(const node *record)
{
    const char *type = text_member(record, "header_type");

    if (strcmp(type, "item") == 0)
        return IA_SFV_ITEM;
    if (strcmp(type, "list") == 0)
        return IA_SFV_LIST;
    assert_string_equal(type, "dictionary");
    return IA_SFV_DICTIONARY;
}

static ia_sfv_text text_of(const node *n)
{
    ia_sfv_text text = {n->text, n->len};

    assert_int_equal(n->kind, TEXT);
    return text;
}

static ia_sfv_text base32_of(apr_pool_t *p, const node *n)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    char *out = apr_palloc(p, n->len + 1);
    ia_sfv_text text = {out, 0};
    unsigned bits = 0, held = 0;
    const char *digit;
    size_t i;

    for (i = 0; i < n->len && n->text[i] != '='; i++) {
        digit = strchr(alphabet, n->text[i]);
        assert_non_null(digit);
        bits = (bits << 5 | (unsigned)(digit - alphabet)) & 0xffff;
        held += 5;
        if (held >= 8) {
            held -= 8;
            out[text.len++] = (char)(bits >> held & 0xff);
        }
    }
    return text;
}

static ia_sfv_value typed_value(apr_pool_t *p, const node *n)
{
    static const struct {
        const char *name;
        ia_sfv_type type;
    } types[] = {
        {"token", IA_SFV_TOKEN}, {"binary", IA_SFV_BYTES}, {"date", IA_SFV_DATE}, {"displaystring", IA_SFV_DISPLAY}};
    const node *value = member_of(n, "value");
    ia_sfv_value out = {IA_SFV_INNER_LIST, 0, {NULL, 0}};
    size_t i;

    for (i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(text_member(n, "__type"), types[i].name) == 0)
            out.type = types[i].type;
    }
    assert_int_not_equal(out.type, IA_SFV_INNER_LIST);
    if (out.type == IA_SFV_DATE)
        out.number = apr_atoi64(value->text);
    else
        out.text = out.type == IA_SFV_BYTES ? base32_of(p, value) : text_of(value);
    return out;
}

/* @return whether the value exists in the model of structured fields */
static int expected_value(ia_sfv_value *out, apr_pool_t *p, const node *n)
{
    memset(out, 0, sizeof *out);
    switch (n->kind) {
    case BOOLEAN:
        out->type = IA_SFV_BOOLEAN;
        out->number = n->truth;
        return 1;
    case NUMBER:
        if (strchr(n->text, '.') != NULL) {
            out->type = IA_SFV_DECIMAL;
            return ia_sfv_decimal(&out->number, strtod(n->text, NULL)) == IA_OK;
        }
        out->type = IA_SFV_INTEGER;
        out->number = apr_atoi64(n->text);
        return 1;
    case TEXT:
        out->type = IA_SFV_STRING;
        out->text = text_of(n);
        return 1;
    case OBJECT:
        *out = typed_value(p, n);
        return 1;
    default:
        fail_msg("a value of an unknown kind");
        return 0;
    }
}

static int expected_params(ia_sfv_member *member, apr_pool_t *p, const node *pairs)
{
    ia_sfv_param **end = &member->params;
    const node *pair;

    assert_int_equal(pairs->kind, ARRAY);
    for (pair = pairs->first; pair != NULL; pair = pair->next) {
        *end = apr_pcalloc(p, sizeof **end);
        (*end)->key = text_of(element(pair, 0));
        if (!expected_value(&(*end)->value, p, element(pair, 1)))
            return 0;
        end = &(*end)->next;
        member->param_count++;
    }
    return 1;
}

/* [value, parameters], where the value of an inner list is an array of such pairs. */
static int expected_member(ia_sfv_member *member, apr_pool_t *p, const node *pair)
{
    const node *value = element(pair, 0), *item;
    ia_sfv_member **end = &member->items;

    if (value->kind != ARRAY)
        return expected_value(&member->value, p, value) && expected_params(member, p, element(pair, 1));
    member->value.type = IA_SFV_INNER_LIST;
    for (item = value->first; item != NULL; item = item->next) {
        *end = apr_pcalloc(p, sizeof **end);
        if (!expected_member(*end, p, item))
            return 0;
        end = &(*end)->next;
        member->item_count++;
    }
    return expected_params(member, p, element(pair, 1));
}

static int expected_field(ia_sfv_field *out, apr_pool_t *p, const node *record)
{
    const node *expected = member_of(record, "expected"), *n;
    ia_sfv_member **end = &out->first;

    out->kind = kind_of(record);
    out->first = NULL;
    out->count = 0;
    if (expected == NULL)
        return 0;
    for (n = out->kind == IA_SFV_ITEM ? expected : expected->first; n != NULL; n = n->next) {
        *end = apr_pcalloc(p, sizeof **end);
        if (out->kind == IA_SFV_DICTIONARY)
            (*end)->key = text_of(element(n, 0));
        if (!expected_member(*end, p, out->kind == IA_SFV_DICTIONARY ? element(n, 1) : n))
            return 0;
        end = &(*end)->next;
        out->count++;
        if (out->kind == IA_SFV_ITEM)
            break;
    }
    return 1;
}

static int same_text(ia_sfv_text a, ia_sfv_text b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static int same_value(const ia_sfv_value *a, const ia_sfv_value *b)
{
    return a->type == b->type && a->number == b->number && same_text(a->text, b->text);
}

static int same_members(const ia_sfv_member *a, const ia_sfv_member *b)
{
    const ia_sfv_param *x, *y;

    for (; a != NULL && b != NULL; a = a->next, b = b->next) {
        if (!same_text(a->key, b->key) || !same_value(&a->value, &b->value) || a->item_count != b->item_count ||
            a->param_count != b->param_count || !same_members(a->items, b->items))
            return 0;
        for (x = a->params, y = b->params; x != NULL && y != NULL; x = x->next, y = y->next) {
            if (!same_text(x->key, y->key) || !same_value(&x->value, &y->value))
                return 0;
        }
        if (x != NULL || y != NULL)
            return 0;
    }
    return a == NULL && b == NULL;
}

static int is_written(apr_pool_t *p, const ia_sfv_field *field, ia_sfv_text canonical)
{
    apr_size_t len;
    char *text;

    return ia_sfv_format(&text, &len, p, field) == IA_OK && len == canonical.len &&
           memcmp(text, canonical.data, len) == 0;
}

/* What is wrong with the parser's answer to a record, or NULL. */
static const char *check_parsing(apr_pool_t *p, const node *record)
{
    ia_sfv_text raw = join(p, member_of(record, "raw")), canonical = raw;
    const node *written = member_of(record, "canonical");
    ia_sfv_field parsed, expected;
    char *block = malloc(raw.len > 0 ? raw.len : 1);
    const char *wrong = NULL;
    ia_result rc;

    memcpy(block, raw.data, raw.len);
    rc = ia_sfv_parse(&parsed, p, kind_of(record), block, raw.len, 0, NULL);
    if (written != NULL)
        canonical = join(p, written);
    if (is_set(record, "must_fail"))
        wrong = rc == IA_SFV_MALFORMED ? NULL : "not refused";
    else if (rc != IA_OK)
        wrong = "refused";
    else if (!expected_field(&expected, p, record) || !same_members(parsed.first, expected.first))
        wrong = "understood as something else";
    else if (!is_written(p, &parsed, canonical) || !is_written(p, &expected, canonical))
        wrong = "not written canonically";
    free(block);
    return wrong;
}

/* The same for a record of the serialiser's tests, which has no `raw`. */
static const char *check_serialising(apr_pool_t *p, const node *record)
{
    ia_sfv_field field;
    char *text;

    assert_non_null(member_of(record, "expected"));
    if (!is_set(record, "must_fail"))
        return expected_field(&field, p, record) && is_written(p, &field, join(p, member_of(record, "canonical")))
                   ? NULL
                   : "not written canonically";
    return expected_field(&field, p, record) && ia_sfv_format(&text, NULL, p, &field) == IA_OK ? "not refused" : NULL;
}

static const char *directory;

/* Checks every record of every file below `name`; @return their number */
static unsigned check_directory(apr_pool_t *parent, const char *name, const char *(*check)(apr_pool_t *, const node *))
{
    const char *path = apr_pstrcat(parent, directory, "/structured-fields", name, NULL), *wrong;
    unsigned records = 0, failures = 0;
    struct dirent *entry;
    const node *record;
    apr_pool_t *p;
    DIR *dir = opendir(path);

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (strstr(entry->d_name, ".json") == NULL)
            continue;
        apr_pool_create(&p, parent);
        record = read_file(p, apr_pstrcat(p, path, "/", entry->d_name, NULL))->first;
        for (; record != NULL; record = record->next, records++) {
            wrong = check(p, record);
            if (wrong != NULL) {
                print_error("%s: \"%s\": %s\n", entry->d_name, text_member(record, "name"), wrong);
                failures++;
            }
        }
        apr_pool_destroy(p);
    }
    closedir(dir);
    print_message("%u records in %s, %u wrong\n", records, path, failures);
    assert_int_equal(failures, 0);
    return records;
}

static void test_parsing(void **state)
{
    assert_true(check_directory(*state, "", check_parsing) >= LEAST_PARSED);
}

static void test_serialising(void **state)
{
    assert_true(check_directory(*state, "/serialisation-tests", check_serialising) >= LEAST_SERIALISED);
}

static int open_pool(void **state)
{
    apr_pool_t *p;

    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&p, NULL) != APR_SUCCESS)
        return -1;
    *state = p;
    return 0;
}

static int close_pool(void **state)
{
    apr_pool_destroy(*state);
    apr_terminate();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_parsing, open_pool, close_pool),
        cmocka_unit_test_setup_teardown(test_serialising, open_pool, close_pool),
    };

    directory = getenv("INTERAUTH_VECTORS");
    if (directory == NULL || *directory == '\0') {
        puts("SKIP: INTERAUTH_VECTORS does not say where the published test vectors are");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
