/* One HTTP exchange over libcurl, with limits on time and size. */
#include "config.h"
#include "http.h"

#include <string.h>
#include <unistd.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <curl/curl.h>

#include "say.h"
#include "trace.h"

#define CONNECT_TIMEOUT 10L
#define STALL_SECONDS   60L
#define HEADERS_MAX     (256 * 1024)

typedef struct exchange {
    const http_call *call;
    http_response *response;
    apr_pool_t *p;
    apr_size_t header_bytes;
    apr_int64_t body_at;
    const char *error; /* why the client ended the transfer, static */
} exchange;

/* An interim response (100, 103) has a header of its own: each status line starts over. */
static size_t header_line(char *data, size_t size, size_t count, void *context)
{
    exchange *c = context;
    size_t len = size * count, kept = len;

    c->header_bytes += len;
    if (c->header_bytes > HEADERS_MAX) {
        c->error = "the response header is too long";
        return 0;
    }
    if (len > 5 && memcmp(data, "HTTP/", 5) == 0)
        apr_array_clear(c->response->lines);
    while (kept > 0 && (data[kept - 1] == '\r' || data[kept - 1] == '\n'))
        kept--;
    if (kept > 0)
        APR_ARRAY_PUSH(c->response->lines, const char *) = apr_pstrmemdup(c->p, data, kept);
    return len;
}

static int body_keep(exchange *c, const char *data, size_t len)
{
    if (!c->response->body)
        c->response->body = apr_palloc(c->p, HTTP_KEEP_MAX + 1);
    if (len > HTTP_KEEP_MAX - c->response->body_len) {
        c->error = "the response is longer than 1 MiB";
        return 0;
    }
    memcpy(c->response->body + c->response->body_len, data, len);
    c->response->body_len += len;
    return 1;
}

static size_t body_piece(char *data, size_t size, size_t count, void *context)
{
    exchange *c = context;
    size_t len = size * count;
    http_choice choice = HTTP_KEEP;

    if (c->call->sink)
        choice = c->call->sink(c->call->sink_context, c->response, data, len);
    if (choice == HTTP_ABORT) {
        c->error = "the response body could not be written";
        return 0;
    }
    if (choice == HTTP_KEEP && !body_keep(c, data, len))
        return 0;
    return len;
}

static size_t body_read(char *out, size_t size, size_t count, void *context)
{
    exchange *c = context;
    apr_int64_t left = c->call->body->len - c->body_at;
    size_t len = size * count;

    if ((apr_int64_t)len > left)
        len = (size_t)left;
    if (c->call->body->data) {
        memcpy(out, c->call->body->data + c->body_at, len);
    } else {
        ssize_t got = pread(c->call->body->fd, out, len, (off_t)c->body_at);

        if (got < 0 || (got == 0 && len > 0)) {
            c->error = "the file of the request body could not be read completely";
            return CURL_READFUNC_ABORT;
        }
        len = (size_t)got;
    }
    c->body_at += (apr_int64_t)len;
    return len;
}

/* libcurl may have to send the body again, on a new connection. */
static int body_seek(void *context, curl_off_t offset, int origin)
{
    exchange *c = context;

    if (origin != SEEK_SET || offset < 0 || offset > c->call->body->len)
        return CURL_SEEKFUNC_FAIL;
    c->body_at = offset;
    return CURL_SEEKFUNC_OK;
}

static void set_limits(CURL *curl, const http_call *call)
{
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, STALL_SECONDS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)call->timeout);
    if (call->ca_file)
        curl_easy_setopt(curl, CURLOPT_CAINFO, call->ca_file);
}

static void set_request(CURL *curl, exchange *c)
{
    const http_call *call = c->call;

    curl_easy_setopt(curl, CURLOPT_URL, call->url);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "interauth/" PACKAGE_VERSION);
    if (call->body) {
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)call->body->len);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, body_read);
        curl_easy_setopt(curl, CURLOPT_READDATA, c);
        curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, body_seek);
        curl_easy_setopt(curl, CURLOPT_SEEKDATA, c);
    } else if (strcmp(call->method, "HEAD") == 0) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, header_line);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, c);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, body_piece);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, c);
}

static int trace(CURL *curl, curl_infotype type, char *data, size_t len, void *context)
{
    exchange *c = context;

    (void)curl;
    if (type == CURLINFO_HEADER_IN)
        trace_header(c->p, '<', data, len);
    if (type != CURLINFO_HEADER_OUT)
        return 0;
    trace_header(c->p, '>', data, len);
    if (c->call->body && c->call->body->data)
        trace_body(c->p, '>', c->call->body->data, (apr_size_t)c->call->body->len);
    else if (c->call->body)
        trace_length(c->p, '>', c->call->body->len);
    return 0;
}

/* libcurl's own messages are left out: with HTTP/2 they contain header fields. */
static void set_trace(CURL *curl, exchange *c)
{
    if (!trace_is_on())
        return;
    say_trace('*', apr_pstrcat(c->p, c->call->method, " ", c->call->url, NULL));
    curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, trace);
    curl_easy_setopt(curl, CURLOPT_DEBUGDATA, c);
}

static struct curl_slist *header_list(const apr_array_header_t *headers)
{
    struct curl_slist *list = NULL;

    for (int i = 0; headers && i < headers->nelts; i++) {
        struct curl_slist *longer = curl_slist_append(list, APR_ARRAY_IDX(headers, i, const char *));

        if (!longer) {
            curl_slist_free_all(list);
            return NULL;
        }
        list = longer;
    }
    return list;
}

/* The usual reason for a failed connection. */
static const char *scheme_hint(CURLcode code, const exchange *c, const char *detail)
{
    int is_tls = strncmp(c->call->url, "https:", 6) == 0;
    int is_silent = code == CURLE_GOT_NOTHING || (code == CURLE_RECV_ERROR && c->response->lines->nelts == 0);

    if (is_tls && code == CURLE_SSL_CONNECT_ERROR && strstr(detail, "wrong version number"))
        return "; does this port require http://?";
    if (!is_tls && (is_silent || code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY))
        return "; does this port require https://?";
    return "";
}

static int perform(CURL *curl, exchange *c, struct curl_slist *headers)
{
    char detail[CURL_ERROR_SIZE] = "";
    CURLcode code;

    set_limits(curl, c->call);
    set_request(curl, c);
    set_trace(curl, c);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &c->response->status);
    if (code != CURLE_OK)
        return say_fault("%s: %s%s", c->call->url,
                         c->error  ? c->error
                         : *detail ? detail
                                   : curl_easy_strerror(code),
                         c->error ? "" : scheme_hint(code, c, detail));
    if (c->response->status < 200)
        return say_fault("%s: no final response", c->call->url);
    return CL_OK;
}

int http_send(http_response *out, apr_pool_t *p, const http_call *call)
{
    exchange c = {.call = call, .response = out, .p = p};
    struct curl_slist *headers = header_list(call->headers);
    CURL *curl = curl_easy_init();
    int rc;

    memset(out, 0, sizeof *out);
    out->lines = apr_array_make(p, 16, sizeof(const char *));
    if (!curl || (!headers && call->headers && call->headers->nelts > 0))
        rc = say_fault("out of memory");
    else
        rc = perform(curl, &c, headers);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    if (!out->body)
        out->body = apr_pcalloc(p, 1);
    out->body[out->body_len] = '\0';
    if (trace_is_on())
        trace_body(p, '<', out->body, out->body_len);
    return rc;
}

const char *http_field(const http_response *response, const char *name, int index)
{
    apr_size_t len = strlen(name);

    for (int i = 1; i < response->lines->nelts; i++) {
        const char *line = APR_ARRAY_IDX(response->lines, i, const char *);

        if (strncasecmp(line, name, len) == 0 && line[len] == ':' && index-- == 0) {
            line += len + 1;
            while (*line == ' ' || *line == '\t')
                line++;
            return line;
        }
    }
    return NULL;
}
