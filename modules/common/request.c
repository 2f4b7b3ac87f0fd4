/* Finds the other request_recs of the same external request. */
#include <httpd.h>
#include <string.h>
#include <ap_expr.h>
#include <http_core.h>
#include <http_request.h>
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
