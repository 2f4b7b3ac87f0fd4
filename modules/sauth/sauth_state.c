/* The state of an external request, and the data of dialects in it. */
#include <httpd.h>
#include <http_config.h>
#include "mod_sauth.h"
#include "request.h"
#include "sauth_state.h"

struct sauth_own {
    const void *owner;
    void *data;
    struct sauth_own *next;
};

sauth_state *sauth_state_find(request_rec *r)
{
    return ap_get_module_config(request_outermost(r)->request_config, &sauth_module);
}

sauth_state *sauth_state_of(request_rec *r)
{
    request_rec *top = request_outermost(r);
    sauth_state *state = ap_get_module_config(top->request_config, &sauth_module);

    if (!state) {
        state = apr_pcalloc(top->pool, sizeof *state);
        state->pool = top->pool;
        ap_set_module_config(top->request_config, &sauth_module, state);
    }
    return state;
}

void *sauth_state_find_own(const sauth_state *state, const void *owner)
{
    const struct sauth_own *own;

    for (own = state ? state->own : NULL; own; own = own->next)
        if (own->owner == owner)
            return own->data;
    return NULL;
}

void *sauth_state_own(sauth_state *state, const void *owner, apr_size_t size)
{
    void *data = sauth_state_find_own(state, owner);
    struct sauth_own *own;

    if (data)
        return data;
    own = apr_palloc(state->pool, sizeof *own);
    own->owner = owner;
    own->data = apr_pcalloc(state->pool, size);
    own->next = state->own;
    state->own = own;
    return own->data;
}
