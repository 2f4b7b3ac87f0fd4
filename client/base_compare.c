/* Compares two signature bases and finds the first difference. */
#include "base_compare.h"

#include <string.h>

#include "files.h"
#include "interauth/httpsig.h"
#include "interauth/json.h"
#include "say.h"
#include "signature_text.h"

#define FILE_MAX  (4 * IA_HTTPSIG_BASE_MAX)
#define NODES_MAX 1000

/* By what a line of the base begins with. */
static const struct {
    const char *line, *hint;
} hints[] = {
    {"\"@method\"", "methods are compared with their case; a proxy may have changed it, or a redirect POST to GET"},
    {"\"@authority\"",
     "one side sees another host or port: a proxy that sets Host, or a default port that is written out"},
    {"\"@scheme\"", "one side sees https where the other sees http: TLS ends at a proxy (--scheme)"},
    {"\"@target-uri\"", "one side sees another scheme, host or path: TLS ends at a proxy (--scheme), or a rewrite"},
    {"\"@request-target\"", "a proxy has rewritten the path, or sent a whole URL"},
    {"\"@path\"", "a rewrite, or percent-encoding that was changed on the way"},
    {"\"@query\"", "parameters were added, reordered or encoded anew; without a query the value is ?"},
    {"\"@query-param\"", "values are decoded and encoded anew, with %20 for a space"},
    {"\"@signature-params\"",
     "parameters are kept in the order in which they were sent; times and nonce belong to one request"},
    {"\"content-digest\"", "the body, or its compression, differs"},
    {"\"content-type\"", "a library has added a charset or a boundary"},
    {"\"authorization\"", "another token or nonce than was signed: sign after Authorization is complete"},
};

static const char *hint_find(const char *line, const char *end)
{
    for (unsigned i = 0; i < sizeof hints / sizeof hints[0]; i++) {
        apr_size_t len = strlen(hints[i].line);

        if ((apr_size_t)(end - line) >= len && strncmp(line, hints[i].line, len) == 0)
            return hints[i].hint;
    }
    return NULL;
}

/* The line that begins at `begin`, printable, with its end where the difference is there; NULL behind the
 * end. */
static const char *line_show(apr_pool_t *p, const ia_sfv_text *text, apr_size_t begin, apr_size_t at)
{
    const char *stop;
    apr_size_t end;

    if (begin > text->len || (begin == text->len && begin > 0 && text->data[begin - 1] != '\n'))
        return NULL;
    stop = memchr(text->data + begin, '\n', text->len - begin);
    end = stop ? (apr_size_t)(stop - text->data) : text->len;
    return signature_escape(p, text->data + begin, end - begin + (stop && end == at));
}

void base_compare(base_difference *out, apr_pool_t *p, const ia_sfv_text *here, const ia_sfv_text *there)
{
    apr_size_t at = 0, begin = 0;
    unsigned line = 1;

    memset(out, 0, sizeof *out);
    while (at < here->len && at < there->len && here->data[at] == there->data[at])
        if (here->data[at++] == '\n') {
            begin = at;
            line++;
        }
    if (at == here->len && at == there->len)
        return;
    out->is_there = 1;
    out->line = line;
    out->byte = (unsigned)(at - begin) + 1;
    out->here = line_show(p, here, begin, at);
    out->there = line_show(p, there, begin, at);
    out->mark = (unsigned)strlen(signature_escape(p, here->data + begin, at - begin));
    out->hint = hint_find(here->data + begin, here->data + here->len);
}

static int json_take(ia_sfv_text *out, apr_pool_t *p, const char *path, const char *text, apr_size_t len)
{
    const ia_json *json, *base;

    if (ia_json_parse(&json, p, text, len, NODES_MAX, NULL) != IA_OK)
        return say_refused("%s: neither a signature base nor JSON", path);
    base = ia_json_member(json, "base");
    if (!base || base->type != IA_JSON_STRING)
        return say_refused("%s: JSON without a member base", path);
    out->data = base->string;
    out->len = base->string_len;
    return CL_OK;
}

int base_load(ia_sfv_text *out, apr_pool_t *p, const char *path)
{
    apr_size_t len;
    char *text;
    int rc = file_read(&text, &len, p, path, FILE_MAX, FILE_PLAIN);

    out->data = NULL;
    out->len = 0;
    if (rc != CL_OK)
        return rc;
    if (*text == '{') /* a base begins with a quote */
        return json_take(out, p, path, text, len);
    if (len > 0 && text[len - 1] == '\n')
        len -= len > 1 && text[len - 2] == '\r' ? 2 : 1;
    out->data = text;
    out->len = len;
    return CL_OK;
}
