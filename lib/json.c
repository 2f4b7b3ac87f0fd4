/*
 * Parses JSON strictly, with yajl's callbacks and explicit lengths. yajl's tree interface is not used: it truncates
 * names at NUL, keeps the first of two equal members, and its recursive free overflows on deep input. Its check of
 * UTF-8 is not used either: it lets overlong forms, surrogates and code points above U+10FFFF pass.
 */
#include <errno.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <string.h>
#include <yajl/yajl_parse.h>
#include "interauth/json.h"
#include "utf8.h"

#define NAMES_WITHOUT_HASH 8 /* up to this number, repeated names are searched in the list */

typedef struct frame {
    ia_json *container;
    ia_json **tail;
    const char *name;  /* of the member whose value comes next */
    apr_hash_t *names; /* made when an object grows past NAMES_WITHOUT_HASH */
} frame;

typedef struct reader {
    apr_pool_t *p;
    frame stack[IA_JSON_DEPTH];
    unsigned depth;
    unsigned nodes_left;
    ia_json *root;
    ia_result rc;
    const char *reason;
} reader;

static int refuse(reader *r, ia_result rc, const char *reason)
{
    r->rc = rc;
    r->reason = reason;
    return 0;
}

static ia_json *add_node(reader *r, ia_json_type type)
{
    frame *top = r->depth ? &r->stack[r->depth - 1] : NULL;
    ia_json *node;

    if (!r->nodes_left) {
        refuse(r, IA_JSON_LIMIT, "too many values");
        return NULL;
    }
    r->nodes_left--;
    node = apr_pcalloc(r->p, sizeof *node);
    node->type = type;
    if (!top) {
        r->root = node;
        return node;
    }
    node->name = top->name;
    top->name = NULL;
    *top->tail = node;
    top->tail = &node->next;
    top->container->count++;
    return node;
}

static int on_null(void *ctx)
{
    return add_node(ctx, IA_JSON_NULL) != NULL;
}

static int on_boolean(void *ctx, int value)
{
    ia_json *node = add_node(ctx, IA_JSON_BOOL);

    if (node)
        node->integer = value != 0;
    return node != NULL;
}

static int on_number(void *ctx, const char *text, size_t len)
{
    reader *r = ctx;
    ia_json *node = add_node(r, IA_JSON_NUMBER);
    char *end;

    if (!node)
        return 0;
    node->string = apr_pstrmemdup(r->p, text, len);
    node->string_len = len;
    if (len <= 20 && !memchr(text, '.', len) && !memchr(text, 'e', len) && !memchr(text, 'E', len)) {
        apr_int64_t value;

        errno = 0;
        value = apr_strtoi64(node->string, &end, 10);
        if (!errno && !*end && strcmp(node->string, "-0")) {
            node->type = IA_JSON_INTEGER;
            node->integer = value;
        }
    }
    return 1;
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
    reader *r = ctx;
    ia_json *node;

    if (memchr(text, '\0', len))
        return refuse(r, IA_JSON_MALFORMED, "a string contains a NUL");
    if (!(node = add_node(r, IA_JSON_STRING)))
        return 0;
    node->string = apr_pstrmemdup(r->p, (const char *)text, len);
    node->string_len = len;
    return 1;
}

static int push(reader *r, ia_json_type type)
{
    frame *f;
    ia_json *node;

    if (r->depth == IA_JSON_DEPTH)
        return refuse(r, IA_JSON_LIMIT, "nested too deeply");
    if (!(node = add_node(r, type)))
        return 0;
    f = &r->stack[r->depth++];
    f->container = node;
    f->tail = &node->first;
    f->name = NULL;
    f->names = NULL;
    return 1;
}

static int on_start_map(void *ctx)
{
    return push(ctx, IA_JSON_OBJECT);
}

static int on_start_array(void *ctx)
{
    return push(ctx, IA_JSON_ARRAY);
}

static int on_end(void *ctx)
{
    ((reader *)ctx)->depth--;
    return 1;
}

static int is_repeated(reader *r, frame *f, const char *name, size_t len)
{
    const ia_json *member;

    if (!f->names && f->container->count < NAMES_WITHOUT_HASH)
        return ia_json_member(f->container, name) != NULL;
    if (!f->names) {
        f->names = apr_hash_make(r->p);
        for (member = f->container->first; member; member = member->next)
            apr_hash_set(f->names, member->name, APR_HASH_KEY_STRING, member);
    }
    if (apr_hash_get(f->names, name, (apr_ssize_t)len))
        return 1;
    apr_hash_set(f->names, name, (apr_ssize_t)len, f);
    return 0;
}

static int on_map_key(void *ctx, const unsigned char *text, size_t len)
{
    reader *r = ctx;
    frame *f = &r->stack[r->depth - 1];

    if (memchr(text, '\0', len))
        return refuse(r, IA_JSON_MALFORMED, "a member name contains a NUL");
    f->name = apr_pstrmemdup(r->p, (const char *)text, len);
    if (is_repeated(r, f, f->name, len))
        return refuse(r, IA_JSON_DUPLICATE, "a member is repeated");
    return 1;
}

static const yajl_callbacks callbacks = {on_null,      on_boolean, NULL,   NULL,           on_number, on_string,
                                         on_start_map, on_map_key, on_end, on_start_array, on_end};

/*
 * yajl passes escaped lone surrogates on as "?" and decodes \u0000: the former is refused here, before yajl parses, the
 * latter in on_string. Returns the offset of a lone surrogate, or `len`.
 */
static apr_size_t find_lone_surrogate(const char *text, apr_size_t len)
{
    apr_size_t i;
    int high = 0; /* the escape just before was a high surrogate */

    for (i = 0; i + 1 < len; i++) {
        int surrogate = 0;

        if (text[i] != '\\') {
            if (high)
                return i;
            continue;
        }
        if (text[i + 1] == 'u' && i + 5 < len && (text[i + 2] == 'd' || text[i + 2] == 'D')) {
            if (text[i + 3] == '8' || text[i + 3] == '9' || (text[i + 3] | 0x20) == 'a' || (text[i + 3] | 0x20) == 'b')
                surrogate = 1;
            else if ((text[i + 3] | 0x20) >= 'c' && (text[i + 3] | 0x20) <= 'f')
                surrogate = 2;
        }
        if (high != (surrogate == 2))
            return i;
        high = surrogate == 1;
        i += text[i + 1] == 'u' && i + 5 < len ? 5 : 1;
    }
    return high ? i : len;
}

/* The functions below search in a text that is already parsed, and need not check it. */
static const char *skip_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n'))
        at++;
    return at;
}

/* The position after the string that starts here. */
static const char *skip_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\' && at + 1 < end)
            at++;
    return at < end ? at + 1 : end;
}

/* The position after the value that starts here. */
static const char *skip_value(const char *at, const char *end)
{
    unsigned depth = 0;

    if (at < end && *at == '"')
        return skip_string(at, end);
    if (at < end && *at != '{' && *at != '[') {
        while (at < end && *at && strchr("0123456789+-.eEtrufalsn", *at)) /* a number or a word */
            at++;
        return at;
    }
    while (at < end) {
        if (*at == '"') {
            at = skip_string(at, end);
            continue;
        }
        if (*at == '{' || *at == '[')
            depth++;
        else if (*at == '}' || *at == ']')
            depth--;
        at++;
        if (!depth)
            break;
    }
    return at;
}

static ia_result run(reader *r, yajl_handle handle, const char *text, apr_size_t len, ia_json_error *error)
{
    yajl_status status = yajl_parse(handle, (const unsigned char *)text, len);
    const char *end = text + len, *at;

    error->offset = status == yajl_status_ok ? len : yajl_get_bytes_consumed(handle);
    if (status == yajl_status_ok) /* from here on, errors are an unexpected end */
        status = yajl_complete_parse(handle);
    if (r->rc) {
        error->reason = r->reason;
        return r->rc;
    }
    if (status != yajl_status_ok || !r->root) {
        error->reason = "not valid JSON";
        return IA_JSON_MALFORMED;
    }
    /* yajl does not notice an unterminated string after the value */
    at = skip_space(skip_value(skip_space(text, end), end), end);
    if (at < end) {
        error->offset = (apr_size_t)(at - text);
        error->reason = "text after the value";
        return IA_JSON_MALFORMED;
    }
    return IA_OK;
}

ia_result ia_json_parse(const ia_json **out, apr_pool_t *p, const char *text, apr_size_t len, unsigned max_nodes,
                        ia_json_error *error)
{
    ia_json_error ignored;
    apr_size_t lone, i;
    yajl_handle handle;
    reader *r;
    ia_result rc;

    *out = NULL;
    if (!error)
        error = &ignored;
    if (!iai_utf8_is_valid(text, len)) {
        error->offset = 0;
        error->reason = "not UTF-8";
        return IA_JSON_MALFORMED;
    }
    lone = find_lone_surrogate(text, len);
    if (lone < len) {
        error->offset = lone;
        error->reason = "a lone surrogate";
        return IA_JSON_MALFORMED;
    }
    for (i = 0; i < len; i++) {
        if (text[i] == '\v' || text[i] == '\f') { /* white space to yajl */
            error->offset = i;
            error->reason = "a control character";
            return IA_JSON_MALFORMED;
        }
    }
    r = apr_pcalloc(p, sizeof *r);
    r->p = p;
    r->nodes_left = max_nodes;
    handle = yajl_alloc(&callbacks, NULL, r);
    if (!handle)
        return IA_FAULT_MEMORY;
    yajl_config(handle, yajl_dont_validate_strings, 1);
    rc = run(r, handle, text, len, error);
    yajl_free(handle);
    if (!rc)
        *out = r->root;
    return rc;
}

const ia_json *ia_json_member(const ia_json *object, const char *name)
{
    const ia_json *member;

    if (!object || object->type != IA_JSON_OBJECT)
        return NULL;
    for (member = object->first; member; member = member->next)
        if (!strcmp(member->name, name))
            return member;
    return NULL;
}

const char *ia_json_member_string(const ia_json *object, const char *name)
{
    const ia_json *member = ia_json_member(object, name);

    return member && member->type == IA_JSON_STRING ? member->string : NULL;
}

const char *ia_json_member_text(const char *text, apr_size_t len, const ia_json *object, const char *name,
                                apr_size_t *out_len)
{
    const ia_json *member = ia_json_member(object, name), *other;
    const char *end = text + len, *at, *value;

    *out_len = 0;
    at = skip_space(text, end);
    if (!member || at == end || *at != '{')
        return NULL;
    for (other = object->first;; other = other->next) {
        at = skip_string(skip_space(at + 1, end), end); /* a name follows { and , */
        value = skip_space(at, end);
        if (value == end)
            return NULL;
        value = skip_space(value + 1, end);
        at = skip_value(value, end);
        if (other == member)
            break;
        at = skip_space(at, end);
        if (at == end)
            return NULL;
    }
    *out_len = (apr_size_t)(at - value);
    return value;
}
