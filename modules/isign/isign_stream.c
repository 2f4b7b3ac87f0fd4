/*
 * ISignBody stream: the body is hashed on its way to the handler. Nothing is held back, so that a changed body has been
 * seen by the app when its end is reached: then the request is broken off, and the log says so.
 */
#include <httpd.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include "mod_isign.h"

APLOG_USE_MODULE(isign);

#define FILTER_TYPE ((ap_filter_type)(AP_FTYPE_PROTOCOL - 1))

typedef struct stream {
    ia_digest_claim claim;
    ia_digest *digest;
    ia_result rc;
    int ended;
} stream;

static ap_filter_rec_t *filter_rec;

static ia_result see(stream *s, apr_bucket_brigade *bb)
{
    ia_digest_claim computed;
    apr_bucket *b;
    ia_result rc;

    for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb) && !s->ended; b = APR_BUCKET_NEXT(b)) {
        const char *data;
        apr_size_t len;

        if (APR_BUCKET_IS_EOS(b)) {
            s->ended = 1;
            rc = ia_digest_finish(&computed, s->digest);
            return rc ? rc : ia_digest_compare(&s->claim, &computed);
        }
        if (APR_BUCKET_IS_METADATA(b))
            continue;
        if (apr_bucket_read(b, &data, &len, APR_BLOCK_READ))
            return IA_BODY_BROKEN;
        if ((rc = ia_digest_update(s->digest, data, len)))
            return rc;
    }
    return IA_OK;
}

static apr_status_t hash_on_the_way(ap_filter_t *f, apr_bucket_brigade *bb, ap_input_mode_t mode, apr_read_type_e block,
                                    apr_off_t bytes)
{
    stream *s = f->ctx;
    apr_status_t rv;

    if (s->rc)
        return APR_EGENERAL;
    if (mode != AP_MODE_READBYTES && mode != AP_MODE_GETLINE && mode != AP_MODE_EXHAUSTIVE)
        return ap_get_brigade(f->next, bb, mode, block, bytes);
    if ((rv = ap_get_brigade(f->next, bb, mode, block, bytes)))
        return rv;
    s->rc = see(s, bb);
    if (!s->rc)
        return APR_SUCCESS;
    apr_brigade_cleanup(bb);
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, f->r, "isign: broken off reason=%s location=\"%s\": the app had begun to read "
                  "the body (ISignBody stream)", ia_outcome_of(s->rc)->tag, f->r->uri);
    f->r->connection->keepalive = AP_CONN_CLOSE;
    return APR_EGENERAL;
}

void isign_stream_add(request_rec *r, const ia_digest_claim *claim, ia_digest *digest)
{
    stream *s = apr_pcalloc(r->pool, sizeof *s);

    s->claim = *claim;
    s->digest = digest;
    ap_add_input_filter_handle(filter_rec, s, r, r->connection);
}

void isign_stream_register(apr_pool_t *p)
{
    (void)p;
    filter_rec = ap_register_input_filter("ISIGN_STREAM", hash_on_the_way, NULL, FILTER_TYPE);
}
