#include <string.h>
#include "interauth/encoding.h"

static const char base64url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#define BLOCK 16 /* characters decoded at a time: as many as one vector register holds */

/* 0xff where c lies between two others, else 0. */
static unsigned char between(unsigned char c, unsigned char low, unsigned char high)
{
    return (unsigned char)-((c >= low) & (c <= high));
}

/*
 * The values of a block of characters. Computed without branch or table, so that neither time nor cache lines tell what
 * was decoded; a compiler makes a handful of vector instructions of it. Returns 0 unless all are of the alphabet.
 */
static int base64_values(unsigned char out[BLOCK], const unsigned char in[BLOCK], unsigned char c62, unsigned char c63)
{
    unsigned char good = 0xff;
    int i;

    for (i = 0; i < BLOCK; i++) {
        unsigned char c = in[i], upper = between(c, 'A', 'Z'), lower = between(c, 'a', 'z'), digit = between(c, '0', '9'),
                      is62 = between(c, c62, c62), is63 = between(c, c63, c63);

        out[i] = (unsigned char)((upper & (c - 'A')) | (lower & (c - 'a' + 26)) | (digit & (c - '0' + 52)) | (is62 & 62) |
                                 (is63 & 63));
        good &= upper | lower | digit | is62 | is63;
    }
    return good == 0xff;
}

static apr_size_t encode(char *out, const unsigned char *in, apr_size_t len, const char *alphabet, int padded)
{
    char *start = out;

    for (; len >= 3; in += 3, len -= 3) {
        *out++ = alphabet[in[0] >> 2];
        *out++ = alphabet[(in[0] & 3) << 4 | in[1] >> 4];
        *out++ = alphabet[(in[1] & 15) << 2 | in[2] >> 6];
        *out++ = alphabet[in[2] & 63];
    }
    if (len) {
        *out++ = alphabet[in[0] >> 2];
        *out++ = alphabet[(in[0] & 3) << 4 | (len == 2 ? in[1] >> 4 : 0)];
        if (len == 2)
            *out++ = alphabet[(in[1] & 15) << 2];
        else if (padded)
            *out++ = '=';
        if (padded)
            *out++ = '=';
    }
    *out = '\0';
    return (apr_size_t)(out - start);
}

/* Four values are three bytes; two are one and three are two, with nothing in the bits left over. */
static int pack(unsigned char *out, const unsigned char *value, apr_size_t count)
{
    unsigned word = (unsigned)value[0] << 18 | (unsigned)value[1] << 12 | (unsigned)value[2] << 6 | value[3];

    out[0] = (unsigned char)(word >> 16);
    if (count > 2)
        out[1] = (unsigned char)(word >> 8);
    if (count > 3)
        out[2] = (unsigned char)word;
    return count > 3 || !(word & (count > 2 ? 0xff : 0xffff));
}

static ia_result decode(unsigned char *out, apr_size_t capacity, apr_size_t *len, const char *text,
                        apr_size_t text_len, unsigned char c62, unsigned char c63)
{
    apr_size_t bytes = text_len / 4 * 3 + (text_len % 4 ? text_len % 4 - 1 : 0);
    ia_result rc = IA_OK;

    *len = 0;
    if (text_len % 4 == 1)
        return IA_MALFORMED;
    if (bytes > capacity)
        return IA_TOO_LONG;
    while (text_len && !rc) {
        unsigned char in[BLOCK], value[BLOCK];
        apr_size_t count = text_len < BLOCK ? text_len : BLOCK, i;

        memset(in, 'A', sizeof in);
        memcpy(in, text, count);
        if (!base64_values(value, in, c62, c63))
            rc = IA_MALFORMED;
        for (i = 0; i < count; i += 4, out += 3)
            if (!pack(out, value + i, count - i))
                rc = IA_MALFORMED;
        text += count;
        text_len -= count;
    }
    *len = rc ? 0 : bytes;
    return rc;
}

apr_size_t ia_base64url_encode(char *out, const void *data, apr_size_t len)
{
    return encode(out, data, len, base64url_alphabet, 0);
}

apr_size_t ia_base64_encode(char *out, const void *data, apr_size_t len)
{
    return encode(out, data, len, base64_alphabet, 1);
}

ia_result ia_base64url_decode(unsigned char *out, apr_size_t capacity, apr_size_t *len, const char *text,
                              apr_size_t text_len)
{
    return decode(out, capacity, len, text, text_len, '-', '_');
}

ia_result ia_base64_decode(unsigned char *out, apr_size_t capacity, apr_size_t *len, const char *text,
                           apr_size_t text_len)
{
    *len = 0;
    if (text_len % 4)
        return IA_MALFORMED;
    if (text_len && text[text_len - 1] == '=')
        text_len -= text[text_len - 2] == '=' ? 2 : 1;
    return decode(out, capacity, len, text, text_len, '+', '/');
}

apr_size_t ia_hex_encode(char *out, const void *data, apr_size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *in = data;
    apr_size_t i;

    for (i = 0; i < len; i++) {
        out[2 * i] = digits[in[i] >> 4];
        out[2 * i + 1] = digits[in[i] & 15];
    }
    out[2 * len] = '\0';
    return 2 * len;
}

static int hex_value(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

ia_result ia_hex_decode(unsigned char *out, apr_size_t capacity, apr_size_t *len, const char *text,
                        apr_size_t text_len)
{
    apr_size_t i;

    *len = 0;
    if (text_len % 2)
        return IA_MALFORMED;
    if (text_len / 2 > capacity)
        return IA_TOO_LONG;
    for (i = 0; i < text_len / 2; i++) {
        int high = hex_value((unsigned char)text[2 * i]);
        int low = hex_value((unsigned char)text[2 * i + 1]);

        if (high < 0 || low < 0)
            return IA_MALFORMED;
        out[i] = (unsigned char)(high << 4 | low);
    }
    *len = text_len / 2;
    return IA_OK;
}
