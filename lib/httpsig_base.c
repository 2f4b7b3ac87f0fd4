/* The signature base (RFC 9421 section 2.5). */
#include "httpsig_internal.h"

/* A line of the base. A plain name is written in quotes, an identifier with parameters as serialized. */
typedef struct line {
    iai_component component;
    ia_sfv_text identifier, value;
} line;

static int is_same(const iai_component *a, const iai_component *b)
{
    return a->flags == b->flags && iai_sfv_text_equal(&a->name, &b->name) && iai_sfv_text_equal(&a->text, &b->text);
}

static ia_result read_line(line *out, apr_pool_t *p, const ia_httpsig_message *message, const ia_sfv_member *item)
{
    ia_result rc = iai_component_read(&out->component, item);
    apr_size_t len = 0;
    char *text;

    out->identifier = out->component.name;
    if (!rc && item->params) {
        if (ia_sfv_format_member(&text, &len, p, item) != IA_OK)
            return IA_SIG_MALFORMED;
        out->identifier.data = text;
        out->identifier.len = len;
    }
    return rc ? rc : iai_component_value(&out->value, p, message, &out->component);
}

static char *put(char *at, const char *data, apr_size_t len)
{
    memcpy(at, data, len);
    return at + len;
}

static void write_base(ia_sfv_text *out, apr_pool_t *p, const line *lines, unsigned count, apr_size_t room,
                       const char *params, apr_size_t params_len)
{
    static const char last[] = "\"@signature-params\": ";
    char *text = apr_palloc(p, room + sizeof last + params_len), *at = text;
    const line *l;

    for (l = lines; l < lines + count; l++) {
        int plain = l->identifier.data == l->component.name.data;

        if (plain)
            *at++ = '"';
        at = put(at, l->identifier.data, l->identifier.len);
        if (plain)
            *at++ = '"';
        at = put(at, ": ", 2);
        at = put(at, l->value.data, l->value.len);
        *at++ = '\n';
    }
    at = put(at, last, sizeof last - 1);
    at = put(at, params, params_len);
    *at = '\0';
    out->data = text;
    out->len = (apr_size_t)(at - text);
}

ia_result ia_httpsig_base(ia_sfv_text *out, apr_pool_t *p, const ia_httpsig_message *message,
                          const ia_sfv_member *input)
{
    line lines[IA_HTTPSIG_COMPONENTS_MAX];
    const ia_sfv_member *item;
    apr_size_t room = 0, params_len;
    unsigned count = 0, i;
    char *params;
    ia_result rc;

    out->data = NULL;
    out->len = 0;
    for (item = input->items; item; item = item->next) {
        if (count == IA_HTTPSIG_COMPONENTS_MAX)
            return IA_SIG_LIMIT;
        rc = read_line(&lines[count], p, message, item);
        if (rc)
            return rc;
        for (i = 0; i < count; i++) {
            if (is_same(&lines[i].component, &lines[count].component))
                return IA_SIG_COMPONENT_REPEATED;
        }
        room += lines[count].identifier.len + lines[count].value.len + sizeof "\"\": \n";
        count++;
        if (room > IA_HTTPSIG_BASE_MAX)
            return IA_SIG_LIMIT;
    }
    if (ia_sfv_format_member(&params, &params_len, p, input) != IA_OK)
        return IA_SIG_MALFORMED;
    write_base(out, p, lines, count, room, params, params_len);
    return IA_OK;
}
