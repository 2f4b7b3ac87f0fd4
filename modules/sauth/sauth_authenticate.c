/* check_authn: who is this, by the presentation that came with the request. Once per external request. */
#include <httpd.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <string.h>
#include "mod_sauth.h"
#include "interauth_notes.h"
#include "problem.h"
#include "request.h"

APLOG_USE_MODULE(sauth);

static int is_ours(request_rec *r)
{
    const char *type = ap_auth_type(r);

    return type && !strcasecmp(type, SAUTH_AUTH_TYPE);
}

ia_result sauth_check_location(const sauth_dir *conf, const st_grant *grant)
{
    if (!(conf->accept & grant->presentation))
        return IA_PRESENTATION_MISMATCH;
    if (grant->scope != conf->scope)
        return IA_SCOPE_MISMATCH;
    return IA_OK;
}

static ia_result decide(request_rec *r, const sauth_dir *conf, sauth_state *state)
{
    const char *header = apr_table_get(r->headers_in, "Authorization"), *signer;

    if (r->method_number == M_CONNECT)
        return IA_TUNNEL_REFUSED;
    if (!header && (conf->accept & IA_PRESENT_SIGNATURE) && (signer = request_note(r, IA_NOTE_ISIGN_PARTICIPANT)))
        return sauth_present_signature(r, conf, signer, state);
    if (!header)
        return IA_CREDENTIALS_MISSING;
    if (!(conf->accept & IA_PRESENT_SAUTH))
        return IA_SCHEME_NOT_ACCEPTED;
    return sauth_present_sauth(r, conf, header, state);
}

/* What was decided for an earlier request of this chain holds, but this location may want another scope. */
static ia_result decide_again(const sauth_dir *conf, const sauth_state *state)
{
    return state->rc ? state->rc : sauth_check_location(conf, &state->grant);
}

static int admit(request_rec *r, sauth_state *state)
{
    state->authenticated = r;
    r->user = state->entry.id;
    sauth_notes_write(r, state);
    return OK;
}

int sauth_authenticate(request_rec *r)
{
    sauth_state *state;
    sauth_dir conf;
    ia_result rc;

    if (!is_ours(r))
        return DECLINED;
    sauth_notes_clear(r);
    conf = sauth_dir_effective(r);
    state = sauth_state_of(r);
    if (state->decided) {
        rc = decide_again(&conf, state);
    } else {
        rc = state->rc = decide(r, &conf, state);
        state->decided = 1;
    }
    if (!rc)
        return admit(r, state);
    if (conf.mode == SAUTH_MODE_OBSERVE && rc > 0) {
        sauth_log_refusal(r, "would refuse", rc, state->proven ? state->entry.id : NULL, NULL);
        state->authenticated = r;
        r->user = ""; /* httpd takes no user for a configuration error; the fixup takes it back */
        return OK;
    }
    return sauth_refuse(r, rc, NULL, 0);
}

/*
 * With a rule that lets anybody in beside ours, httpd skips authentication. A caller that shows credentials wants to be
 * known, and is refused if they are bad; one that shows none is not asked.
 */
int sauth_force_authn(request_rec *r)
{
    sauth_state *state;

    if (!is_ours(r))
        return DECLINED;
    if (sauth_dir_effective(r).accept & IA_PRESENT_SIGNATURE && request_note(r, IA_NOTE_ISIGN_PARTICIPANT))
        return OK;
    state = sauth_state_find(r);
    return apr_table_get(r->headers_in, "Authorization") || (state && state->decided && !state->rc) ? OK : DECLINED;
}
