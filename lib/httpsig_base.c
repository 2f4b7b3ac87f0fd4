/* The signature base (RFC 9421 section 2.5), and what a signature covers. */
#include "httpsig_internal.h"

/* One line: a quoted plain name, or an identifier with parameters as serialised. */
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
    if (rc == IA_OK && item->params != NULL) {
        if (ia_sfv_format_member(&text, &len, p, item) != IA_OK)
            return IA_SIG_MALFORMED;
        out->identifier.data = text;
        out->identifier.len = len;
    }
    return rc == IA_OK ? iai_component_value(&out->value, p, message, &out->component) : rc;
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
    for (item = input->items; item != NULL; item = item->next) {
        if (count == IA_HTTPSIG_COMPONENTS_MAX)
            return IA_SIG_LIMIT;
        rc = read_line(&lines[count], p, message, item);
        if (rc != IA_OK)
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

/* Whether one derived component says everything that another one says. */
static int contains(const ia_sfv_text *whole, const char *part)
{
    static const char *const parts[] = {"@path", "@query", "@authority", "@scheme"};
    unsigned count = ia_sfv_text_is(whole, "@target-uri") ? 4 : ia_sfv_text_is(whole, "@request-target") ? 2 : 0, i;

    for (i = 0; i < count; i++) {
        if (strcmp(part, parts[i]) == 0)
            return 1;
    }
    return 0;
}

/* A component taken from another message, or of which only a part is covered, has another parameter. */
static int is_whole(const ia_sfv_member *item)
{
    const ia_sfv_param *param;

    for (param = item->params; param != NULL; param = param->next) {
        if (!ia_sfv_text_is(&param->key, "sf") && !ia_sfv_text_is(&param->key, "bs"))
            return 0;
    }
    return 1;
}

int ia_httpsig_mentions(const ia_httpsig *signature, const char *component)
{
    const ia_sfv_text wanted = iai_text(component);
    const ia_sfv_member *item;

    for (item = signature->input->items; item != NULL; item = item->next)
        if (iai_sfv_text_equal(&item->value.text, &wanted))
            return 1;
    return 0;
}

int ia_httpsig_covers(const ia_httpsig *signature, const char *component)
{
    const ia_sfv_text wanted = iai_text(component);
    const ia_sfv_member *item;

    for (item = signature->input->items; item != NULL; item = item->next) {
        if ((iai_sfv_text_equal(&item->value.text, &wanted) || contains(&item->value.text, component)) &&
            is_whole(item))
            return 1;
    }
    return 0;
}
