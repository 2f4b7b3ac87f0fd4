/* WWW-Authenticate: the challenges of the accepted presentations. */
#include <httpd.h>
#include <http_core.h>
#include <http_protocol.h>
#include <string.h>
#include "mod_sauth.h"
#include "sauth_refuse.h"
#include "sauth_state.h"

/* An endpoint offers the presentation of its dialect; other locations offer all that they accept. */
static int is_offered(const sauth_presentation *p, const sauth_state *state, unsigned accepted)
{
    return state && state->dialect ? p == state->dialect->endpoint_challenge : (accepted & p->bit) != 0;
}

void sauth_www_authenticate_write(request_rec *r, ia_result rc)
{
    const sauth_state *state = sauth_state_find(r);
    const sauth_presentation **each, *p;
    const char *realm = ap_auth_name(r), *value;
    unsigned accepted = ap_auth_type(r) ? sauth_dir_effective(r).accept : sauth_presentations[0]->bit;

    realm = realm ? ap_escape_quotes(r->pool, realm) : "interauth";
    apr_table_unset(r->err_headers_out, "WWW-Authenticate");
    for (each = sauth_presentations; (p = *each); each++)
        if (p->challenge && is_offered(p, state, accepted) && (value = p->challenge(r, realm, rc)))
            apr_table_addn(r->err_headers_out, "WWW-Authenticate", value);
}

int sauth_note_auth_failure(request_rec *r, const char *auth_type)
{
    const sauth_state *state = sauth_state_find(r);

    if (strcasecmp(auth_type, SAUTH_AUTH_TYPE) || !sauth.grants)
        return DECLINED;
    sauth_www_authenticate_write(r, state && state->decided && state->rc ? state->rc : IA_CREDENTIALS_MISSING);
    return OK;
}
