/* Validates UTF-8. */
#include "utf8.h"

/* The length of the sequence that starts here, or 0 if it is not UTF-8. */
static apr_size_t utf8_length(const unsigned char *s, apr_size_t left)
{
    unsigned char low = 0x80, high = 0xbf;
    apr_size_t n, i;

    if (s[0] < 0x80)
        return 1;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (left < n)
        return 0;
    if (s[0] == 0xe0)
        low = 0xa0;
    else if (s[0] == 0xed)
        high = 0x9f;
    else if (s[0] == 0xf0)
        low = 0x90;
    else if (s[0] == 0xf4)
        high = 0x8f;
    if (s[1] < low || s[1] > high)
        return 0;
    for (i = 2; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    }
    return n;
}

int iai_utf8_is_valid(const char *data, apr_size_t len)
{
    const unsigned char *s = (const unsigned char *)data;
    apr_size_t i = 0, n;

    while (i < len) {
        n = utf8_length(s + i, len - i);
        if (n == 0)
            return 0;
        i += n;
    }
    return 1;
}
