/* Reads and writes requests in HTTP/1.1 message format. */
#include "wire.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <apr_strings.h>

#include "files.h"
#include "request_head.h"
#include "say.h"

#define FIELDS_MAX 256

typedef struct reader {
    apr_pool_t *p;
    const char *path;
    char *at, *end;
    unsigned line;
} reader;

/* The next line without its end, NUL-terminated in place; NULL where there is none. */
static char *line_take(reader *c)
{
    char *line = c->at, *stop = memchr(c->at, '\n', (apr_size_t)(c->end - c->at));

    if (!stop || memchr(line, '\0', (apr_size_t)(stop - line)))
        return NULL;
    c->at = stop + 1;
    c->line++;
    if (stop > line && stop[-1] == '\r')
        stop--;
    *stop = '\0';
    return line;
}

static int wrong(const reader *c, const char *what)
{
    return say_refused("%s: line %u: %s", c->path, c->line, what);
}

static int request_line_read(ia_httpsig_message *out, reader *c)
{
    char *line = line_take(c), *target, *version;

    if (!line)
        return say_refused("%s: not a request", c->path);
    if (!(target = strchr(line, ' ')) || !(version = strrchr(target + 1, ' ')) || target + 1 == version ||
        strncmp(version, " HTTP/1.", 8) != 0 || strlen(version) != 9)
        return wrong(c, "not \"METHOD target HTTP/1.1\"");
    *target++ = '\0';
    *version = '\0';
    if (!head_is_token(line, strlen(line)) || strchr(target, ' '))
        return wrong(c, "not \"METHOD target HTTP/1.1\"");
    out->method = line;
    out->target = target;
    return CL_OK;
}

static int field_read(ia_httpsig_field *out, const reader *c, char *line)
{
    char *colon = strchr(line, ':');

    if (*line == ' ' || *line == '\t')
        return wrong(c, "a value goes on over lines, which HTTP no longer allows");
    if (!colon || !head_is_token(line, (apr_size_t)(colon - line)))
        return wrong(c, "not \"Name: value\"");
    *colon++ = '\0';
    out->name = line;
    out->value = colon + strspn(colon, " \t");
    return CL_OK;
}

static int fields_read(ia_httpsig_message *out, reader *c)
{
    ia_httpsig_field *fields = apr_palloc(c->p, FIELDS_MAX * sizeof *fields);
    char *line;
    int rc;

    out->fields = fields;
    while ((line = line_take(c)) != NULL && *line) {
        if (out->field_count == FIELDS_MAX)
            return wrong(c, "too many fields");
        if ((rc = field_read(&fields[out->field_count++], c, line)) != CL_OK)
            return rc;
    }
    return line ? CL_OK : say_refused("%s: the header does not end in an empty line", c->path);
}

static unsigned field_count(const ia_httpsig_message *message, const char *name)
{
    unsigned count = 0;

    for (unsigned i = 0; i < message->field_count; i++)
        count += strcasecmp(message->fields[i].name, name) == 0;
    return count;
}

/* The authority of a target that is a whole URL goes before Host (RFC 9112 section 3.2.2). */
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
        return say_refused("%s: a request has one Host field", c->path);
    message->authority = head_value(message, "Host");
    return CL_OK;
}

static int body_find(wire_request *out, const reader *c)
{
    const char *length = head_value(&out->message, "Content-Length");
    apr_size_t len;

    out->body = c->at;
    out->body_len = (apr_size_t)(c->end - c->at);
    if (field_count(&out->message, "Transfer-Encoding") > 0)
        return say_refused("%s: has a Transfer-Encoding; save the body joined, with its Content-Length", c->path);
    if (!length && out->body_len > 0)
        return say_refused("%s: %lu bytes follow the header, which has no Content-Length", c->path,
                           (unsigned long)out->body_len);
    if (!length)
        return CL_OK;
    len = strspn(length, "0123456789");
    if (field_count(&out->message, "Content-Length") != 1 || len == 0 || len > 18 ||
        length[len + strspn(length + len, " \t")])
        return say_refused("%s: Content-Length is no number", c->path);
    if (apr_atoi64(length) != (apr_int64_t)out->body_len)
        return say_refused("%s: the body has %lu bytes, Content-Length says %s", c->path, (unsigned long)out->body_len,
                           length);
    return CL_OK;
}

int wire_read(wire_request *out, apr_pool_t *p, const char *path, const char *scheme)
{
    reader c = {.p = p, .path = path};
    apr_size_t len;
    char *text;
    int rc = file_read(&text, &len, p, path, WIRE_MAX, FILE_PLAIN);

    memset(out, 0, sizeof *out);
    if (rc != CL_OK)
        return rc;
    c.at = text;
    c.end = text + len;
    if ((rc = request_line_read(&out->message, &c)) != CL_OK || (rc = fields_read(&out->message, &c)) != CL_OK ||
        (rc = authority_find(&out->message, &c, scheme)) != CL_OK)
        return rc;
    return body_find(out, &c);
}

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

static int body_copy(char *out, const http_body *body)
{
    apr_int64_t at = 0;

    if (body->data) {
        memcpy(out, body->data, (apr_size_t)body->len);
        return CL_OK;
    }
    while (at < body->len) {
        ssize_t got = pread(body->fd, out + at, (size_t)(body->len - at), (off_t)at);

        if (got <= 0)
            return say_fault("the file of the body could not be read to its end");
        at += got;
    }
    return CL_OK;
}

int wire_save(apr_pool_t *p, const char *path, const ia_httpsig_message *message, const http_body *body)
{
    const char *head = head_format(p, message, body);
    apr_size_t head_len = strlen(head), body_len = body ? (apr_size_t)body->len : 0;
    char *text;
    int rc;

    if (body_len > WIRE_MAX - head_len)
        return say_fault("the request is longer than %d bytes; it is not saved", WIRE_MAX);
    text = apr_palloc(p, head_len + body_len + 1);
    memcpy(text, head, head_len);
    if (body && (rc = body_copy(text + head_len, body)) != CL_OK)
        return rc;
    return file_create(p, path, text, head_len + body_len);
}
