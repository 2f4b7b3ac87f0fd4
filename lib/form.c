/* Parses application/x-www-form-urlencoded bodies strictly. */
#include <apr_strings.h>
#include <string.h>
#include "interauth/form.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes [at, end) into the pool. NULL for an invalid escape or a NUL byte, which no field may contain. */
static const char *unescape(apr_pool_t *p, const char *at, const char *end, apr_size_t *len)
{
    char *text = apr_palloc(p, (apr_size_t)(end - at) + 1), *out = text;

    for (; at < end; at++) {
        char c = *at;

        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            int high, low;

            if (end - at < 3 || (high = hex_digit(at[1])) < 0 || (low = hex_digit(at[2])) < 0)
                return NULL;
            c = (char)(high << 4 | low);
            at += 2;
        }
        if (c == '\0')
            return NULL;
        *out++ = c;
    }
    *out = '\0';
    *len = (apr_size_t)(out - text);
    return text;
}

static ia_result parse_field(ia_form_field *field, const ia_form *before, apr_pool_t *p, const char *at,
                             const char *end)
{
    const char *equals = memchr(at, '=', (apr_size_t)(end - at));
    apr_size_t name_len;

    if (!equals || equals == at)
        return IA_FORM_MALFORMED;
    field->name = unescape(p, at, equals, &name_len);
    field->value = unescape(p, equals + 1, end, &field->value_len);
    if (!field->name || !field->value)
        return IA_FORM_MALFORMED;
    return ia_form_field_get(before, field->name) ? IA_FIELD_REPEATED : IA_OK;
}

ia_result ia_form_parse(ia_form *out, apr_pool_t *p, const char *text, apr_size_t len, unsigned max_fields)
{
    const char *at = text, *end = text + len;
    ia_form_field *fields = apr_pcalloc(p, max_fields * sizeof *fields);
    ia_form form = {fields, 0};

    out->fields = NULL;
    out->count = 0;
    while (at < end) {
        const char *stop = memchr(at, '&', (apr_size_t)(end - at));
        ia_result rc;

        if (form.count == max_fields)
            return IA_TOO_LONG;
        rc = parse_field(&fields[form.count], &form, p, at, stop ? stop : end);
        if (rc)
            return rc;
        form.count++;
        if (stop && stop + 1 == end)
            return IA_FORM_MALFORMED;
        at = stop ? stop + 1 : end;
    }
    *out = form;
    return IA_OK;
}

const ia_form_field *ia_form_field_get(const ia_form *form, const char *name)
{
    unsigned i;

    for (i = 0; i < form->count; i++)
        if (!strcmp(form->fields[i].name, name))
            return &form->fields[i];
    return NULL;
}

static int is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '*' || c == '-' ||
           c == '.' || c == '_';
}

char *ia_form_escape(apr_pool_t *p, const char *text, apr_size_t len)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = apr_palloc(p, 3 * len + 1), *at = out;
    apr_size_t i;

    for (i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (is_plain(text[i])) {
            *at++ = text[i];
        } else if (c == ' ') {
            *at++ = '+';
        } else {
            *at++ = '%';
            *at++ = digits[c >> 4];
            *at++ = digits[c & 15];
        }
    }
    *at = '\0';
    return out;
}
