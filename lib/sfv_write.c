/* Serializes structured fields (RFC 9651 section 4.1). */
#include <stdio.h>
#include "interauth/encoding.h"
#include "sfv_internal.h"
#include "utf8.h"

/* Each text is generated twice: first to check and measure it (`at` is NULL), then to write it. */
typedef struct writer {
    char *at;
    apr_size_t len;
} writer;

static void put(writer *w, const char *data, apr_size_t len)
{
    if (w->at && len > 0)
        memcpy(w->at + w->len, data, len);
    w->len += len;
}

static void put_char(writer *w, char c)
{
    put(w, &c, 1);
}

static ia_result put_key(writer *w, const ia_sfv_text *key)
{
    apr_size_t i;

    if (key->len == 0 || !iai_sfv_is_key_start((unsigned char)key->data[0]))
        return IA_SFV_MALFORMED;
    for (i = 1; i < key->len; i++) {
        if (!iai_sfv_is_key_char((unsigned char)key->data[i]))
            return IA_SFV_MALFORMED;
    }
    put(w, key->data, key->len);
    return IA_OK;
}

static ia_result put_integer(writer *w, apr_int64_t number)
{
    char text[24];

    if (number > IAI_SFV_INTEGER_MAX || number < -IAI_SFV_INTEGER_MAX)
        return IA_SFV_MALFORMED;
    put(w, text, (apr_size_t)snprintf(text, sizeof text, "%" APR_INT64_T_FMT, number));
    return IA_OK;
}

static ia_result put_decimal(writer *w, apr_int64_t thousandths)
{
    char text[24];
    apr_int64_t size;
    int len;

    if (thousandths > IAI_SFV_INTEGER_MAX || thousandths < -IAI_SFV_INTEGER_MAX)
        return IA_SFV_MALFORMED;
    size = thousandths < 0 ? -thousandths : thousandths;
    len = snprintf(text, sizeof text, "%s%" APR_INT64_T_FMT ".%03d", thousandths < 0 ? "-" : "", size / 1000,
                   (int)(size % 1000));
    while (text[len - 1] == '0' && text[len - 2] != '.')
        len--;
    put(w, text, (apr_size_t)len);
    return IA_OK;
}

static ia_result put_string(writer *w, const ia_sfv_text *text)
{
    apr_size_t i;
    char c;

    put_char(w, '"');
    for (i = 0; i < text->len; i++) {
        c = text->data[i];
        if (!iai_sfv_is_printable((unsigned char)c))
            return IA_SFV_MALFORMED;
        if (c == '"' || c == '\\')
            put_char(w, '\\');
        put_char(w, c);
    }
    put_char(w, '"');
    return IA_OK;
}

static ia_result put_token(writer *w, const ia_sfv_text *text)
{
    apr_size_t i;

    if (text->len == 0 || !iai_sfv_is_token_start((unsigned char)text->data[0]))
        return IA_SFV_MALFORMED;
    for (i = 1; i < text->len; i++) {
        if (!iai_sfv_is_token_char((unsigned char)text->data[i]))
            return IA_SFV_MALFORMED;
    }
    put(w, text->data, text->len);
    return IA_OK;
}

static ia_result put_bytes(writer *w, const ia_sfv_text *text)
{
    put_char(w, ':');
    /* The encoder's NUL is at the position of the closing colon. */
    if (w->at)
        w->len += ia_base64_encode(w->at + w->len, text->data, text->len);
    else
        w->len += IA_BASE64_SIZE(text->len) - 1;
    put_char(w, ':');
    return IA_OK;
}

static ia_result put_display(writer *w, const ia_sfv_text *text)
{
    static const char digits[] = "0123456789abcdef";
    apr_size_t i;
    unsigned char c;

    if (!iai_utf8_is_valid(text->data, text->len))
        return IA_SFV_MALFORMED;
    put(w, "%\"", 2);
    for (i = 0; i < text->len; i++) {
        c = (unsigned char)text->data[i];
        if (c == '%' || c == '"' || !iai_sfv_is_printable(c)) {
            put_char(w, '%');
            put_char(w, digits[c >> 4]);
            put_char(w, digits[c & 15]);
        } else {
            put_char(w, (char)c);
        }
    }
    put_char(w, '"');
    return IA_OK;
}

static ia_result put_value(writer *w, const ia_sfv_value *value)
{
    switch (value->type) {
    case IA_SFV_INTEGER:
        return put_integer(w, value->number);
    case IA_SFV_DECIMAL:
        return put_decimal(w, value->number);
    case IA_SFV_STRING:
        return put_string(w, &value->text);
    case IA_SFV_TOKEN:
        return put_token(w, &value->text);
    case IA_SFV_BYTES:
        return put_bytes(w, &value->text);
    case IA_SFV_BOOLEAN:
        if (value->number != 0 && value->number != 1)
            return IA_SFV_MALFORMED;
        put(w, value->number ? "?1" : "?0", 2);
        return IA_OK;
    case IA_SFV_DATE:
        put_char(w, '@');
        return put_integer(w, value->number);
    case IA_SFV_DISPLAY:
        return put_display(w, &value->text);
    case IA_SFV_INNER_LIST:
        break;
    }
    return IA_SFV_MALFORMED;
}

static int is_true(const ia_sfv_value *value)
{
    return value->type == IA_SFV_BOOLEAN && value->number == 1;
}

static ia_result put_params(writer *w, const ia_sfv_param *params)
{
    const ia_sfv_param *param, *earlier;
    ia_result rc = IA_OK;

    for (param = params; param && rc == IA_OK; param = param->next) {
        for (earlier = params; earlier != param; earlier = earlier->next) {
            if (iai_sfv_text_equal(&earlier->key, &param->key))
                return IA_SFV_DUPLICATE;
        }
        put_char(w, ';');
        rc = put_key(w, &param->key);
        if (rc == IA_OK && !is_true(&param->value)) {
            put_char(w, '=');
            rc = put_value(w, &param->value);
        }
    }
    return rc;
}

static ia_result put_item(writer *w, const ia_sfv_member *item)
{
    ia_result rc = put_value(w, &item->value);

    return rc == IA_OK ? put_params(w, item->params) : rc;
}

static ia_result put_member(writer *w, const ia_sfv_member *member)
{
    const ia_sfv_member *item;
    ia_result rc;

    if (member->value.type != IA_SFV_INNER_LIST)
        return put_item(w, member);
    put_char(w, '(');
    for (item = member->items; item; item = item->next) {
        rc = put_item(w, item);
        if (rc != IA_OK)
            return rc;
        if (item->next)
            put_char(w, ' ');
    }
    put_char(w, ')');
    return put_params(w, member->params);
}

static ia_result put_keyed(writer *w, const ia_sfv_field *field, const ia_sfv_member *member)
{
    const ia_sfv_member *earlier;
    ia_result rc;

    for (earlier = field->first; earlier != member; earlier = earlier->next) {
        if (iai_sfv_text_equal(&earlier->key, &member->key))
            return IA_SFV_DUPLICATE;
    }
    rc = put_key(w, &member->key);
    if (rc != IA_OK)
        return rc;
    if (is_true(&member->value))
        return put_params(w, member->params);
    put_char(w, '=');
    return put_member(w, member);
}

static ia_result put_field(writer *w, const ia_sfv_field *field)
{
    const ia_sfv_member *member;
    ia_result rc;

    if (field->kind == IA_SFV_ITEM) {
        if (!field->first || field->first->next)
            return IA_SFV_MALFORMED;
        return put_item(w, field->first);
    }
    for (member = field->first; member; member = member->next) {
        if (member != field->first)
            put(w, ", ", 2);
        rc = field->kind == IA_SFV_DICTIONARY ? put_keyed(w, field, member) : put_member(w, member);
        if (rc != IA_OK)
            return rc;
    }
    return IA_OK;
}

/* The whole field, or one member if `field` is NULL. */
static ia_result format(char **out, apr_size_t *len, apr_pool_t *p, const ia_sfv_field *field,
                        const ia_sfv_member *member)
{
    writer w = {NULL, 0};
    ia_result rc;
    int pass;

    *out = NULL;
    if (len)
        *len = 0;
    for (pass = 0; pass < 2; pass++) {
        rc = field ? put_field(&w, field) : put_member(&w, member);
        if (rc != IA_OK)
            return rc;
        if (pass == 0) {
            w.at = apr_palloc(p, w.len + 1);
            w.len = 0;
        }
    }
    w.at[w.len] = '\0';
    *out = w.at;
    if (len)
        *len = w.len;
    return IA_OK;
}

ia_result ia_sfv_format(char **out, apr_size_t *len, apr_pool_t *p, const ia_sfv_field *field)
{
    return format(out, len, p, field, NULL);
}

ia_result ia_sfv_format_member(char **out, apr_size_t *len, apr_pool_t *p, const ia_sfv_member *member)
{
    return format(out, len, p, NULL, member);
}

ia_result ia_sfv_decimal(apr_int64_t *thousandths, double number)
{
    double scaled = number * 1000, rest;
    apr_int64_t n;

    *thousandths = 0;
    if (!(scaled > -1e15 && scaled < 1e15))
        return IA_SFV_MALFORMED;
    n = (apr_int64_t)scaled;
    rest = scaled - (double)n;
    if (rest > 0.5 || (rest == 0.5 && n % 2 != 0))
        n++;
    else if (rest < -0.5 || (rest == -0.5 && n % 2 != 0))
        n--;
    if (n > IAI_SFV_INTEGER_MAX || n < -IAI_SFV_INTEGER_MAX)
        return IA_SFV_MALFORMED;
    *thousandths = n;
    return IA_OK;
}
