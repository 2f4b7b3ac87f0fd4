/* Parses saved requests and responses, and saves requests. */
#include "saved_message.h"

#include <string.h>
#include <strings.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "files.h"
#include "request_body.h"
#include "request_head.h"
#include "say.h"

#define FIELDS_MAX     256
#define REQUEST_SYNTAX "not \"METHOD target HTTP/1.1\""

/* Lines are NUL-terminated in place. */
typedef struct reader {
    apr_pool_t *p;
    const char *path;
    char *at, *end;
    unsigned line;
    int is_strict; /* refuse what a server would refuse */
} reader;

/* --- parsing --- */

static int reader_open(reader *c, apr_pool_t *p, const char *path, apr_size_t max, int is_strict)
{
    apr_size_t len;
    char *text;
    int rc = file_read(&text, &len, p, path, max, FILE_PLAIN);

    memset(c, 0, sizeof *c);
    if (rc != CL_OK)
        return rc;
    c->p = p;
    c->path = path;
    c->at = text;
    c->end = text + len;
    c->is_strict = is_strict;
    return CL_OK;
}

/* The next line without its end, or NULL. Only a strict reader demands a line end, and refuses a NUL. */
static char *line_next(reader *c)
{
    char *line = c->at, *stop = memchr(line, '\n', (apr_size_t)(c->end - line));

    if (line == c->end || (c->is_strict && (!stop || memchr(line, '\0', (apr_size_t)(stop - line)))))
        return NULL;
    c->at = stop ? stop + 1 : c->end;
    c->line++;
    if (!stop)
        stop = c->end;
    if (stop > line && stop[-1] == '\r')
        stop--;
    *stop = '\0';
    return line;
}

static int line_refuse(const reader *c, const char *problem)
{
    return say_refused("%s: line %u: %s", c->path, c->line, problem);
}

static int is_response_line(const char *line)
{
    const char *status = strchr(line, ' ');

    return strncmp(line, "HTTP/", 5) == 0 && status && apr_isdigit(status[1]) && apr_isdigit(status[2]) &&
           apr_isdigit(status[3]) && !apr_isdigit(status[4]);
}

static int is_request_line(const char *line)
{
    const char *target = strchr(line, ' '), *version = target ? strrchr(line, ' ') : NULL;

    return target && version > target + 1 && strncmp(version, " HTTP/", 6) == 0 &&
           head_is_token(line, (apr_size_t)(target - line)) &&
           !memchr(target + 1, ' ', (apr_size_t)(version - target - 1));
}

static int is_field_line(const char *line)
{
    const char *colon = strchr(line, ':');

    return colon && head_is_token(line, (apr_size_t)(colon - line));
}

static int fields_read(ia_httpsig_message *out, reader *c)
{
    ia_httpsig_field *fields = apr_palloc(c->p, FIELDS_MAX * sizeof *fields);
    char *line, *colon;

    out->fields = fields;
    out->field_count = 0;
    while ((line = line_next(c)) && *line) {
        if (out->field_count == FIELDS_MAX)
            return line_refuse(c, "too many header fields");
        if (*line == ' ' || *line == '\t')
            return line_refuse(c, "a field continued over several lines, which HTTP no longer allows");
        if (!is_field_line(line))
            return line_refuse(c, "not \"Name: value\"");
        colon = strchr(line, ':');
        *colon++ = '\0';
        fields[out->field_count].name = line;
        fields[out->field_count++].value = colon + strspn(colon, " \t");
    }
    return line || !c->is_strict ? CL_OK : say_refused("%s: the header does not end with an empty line", c->path);
}

/* `line` is a request line. */
static void request_line_split(ia_httpsig_message *out, char *line)
{
    char *target = strchr(line, ' ');

    *strrchr(line, ' ') = '\0';
    *target = '\0';
    out->method = line;
    out->target = target + 1;
}

static const char *line_peek(const reader *c)
{
    return apr_pstrmemdup(c->p, c->at, strcspn(c->at, "\r\n"));
}

/* Interim responses may precede the final one. */
static int head_read_any(saved_message *out, reader *c)
{
    const char *line = line_peek(c);
    int rc = CL_OK;

    out->kind = SAVED_BODY;
    if (is_request_line(line)) {
        out->kind = SAVED_REQUEST;
        request_line_split(&out->message, line_next(c));
    } else if (!is_response_line(line) && is_field_line(line)) {
        out->kind = SAVED_HEADER;
    }
    for (; rc == CL_OK && is_response_line(line); line = line_peek(c)) {
        out->kind = SAVED_RESPONSE;
        out->message.status = (int)apr_atoi64(strchr(line_next(c), ' ') + 1);
        rc = fields_read(&out->message, c);
        if (out->message.status >= 200)
            return rc;
    }
    if (out->kind == SAVED_REQUEST || out->kind == SAVED_HEADER)
        rc = fields_read(&out->message, c);
    return rc;
}

int saved_message_read(saved_message *out, apr_pool_t *p, const char *path)
{
    reader c;
    int rc = reader_open(&c, p, path, SAVED_MESSAGE_MAX, 0);

    memset(out, 0, sizeof *out);
    if (rc != CL_OK)
        return rc;
    rc = head_read_any(out, &c);
    out->body = c.at;
    out->body_len = (apr_size_t)(c.end - c.at);
    return rc;
}

/* --- requests for verification --- */

static int request_line_read(ia_httpsig_message *out, reader *c)
{
    char *line = line_next(c);
    const char *version = line ? strrchr(line, ' ') : NULL;

    if (!line)
        return say_refused("%s: not a request", c->path);
    if (!is_request_line(line) || strncmp(version, " HTTP/1.", 8) != 0 || strlen(version) != 9)
        return line_refuse(c, REQUEST_SYNTAX);
    request_line_split(out, line);
    return CL_OK;
}

static unsigned field_count(const ia_httpsig_message *message, const char *name)
{
    unsigned count = 0;

    for (unsigned i = 0; i < message->field_count; i++)
        count += strcasecmp(message->fields[i].name, name) == 0;
    return count;
}

/* The authority of an absolute target takes precedence over Host (RFC 9112 section 3.2.2). */
static int authority_find(ia_httpsig_message *message, const reader *c, const char *scheme)
{
    const char *mark = strstr(message->target, "://");

    message->scheme = scheme;
    if (*message->target != '/' && mark) {
        message->scheme = apr_pstrmemdup(c->p, message->target, (apr_size_t)(mark - message->target));
        message->authority = apr_pstrmemdup(c->p, mark + 3, strcspn(mark + 3, "/?"));
        return CL_OK;
    }
    if (field_count(message, "Host") != 1)
        return say_refused("%s: a request must have exactly one Host field", c->path);
    message->authority = head_value(message, "Host");
    return CL_OK;
}

static int body_find(saved_message *out, const reader *c)
{
    const char *length = head_value(&out->message, "Content-Length");
    apr_size_t len;

    out->body = c->at;
    out->body_len = (apr_size_t)(c->end - c->at);
    if (field_count(&out->message, "Transfer-Encoding") > 0)
        return say_refused("%s: has a Transfer-Encoding; save the decoded body with a Content-Length instead", c->path);
    if (!length && out->body_len > 0)
        return say_refused("%s: %lu bytes follow the header, but there is no Content-Length", c->path,
                           (unsigned long)out->body_len);
    if (!length)
        return CL_OK;
    len = strspn(length, "0123456789");
    if (field_count(&out->message, "Content-Length") != 1 || len == 0 || len > 18 ||
        length[len + strspn(length + len, " \t")])
        return say_refused("%s: Content-Length is not a number", c->path);
    if (apr_atoi64(length) != (apr_int64_t)out->body_len)
        return say_refused("%s: the body has %lu bytes, but Content-Length is %s", c->path,
                           (unsigned long)out->body_len, length);
    return CL_OK;
}

int saved_request_read(saved_message *out, apr_pool_t *p, const char *path, const char *scheme)
{
    reader c;
    int rc = reader_open(&c, p, path, SAVED_REQUEST_MAX, 1);

    memset(out, 0, sizeof *out);
    out->kind = SAVED_REQUEST;
    if (rc != CL_OK || (rc = request_line_read(&out->message, &c)) != CL_OK ||
        (rc = fields_read(&out->message, &c)) != CL_OK || (rc = authority_find(&out->message, &c, scheme)) != CL_OK)
        return rc;
    return body_find(out, &c);
}

/* --- saving --- */

static const char *head_format(apr_pool_t *p, const ia_httpsig_message *message, const http_body *body)
{
    apr_array_header_t *parts = apr_array_make(p, 16, sizeof(const char *));

    APR_ARRAY_PUSH(parts, const char *) = apr_pstrcat(p, message->method, " ", message->target, " HTTP/1.1\r\n", NULL);
    if (!head_value(message, "Host"))
        APR_ARRAY_PUSH(parts, const char *) = apr_pstrcat(p, "Host: ", message->authority, "\r\n", NULL);
    for (unsigned i = 0; i < message->field_count; i++)
        APR_ARRAY_PUSH(parts, const char *) =
            apr_pstrcat(p, message->fields[i].name, ": ", message->fields[i].value, "\r\n", NULL);
    if (body && !head_value(message, "Content-Length"))
        APR_ARRAY_PUSH(parts, const char *) = apr_psprintf(p, "Content-Length: %" APR_INT64_T_FMT "\r\n", body->len);
    APR_ARRAY_PUSH(parts, const char *) = "\r\n";
    return apr_array_pstrcat(p, parts, '\0');
}

int saved_request_write(apr_pool_t *p, const char *path, const ia_httpsig_message *message, const http_body *body)
{
    const char *head = head_format(p, message, body);
    apr_size_t head_len = strlen(head), body_len = body ? (apr_size_t)body->len : 0;
    char *text;
    int rc;

    if (body_len > SAVED_REQUEST_MAX - head_len)
        return say_fault("the request is longer than %d bytes and was not saved", SAVED_REQUEST_MAX);
    text = apr_palloc(p, head_len + body_len + 1);
    memcpy(text, head, head_len);
    if (body && (rc = request_body_copy(text + head_len, body)) != CL_OK)
        return rc;
    return file_create(p, path, text, head_len + body_len);
}
