/* Parses bare items (RFC 9651 sections 4.2.3.1 to 4.2.10). */
#include "sfv_internal.h"
#include "utf8.h"

static ia_result read_number(ia_sfv_value *value, iai_sfv_reader *r)
{
    int negative = iai_sfv_take(r, '-');
    unsigned digits = 0, fraction = 0;
    apr_int64_t n = 0;

    for (; r->at < r->end && iai_sfv_is_digit((unsigned char)*r->at); r->at++) {
        if (++digits > 15)
            return IA_SFV_MALFORMED;
        n = n * 10 + (*r->at - '0');
    }
    if (digits == 0)
        return IA_SFV_MALFORMED;
    value->type = IA_SFV_INTEGER;
    if (iai_sfv_take(r, '.')) {
        value->type = IA_SFV_DECIMAL;
        if (digits > 12)
            return IA_SFV_MALFORMED;
        for (; r->at < r->end && iai_sfv_is_digit((unsigned char)*r->at); r->at++) {
            if (++fraction > 3)
                return IA_SFV_MALFORMED;
            n = n * 10 + (*r->at - '0');
        }
        if (fraction == 0)
            return IA_SFV_MALFORMED;
        for (; fraction < 3; fraction++)
            n *= 10;
    }
    value->number = negative ? -n : n;
    return IA_OK;
}

static ia_result read_date(ia_sfv_value *value, iai_sfv_reader *r)
{
    r->at++;
    if (read_number(value, r) != IA_OK || value->type != IA_SFV_INTEGER)
        return IA_SFV_MALFORMED;
    value->type = IA_SFV_DATE;
    return IA_OK;
}

static ia_result read_string(ia_sfv_value *value, iai_sfv_reader *r)
{
    const char *start = ++r->at, *s;
    apr_size_t escapes = 0;
    char *copy;

    value->type = IA_SFV_STRING;
    for (; r->at < r->end && *r->at != '"'; r->at++) {
        if (*r->at == '\\') {
            r->at++;
            escapes++;
            if (!iai_sfv_peek(r, '"') && !iai_sfv_peek(r, '\\'))
                return IA_SFV_MALFORMED;
        } else if (!iai_sfv_is_printable((unsigned char)*r->at)) {
            return IA_SFV_MALFORMED;
        }
    }
    value->text = iai_sfv_since(r, start);
    if (!iai_sfv_take(r, '"'))
        return IA_SFV_MALFORMED;
    if (escapes == 0)
        return IA_OK;
    copy = apr_palloc(r->p, value->text.len - escapes);
    value->text.data = copy;
    value->text.len -= escapes;
    for (s = start; s < r->at - 1; s++) {
        if (*s == '\\')
            s++;
        *copy++ = *s;
    }
    return IA_OK;
}

static ia_result read_token(ia_sfv_value *value, iai_sfv_reader *r)
{
    const char *start = r->at++;

    while (r->at < r->end && iai_sfv_is_token_char((unsigned char)*r->at))
        r->at++;
    value->type = IA_SFV_TOKEN;
    value->text = iai_sfv_since(r, start);
    return IA_OK;
}

static ia_result read_boolean(ia_sfv_value *value, iai_sfv_reader *r)
{
    r->at++;
    value->type = IA_SFV_BOOLEAN;
    value->number = iai_sfv_peek(r, '1');
    return iai_sfv_take(r, '0') || iai_sfv_take(r, '1') ? IA_OK : IA_SFV_MALFORMED;
}

/* Display strings escape with lower-case digits only (section 4.2.10). */
static int hex_digit(char c)
{
    if (iai_sfv_is_digit((unsigned char)c))
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static ia_result read_display(ia_sfv_value *value, iai_sfv_reader *r)
{
    const char *start, *s;
    apr_size_t escapes = 0;
    char *copy;

    r->at++;
    if (!iai_sfv_take(r, '"'))
        return IA_SFV_MALFORMED;
    value->type = IA_SFV_DISPLAY;
    for (start = r->at; r->at < r->end && *r->at != '"'; r->at++) {
        if (!iai_sfv_is_printable((unsigned char)*r->at))
            return IA_SFV_MALFORMED;
        if (*r->at == '%') {
            if (r->end - r->at < 3 || hex_digit(r->at[1]) < 0 || hex_digit(r->at[2]) < 0)
                return IA_SFV_MALFORMED;
            r->at += 2;
            escapes++;
        }
    }
    value->text = iai_sfv_since(r, start);
    if (!iai_sfv_take(r, '"'))
        return IA_SFV_MALFORMED;
    if (escapes == 0)
        return IA_OK;
    copy = apr_palloc(r->p, value->text.len - 2 * escapes);
    value->text.data = copy;
    value->text.len -= 2 * escapes;
    for (s = start; s < r->at - 1; s++) {
        if (*s == '%') {
            *copy++ = (char)(hex_digit(s[1]) << 4 | hex_digit(s[2]));
            s += 2;
        } else {
            *copy++ = *s;
        }
    }
    return iai_utf8_is_valid(value->text.data, value->text.len) ? IA_OK : IA_SFV_MALFORMED;
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Not ia_base64_decode: RFC 9651 asks parsers to accept missing padding and non-zero pad bits unless configured
 * otherwise. */
static ia_result decode_base64(ia_sfv_text *out, const iai_sfv_reader *r, const char *s, apr_size_t len)
{
    apr_size_t digits = len, needed, i;
    unsigned bits = 0;
    int digit;
    char *copy;

    while (digits > 0 && s[digits - 1] == '=')
        digits--;
    needed = (4 - digits % 4) % 4;
    if (needed == 3 || len - digits > needed)
        return IA_SFV_MALFORMED;
    if ((r->flags & IA_SFV_EXACT) && len - digits != needed)
        return IA_SFV_MALFORMED;
    out->len = digits / 4 * 3 + (digits % 4 == 0 ? 0 : digits % 4 - 1);
    out->data = copy = apr_palloc(r->p, out->len);
    for (i = 0; i < digits; i++) {
        digit = base64_digit(s[i]);
        if (digit < 0)
            return IA_SFV_MALFORMED;
        bits = (bits << 6 | (unsigned)digit) & 0xffffffu;
        if (i % 4 != 0)
            *copy++ = (char)(bits >> (6 - 2 * (i % 4)) & 0xff);
    }
    if ((r->flags & IA_SFV_EXACT) && needed > 0 && (bits & ((1u << 2 * needed) - 1)) != 0)
        return IA_SFV_MALFORMED;
    return IA_OK;
}

static ia_result read_bytes(ia_sfv_value *value, iai_sfv_reader *r)
{
    const char *start = ++r->at;

    value->type = IA_SFV_BYTES;
    while (r->at < r->end && *r->at != ':')
        r->at++;
    if (r->at == r->end)
        return IA_SFV_MALFORMED;
    r->at++;
    return decode_base64(&value->text, r, start, (apr_size_t)(r->at - 1 - start));
}

ia_result iai_sfv_read_value(ia_sfv_value *value, iai_sfv_reader *r)
{
    if (r->at == r->end)
        return IA_SFV_MALFORMED;
    switch (*r->at) {
    case '"':
        return read_string(value, r);
    case ':':
        return read_bytes(value, r);
    case '?':
        return read_boolean(value, r);
    case '@':
        return read_date(value, r);
    case '%':
        return read_display(value, r);
    default:
        return iai_sfv_is_token_start((unsigned char)*r->at) ? read_token(value, r) : read_number(value, r);
    }
}
