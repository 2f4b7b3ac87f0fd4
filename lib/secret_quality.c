/* Finds shared secrets that others can guess. */
#include <string.h>
#include "interauth/mac.h"
#include "interauth/secret_quality.h"

#define FEW         8  /* 16 random bytes have fewer different ones once in 10^11 times */
#define PIECE_MAX   15 /* bytes; a longer piece has what a secret of the least length has */
#define RANDOM_TEXT 22 /* characters of base64 for 16 bytes */
#define RANDOM_HEX  32 /* hexadecimal digits of 16 bytes */

/* How many different bytes there are, or, with `step` 1, how many different steps from one byte to the next. */
static unsigned different(const unsigned char *bytes, apr_size_t len, apr_size_t step)
{
    unsigned char seen[256] = {0};
    unsigned count = 0;

    for (apr_size_t i = step; i < len; i++)
        seen[step ? (unsigned char)(bytes[i] - bytes[i - 1]) : bytes[i]] = 1;
    for (unsigned i = 0; i < sizeof seen; i++)
        count += seen[i];
    ia_wipe(seen, sizeof seen);
    return count;
}

static int repeats_piece(const unsigned char *bytes, apr_size_t len)
{
    for (apr_size_t piece = 1; piece <= PIECE_MAX && piece <= len / 2; piece++)
        if (ia_mac_equal(bytes, bytes + piece, len - piece))
            return 1;
    return 0;
}

static int is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static int is_lower(unsigned char c)
{
    return c >= 'a' && c <= 'z';
}

static int is_upper(unsigned char c)
{
    return c >= 'A' && c <= 'Z';
}

static unsigned class_of(unsigned char c)
{
    return is_digit(c) ? 1 : is_lower(c) ? 2 : is_upper(c) ? 4 : 8;
}

static int is_printable(const unsigned char *bytes, apr_size_t len)
{
    for (apr_size_t i = 0; i < len; i++)
        if (bytes[i] < 0x20 || bytes[i] > 0x7e)
            return 0;
    return 1;
}

static int is_hex(const unsigned char *bytes, apr_size_t len)
{
    unsigned cases = 0;

    for (apr_size_t i = 0; i < len; i++) {
        unsigned char lower = bytes[i] | 0x20;

        if (!is_digit(bytes[i]) && (lower < 'a' || lower > 'f'))
            return 0;
        cases |= class_of(bytes[i]);
    }
    return (cases & 6) != 6;
}

static int is_base64(unsigned char c)
{
    return class_of(c) != 8 || c == '+' || c == '/' || c == '-' || c == '_' || c == '=';
}

/*
 * Random base64 changes between small letters, capitals and digits at two thirds of its positions, and often has a
 * capital that is not followed by a small letter. Words do not, however they are joined.
 */
static int looks_random(const unsigned char *bytes, apr_size_t len)
{
    unsigned classes = class_of(bytes[0]);
    apr_size_t changes = 0, odd_capitals = 0;

    if (len >= RANDOM_HEX && is_hex(bytes, len))
        return 1;
    for (apr_size_t i = 1; i < len; i++) {
        if (!is_base64(bytes[i]))
            return 0;
        classes |= class_of(bytes[i]);
        changes += class_of(bytes[i]) != class_of(bytes[i - 1]);
        odd_capitals += is_upper(bytes[i - 1]) && !is_lower(bytes[i]);
    }
    return len >= RANDOM_TEXT && (classes & 7) == 7 && changes * 3 >= len && odd_capitals > 0;
}

unsigned ia_secret_weaknesses(const void *secret, apr_size_t len)
{
    const unsigned char *bytes = secret;
    unsigned found = 0;

    if (len < IA_SECRET_MIN)
        return IA_SECRET_FEW_BYTES;
    if (different(bytes, len, 0) < FEW)
        found |= IA_SECRET_FEW_BYTES;
    if (different(bytes, len, 1) < FEW || repeats_piece(bytes, len))
        found |= IA_SECRET_PATTERN;
    if (is_printable(bytes, len) && !looks_random(bytes, len))
        found |= IA_SECRET_TEXT;
    return found;
}

const char *ia_secret_weakness_text(unsigned weaknesses)
{
    if (weaknesses & IA_SECRET_FEW_BYTES)
        return "has few different bytes";
    if (weaknesses & IA_SECRET_PATTERN)
        return "follows a pattern";
    return weaknesses & IA_SECRET_TEXT ? "is text that can be guessed" : NULL;
}
