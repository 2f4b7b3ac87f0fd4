/* Parses a saved request or response, or a part of one. */
#include "saved_message.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "files.h"
#include "request_head.h"
#include "say.h"

#define FIELDS_MAX 256

typedef struct reader {
    const char *path;
    char *at, *end;
    unsigned line;
} reader;

/* The next line, NUL-terminated in place; the last one may lack its end. NULL where nothing is left. */
static char *line_take(reader *c)
{
    char *line = c->at, *stop;

    if (c->at == c->end)
        return NULL;
    stop = memchr(line, '\n', (apr_size_t)(c->end - line));
    c->at = stop ? stop + 1 : c->end;
    c->line++;
    if (!stop)
        stop = c->end;
    if (stop > line && stop[-1] == '\r')
        stop--;
    *stop = '\0';
    return line;
}

static int is_response_line(const char *line)
{
    const char *status = strchr(line, ' ');

    return !strncmp(line, "HTTP/", 5) && status && apr_isdigit(status[1]) && apr_isdigit(status[2]) &&
           apr_isdigit(status[3]) && !apr_isdigit(status[4]);
}

static int is_request_line(const char *line)
{
    const char *target = strchr(line, ' '), *version = target ? strrchr(line, ' ') : NULL;

    return target && version > target + 1 && !strncmp(version, " HTTP/", 6) &&
           head_is_token(line, (apr_size_t)(target - line)) &&
           !memchr(target + 1, ' ', (apr_size_t)(version - target - 1));
}

static int is_field_line(const char *line)
{
    const char *colon = strchr(line, ':');

    return colon && head_is_token(line, (apr_size_t)(colon - line));
}

static int fields_read(saved_message *out, apr_pool_t *p, reader *c)
{
    ia_httpsig_field *fields = apr_palloc(p, FIELDS_MAX * sizeof *fields);
    char *line, *colon;

    out->message.fields = fields;
    out->message.field_count = 0;
    while ((line = line_take(c)) != NULL && *line) {
        if (out->message.field_count == FIELDS_MAX)
            return say_refused("%s: line %u: too many fields", c->path, c->line);
        if (!is_field_line(line))
            return say_refused("%s: line %u: not \"Name: value\"", c->path, c->line);
        colon = strchr(line, ':');
        *colon++ = '\0';
        fields[out->message.field_count].name = line;
        fields[out->message.field_count++].value = colon + strspn(colon, " \t");
    }
    return CL_OK;
}

static void request_line_take(saved_message *out, reader *c)
{
    char *line = line_take(c), *target = strchr(line, ' ');

    *strrchr(line, ' ') = '\0';
    *target = '\0';
    out->kind = SAVED_REQUEST;
    out->message.method = line;
    out->message.target = target + 1;
}

static void response_line_take(saved_message *out, reader *c)
{
    out->kind = SAVED_RESPONSE;
    out->message.status = (int)apr_atoi64(strchr(line_take(c), ' ') + 1);
}

static const char *first_line(apr_pool_t *p, const reader *c)
{
    return apr_pstrmemdup(p, c->at, strcspn(c->at, "\r\n"));
}

/* A response may stand behind interim ones. */
static int head_take(saved_message *out, apr_pool_t *p, reader *c)
{
    const char *line = first_line(p, c);
    int rc = CL_OK;

    out->kind = SAVED_BODY;
    if (is_request_line(line))
        request_line_take(out, c);
    else if (!is_response_line(line))
        out->kind = is_field_line(line) ? SAVED_HEADER : SAVED_BODY;
    for (; rc == CL_OK && is_response_line(line); line = first_line(p, c)) {
        response_line_take(out, c);
        rc = fields_read(out, p, c);
        if (out->message.status >= 200)
            return rc;
    }
    if (out->kind == SAVED_REQUEST || out->kind == SAVED_HEADER)
        rc = fields_read(out, p, c);
    return rc;
}

int saved_message_read(saved_message *out, apr_pool_t *p, const char *path)
{
    reader c = {.path = path};
    apr_size_t len;
    char *text;
    int rc = file_read(&text, &len, p, path, SAVED_MAX, FILE_PLAIN);

    memset(out, 0, sizeof *out);
    if (rc != CL_OK)
        return rc;
    c.at = text;
    c.end = text + len;
    rc = head_take(out, p, &c);
    out->body = c.at;
    out->body_len = (apr_size_t)(c.end - c.at);
    return rc;
}
