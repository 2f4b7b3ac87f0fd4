/* Reads the body of a request to its end, up to a limit. */
#include <httpd.h>
#include <http_protocol.h>
#include <string.h>
#include "body.h"

typedef struct progress {
    const body_reader *reader;
    apr_off_t length, max;
    int ended;
} progress;

static ia_result take_brigade(progress *at, apr_bucket_brigade *bb)
{
    apr_bucket *b, *next;

    for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb); b = next) {
        const char *data;
        apr_size_t len;
        ia_result rc;

        if ((at->ended = APR_BUCKET_IS_EOS(b)))
            return IA_OK;
        if (!APR_BUCKET_IS_METADATA(b) && apr_bucket_read(b, &data, &len, APR_BLOCK_READ))
            return IA_BODY_BROKEN;
        next = APR_BUCKET_NEXT(b); /* reading may have split it */
        if (APR_BUCKET_IS_METADATA(b) || !len)
            continue;
        if ((apr_off_t)len > at->max - at->length)
            return IA_BODY_TOO_LARGE;
        at->length += (apr_off_t)len;
        if ((rc = at->reader->take(at->reader->context, b, data, len)))
            return rc;
    }
    return IA_OK;
}

ia_result body_read(request_rec *r, const body_reader *reader, apr_off_t max, int *status)
{
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    progress at = {reader, 0, max, 0};
    ia_result rc = IA_OK;

    *status = 0;
    while (!rc && !at.ended) {
        apr_status_t rv = reader->fetch(reader->context, bb);

        if (rv) {
            *status = ap_map_http_request_error(rv, HTTP_BAD_REQUEST);
            return IA_BODY_BROKEN;
        }
        rc = take_brigade(&at, bb);
        apr_brigade_cleanup(bb);
    }
    return rc;
}

/* --- into memory --- */

typedef struct memory {
    request_rec *r;
    char *buffer;
    apr_size_t len;
} memory;

static apr_status_t fetch_filtered(void *context, apr_bucket_brigade *bb)
{
    const memory *m = context;

    return ap_get_brigade(m->r->input_filters, bb, AP_MODE_READBYTES, APR_BLOCK_READ, HUGE_STRING_LEN);
}

static ia_result append(void *context, apr_bucket *b, const char *data, apr_size_t len)
{
    memory *m = context;

    (void)b;
    memcpy(m->buffer + m->len, data, len);
    m->len += len;
    return IA_OK;
}

ia_result request_read_body(request_rec *r, apr_size_t max, const char **text, apr_size_t *len, int *status)
{
    memory m = {r, apr_palloc(r->pool, max + 1), 0};
    body_reader reader = {fetch_filtered, append, &m};
    ia_result rc = body_read(r, &reader, (apr_off_t)max, status);

    *text = NULL;
    *len = 0;
    if (rc)
        return rc;
    m.buffer[m.len] = '\0';
    *text = m.buffer;
    *len = m.len;
    return IA_OK;
}
