/* Writes JSON. */
#include <apr_strings.h>
#include <string.h>
#include <yajl/yajl_gen.h>
#include "interauth/json.h"
#include "utf8.h"

struct ia_json_writer {
    apr_pool_t *p;
    yajl_gen gen;
    char is_object[IA_JSON_DEPTH];
    char has_name[IA_JSON_DEPTH]; /* a member's name is written, but not its value */
    unsigned depth;
    int failed;
};

static apr_status_t free_gen(void *data)
{
    yajl_gen_free(((ia_json_writer *)data)->gen);
    return APR_SUCCESS;
}

static ia_json_writer *create(apr_pool_t *p, int pretty)
{
    ia_json_writer *w = apr_pcalloc(p, sizeof *w);

    w->p = p;
    w->gen = yajl_gen_alloc(NULL);
    if (!w->gen) {
        w->failed = 1;
        return w;
    }
    if (pretty) {
        yajl_gen_config(w->gen, yajl_gen_beautify, 1);
        yajl_gen_config(w->gen, yajl_gen_indent_string, "  ");
    }
    apr_pool_cleanup_register(p, w, free_gen, apr_pool_cleanup_null);
    return w;
}

ia_json_writer *ia_json_writer_create(apr_pool_t *p)
{
    return create(p, 0);
}

ia_json_writer *ia_json_writer_create_pretty(apr_pool_t *p)
{
    return create(p, 1);
}

static void check(ia_json_writer *w, yajl_gen_status status)
{
    if (status != yajl_gen_status_ok)
        w->failed = 1;
}

/*
 * Whether a value is allowed here. yajl itself accepts any string as a name, and closes an object after a name without
 * value.
 */
static int takes_value(ia_json_writer *w)
{
    if (!w->failed && w->depth && w->is_object[w->depth - 1]) {
        w->failed = !w->has_name[w->depth - 1];
        w->has_name[w->depth - 1] = 0;
    }
    return !w->failed;
}

static void put_text(ia_json_writer *w, const char *text)
{
    apr_size_t len = strlen(text);

    if (!iai_utf8_is_valid(text, len))
        w->failed = 1;
    else
        check(w, yajl_gen_string(w->gen, (const unsigned char *)text, len));
}

static void open(ia_json_writer *w, int is_object)
{
    if (!takes_value(w))
        return;
    if (w->depth == IA_JSON_DEPTH) {
        w->failed = 1;
        return;
    }
    w->is_object[w->depth] = (char)is_object;
    w->has_name[w->depth++] = 0;
    check(w, is_object ? yajl_gen_map_open(w->gen) : yajl_gen_array_open(w->gen));
}

void ia_json_write_object(ia_json_writer *w)
{
    open(w, 1);
}

void ia_json_write_array(ia_json_writer *w)
{
    open(w, 0);
}

void ia_json_write_end(ia_json_writer *w)
{
    if (w->failed || !w->depth || w->has_name[w->depth - 1]) {
        w->failed = 1;
        return;
    }
    w->depth--;
    check(w, w->is_object[w->depth] ? yajl_gen_map_close(w->gen) : yajl_gen_array_close(w->gen));
}

void ia_json_write_string(ia_json_writer *w, const char *value)
{
    if (takes_value(w))
        put_text(w, value);
}

void ia_json_write_name(ia_json_writer *w, const char *name)
{
    if (w->failed || !w->depth || !w->is_object[w->depth - 1] || w->has_name[w->depth - 1]) {
        w->failed = 1;
        return;
    }
    w->has_name[w->depth - 1] = 1;
    put_text(w, name);
}

void ia_json_write_integer(ia_json_writer *w, apr_int64_t value)
{
    if (takes_value(w))
        check(w, yajl_gen_integer(w->gen, value));
}

void ia_json_write_bool(ia_json_writer *w, int value)
{
    if (takes_value(w))
        check(w, yajl_gen_bool(w->gen, value));
}

void ia_json_write_null(ia_json_writer *w)
{
    if (takes_value(w))
        check(w, yajl_gen_null(w->gen));
}

void ia_json_write_value(ia_json_writer *w, const ia_json *value)
{
    const ia_json *child;

    switch (value->type) {
    case IA_JSON_NULL:
        ia_json_write_null(w);
        return;
    case IA_JSON_BOOL:
        ia_json_write_bool(w, value->integer != 0);
        return;
    case IA_JSON_INTEGER:
        ia_json_write_integer(w, value->integer);
        return;
    case IA_JSON_NUMBER:
        if (takes_value(w))
            check(w, yajl_gen_number(w->gen, value->string, value->string_len));
        return;
    case IA_JSON_STRING:
        ia_json_write_string(w, value->string);
        return;
    case IA_JSON_ARRAY:
    case IA_JSON_OBJECT:
        open(w, value->type == IA_JSON_OBJECT);
        for (child = value->first; child && !w->failed; child = child->next) {
            if (value->type == IA_JSON_OBJECT)
                ia_json_write_name(w, child->name);
            ia_json_write_value(w, child);
        }
        ia_json_write_end(w);
    }
}

void ia_json_write_member(ia_json_writer *w, const char *name, const char *value)
{
    ia_json_write_name(w, name);
    ia_json_write_string(w, value);
}

const char *ia_json_writer_text(ia_json_writer *w, apr_size_t *len)
{
    const unsigned char *text;
    size_t text_len;

    if (len)
        *len = 0;
    if (w->failed || w->depth || yajl_gen_get_buf(w->gen, &text, &text_len) != yajl_gen_status_ok || !text_len)
        return NULL;
    if (len)
        *len = text_len;
    return apr_pstrmemdup(w->p, (const char *)text, text_len);
}
