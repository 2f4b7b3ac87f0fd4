/* check_authn: authenticates the client by the credentials in the request, once for each external request. */
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
#include "sauth_guard.h"
#include "sauth_refuse.h"
#include "sauth_state.h"
#include "snapshot.h"

APLOG_USE_MODULE(sauth);

/* Called for each location: a sub-request or redirect may lead to another scope or to other SAuthAccept settings. */
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

/* Logs that a proxy may have removed the Authorization header. */
static void log_proxy_hint(request_rec *r, const sauth_dir *conf, sauth_state *state)
{
    const char *field = request_proxy_field(r);
    const sauth_presentation **each, *p;

    for (each = sauth_presentations; (p = *each); each++)
        if (field && p->scheme && conf->accept & p->bit)
            state->log_detail = apr_pstrcat(state->pool, " hint=proxy (Authorization is missing and ", field,
                                            " is present: check that the proxy passes Authorization on)", NULL);
}

/* Returns the only presentation that is accepted here, or NULL if there are several. */
static const sauth_presentation *only_presentation(const sauth_dir *conf)
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
    p = only_presentation(conf);
    rc = p && p->missing ? p->missing(r, conf, state) : IA_OK;
    if (!rc)
        rc = IA_CREDENTIALS_MISSING;
    if (rc == IA_CREDENTIALS_MISSING)
        log_proxy_hint(r, conf, state);
    return rc;
}

/* If this is the error page of an endpoint, the state still has the details of the refusal there. */
static void forget_endpoint(sauth_state *state)
{
    if (!state->dialect)
        return;
    state->proven = 0;
    state->detail = state->log_detail = NULL;
    state->status = state->retry_after = 0;
}

/*
 * Once per external request. A request for the presentation itself, such as a login, ends here: its client is not known
 * yet, and no rule about clients applies.
 */
static int decide(request_rec *r, const sauth_dir *conf, sauth_state *state)
{
    const sauth_presentation *shown;
    int status;

    forget_endpoint(state);
    shown = sauth_presentation_shown(r, conf);
    status = shown && shown->handle ? shown->handle(r, conf, state) : DECLINED;
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
        r->user = ""; /* without a user, httpd reports a configuration error; sauth_fixups() removes it */
        return OK;
    }
    return state->rc ? sauth_refuse_state(r, state, rc) : sauth_refuse(r, rc, NULL, 0);
}

/*
 * If a rule admits everybody, httpd skips authentication. A client that sends credentials is authenticated
 * nevertheless, and is refused if they are invalid; a request without credentials is treated as anonymous.
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
