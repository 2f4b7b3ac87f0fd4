/* Observes the body of a request as it arrives, gives it to a reader, and discards it after a refusal. */
#include <httpd.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_protocol.h>
#include <http_request.h>
#include <string.h>
#include "sanitize.h"
#include "intake.h"
#include "request.h"

#define KEY "interauth.intake"                        /* shared by all modules: the first one inserts the filter */
#define TOP ((ap_filter_type)(AP_FTYPE_RESOURCE - 9)) /* above every filter that could return a body */

static ap_filter_rec_t *filter_rec, *cover_rec;

static intake *find(request_rec *r)
{
    void *data = NULL;

    apr_pool_userdata_get(&data, KEY, r->pool);
    return data;
}

static intake *make(request_rec *r)
{
    intake *in = apr_pcalloc(r->pool, sizeof *in);

    apr_pool_userdata_setn(in, KEY, NULL, r->pool);
    return in;
}

intake *intake_of(request_rec *r)
{
    intake *in;

    r = request_outermost(r);
    in = find(r);
    return in ? in : make(r);
}

/*
 * HTTP_IN adds trailers to a copy of the headers, in which what we removed or verified must not change. If nothing was
 * verified, trailers are merged as MergeTrailers says, except for the names that only we may set.
 */
static void settle_trailers(const intake *in, request_rec *r, apr_table_t *before)
{
    if (r->headers_in == before)
        return;
    if (in->keeps_fields)
        r->headers_in = before;
    else
        sanitize_inbound(r);
}

static apr_status_t fetch_next(intake *in, apr_bucket_brigade *bb, ap_input_mode_t mode, apr_read_type_e block,
                               apr_off_t bytes)
{
    request_rec *r = in->filter->r;
    apr_table_t *before = r->headers_in;
    apr_status_t rv;
    apr_bucket *b;

    in->inside = 1;
    rv = ap_get_brigade(in->filter->next, bb, mode, block, bytes);
    in->inside = 0;
    settle_trailers(in, r, before);
    if (rv || mode == AP_MODE_SPECULATIVE || mode == AP_MODE_INIT || mode == AP_MODE_EATCRLF)
        return rv;
    for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb); b = APR_BUCKET_NEXT(b)) {
        if (APR_BUCKET_IS_EOS(b))
            in->ended = 1;
        else if (!APR_BUCKET_IS_METADATA(b) && b->length != (apr_size_t)-1)
            in->length += (apr_off_t)b->length;
    }
    if (in->ended && in->announced >= 0 && in->length != in->announced)
        in->taken = 1;
    return APR_SUCCESS;
}

/* Returns what was read ahead: moves it, or copies it for a speculative read. */
static apr_status_t give_held(intake *in, apr_bucket_brigade *bb, ap_input_mode_t mode, apr_off_t bytes)
{
    apr_bucket *after, *b, *copy;
    apr_status_t rv;

    if (mode == AP_MODE_GETLINE)
        return apr_brigade_split_line(bb, in->held, APR_BLOCK_READ, bytes > 0 ? bytes : HUGE_STRING_LEN);
    rv = apr_brigade_partition(in->held, bytes > 0 ? bytes : HUGE_STRING_LEN, &after);
    if (rv && rv != APR_INCOMPLETE)
        return rv;
    while ((b = APR_BRIGADE_FIRST(in->held)) != after && b != APR_BRIGADE_SENTINEL(in->held)) {
        if (mode == AP_MODE_SPECULATIVE) {
            if ((rv = apr_bucket_copy(b, &copy)))
                return rv;
            APR_BRIGADE_INSERT_TAIL(bb, copy);
            return APR_SUCCESS;
        }
        APR_BUCKET_REMOVE(b);
        APR_BRIGADE_INSERT_TAIL(bb, b);
    }
    return APR_SUCCESS;
}

apr_status_t intake_fetch(intake *in, apr_bucket_brigade *bb, ap_input_mode_t mode, apr_read_type_e block,
                          apr_off_t bytes)
{
    if (!in->filter)
        return APR_EGENERAL;
    if (mode == AP_MODE_INIT || mode == AP_MODE_EATCRLF || !in->held || APR_BRIGADE_EMPTY(in->held))
        return fetch_next(in, bb, mode, block, bytes);
    return give_held(in, bb, mode, bytes);
}

static int has_data(const apr_bucket_brigade *bb)
{
    apr_bucket *b;

    for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb); b = APR_BUCKET_NEXT(b))
        if (!APR_BUCKET_IS_METADATA(b) && b->length)
            return 1;
    return 0;
}

static apr_status_t pass(ap_filter_t *f, apr_bucket_brigade *bb, ap_input_mode_t mode, apr_read_type_e block,
                         apr_off_t bytes)
{
    intake *in = f->ctx;
    apr_status_t rv;

    if (!in->armed || in->inside)
        return ap_get_brigade(f->next, bb, mode, block, bytes);
    if (in->reader)
        return in->reader(f, in->context, bb, mode, block, bytes);
    rv = intake_fetch(in, bb, mode, block, bytes);
    if (mode == AP_MODE_SPECULATIVE || mode == AP_MODE_INIT || mode == AP_MODE_EATCRLF)
        return rv;
    if (rv ? !APR_STATUS_IS_EAGAIN(rv) : has_data(bb))
        in->taken = 1;
    return rv;
}

void intake_divert(intake *in, intake_reader reader, void *context)
{
    in->reader = reader;
    in->context = context;
}

/* --- whether there is a body --- */

int intake_must_have_content(request_rec *r)
{
    request_rec *top = request_outermost(r);
    const intake *in = intake_of(top);

    if (in->length > 0)
        return 1;
    return !in->ended && request_has_body(top) && !apr_table_get(top->headers_in, "Transfer-Encoding");
}

int intake_may_have_content(request_rec *r)
{
    request_rec *top = request_outermost(r);
    const intake *in = intake_of(top);

    return in->length > 0 || (!in->ended && request_has_body(top));
}

static int read_ahead(intake *in, request_rec *r, int *status)
{
    apr_status_t rv;

    if (!in->held)
        in->held = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    while (!in->ended && !has_data(in->held)) {
        apr_brigade_cleanup(in->held);
        rv = in->filter ? fetch_next(in, in->held, AP_MODE_READBYTES, APR_BLOCK_READ, HUGE_STRING_LEN) : APR_EGENERAL;
        if (rv) {
            *status = ap_map_http_request_error(rv, HTTP_BAD_REQUEST);
            return -1;
        }
    }
    return has_data(in->held);
}

int intake_has_content(request_rec *r, int *status)
{
    int found;

    *status = 0;
    if (!intake_may_have_content(r))
        return 0;
    if (intake_must_have_content(r))
        return 1;
    if (!(found = read_ahead(intake_of(r), request_outermost(r), status))) {
        apr_table_unset(r->headers_in, "Transfer-Encoding");
        apr_table_setn(r->headers_in, "Content-Length", "0");
    }
    return found;
}

/* --- a body that is gone --- */

/* Reads to the end of the body, so that the rest of it is not taken for the next request. */
static apr_status_t discard(ap_filter_t *f, intake *in, apr_bucket_brigade *bb, ap_input_mode_t mode,
                            apr_read_type_e block, apr_off_t bytes)
{
    int ended = f->c->keepalive == AP_CONN_CLOSE;
    apr_status_t rv;
    apr_bucket *b;

    if (mode == AP_MODE_INIT || mode == AP_MODE_EATCRLF)
        return ap_get_brigade(f->next, bb, mode, block, bytes);
    while (!ended) {
        rv = in ? fetch_next(in, bb, AP_MODE_READBYTES, block, HUGE_STRING_LEN)
                : ap_get_brigade(f->next, bb, AP_MODE_READBYTES, block, HUGE_STRING_LEN);
        if (rv)
            return rv;
        for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb); b = APR_BUCKET_NEXT(b))
            ended |= APR_BUCKET_IS_EOS(b);
        apr_brigade_cleanup(bb);
    }
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(f->c->bucket_alloc));
    return APR_SUCCESS;
}

static apr_status_t discard_below(ap_filter_t *f, void *context, apr_bucket_brigade *bb, ap_input_mode_t mode,
                                  apr_read_type_e block, apr_off_t bytes)
{
    return discard(f, context, bb, mode, block, bytes);
}

static apr_status_t discard_above(ap_filter_t *f, apr_bucket_brigade *bb, ap_input_mode_t mode, apr_read_type_e block,
                                  apr_off_t bytes)
{
    return discard(f, NULL, bb, mode, block, bytes);
}

/* For code that reads the length from the headers. */
static void announce_nothing(const intake *in, request_rec *r)
{
    /* HTTP_IN may not have seen the length yet, and would leave the body on the connection as the next request. */
    if (!in->ended)
        r->connection->keepalive = AP_CONN_CLOSE;
    apr_table_unset(r->headers_in, "Transfer-Encoding");
    if (apr_table_get(r->headers_in, "Content-Length"))
        apr_table_setn(r->headers_in, "Content-Length", "0");
}

void intake_drop(request_rec *r)
{
    intake *in = intake_of(r);

    in->dropped = 1;
    in->keeps_fields = 1;
    if (in->held)
        apr_brigade_cleanup(in->held);
    intake_divert(in, discard_below, in);
    if (in->ended || r->prev)
        announce_nothing(in, r);
}

void intake_keep_fields(request_rec *r)
{
    intake_of(r)->keeps_fields = 1;
}

/* --- hooks --- */

static int create_request(request_rec *r)
{
    intake *in;

    if (r->main || r->prev || find(r))
        return OK;
    in = make(r);
    /* HTTP_IN is added later, and below this one: filters of one type are in the order in which they were added. */
    in->filter = ap_add_input_filter_handle(filter_rec, in, r, r->connection);
    return OK;
}

/* -1 if there is a transfer coding, or no length. */
static apr_off_t announced(const request_rec *r)
{
    const char *length = apr_table_get(r->headers_in, "Content-Length");
    apr_off_t bytes;
    char *end;

    if (!length || apr_table_get(r->headers_in, "Transfer-Encoding") || apr_strtoff(&bytes, length, &end, 10) || *end)
        return -1;
    return bytes;
}

/* httpd also runs this for internal redirects, such as to an error document. */
static int post_read_request(request_rec *r)
{
    intake *in = intake_of(r);

    if (!in->armed)
        in->announced = announced(r);
    in->armed = 1;
    if (in->dropped)
        announce_nothing(in, r);
    return DECLINED;
}

/* A module that read the body before the refusal may return it from a filter of its own. */
static void insert_cover(request_rec *r)
{
    const intake *in = intake_of(r);
    ap_filter_t *f;

    if (!in->dropped || r->main)
        return;
    for (f = r->input_filters; f; f = f->next)
        if (f->frec == cover_rec)
            return;
    ap_add_input_filter_handle(cover_rec, NULL, r, r->connection);
}

void intake_register(apr_pool_t *p, const char *filter_name, const char *cover_name)
{
    (void)p;
    filter_rec = ap_register_input_filter(filter_name, pass, NULL, AP_FTYPE_PROTOCOL);
    cover_rec = ap_register_input_filter(cover_name, discard_above, NULL, TOP);
    ap_hook_create_request(create_request, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_post_read_request(post_read_request, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_insert_filter(insert_cover, NULL, NULL, APR_HOOK_REALLY_LAST);
}
