/*
 * Shared by the files that parse and serialize structured fields.
 */
#ifndef IAI_SFV_INTERNAL_H
#define IAI_SFV_INTERNAL_H

#include <string.h>
#include "interauth/sfv.h"

#define IAI_SFV_INTEGER_MAX APR_INT64_C(999999999999999) /* also of a decimal in thousandths */

static inline int iai_sfv_is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static inline int iai_sfv_is_lower(unsigned char c)
{
    return c >= 'a' && c <= 'z';
}

static inline int iai_sfv_is_alpha(unsigned char c)
{
    return iai_sfv_is_lower(c) || (c >= 'A' && c <= 'Z');
}

static inline int iai_sfv_is_printable(unsigned char c)
{
    return c >= 0x20 && c <= 0x7e;
}

static inline int iai_sfv_is_key_start(unsigned char c)
{
    return iai_sfv_is_lower(c) || c == '*';
}

static inline int iai_sfv_is_key_char(unsigned char c)
{
    return iai_sfv_is_lower(c) || iai_sfv_is_digit(c) || c == '_' || c == '-' || c == '.' || c == '*';
}

static inline int iai_sfv_is_token_start(unsigned char c)
{
    return iai_sfv_is_alpha(c) || c == '*';
}

static inline int iai_sfv_is_token_char(unsigned char c)
{
    return iai_sfv_is_alpha(c) || iai_sfv_is_digit(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~:/", c));
}

static inline int iai_sfv_text_equal(const ia_sfv_text *a, const ia_sfv_text *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* A position in the caller's bytes. */
typedef struct iai_sfv_reader {
    apr_pool_t *p;
    const char *at, *end;
    unsigned flags;
    const ia_sfv_limits *limits;
} iai_sfv_reader;

static inline int iai_sfv_peek(const iai_sfv_reader *r, char c)
{
    return r->at < r->end && *r->at == c;
}

static inline int iai_sfv_take(iai_sfv_reader *r, char c)
{
    if (!iai_sfv_peek(r, c))
        return 0;
    r->at++;
    return 1;
}

/* The text parsed since `start`. */
static inline ia_sfv_text iai_sfv_since(const iai_sfv_reader *r, const char *start)
{
    ia_sfv_text text = {start, (apr_size_t)(r->at - start)};

    return text;
}

/* Parses one bare item. @return IA_OK or IA_SFV_MALFORMED */
ia_result iai_sfv_read_value(ia_sfv_value *value, iai_sfv_reader *r);

#endif
