/* Encodes values for log lines. */
#include <apr_strings.h>
#include <string.h>
#include "log_field.h"

static int is_plain(unsigned char c, int with_spaces)
{
    return (c > 0x20 || (c == 0x20 && with_spaces)) && c < 0x7f && !strchr("\"'\\%`", c);
}

static const char *encode(apr_pool_t *p, const char *text, int with_spaces)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *from;
    char *out, *to;

    for (from = text; *from && is_plain((unsigned char)*from, with_spaces); from++)
        ;
    if (!*from)
        return text;
    out = to = apr_palloc(p, 3 * strlen(text) + 1);
    for (from = text; *from; from++) {
        unsigned char c = (unsigned char)*from;

        if (is_plain(c, with_spaces)) {
            *to++ = *from;
        } else {
            *to++ = '%';
            *to++ = digits[c >> 4];
            *to++ = digits[c & 15];
        }
    }
    *to = '\0';
    return out;
}

const char *log_value(apr_pool_t *p, const char *text)
{
    return *text ? encode(p, text, 0) : "-";
}

const char *log_sentence(apr_pool_t *p, const char *text)
{
    return text ? apr_pstrcat(p, " (", encode(p, text, 1), ")", NULL) : "";
}

const char *log_words(apr_pool_t *p, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = apr_palloc(p, 3 * strlen(text) + 1), *to = out;

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c >= 0x20 && c < 0x7f && c != '\\') {
            *to++ = c == '"' ? '\'' : *text;
        } else {
            *to++ = '%';
            *to++ = digits[c >> 4];
            *to++ = digits[c & 15];
        }
    }
    *to = '\0';
    return out;
}

const char *log_field(apr_pool_t *p, const char *name, const char *text)
{
    return text ? apr_pstrcat(p, " ", name, "=", log_value(p, text), NULL) : "";
}

const char *log_field_cut(apr_pool_t *p, const char *name, const char *text, apr_size_t len, apr_size_t max)
{
    int is_cut = len > max;

    return apr_pstrcat(p, log_field(p, name, apr_pstrmemdup(p, text, is_cut ? max : len)), is_cut ? ".." : "", NULL);
}
