/*
 * ISignBody stream: the body is hashed while the handler reads it. Its last byte is held back until the digest is verified, so
 * that the application never gets the whole of a changed body. It may have acted on the beginning: the log says so.
 */
#include <httpd.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include "mod_isign.h"
#include "isign_spool.h"
#include "intake.h"
#include "log_field.h"

APLOG_USE_MODULE(isign);

#define TOP ((ap_filter_type)(AP_FTYPE_RESOURCE - 9)) /* above every other filter: what the application reads */

struct isign_stream {
    intake *in;
    ia_digest_claim claim;
    ia_digest *digest;
    apr_bucket_brigade *held; /* the last byte seen */
    ia_result rc;
    int ended;
};

static ap_filter_rec_t *end_rec;

static ia_result finish(isign_stream *s)
{
    ia_digest_claim computed;
    ia_result rc = ia_digest_finish(&computed, s->digest);

    s->ended = 1;
    if (s->in->taken)
        return IA_FAULT_BODY_TAKEN;
    return rc ? rc : ia_digest_compare(&s->claim, &computed);
}

/* Hashes a brigade; `*last` is its last bucket with data, or NULL. */
static ia_result hash_brigade(isign_stream *s, apr_bucket_brigade *bb, apr_bucket **last)
{
    apr_bucket *b;
    ia_result rc;

    *last = NULL;
    for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb); b = APR_BUCKET_NEXT(b)) {
        const char *data;
        apr_size_t len;

        if (APR_BUCKET_IS_EOS(b))
            return finish(s);
        if (APR_BUCKET_IS_METADATA(b))
            continue;
        if (apr_bucket_read(b, &data, &len, APR_BLOCK_READ))
            return IA_BODY_BROKEN;
        if ((rc = ia_digest_update(s->digest, data, len)))
            return rc;
        if (len)
            *last = b;
    }
    return IA_OK;
}

/* Releases the byte that was held. Unless the body has ended, holds the last byte of this brigade instead. */
static ia_result exchange(isign_stream *s, apr_bucket_brigade *bb, apr_bucket *last)
{
    apr_bucket *byte = last;

    if (s->ended || !last) {
        if (s->ended)
            APR_BRIGADE_PREPEND(bb, s->held);
        return IA_OK;
    }
    if (last->length > 1) {
        if (apr_bucket_split(last, last->length - 1))
            return IA_FAULT_INTERNAL;
        byte = APR_BUCKET_NEXT(last);
    }
    if (apr_bucket_setaside(byte, s->held->p))
        return IA_FAULT_INTERNAL;
    APR_BUCKET_REMOVE(byte);
    APR_BRIGADE_PREPEND(bb, s->held);
    APR_BRIGADE_INSERT_TAIL(s->held, byte);
    return IA_OK;
}

static apr_status_t abort_body(isign_stream *s, ap_filter_t *f, apr_bucket_brigade *bb, ia_result rc)
{
    s->rc = rc;
    apr_brigade_cleanup(bb);
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, f->r,
                  "isign: aborted reason=%s%s (the application had begun to read the body: ISignBody stream)",
                  ia_outcome_of(rc)->tag, log_field(f->r->pool, "location", f->r->uri));
    f->r->connection->keepalive = AP_CONN_CLOSE;
    return APR_EGENERAL;
}

static apr_status_t hash_and_hold(ap_filter_t *f, void *context, apr_bucket_brigade *bb, ap_input_mode_t mode,
                                  apr_read_type_e block, apr_off_t bytes)
{
    isign_stream *s = context;
    apr_bucket *last;
    apr_status_t rv;
    ia_result rc;

    if (s->rc)
        return APR_EGENERAL;
    if (mode == AP_MODE_SPECULATIVE)
        return APR_ENOTIMPL;
    if (s->ended || mode == AP_MODE_EATCRLF || mode == AP_MODE_INIT)
        return intake_fetch(s->in, bb, mode, block, bytes);
    do {
        if ((rv = intake_fetch(s->in, bb, mode, block, bytes)))
            return rv;
        if ((rc = hash_brigade(s, bb, &last)) || (rc = exchange(s, bb, last)))
            return abort_body(s, f, bb, rc);
    } while (APR_BRIGADE_EMPTY(bb));
    return APR_SUCCESS;
}

isign_stream *isign_stream_create(request_rec *r, const ia_digest_claim *claim, ia_digest *digest)
{
    isign_stream *s = apr_pcalloc(r->pool, sizeof *s);

    s->in = intake_of(r);
    s->claim = *claim;
    s->digest = digest;
    s->held = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    return s;
}

void isign_stream_insert(isign_stream *s, request_rec *r)
{
    (void)r;
    if (!s->in->dropped)
        intake_divert(s->in, hash_and_hold, s);
}

int isign_stream_is_verified(const isign_stream *s)
{
    return s->ended && !s->rc;
}

/*
 * If the application reads the end of the body before it was seen here, another module gave it something else, or only a
 * part.
 */
static apr_status_t check_end(ap_filter_t *f, apr_bucket_brigade *bb, ap_input_mode_t mode, apr_read_type_e block,
                              apr_off_t bytes)
{
    isign_stream *s = f->ctx;
    apr_status_t rv = ap_get_brigade(f->next, bb, mode, block, bytes);
    apr_bucket *b;

    if (rv || s->ended)
        return rv;
    if (s->rc)
        return APR_EGENERAL;
    for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb); b = APR_BUCKET_NEXT(b))
        if (APR_BUCKET_IS_EOS(b))
            return abort_body(s, f, bb, IA_FAULT_BODY_TAKEN);
    return APR_SUCCESS;
}

static void insert_end(request_rec *r)
{
    isign_state *state = isign_state_of(r);
    ap_filter_t *f;

    if (r->main || !state->stream || state->stream->ended)
        return;
    for (f = r->input_filters; f; f = f->next)
        if (f->frec == end_rec)
            return;
    ap_add_input_filter_handle(end_rec, state->stream, r, r->connection);
}

void isign_stream_register(apr_pool_t *p)
{
    (void)p;
    end_rec = ap_register_input_filter("ISIGN_STREAM_END", check_end, NULL, TOP);
    ap_hook_insert_filter(insert_end, NULL, NULL, APR_HOOK_REALLY_LAST);
}
