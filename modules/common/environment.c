/* Passes attributes to the application as environment variables or request headers. */
#include <httpd.h>
#include "environment.h"
#include "request.h"

void environment_set(request_rec *r, const environment_row *row, const char *value, environment_way way)
{
    apr_table_addn(r->subprocess_env, row->variable, value);
    if (way == ENVIRONMENT_HEADERS)
        apr_table_setn(r->headers_in, row->header, value);
}

void environment_export(request_rec *r, const environment_row *rows, environment_way way)
{
    for (; rows->note; rows++) {
        const char *value = request_note(r, rows->note);

        if (value)
            environment_set(r, rows, value, way);
    }
}
