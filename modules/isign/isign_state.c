/* What is kept per external request, on its outermost request_rec. */
#include <httpd.h>
#include <http_config.h>
#include "mod_isign.h"
#include "request.h"

isign_state *isign_state_of(request_rec *r)
{
    request_rec *top = request_outermost(r);
    isign_state *state = ap_get_module_config(top->request_config, &isign_module);

    if (!state) {
        state = apr_pcalloc(top->pool, sizeof *state);
        ap_set_module_config(top->request_config, &isign_module, state);
    }
    return state;
}

/* httpd runs the hook again for internal redirects, whose fields may have changed. */
void isign_keep_fields(request_rec *r)
{
    isign_state *state;

    if (!isign_scheme_find(r))
        return;
    state = isign_state_of(r);
    if (!state->fields)
        state->fields = apr_table_copy(r->pool, r->headers_in);
}

const apr_table_t *isign_fields_of(request_rec *r)
{
    const isign_state *state = isign_state_of(r);

    return state->fields ? state->fields : r->headers_in;
}
