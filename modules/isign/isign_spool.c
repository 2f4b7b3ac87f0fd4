/*
 * Bodies that are read to their end before the handler runs. The handler then reads the spool in place of the connection:
 * below every filter that decodes, because the spool holds the bytes that came over the wire.
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
#include "body.h"
#include "intake.h"
#include "request.h"

#define WRITE_SIZE 131072 /* httpd reads pieces of 8000 bytes: writing them one by one costs twice as much */
#define PIECES_MAX 64
#define MOVE_MIN   2048 /* smaller pieces are copied: a bucket and its buffer may be many times as large */

/* Pieces of a body, in order. */
typedef struct pieces {
    apr_bucket_brigade *list;
    apr_size_t length;
    int tail_is_shared; /* its buffer may belong to another bucket too: nothing is written behind it */
} pieces;

struct isign_spool {
    request_rec *r;
    apr_pool_t *p;
    apr_bucket_alloc_t *alloc;
    pieces memory;  /* the body's beginning */
    pieces pending; /* not yet written to the file */
    apr_off_t length;
    apr_file_t *file; /* the rest, or NULL */
    isign_budget *budget;
    apr_bucket_brigade *left;  /* what has not been read yet */
    const request_rec *reader; /* only compared */
    const char *text;          /* the whole body, if it was requested in one piece, or NULL */
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

/* Moves a bucket where that is cheaper than to copy its data. */
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

static ia_result append(isign_spool *s, apr_bucket *b, const char *data, apr_size_t len, apr_off_t memory)
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

/* --- reading the body of a request --- */

/* Such a body is refused before a byte of it is read, and before the client gets 100 Continue. */
static int announces_more(request_rec *r, apr_off_t max)
{
    const char *length = apr_table_get(r->headers_in, "Content-Length");
    apr_off_t announced;
    char *end;

    return length && !apr_table_get(r->headers_in, "Transfer-Encoding") &&
           apr_strtoff(&announced, length, &end, 10) == APR_SUCCESS && announced > max;
}

/* A body on its way from the connection into a spool. */
typedef struct reading {
    isign_spool *spool;
    intake *in;
    const isign_spool_limits *limits;
    isign_on_data on_data;
    void *context;
} reading;

static apr_status_t fetch(void *context, apr_bucket_brigade *bb)
{
    reading *from = context;

    return intake_fetch(from->in, bb, AP_MODE_READBYTES, APR_BLOCK_READ, HUGE_STRING_LEN);
}

static ia_result take(void *context, apr_bucket *b, const char *data, apr_size_t len)
{
    reading *to = context;
    ia_result rc = to->on_data ? to->on_data(to->context, data, len) : IA_OK;

    return rc ? rc : append(to->spool, b, data, len, to->limits->memory);
}

static isign_spool *create_spool(request_rec *r, const isign_spool_limits *limits)
{
    isign_spool *s = apr_pcalloc(r->pool, sizeof *s);

    s->r = r;
    s->p = r->pool;
    s->alloc = r->connection->bucket_alloc;
    s->memory.list = apr_brigade_create(r->pool, s->alloc);
    s->pending.list = apr_brigade_create(r->pool, s->alloc);
    s->budget = isign_budget_open(r->pool, limits->participant, limits->is_unidentified);
    return s;
}

ia_result isign_spool_read(isign_spool **out, request_rec *r, const isign_spool_limits *limits, isign_on_data on_data,
                           void *context, int *status)
{
    reading what = {NULL, intake_of(r), limits, on_data, context};
    body_reader reader = {fetch, take, &what};
    ia_result rc;

    *out = NULL;
    *status = 0;
    if (what.in->taken || !what.in->filter)
        return IA_FAULT_BODY_TAKEN;
    if (announces_more(r, limits->max))
        return IA_BODY_TOO_LARGE;
    intake_keep_fields(r);
    what.spool = create_spool(r, limits);
    rc = body_read(r, &reader, limits->max, status);
    if (rc == IA_BODY_BROKEN && *status == HTTP_REQUEST_ENTITY_TOO_LARGE)
        return IA_BODY_TOO_LARGE;
    if (rc)
        return rc;
    if (what.in->taken)
        return IA_FAULT_BODY_TAKEN;
    if (what.spool->pending.length && (rc = write_pieces(what.spool)))
        return rc;
    *out = what.spool;
    return IA_OK;
}

apr_off_t isign_spool_length(const isign_spool *spool)
{
    return spool->length;
}

/* --- giving it back --- */

/* Appends the whole body: copies of the buckets in memory, and the file from its beginning. */
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

/* Maps some MiB of the file at once: reading a split file bucket maps and unmaps the file for each piece. */
static void map(apr_bucket *b)
{
    const char *data;
    apr_size_t len;

    if (APR_BUCKET_IS_FILE(b))
        apr_bucket_read(b, &data, &len, APR_BLOCK_READ);
}

/* Each read after the end returns EOS again: a filter that discards a body reads until EOS, maybe more than once. */
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
        apr_bucket_delete(APR_BRIGADE_FIRST(s->left)); /* the separators of set_aside */
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

/* --- a body that names its client: read before the client is known, and given back as any other --- */

/* A sub-request has no body of its own. */
static request_rec *owner_of(request_rec *r)
{
    while (r->main)
        r = r->main;
    return r;
}

static ia_result read_whole(request_rec *r, apr_size_t max, isign_state *state)
{
    isign_spool_limits limits = {(apr_off_t)max, (apr_off_t)max, NULL, 1};
    ia_result rc = isign_spool_read(&state->spool, r, &limits, NULL, NULL, &state->read_status);

    if (!rc)
        isign_spool_replay(state->spool, r);
    return rc;
}

int isign_read_body(request_rec *r, apr_size_t max, const char **text, apr_size_t *len, int *status)
{
    isign_state *state = isign_state_of(r);
    request_rec *owner = owner_of(r);

    *text = "";
    *len = 0;
    *status = 0;
    if (!state->spool && !state->read_rc && !intake_may_have_content(owner))
        return IA_OK;
    if (!state->spool && !state->read_rc) {
        if (announces_more(owner, (apr_off_t)max))
            return IA_BODY_TOO_LARGE; /* nothing of it was read */
        state->read_rc = read_whole(owner, max, state);
    }
    *status = state->read_status;
    return state->read_rc ? state->read_rc : isign_spool_text(state->spool, max, text, len);
}
