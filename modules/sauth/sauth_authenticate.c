/* check_authn: who is this, by the presentation that came with the request. Once per external request. */
#include <httpd.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <string.h>
#include "intake.h"
#include "interauth_notes.h"
#include "mod_sauth.h"
#include "problem.h"
#include "request.h"
#include "sauth_export.h"
#include "sauth_refuse.h"
#include "sauth_state.h"
#include "snapshot.h"

APLOG_USE_MODULE(sauth);

/* At each location anew: a sub-request or redirect may lead to one with another scope, or that accepts other credentials. */
static ia_result check_location(request_rec *r, const sauth_dir *conf, const sauth_state *state)
{
    const char *signer = request_note(r, IA_NOTE_ISIGN_PARTICIPANT);
    const sauth_presentation *p = state->presentation;
    ia_result rc;

    if (signer && strcmp(signer, state->entry.id))
        return IA_SIGNER_MISMATCH;
    if (!(conf->accept & p->bit))
        return IA_PRESENTATION_MISMATCH;
    if (p->check_location && (rc = p->check_location(r, conf, state)))
        return rc;
    return !p->has_grant || state->grant.scope == conf->scope ? IA_OK : IA_SCOPE_MISMATCH;
}

/* For the log: the client may have sent an Authorization that a proxy did not pass on. */
static void hint_at_proxy(request_rec *r, const sauth_dir *conf, sauth_state *state)
{
    const char *field = request_proxy_field(r);
    const sauth_presentation **each, *p;

    for (each = sauth_presentations; (p = *each); each++)
        if (field && p->scheme && conf->accept & p->bit)
            state->log_detail = apr_pstrcat(state->pool, " hint=proxy (no Authorization arrived, and ", field,
                                            " shows a proxy: check that it passes Authorization on)", NULL);
}

/* The one presentation that is accepted here, or NULL. */
static const sauth_presentation *only(const sauth_dir *conf)
{
    const sauth_presentation **each, *p;

    for (each = sauth_presentations; (p = *each); each++)
        if (conf->accept == p->bit)
            return p;
    return NULL;
}

static ia_result check_credentials(request_rec *r, const sauth_dir *conf, sauth_state *state,
                                   const sauth_presentation *shown)
{
    const sauth_presentation *p;
    ia_result rc;

    if (r->method_number == M_CONNECT)
        return IA_TUNNEL_REFUSED;
    if (shown) {
        state->presentation = shown;
        return shown->check(r, conf, state);
    }
    if (snapshot_of(r)->authorization)
        return IA_SCHEME_NOT_ACCEPTED;
    p = only(conf);
    rc = p && p->missing ? p->missing(r, conf, state) : IA_CREDENTIALS_MISSING;
    if (rc == IA_CREDENTIALS_MISSING)
        hint_at_proxy(r, conf, state);
    return rc;
}

/*
 * Once per external request. A request for the presentation itself, such as a login, ends here: its client is not known
 * yet, and no rule about clients applies.
 */
static int decide(request_rec *r, const sauth_dir *conf, sauth_state *state)
{
    const sauth_presentation *shown = sauth_presentation_shown(r, conf);
    int status = shown && shown->handle ? shown->handle(r, conf, state) : DECLINED;

    if (status != DECLINED)
        return status;
    state->rc = check_credentials(r, conf, state, shown);
    state->decided = 1;
    return DECLINED;
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
    if ((status = sauth_guard_access(r)) != DECLINED) /* Satisfy Any may have ignored the refusal */
        return status;
    sauth_notes_clear(r);
    intake_keep_fields(r);
    conf = sauth_dir_effective(r);
    state = sauth_state_of(r);
    if (!state->decided && (status = decide(r, &conf, state)) != DECLINED)
        return status;
    if (state->respond_error)
        problem_set_formatter(r, state->respond_error);
    rc = state->rc ? state->rc : check_location(r, &conf, state);
    if (!rc)
        return admit(r, state);
    if (conf.mode == SAUTH_MODE_OBSERVE && rc > 0) {
        sauth_log_refusal(r, "would refuse", rc, state->proven ? state->entry.id : NULL, NULL);
        apr_table_setn(r->notes, IA_NOTE_SAUTH_DECIDED, "");
        r->user = ""; /* httpd takes no user for a configuration error; the fixup takes it back */
        return OK;
    }
    return state->rc ? sauth_refuse_state(r, state, rc) : sauth_refuse(r, rc, NULL, 0);
}

/*
 * If a rule admits anybody, httpd skips authentication. A client that sends credentials expects to be identified, and is
 * refused if they are bad; a request without credentials is treated as anonymous.
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
