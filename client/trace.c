/* Prints exchanges for -v, without credentials. */
#include "trace.h"

#include <string.h>
#include <strings.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_tables.h>

#include "say.h"

#define SHOWN_MAX 16384 /* bytes of a body */
#define MASK      "[masked]"

static int is_on;

void trace_begin(int on)
{
    is_on = on;
}

int trace_is_on(void)
{
    return is_on;
}

/* "Authorization: SAuth token=.." keeps its scheme. */
static const char *header_mask(apr_pool_t *p, const char *line)
{
    static const char *const names[] = {"Authorization:", "Proxy-Authorization:", "Cookie:", "Set-Cookie:"};

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        apr_size_t kept = strlen(names[i]);
        const char *value = line + kept;

        if (strncasecmp(line, names[i], kept) != 0)
            continue;
        value += strspn(value, " \t");
        if (i < 2 && value[strcspn(value, " ")] == ' ')
            kept = (apr_size_t)(value - line) + strcspn(value, " ");
        return apr_pstrcat(p, apr_pstrmemdup(p, line, kept), " " MASK, NULL);
    }
    return line;
}

static int is_secret_name(const char *name, apr_size_t len)
{
    static const char *const names[] = {"token", "hmac", "signature", "secret", "password", "access_token"};

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == len && strncasecmp(name, names[i], len) == 0)
            return 1;
    return 0;
}

/* The value after a name: of a form field, a JSON member (which may be in a JSON string), or an XML element. */
static const char *value_begin(const char *at)
{
    if (*at == '>')
        return at + 1;
    at += strspn(at, "\\");
    at += *at == '"';
    at += strspn(at, " \t\r\n");
    if (*at != ':' && *at != '=')
        return NULL;
    at++;
    return at + strspn(at, " \t\r\n");
}

static const char *value_end(const char *at)
{
    apr_size_t slashes = strspn(at, "\\");

    if (at[slashes] != '"')
        return at + strcspn(at, "&<,;} \t\r\n");
    for (at += slashes + 1; *at && *at != '"'; at++)
        if (slashes == 0 && *at == '\\' && at[1])
            at++;
    return at;
}

static const char *body_mask(apr_pool_t *p, const char *text)
{
    apr_array_header_t *parts = apr_array_make(p, 8, sizeof(const char *));
    const char *kept = text, *at = text;

    while (*at) {
        const char *name = at, *value;

        while (apr_isalnum(*at) || *at == '_')
            at++;
        value = is_secret_name(name, (apr_size_t)(at - name)) ? value_begin(at) : NULL;
        if (value) {
            APR_ARRAY_PUSH(parts, const char *) = apr_pstrmemdup(p, kept, (apr_size_t)(value - kept));
            APR_ARRAY_PUSH(parts, const char *) = MASK;
            kept = at = value_end(value);
            kept += *kept == '"';
            at = kept;
        } else if (*at) {
            at++;
        }
    }
    APR_ARRAY_PUSH(parts, const char *) = kept;
    return apr_array_pstrcat(p, parts, 0);
}

static int hex_value(char c)
{
    return apr_isdigit(c) ? c - '0' : apr_isxdigit(c) ? apr_tolower(c) - 'a' + 10 : -1;
}

/* Decodes percent-encoding, so that JSON in a form field is readable, and masked like any other. */
static const char *escapes_decode(apr_pool_t *p, const char *text)
{
    char *out = apr_pstrdup(p, text), *put = out;

    for (; *text; text++) {
        int high = *text == '%' ? hex_value(text[1]) : -1, low = high < 0 ? -1 : hex_value(text[2]);

        if (low < 0 || high * 16 + low == 0) {
            *put++ = *text;
            continue;
        }
        *put++ = (char)(high * 16 + low);
        text += 2;
    }
    *put = '\0';
    return out;
}

void trace_header(apr_pool_t *p, char mark, const char *data, apr_size_t len)
{
    char *last, *lines = apr_pstrmemdup(p, data, len);

    for (char *line = apr_strtok(lines, "\r\n", &last); line; line = apr_strtok(NULL, "\r\n", &last))
        say_trace(mark, header_mask(p, line));
}

void trace_length(apr_pool_t *p, char mark, apr_int64_t len)
{
    if (len > 0)
        say_trace(mark, apr_psprintf(p, "(%" APR_INT64_T_FMT " bytes)", len));
}

/* Masks before and after decoding: an escaped "&" must not end the value that contains it. */
void trace_body(apr_pool_t *p, char mark, const char *data, apr_size_t len)
{
    const char *text;
    char *last;

    if (len > SHOWN_MAX || memchr(data, '\0', len)) {
        trace_length(p, mark, (apr_int64_t)len);
        return;
    }
    text = body_mask(p, escapes_decode(p, body_mask(p, apr_pstrmemdup(p, data, len))));
    for (char *line = apr_strtok(apr_pstrdup(p, text), "\r\n", &last); line; line = apr_strtok(NULL, "\r\n", &last))
        say_trace(mark, line);
}
