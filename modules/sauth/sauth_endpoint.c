/*
 * The endpoints below a Location with `SetHandler sauth`. A dialect adds rows to the table; the rest of this file does
 * not change with it.
 */
#include <httpd.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <string.h>
#include "mod_sauth.h"
#include "interauth_notes.h"
#include "request.h"

typedef struct endpoint {
    const char *name; /* the URL's last segment */
    int methods;      /* bits of method numbers */
    int (*response)(request_rec *r);
} endpoint;

#define METHOD(number) (1 << (number))

static const endpoint endpoints[] = {{"request_access", METHOD(M_POST), sauth_request_access},
                                     {"refresh_access", METHOD(M_POST), sauth_refresh_access},
                                     {"generate_nonce", METHOD(M_GET) | METHOD(M_POST), sauth_generate_nonce},
                                     {"challenge", METHOD(M_POST), sauth_challenge},
                                     {NULL, 0, NULL}};

/* The endpoint that a segment of `len` bytes names, or NULL. */
static const endpoint *named(const char *segment, apr_size_t len)
{
    const endpoint *e;

    for (e = endpoints; e->name; e++)
        if (strlen(e->name) == len && !strncmp(e->name, segment, len))
            return e;
    return NULL;
}

/* By the last segment. Below another endpoint there is none: a client's base URL that ends in one is a mistake. */
static const endpoint *find_endpoint(const char *uri)
{
    const char *slash = strrchr(uri, '/'), *before;

    if (!slash)
        return NULL;
    for (before = slash; before > uri && before[-1] != '/'; before--)
        ;
    return named(before, (apr_size_t)(slash - before)) ? NULL : named(slash + 1, strlen(slash + 1));
}

/*
 * Our URLs are no files: without this, a document root that is denied answers 403, and a front controller's .htaccess
 * rewrites them to the app.
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
    const endpoint *e;

    if (!r->handler || strcmp(r->handler, SAUTH_HANDLER))
        return DECLINED;
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
    if (!sauth.grants)
        return sauth_refuse(r, IA_FAULT_REGISTRY, NULL, 60);
    if (!(e = find_endpoint(r->uri)))
        return sauth_refuse(r, IA_ENDPOINT_UNKNOWN, NULL, 0);
    if (r->method_number == M_INVALID || !(e->methods & METHOD(r->method_number))) {
        r->allowed_methods->method_mask = (apr_int64_t)e->methods; /* what httpd makes Allow from */
        return sauth_refuse(r, IA_METHOD_NOT_ALLOWED, NULL, 0);
    }
    return e->response(r);
}
