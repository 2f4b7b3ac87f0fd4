/*
 * auth.request, auth.token and auth.refresh at a location that accepts calls. Clients that follow the published
 * description of the protocol use one URL for all methods; they get the responses of the endpoint there.
 */
#include <httpd.h>
#include <http_config.h>
#include <http_protocol.h>
#include <string.h>
#include "challenge.h"
#include "mod_sauth.h"

/*
 * Invokes the handler from check_authn. By then, the rules of the location that need no user have been evaluated; the
 * others do not apply, because a login has no user yet.
 */
int challenge_location_handle(request_rec *r, const sauth_dir *conf, sauth_state *state)
{
    const challenge_request *request = challenge_request_find(state);
    int status;

    if (!request || !request->call || !request->call->is_login || conf->mode == SAUTH_MODE_OBSERVE ||
        (r->prev && ap_is_HTTP_ERROR(r->prev->status)))
        return DECLINED;
    if (r->main)
        return HTTP_UNAUTHORIZED; /* a lookup; the main request responds */
    state->decided = 1;
    state->rc = IA_CREDENTIALS_MISSING; /* a login grants no access, not even to its ErrorDocument */
    r->handler = SAUTH_HANDLER;
    status = ap_invoke_handler(r);
    return status == OK ? DONE : status;
}

/* Must run before mod_proxy, which checks r->filename and ignores r->handler. */
int challenge_location_handler(request_rec *r)
{
    const sauth_state *state = sauth_state_find(r);
    const challenge_request *request = challenge_request_find(state);

    if (r->main || !request || !request->call || !request->call->is_login || !state->decided ||
        state->rc != IA_CREDENTIALS_MISSING || !r->handler || strcmp(r->handler, SAUTH_HANDLER))
        return DECLINED;
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
    return challenge_login_handle(r, request->call);
}
