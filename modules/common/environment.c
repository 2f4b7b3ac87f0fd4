#include <httpd.h>
#include "environment.h"
#include "request.h"

void environment_export(request_rec *r, const environment_row *rows, environment_way way)
{
    for (; rows->note; rows++) {
        const char *value = request_note(r, rows->note);

        if (!value)
            continue;
        apr_table_setn(r->subprocess_env, rows->variable, value);
        if (way == ENVIRONMENT_HEADERS)
            apr_table_setn(r->headers_in, rows->header, value);
    }
}
