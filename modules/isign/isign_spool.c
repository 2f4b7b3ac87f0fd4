/*
 * A body is read to its end before its handler runs, then given back where it came in: below every filter that decodes,
 * since what was read is what came over the wire.
 */
#include <httpd.h>
#include <apr_strings.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include "mod_isign.h"
#include "isign_budget.h"
#include "isign_spool.h"
#include "isign_tempfile.h"
#include "intake.h"

#define WRITE_SIZE 131072 /* a body comes in pieces of 8000 bytes: written one by one they cost twice as much */
#define PIECES_MAX 64
#define MOVE_MIN   2048 /* a smaller piece is copied: its bucket and the buffer behind it may be many times as big */

/* Pieces of a body, set aside in their order. */
typedef struct pieces {
    apr_bucket_brigade *list;
    apr_size_t length;
    int tail_is_shared; /* nobody may write behind it: its buffer can be that of another bucket too */
} pieces;

struct isign_spool {
    request_rec *r; /* of which it was read */
    apr_pool_t *p;
    apr_bucket_alloc_t *alloc;
    pieces memory;  /* the body's beginning */
    pieces pending; /* on its way to the file */
    apr_off_t length;
    apr_file_t *file; /* the rest, or NULL */
    isign_budget *budget;
    apr_bucket_brigade *left;  /* what the reader has not taken yet */
    const request_rec *reader; /* only compared */
    const char *text;          /* the whole body where somebody asked for it, or NULL */
};

static ia_result write_pieces(isign_spool *s)
{
    struct iovec parts[PIECES_MAX];
    apr_size_t count = 0;
    apr_status_t rv;
    apr_bucket *b;
    ia_result rc;

    if (!s->file && (rc = isign_tempfile_open(&s->file, s->r)))
        return rc;
    for (b = APR_BRIGADE_FIRST(s->pending.list); b != APR_BRIGADE_SENTINEL(s->pending.list); b = APR_BUCKET_NEXT(b)) {
        const char *data;
        apr_size_t len;

        if (apr_bucket_read(b, &data, &len, APR_BLOCK_READ))
            return IA_FAULT_SPOOL;
        parts[count].iov_base = (void *)(apr_uintptr_t)data;
        parts[count++].iov_len = len;
        if (count == PIECES_MAX || APR_BUCKET_NEXT(b) == APR_BRIGADE_SENTINEL(s->pending.list)) {
            if ((rv = apr_file_writev_full(s->file, parts, count, NULL)))
                return isign_tempfile_failed(s->r, rv);
            count = 0;
        }
    }
    apr_brigade_cleanup(s->pending.list);
    s->pending.length = 0;
    return IA_OK;
}

/* Takes a bucket that was read out of its brigade where that is cheaper than to copy it. */
static void set_aside(isign_spool *s, pieces *to, apr_bucket *b, const char *data, apr_size_t len)
{
    to->length += len;
    if (len >= MOVE_MIN && apr_bucket_setaside(b, s->p) == APR_SUCCESS) {
        APR_BUCKET_REMOVE(b);
        APR_BRIGADE_INSERT_TAIL(to->list, b);
        to->tail_is_shared = 1;
        return;
    }
    if (to->tail_is_shared)
        APR_BRIGADE_INSERT_TAIL(to->list, apr_bucket_immortal_create("", 0, s->alloc));
    to->tail_is_shared = 0;
    apr_brigade_write(to->list, NULL, NULL, data, len);
}

static ia_result keep(isign_spool *s, apr_bucket *b, const char *data, apr_size_t len, apr_off_t memory)
{
    ia_result rc = isign_budget_take(s->budget, len);

    if (rc)
        return rc;
    s->length += (apr_off_t)len;
    if (s->length <= memory) {
        set_aside(s, &s->memory, b, data, len);
        return IA_OK;
    }
    set_aside(s, &s->pending, b, data, len);
    return s->pending.length < WRITE_SIZE ? IA_OK : write_pieces(s);
}

/* One brigade of body: 1 at its end, 0 for more, -1 with *rc set. */
static int take_brigade(isign_spool *s, apr_bucket_brigade *bb, const isign_spool_limits *limits, isign_on_data on_data,
                        void *context, ia_result *rc)
{
    apr_bucket *b, *next;

    for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb); b = next) {
        const char *data;
        apr_size_t len;

        if (APR_BUCKET_IS_EOS(b))
            return 1;
        *rc = IA_BODY_BROKEN;
        if (!APR_BUCKET_IS_METADATA(b) && apr_bucket_read(b, &data, &len, APR_BLOCK_READ))
            return -1;
        next = APR_BUCKET_NEXT(b); /* reading may have split it */
        if (APR_BUCKET_IS_METADATA(b) || !len)
            continue;
        *rc = IA_BODY_TOO_LARGE;
        if ((apr_off_t)len > limits->max - s->length)
            return -1;
        if ((*rc = on_data(context, data, len)) || (*rc = keep(s, b, data, len, limits->memory)))
            return -1;
    }
    return 0;
}

/* So that it is refused before a byte was read, and before the client was told to go on. */
int isign_announces_more(request_rec *r, apr_off_t max)
{
    const char *length = apr_table_get(r->headers_in, "Content-Length");
    apr_off_t announced;
    char *end;

    return length && !apr_table_get(r->headers_in, "Transfer-Encoding") &&
           apr_strtoff(&announced, length, &end, 10) == APR_SUCCESS && announced > max;
}

ia_result isign_spool_read(isign_spool **out, request_rec *r, const isign_spool_limits *limits, isign_on_data on_data,
                           void *context, int *status)
{
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    isign_spool *s = apr_pcalloc(r->pool, sizeof *s);
    intake *in = intake_of(r);
    ia_result rc = IA_OK;
    int end = 0;

    *out = NULL;
    *status = 0;
    if (in->taken || !in->filter)
        return IA_FAULT_BODY_TAKEN;
    if (isign_announces_more(r, limits->max))
        return IA_BODY_TOO_LARGE;
    intake_keep_fields(r);
    s->r = r;
    s->p = r->pool;
    s->alloc = r->connection->bucket_alloc;
    s->memory.list = apr_brigade_create(r->pool, s->alloc);
    s->pending.list = apr_brigade_create(r->pool, s->alloc);
    s->budget = isign_budget_open(r->pool, limits->participant, limits->is_stranger);
    while (!end) {
        apr_status_t rv = intake_fetch(in, bb, AP_MODE_READBYTES, APR_BLOCK_READ, HUGE_STRING_LEN);

        if (rv) {
            *status = ap_map_http_request_error(rv, HTTP_BAD_REQUEST);
            return *status == HTTP_REQUEST_ENTITY_TOO_LARGE ? IA_BODY_TOO_LARGE : IA_BODY_BROKEN;
        }
        end = take_brigade(s, bb, limits, on_data, context, &rc);
        apr_brigade_cleanup(bb);
    }
    if (end < 0)
        return rc;
    if (in->taken)
        return IA_FAULT_BODY_TAKEN;
    if (s->pending.length && (rc = write_pieces(s)))
        return rc;
    *out = s;
    return IA_OK;
}

apr_off_t isign_spool_length(const isign_spool *spool)
{
    return spool->length;
}

/* The whole body once more: copies of the buckets in memory, and the file from its beginning. */
static void copy_whole(isign_spool *s, apr_bucket_brigade *to)
{
    apr_bucket *b, *copy;

    for (b = APR_BRIGADE_FIRST(s->memory.list); b != APR_BRIGADE_SENTINEL(s->memory.list); b = APR_BUCKET_NEXT(b))
        if (apr_bucket_copy(b, &copy) == APR_SUCCESS)
            APR_BRIGADE_INSERT_TAIL(to, copy);
    if (s->file)
        apr_brigade_insert_file(to, s->file, 0, s->length - (apr_off_t)s->memory.length, s->p);
}

static void refill(isign_spool *s)
{
    if (s->left)
        apr_brigade_cleanup(s->left);
    else
        s->left = apr_brigade_create(s->p, s->alloc);
    copy_whole(s, s->left);
}

/* Some MiB of the file at once: who reads a split file bucket maps and unmaps for every piece. */
static void map(apr_bucket *b)
{
    const char *data;
    apr_size_t len;

    if (APR_BUCKET_IS_FILE(b))
        apr_bucket_read(b, &data, &len, APR_BLOCK_READ);
}

/* Everybody may read on after the end: who discards a body reads until EOS, and must meet one each time. */
static apr_status_t give_back(ap_filter_t *f, void *context, apr_bucket_brigade *out, ap_input_mode_t mode,
                              apr_read_type_e block, apr_off_t bytes)
{
    isign_spool *s = context;
    apr_bucket *after, *b;
    apr_status_t rv = APR_SUCCESS;

    (void)block;
    if (mode == AP_MODE_EATCRLF || mode == AP_MODE_INIT)
        return ap_get_brigade(f->next, out, mode, block, bytes);
    while (!APR_BRIGADE_EMPTY(s->left) && !APR_BRIGADE_FIRST(s->left)->length)
        apr_bucket_delete(APR_BRIGADE_FIRST(s->left)); /* what keeps small pieces apart from large ones */
    if (mode == AP_MODE_EXHAUSTIVE)
        APR_BRIGADE_CONCAT(out, s->left);
    if (APR_BRIGADE_EMPTY(s->left)) {
        APR_BRIGADE_INSERT_TAIL(out, apr_bucket_eos_create(f->c->bucket_alloc));
        return APR_SUCCESS;
    }
    if (mode == AP_MODE_GETLINE)
        return apr_brigade_split_line(out, s->left, APR_BLOCK_READ, bytes > 0 ? bytes : HUGE_STRING_LEN);
    map(APR_BRIGADE_FIRST(s->left));
    rv = apr_brigade_partition(s->left, bytes > 0 ? bytes : HUGE_STRING_LEN, &after);
    if (rv && rv != APR_INCOMPLETE)
        return rv;
    while ((b = APR_BRIGADE_FIRST(s->left)) != after && b != APR_BRIGADE_SENTINEL(s->left)) {
        if (mode == AP_MODE_SPECULATIVE) {
            if ((rv = apr_bucket_copy(b, &b)))
                return rv;
            APR_BRIGADE_INSERT_TAIL(out, b);
            return APR_SUCCESS;
        }
        APR_BUCKET_REMOVE(b);
        APR_BRIGADE_INSERT_TAIL(out, b);
    }
    if (APR_BRIGADE_EMPTY(s->left))
        APR_BRIGADE_INSERT_TAIL(out, apr_bucket_eos_create(f->c->bucket_alloc));
    return APR_SUCCESS;
}

void isign_spool_replay(isign_spool *spool, request_rec *r)
{
    if (spool->reader == r)
        return;
    spool->reader = r;
    refill(spool);
    apr_table_unset(r->headers_in, "Transfer-Encoding");
    apr_table_setn(r->headers_in, "Content-Length", apr_off_t_toa(r->pool, spool->length));
    intake_divert(intake_of(r), give_back, spool);
}

ia_result isign_spool_text(isign_spool *spool, apr_size_t max, const char **text, apr_size_t *len)
{
    apr_bucket_brigade *whole;
    char *flat;

    if (spool->length > (apr_off_t)max)
        return IA_BODY_TOO_LARGE;
    if (!spool->text) {
        whole = apr_brigade_create(spool->p, spool->alloc);
        copy_whole(spool, whole);
        if (apr_brigade_pflatten(whole, &flat, len, spool->p))
            return IA_FAULT_SPOOL;
        apr_brigade_destroy(whole);
        spool->text = flat;
    }
    *text = spool->text;
    *len = (apr_size_t)spool->length;
    return IA_OK;
}
