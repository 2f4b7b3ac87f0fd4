/* Keeps the request line and fields as they arrived. */
#include <apr_strings.h>
#include <httpd.h>
#include <http_config.h>
#include <http_protocol.h>
#include "request.h"
#include "snapshot.h"

#define KEY "interauth.snapshot"

static snapshot *find(request_rec *r)
{
    void *data = NULL;

    apr_pool_userdata_get(&data, KEY, r->pool);
    return data;
}

void snapshot_take(request_rec *r)
{
    snapshot *s;

    if (find(r))
        return;
    s = apr_palloc(r->pool, sizeof *s);
    s->method = r->method;
    s->target = r->unparsed_uri ? r->unparsed_uri : "";
    s->authority = apr_table_get(r->headers_in, "Host");
    if (!s->authority)
        s->authority = r->hostname ? r->hostname : "";
    s->authorization = apr_table_get(r->headers_in, "Authorization");
    s->scheme = ap_run_http_scheme(r);
    apr_pool_userdata_setn(s, KEY, NULL, r->pool);
}

const snapshot *snapshot_of(request_rec *r)
{
    const snapshot *s;

    r = request_outermost(r);
    if ((s = find(r)))
        return s;
    snapshot_take(r);
    return find(r);
}
