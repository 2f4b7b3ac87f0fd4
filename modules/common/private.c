/* Marks responses to authenticated requests as private. */
#include <httpd.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_filter.h>
#include "private.h"

static ap_filter_rec_t *filter_rec;
static int (*is_private)(request_rec *r);

/* Is `word` one of the comma-separated directives of either Cache-Control value? */
static int has_directive(const char *said, const char *said_on_error, const char *word)
{
    return (said && ap_find_list_item(NULL, said, word)) ||
           (said_on_error && ap_find_list_item(NULL, said_on_error, word));
}

/* Headers of a CGI are in err_headers_out. */
static apr_status_t make_private(ap_filter_t *f, apr_bucket_brigade *bb)
{
    request_rec *r = f->r;
    const char *said = apr_table_getm(r->pool, r->headers_out, "Cache-Control");
    const char *said_on_error = apr_table_getm(r->pool, r->err_headers_out, "Cache-Control");

    ap_remove_output_filter(f);
    r->no_cache = 1;
    apr_table_unset(r->err_headers_out, "Cache-Control");
    apr_table_setn(r->headers_out, "Cache-Control",
                   has_directive(said, said_on_error, "no-store")   ? "private, no-store"
                   : has_directive(said, said_on_error, "no-cache") ? "private, no-cache"
                                                                    : "private");
    return ap_pass_brigade(f->next, bb);
}

static void insert(request_rec *r)
{
    if (!r->main && is_private(r))
        ap_add_output_filter_handle(filter_rec, NULL, r, r->connection);
}

void private_register(apr_pool_t *p, const char *filter_name, int (*when)(request_rec *r))
{
    (void)p;
    is_private = when;
    filter_rec = ap_register_output_filter(filter_name, make_private, NULL, AP_FTYPE_CONTENT_SET);
    ap_hook_insert_filter(insert, NULL, NULL, APR_HOOK_LAST);
    ap_hook_insert_error_filter(insert, NULL, NULL, APR_HOOK_LAST);
}
