#include "interauth/encoding.h"

static const char base64url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Computed, not looked up: no table whose cache lines could tell what was decoded. -1 for a foreign character. */
static int base64_value(unsigned char c, unsigned char c62, unsigned char c63)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == c62)
        return 62;
    return c == c63 ? 63 : -1;
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

static ia_result decode(unsigned char *out, apr_size_t capacity, apr_size_t *len, const char *text,
                        apr_size_t text_len, unsigned char c62, unsigned char c63)
{
    apr_size_t i, n = 0;
    unsigned bits = 0, held = 0;

    *len = 0;
    if (text_len % 4 == 1)
        return IA_MALFORMED;
    if (text_len / 4 * 3 + (text_len % 4 ? text_len % 4 - 1 : 0) > capacity)
        return IA_TOO_LONG;
    for (i = 0; i < text_len; i++) {
        int value = base64_value((unsigned char)text[i], c62, c63);

        if (value < 0)
            return IA_MALFORMED;
        bits = bits << 6 | (unsigned)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[n++] = (unsigned char)(bits >> held);
            bits &= (1u << held) - 1;
        }
    }
    if (bits)
        return IA_MALFORMED;
    *len = n;
    return IA_OK;
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
