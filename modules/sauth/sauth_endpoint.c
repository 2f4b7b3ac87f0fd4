/* The handler of sections with `SetHandler sauth`: finds the endpoint and calls its function. */
#include <httpd.h>
#include <http_core.h>
#include <http_protocol.h>
#include <string.h>
#include "mod_sauth.h"
#include "interauth_notes.h"
#include "request.h"
#include "sauth_refuse.h"
#include "sauth_state.h"

/*
 * Endpoints are not files. Without this, httpd would respond with 403 if access to the document root is denied, and the
 * .htaccess file of a front controller would rewrite their URLs to the application.
 */
int sauth_map_to_storage(request_rec *r)
{
    const char *handler = request_location_handler(r);

    apr_table_unset(r->notes, IA_NOTE_ENDPOINT);
    if (!handler || strcmp(handler, SAUTH_HANDLER))
        return DECLINED;
    apr_table_setn(r->notes, IA_NOTE_ENDPOINT, "");
    return OK;
}

int sauth_handler(request_rec *r)
{
    const sauth_dialect *dialect = NULL;
    const sauth_endpoint *e;
    const char *tail = NULL;

    if (!r->handler || strcmp(r->handler, SAUTH_HANDLER))
        return DECLINED;
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
    if (!sauth.grants)
        return sauth_refuse(r, IA_FAULT_REGISTRY, NULL, 60);
    if (!(e = sauth_endpoint_find(r->uri, &dialect, &tail)))
        return sauth_refuse(r, IA_ENDPOINT_UNKNOWN, NULL, 0);
    sauth_state_of(r)->dialect = dialect;
    if (dialect->respond_error)
        problem_set_formatter(r, dialect->respond_error);
    if (r->method_number == M_INVALID || !(e->methods & SAUTH_METHOD(r->method_number))) {
        r->allowed_methods->method_mask = e->methods; /* httpd derives the Allow field from it */
        return sauth_refuse(r, IA_METHOD_NOT_ALLOWED, NULL, 0);
    }
    return e->handle(r, tail);
}
