/* Encodes and strictly decodes base64url, base64, and hex (RFC 4648). */
#include <string.h>
#include "interauth/encoding.h"

static const char base64url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#define BLOCK 16 /* characters decoded at a time: as many as one vector register holds */
#define PLAIN 12 /* bytes in them */

/* 0xff if c is between `low` and `high`, else 0. */
static unsigned char between(unsigned char c, unsigned char low, unsigned char high)
{
    return (unsigned char)-((c >= low) & (c <= high));
}

/*
 * The values of a block of characters. Computed without branches or tables, so that neither time nor cache lines reveal
 * what is decoded. Compilers generate a few vector instructions for it. Returns 0 unless all characters are in the
 * alphabet.
 */
static int base64_values(unsigned char *restrict out, const unsigned char *restrict in, unsigned char c62,
                         unsigned char c63)
{
    unsigned char good = 0xff;
    int i;

    for (i = 0; i < BLOCK; i++) {
        unsigned char c = in[i], upper = between(c, 'A', 'Z'), lower = between(c, 'a', 'z'),
                      digit = between(c, '0', '9'), is62 = between(c, c62, c62), is63 = between(c, c63, c63);

        out[i] = (unsigned char)((upper & (c - 'A')) | (lower & (c - 'a' + 26)) | (digit & (c - '0' + 52)) |
                                 (is62 & 62) | (is63 & 63));
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

static apr_uint64_t swap_unless_big_endian(apr_uint64_t word)
{
#if APR_IS_BIGENDIAN
    return word;
#else
    return __builtin_bswap64(word);
#endif
}

/* Eight values are six bytes: pairs are joined to 12 bits, these to 24, these to 48. */
static void pack(unsigned char out[8], const unsigned char value[8])
{
    apr_uint64_t bits;

    memcpy(&bits, value, sizeof bits);
    bits = swap_unless_big_endian(bits);
    bits = (bits >> 2 & APR_UINT64_C(0x0fc00fc00fc00fc0)) | (bits & APR_UINT64_C(0x003f003f003f003f));
    bits = (bits >> 4 & APR_UINT64_C(0x00fff00000fff000)) | (bits & APR_UINT64_C(0x00000fff00000fff));
    bits = (bits >> 8 & APR_UINT64_C(0x0000ffffff000000)) | (bits & APR_UINT64_C(0x0000000000ffffff));
    bits = swap_unless_big_endian(bits << 16);
    memcpy(out, &bits, sizeof bits);
}

/* The next block of a text, in place; a shorter last block is copied to `padded` and filled up. */
static const unsigned char *block_at(unsigned char padded[BLOCK], const char *text, apr_size_t left, char fill)
{
    if (left >= BLOCK)
        return (const unsigned char *)text;
    memset(padded, fill, BLOCK);
    memcpy(padded, text, left);
    return padded;
}

/* Decodes a whole block. Writes two bytes more than PLAIN. */
static int decode_block(unsigned char *restrict out, const unsigned char *restrict in, unsigned char c62,
                        unsigned char c63)
{
    unsigned char value[BLOCK];
    int good = base64_values(value, in, c62, c63);

    pack(out, value);
    pack(out + 6, value + 8);
    return good;
}

static ia_result decode(unsigned char *out, apr_size_t capacity, apr_size_t *len, const char *text, apr_size_t text_len,
                        unsigned char c62, unsigned char c63)
{
    apr_size_t bytes = text_len / 4 * 3 + (text_len % 4 ? text_len % 4 - 1 : 0), rest;
    unsigned char padded[BLOCK], plain[PLAIN + 2];

    *len = 0;
    if (text_len % 4 == 1)
        return IA_MALFORMED;
    if (bytes > capacity)
        return IA_TOO_LONG;
    for (; text_len >= BLOCK; text += BLOCK, text_len -= BLOCK, out += PLAIN) {
        if (!decode_block(plain, (const unsigned char *)text, c62, c63))
            return IA_MALFORMED;
        memcpy(out, plain, PLAIN);
    }
    if (text_len) {
        rest = text_len * 3 / 4;
        if (!decode_block(plain, block_at(padded, text, text_len, 'A'), c62, c63) || plain[rest])
            return IA_MALFORMED; /* or bits left over */
        memcpy(out, plain, rest);
    }
    *len = bytes;
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

/* Like base64_values, for hex digits. */
static int hex_values(unsigned char *restrict out, const unsigned char *restrict in)
{
    unsigned char good = 0xff;
    int i;

    for (i = 0; i < BLOCK; i++) {
        unsigned char c = in[i], digit = between(c, '0', '9'), small = c | 0x20, letter = between(small, 'a', 'f');

        out[i] = (unsigned char)((digit & (c - '0')) | (letter & (small - 'a' + 10)));
        good &= digit | letter;
    }
    return good == 0xff;
}

ia_result ia_hex_decode(unsigned char *out, apr_size_t capacity, apr_size_t *len, const char *text, apr_size_t text_len)
{
    apr_size_t done, count, i;

    *len = 0;
    if (text_len % 2)
        return IA_MALFORMED;
    if (text_len / 2 > capacity)
        return IA_TOO_LONG;
    for (done = 0; done < text_len; done += count) {
        unsigned char padded[BLOCK], value[BLOCK], plain[BLOCK / 2];

        count = text_len - done < BLOCK ? text_len - done : BLOCK;
        if (!hex_values(value, block_at(padded, text + done, count, '0')))
            return IA_MALFORMED;
        for (i = 0; i < BLOCK / 2; i++)
            plain[i] = (unsigned char)(value[2 * i] << 4 | value[2 * i + 1]);
        memcpy(out + done / 2, plain, count / 2);
    }
    *len = text_len / 2;
    return IA_OK;
}
