/* Finds the other request_recs of the same external request, and reads its body. */
#include <httpd.h>
#include <string.h>
#include <ap_expr.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include "interauth/result.h"
#include "interauth_notes.h"
#include "request.h"

static request_rec *above(request_rec *r)
{
    return r->main ? r->main : r->prev;
}

request_rec *request_outermost(request_rec *r)
{
    request_rec *up;

    while ((up = above(r)))
        r = up;
    return r;
}

const char *request_note(request_rec *r, const char *name)
{
    const char *value = NULL;

    for (; r && !value; r = above(r))
        value = apr_table_get(r->notes, name);
    return value;
}

int request_is_for_endpoint(const request_rec *r)
{
    return apr_table_get(r->notes, IA_NOTE_ENDPOINT) != NULL;
}

const char *request_proxy_field(request_rec *r)
{
    static const char *const names[] = {"Forwarded", "X-Forwarded-For", "Via", NULL};
    const apr_table_t *fields = request_outermost(r)->headers_in;
    int i;

    for (i = 0; names[i] && !apr_table_get(fields, names[i]); i++)
        ;
    return names[i];
}

const char *request_location_handler(request_rec *r)
{
    core_dir_config *core;
    const char *error = NULL;

    ap_location_walk(r);
    core = ap_get_core_module_config(r->per_dir_config);
    if (core->expr_handler) {
        const char *name = ap_expr_str_exec(r, core->expr_handler, &error);

        return error ? NULL : name;
    }
    return core->handler;
}

int request_has_body(request_rec *r)
{
    const char *length = apr_table_get(r->headers_in, "Content-Length");

    return apr_table_get(r->headers_in, "Transfer-Encoding") || (length && strcmp(length, "0"));
}

int request_read_body(request_rec *r, apr_size_t max, const char **text, apr_size_t *len, int *status)
{
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    char *buffer = apr_palloc(r->pool, max + 1);
    int ended = 0;

    *text = NULL;
    *len = 0;
    *status = HTTP_BAD_REQUEST;
    while (!ended) {
        apr_bucket *b;
        apr_status_t rv = ap_get_brigade(r->input_filters, bb, AP_MODE_READBYTES, APR_BLOCK_READ, HUGE_STRING_LEN);

        if (rv) {
            *status = ap_map_http_request_error(rv, HTTP_BAD_REQUEST);
            return IA_BODY_BROKEN;
        }
        for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb); b = APR_BUCKET_NEXT(b)) {
            const char *data;
            apr_size_t n;

            if (APR_BUCKET_IS_EOS(b)) {
                ended = 1;
                break;
            }
            if (APR_BUCKET_IS_METADATA(b))
                continue;
            if (apr_bucket_read(b, &data, &n, APR_BLOCK_READ))
                return IA_BODY_BROKEN;
            if (n > max - *len)
                return IA_BODY_TOO_LARGE;
            memcpy(buffer + *len, data, n);
            *len += n;
        }
        apr_brigade_cleanup(bb);
    }
    buffer[*len] = '\0';
    *text = buffer;
    return IA_OK;
}
