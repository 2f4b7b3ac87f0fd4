/* Formats signatures and their bases, and compares two bases. */
#include "signature_text.h"

#include <stdio.h>
#include <string.h>

#include <apr_strings.h>
#include <apr_tables.h>

#include "files.h"
#include "interauth/timestamp.h"
#include "say.h"

#define BASE_FILE_MAX (4 * IA_HTTPSIG_BASE_MAX)
#define NODES_MAX     1000

const char *signature_string(apr_pool_t *p, const ia_sfv_text *text)
{
    return apr_pstrmemdup(p, text->data ? text->data : "", text->len);
}

static const char *component_format(apr_pool_t *p, const ia_sfv_member *item)
{
    char *text;

    return ia_sfv_format_member(&text, NULL, p, item) == IA_OK ? text : "?";
}

const char *signature_covered(apr_pool_t *p, const ia_httpsig *signature)
{
    apr_array_header_t *names = apr_array_make(p, 8, sizeof(const char *));

    for (const ia_sfv_member *item = signature->input->items; item; item = item->next)
        APR_ARRAY_PUSH(names, const char *) = component_format(p, item);
    return names->nelts > 0 ? apr_array_pstrcat(p, names, ' ') : "nothing";
}

static void text_write(ia_json_writer *w, apr_pool_t *p, const char *name, const ia_sfv_text *text)
{
    if (text->data)
        ia_json_write_member(w, name, signature_string(p, text));
}

static void time_write(ia_json_writer *w, const char *name, apr_int64_t seconds)
{
    char text[IA_RFC3339_SIZE];

    if (seconds < 0)
        return;
    ia_timestamp_format(text, apr_time_from_sec(seconds));
    ia_json_write_member(w, name, text);
}

void signature_write(ia_json_writer *w, apr_pool_t *p, const ia_httpsig *signature)
{
    text_write(w, p, "label", &signature->label);
    text_write(w, p, "keyid", &signature->keyid);
    time_write(w, "created", signature->created);
    time_write(w, "expires", signature->expires);
    text_write(w, p, "nonce", &signature->nonce);
    text_write(w, p, "tag", &signature->tag);
    ia_json_write_name(w, "covered");
    ia_json_write_array(w);
    for (const ia_sfv_member *item = signature->input->items; item; item = item->next)
        ia_json_write_string(w, component_format(p, item));
    ia_json_write_end(w);
}

static void text_print(apr_pool_t *p, const char *name, const ia_sfv_text *text)
{
    if (text->data)
        printf("%s: %s\n", name, signature_string(p, text));
}

static void time_print(const char *name, apr_int64_t seconds)
{
    char text[IA_RFC3339_SIZE];

    if (seconds < 0)
        return;
    ia_timestamp_format(text, apr_time_from_sec(seconds));
    printf("%s: %s\n", name, text);
}

void signature_print(apr_pool_t *p, const ia_httpsig *signature)
{
    text_print(p, "label", &signature->label);
    text_print(p, "keyid", &signature->keyid);
    time_print("created", signature->created);
    time_print("expires", signature->expires);
    text_print(p, "nonce", &signature->nonce);
    text_print(p, "tag", &signature->tag);
    printf("covered: %s\n", signature_covered(p, signature));
}

const char *signature_escape(apr_pool_t *p, const char *data, apr_size_t len)
{
    static const char hex[] = "0123456789abcdef";
    char *text = apr_palloc(p, 4 * len + 1), *at = text;

    for (apr_size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)data[i];

        if (c >= 0x20 && c <= 0x7e && c != '\\') {
            *at++ = (char)c;
            continue;
        }
        *at++ = '\\';
        if (c == '\\' || c == '\t' || c == '\r' || c == '\n') {
            *at++ = c == '\t' ? 't' : c == '\r' ? 'r' : c == '\n' ? 'n' : '\\';
        } else {
            *at++ = 'x';
            *at++ = hex[c >> 4];
            *at++ = hex[c & 15];
        }
    }
    *at = '\0';
    return text;
}

/* --- comparison of two bases --- */

/* Hints, by the start of the line that differs. */
static const struct {
    const char *line, *hint;
} hints[] = {
    {"\"@method\"", "methods are case-sensitive; a proxy may have changed the case, or a redirect POST to GET"},
    {"\"@authority\"",
     "the sides see different hosts or ports: a proxy sets Host, or one side includes the default port"},
    {"\"@scheme\"", "one side sees https where the other sees http: TLS ends at a proxy (--scheme)"},
    {"\"@target-uri\"",
     "the sides see different schemes, hosts or paths: TLS ends at a proxy (--scheme), or a rewrite"},
    {"\"@request-target\"", "a proxy has rewritten the path, or sent a whole URL"},
    {"\"@path\"", "a rewrite, or percent-encoding that was changed in transit"},
    {"\"@query\"", "parameters were added, reordered or re-encoded; without a query the value is ?"},
    {"\"@query-param\"", "values are decoded and re-encoded, with %20 for a space"},
    {"\"@signature-params\"",
     "parameters must stay in the order in which they were sent; times and nonce differ in each request"},
    {"\"content-digest\"", "the body, or its compression, differs"},
    {"\"content-type\"", "a library has added a charset or a boundary"},
    {"\"authorization\"", "the token or nonce was changed after signing: sign after Authorization is complete"},
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

/* The line at `begin`, in printable ASCII, with its line end if the difference is there; NULL after the end. */
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
    out->exists = 1;
    out->line = line;
    out->byte = (unsigned)(at - begin) + 1;
    out->here = line_show(p, here, begin, at);
    out->there = line_show(p, there, begin, at);
    out->mark = (unsigned)strlen(signature_escape(p, here->data + begin, at - begin));
    out->hint = hint_find(here->data + begin, here->data + here->len);
}

static int json_read(ia_sfv_text *out, apr_pool_t *p, const char *path, const char *text, apr_size_t len)
{
    const ia_json *json, *base;

    if (ia_json_parse(&json, p, text, len, NODES_MAX, NULL) != IA_OK)
        return say_refused("%s: neither a signature base nor JSON", path);
    base = ia_json_member(json, "base");
    if (!base || base->type != IA_JSON_STRING)
        return say_refused("%s: JSON without a member \"base\"", path);
    out->data = base->string;
    out->len = base->string_len;
    return CL_OK;
}

int base_load(ia_sfv_text *out, apr_pool_t *p, const char *path)
{
    apr_size_t len;
    char *text;
    int rc = file_read(&text, &len, p, path, BASE_FILE_MAX, FILE_PLAIN);

    out->data = NULL;
    out->len = 0;
    if (rc != CL_OK)
        return rc;
    if (*text == '{') /* a base begins with a quote */
        return json_read(out, p, path, text, len);
    if (len > 0 && text[len - 1] == '\n')
        len -= len > 1 && text[len - 2] == '\r' ? 2 : 1;
    out->data = text;
    out->len = len;
    return CL_OK;
}
