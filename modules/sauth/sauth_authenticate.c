/* check_authn: who is this, by the presentation that came with the request. Once per external request. */
#include <httpd.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <string.h>
#include "sauth_challenge_call.h"
#include "sauth_presentation.h"
#include "intake.h"
#include "interauth_notes.h"
#include "problem.h"
#include "request.h"
#include "snapshot.h"

APLOG_USE_MODULE(sauth);

/* Of each location anew: a sub-request or redirect may lead to one that wants another scope, or another presentation. */
static ia_result check_location(request_rec *r, const sauth_dir *conf, const sauth_state *state)
{
    const char *signer = request_note(r, IA_NOTE_ISIGN_PARTICIPANT);

    if (signer && strcmp(signer, state->entry.id))
        return IA_SIGNER_MISMATCH;
    if (!(conf->accept & state->grant.presentation))
        return IA_PRESENTATION_MISMATCH;
    if (state->hash && !(conf->hashes & state->hash))
        return IA_AUTHORIZATION_MALFORMED;
    if (state->grant.presentation == IA_PRESENT_SIGNATURE)
        return IA_OK;
    return state->grant.scope == conf->scope ? IA_OK : IA_SCOPE_MISMATCH;
}

/* For the log: the client may have sent an Authorization that a proxy did not pass on. */
static void hint_at_proxy(request_rec *r, const sauth_dir *conf, sauth_state *state)
{
    const char *field = request_proxy_field(r);

    if (field && conf->accept & IA_PRESENT_SAUTH)
        state->log_detail = apr_pstrcat(request_outermost(r)->pool, " hint=proxy (no Authorization arrived, and ",
                                        field, " shows a proxy: check that it passes Authorization on)", NULL);
}

static ia_result decide(request_rec *r, const sauth_dir *conf, sauth_state *state)
{
    const sauth_presentation *shown;
    ia_result rc;

    if (r->method_number == M_CONNECT)
        return IA_TUNNEL_REFUSED;
    if ((shown = sauth_presentation_shown(r, conf)))
        return shown->check(r, conf, state);
    if (snapshot_of(r)->authorization)
        return IA_SCHEME_NOT_ACCEPTED;
    if ((rc = sauth_challenge_missing(r, conf, state)) == IA_CREDENTIALS_MISSING)
        hint_at_proxy(r, conf, state);
    return rc;
}

/* A request for the presentation itself, such as a login: it has no client, and no rule about clients applies. */
static int response(request_rec *r, const sauth_dir *conf, sauth_state *state)
{
    const sauth_presentation *shown = sauth_presentation_shown(r, conf);

    return shown && shown->response ? shown->response(r, conf, state) : DECLINED;
}

static int admit(request_rec *r, sauth_state *state)
{
    apr_table_setn(r->notes, IA_NOTE_SAUTH_DECIDED, "");
    r->user = state->entry.id;
    sauth_notes_write(r, state);
    return OK;
}

int sauth_authenticate(request_rec *r)
{
    sauth_state *state;
    sauth_dir conf;
    ia_result rc;
    int status;

    if (!sauth_is_ours(r))
        return DECLINED;
    sauth_notes_clear(r);
    intake_keep_fields(r);
    conf = sauth_dir_effective(r);
    state = sauth_state_of(r);
    if (!state->decided && (status = response(r, &conf, state)) != DECLINED)
        return status;
    if (!state->decided) {
        state->rc = decide(r, &conf, state);
        state->decided = 1;
    }
    sauth_call_speak(r, state);
    rc = state->rc ? state->rc : check_location(r, &conf, state);
    if (!rc)
        return admit(r, state);
    if (conf.mode == SAUTH_MODE_OBSERVE && rc > 0) {
        sauth_log_refusal(r, "would refuse", rc, state->proven ? state->entry.id : NULL, NULL);
        apr_table_setn(r->notes, IA_NOTE_SAUTH_DECIDED, "");
        r->user = ""; /* httpd takes no user for a configuration error; the fixup takes it back */
        return OK;
    }
    if (rc == IA_BODY_BROKEN && state->status && state->status != HTTP_BAD_REQUEST) {
        sauth_log_refusal(r, "refused", rc, NULL, NULL);
        if (!r->main)
            intake_drop(r);
        return state->status; /* httpd may have answered already */
    }
    return sauth_refuse(r, rc, state->rc ? state->detail : NULL, state->rc ? state->retry_after : 0);
}

/*
 * With a rule that lets anybody in beside ours, httpd skips authentication. A client that shows credentials wants to be
 * known, and is refused if they are bad; one that shows none is not asked.
 */
int sauth_force_authn(request_rec *r)
{
    sauth_state *state;
    sauth_dir conf;

    if (!sauth_is_ours(r))
        return DECLINED;
    conf = sauth_dir_effective(r);
    state = sauth_state_find(r);
    return snapshot_of(r)->authorization || (state && state->decided && !state->rc) ||
                   sauth_presentation_shown(r, &conf)
               ? OK
               : DECLINED;
}
