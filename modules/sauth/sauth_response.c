/* What leaves: log lines and refusals, the app's environment, and the mark "private" on what is authenticated. */
#include <httpd.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <string.h>
#include "mod_sauth.h"
#include "environment.h"
#include "sanitize.h"
#include "intake.h"
#include "interauth/encoding.h"
#include "interauth/timestamp.h"
#include "interauth_notes.h"
#include "log_field.h"
#include "problem.h"
#include "request.h"
#include "log_ratelimit.h"
#include "snapshot.h"

APLOG_USE_MODULE(sauth);

static const environment_row rows[SAUTH_ATTRIBUTES] = {
    {IA_NOTE_SAUTH_PARTICIPANT, "SAUTH_PARTICIPANT", "SAuth-Participant"},
    {IA_NOTE_SAUTH_CAPABILITIES, "SAUTH_CAPABILITIES", "SAuth-Capabilities"},
    {IA_NOTE_SAUTH_SCHEME, "SAUTH_SCHEME", "SAuth-Scheme"},
    {IA_NOTE_SAUTH_GRANT, "SAUTH_GRANT", "SAuth-Grant"},
    {IA_NOTE_SAUTH_EXPIRES, "SAUTH_EXPIRES", "SAuth-Expires"},
    {IA_NOTE_SAUTH_CALL, "SAUTH_CALL", "SAuth-Call"}};

static void log_refusal(request_rec *r, const char *what, ia_result rc, const char *participant, const char *location,
                        const char *rule)
{
    const ia_outcome *outcome = ia_outcome_of(rc);
    const sauth_state *state = sauth_state_find(r);
    int is_observed = !strcmp(what, "would refuse"); /* what an administrator waits for, at the default LogLevel too */
    const char *suppressed = log_ratelimit_fault(r, outcome);

    if (!suppressed)
        return;
    ap_log_rerror(APLOG_MARK, is_observed ? APLOG_WARNING : problem_log_level(outcome), 0, r,
                  "sauth: %s reason=%s%s%s%s%s%s", what, outcome->tag, log_field(r->pool, "participant", participant),
                  log_field(r->pool, "location", location), log_field(r->pool, "rule", rule),
                  state && state->log_detail ? state->log_detail : "", suppressed);
}

void sauth_log_refusal(request_rec *r, const char *what, ia_result rc, const char *participant, const char *rule)
{
    log_refusal(r, what, rc, participant, r->uri, rule);
}

/* A rule that was not met may stand beside one that was: only at the end it is known whether it was a refusal. */
void sauth_note_denial(request_rec *r, sauth_state *state, ia_result rc, const char *rule)
{
    apr_pool_t *p = request_outermost(r)->pool;

    state->denied = rc;
    state->denied_in = r;
    state->denied_at = apr_pstrdup(p, r->uri);
    state->denied_by = rule ? apr_pstrdup(p, rule) : NULL;
}

void sauth_note_foreign_denial(request_rec *r)
{
    sauth_state *state;

    if (r->status != HTTP_FORBIDDEN || !sauth_is_ours(r) || problem_is_set(r))
        return;
    state = sauth_state_of(r);
    if (state->passed == r || state->denied) /* the application's 403, or one that is known */
        return;
    sauth_note_denial(r, state, IA_RULE_NOT_MET, NULL);
    problem_set(r, IA_RULE_NOT_MET, NULL, 0);
}

int sauth_log_denial(request_rec *r)
{
    const sauth_state *state = sauth_state_find(r);

    if (state && state->denied)
        log_refusal(r, "refused", state->denied, state->entry.id, state->denied_at, state->denied_by);
    return DECLINED;
}

int sauth_refuse(request_rec *r, ia_result rc, const char *detail, int retry_after)
{
    const sauth_state *state = sauth_state_find(r);
    int status = problem_set(r, rc, detail, retry_after);

    sauth_log_refusal(r, "refused", rc, state && state->proven ? state->entry.id : NULL, NULL);
    if (!r->main)
        intake_drop(r);
    if (status != HTTP_UNAUTHORIZED)
        return status;
    if (ap_auth_type(r))
        ap_note_auth_failure(r);
    else
        sauth_www_authenticate_write(r, rc);
    return status;
}

const char *sauth_capability_names(apr_pool_t *p, const ia_capset *set)
{
    apr_array_header_t *names = apr_array_make(p, 8, sizeof(const char *));
    int number = -1;

    while ((number = ia_capset_next(set, number)) >= 0) {
        const char *name = sauth.registry->capability_name(number);

        if (name)
            APR_ARRAY_PUSH(names, const char *) = name;
    }
    return apr_array_pstrcat(p, names, ' ');
}

/* Made once for an external request. What says it lives as long as the state. */
static void tell(request_rec *r, sauth_state *state)
{
    apr_pool_t *p = request_outermost(r)->pool;
    char *grant, *expires;

    state->attributes[0] = state->entry.id;
    state->attributes[1] = sauth_capability_names(p, &state->capabilities);
    state->attributes[2] = ia_presentation_name((ia_presentation)state->grant.presentation);
    if (state->grant.presentation == IA_PRESENT_SIGNATURE)
        return;
    state->attributes[3] = grant = apr_palloc(p, IA_BASE64URL_SIZE(IA_GRANT_ID_LEN));
    ia_base64url_encode(grant, state->grant_id, IA_GRANT_ID_LEN);
    state->attributes[4] = expires = apr_palloc(p, IA_RFC3339_SIZE);
    ia_timestamp_format(expires, state->grant.expires);
    state->attributes[5] = state->method;
}

void sauth_notes_write(request_rec *r, sauth_state *state)
{
    int i;

    if (!state->attributes[0])
        tell(r, state);
    for (i = 0; i < SAUTH_ATTRIBUTES; i++)
        if (state->attributes[i])
            apr_table_addn(r->notes, rows[i].note, state->attributes[i]);
}

void sauth_notes_clear(request_rec *r)
{
    int i;

    for (i = 0; i < SAUTH_ATTRIBUTES; i++)
        apr_table_unset(r->notes, rows[i].note);
}

static void export(request_rec *r, const sauth_state *state, environment_way way)
{
    int i;

    for (i = 0; i < SAUTH_ATTRIBUTES; i++)
        if (state->attributes[i])
            environment_set(r, &rows[i], state->attributes[i], way);
}

/* Whose Authorization this is: of a client that we know, or one of our scheme at a location of ours. */
static int is_for_us(request_rec *r, const sauth_state *state)
{
    if (state && state->decided && !state->rc)
        return 1;
    return ((state && state->decided) || sauth_is_ours(r)) &&
           ia_authorization_names_sauth(snapshot_of(r)->authorization);
}

/*
 * The last hook before the handler, so that nothing later puts back what is taken away here. It runs for sub-requests
 * and internal redirects too: the app may only be reached by one, at a location that is not protected itself.
 */
int sauth_fixups(request_rec *r)
{
    sauth_state *state = sauth_state_find(r);
    sauth_dir conf;

    sanitize_environment(r, "SAUTH_");
    sanitize_inbound(r); /* again: trailers may have been merged into the headers */
    conf = sauth_dir_effective(r);
    if (!sauth_guard_passes(r, &conf, state))
        return sauth_refuse(r, IA_LOCATION_UNGUARDED, NULL, 60);
    if (!conf.pass_authorization && is_for_us(r, state))
        sanitize_authorization(r, snapshot_of(r)->authorization, state && state->proven);
    if (state)
        state->passed = r;
    if (!state || !state->decided)
        return DECLINED;
    if (state->rc || state->denied)
        problem_clear(r);
    if (state->denied_in == r)
        state->denied = IA_OK;
    if (r->user && !*r->user)
        r->user = NULL; /* observed: nobody */
    if (state->rc || !state->attributes[0])
        return OK;
    if (!r->user)
        r->user = apr_pstrdup(r->pool, state->entry.id);
    if (!r->ap_auth_type)
        r->ap_auth_type = SAUTH_AUTH_TYPE;
    export(r, state, conf.pass == SAUTH_PASS_HEADERS ? ENVIRONMENT_HEADERS : ENVIRONMENT_VARIABLES);
    return OK;
}

/* An error that a filter found, such as an unsatisfiable range, begins with empty headers. */
static void restore_nextnonce(request_rec *r, const sauth_state *state)
{
    if (state->authentication_info && !apr_table_get(r->err_headers_out, "Authentication-Info"))
        apr_table_setn(r->err_headers_out, "Authentication-Info", state->authentication_info);
}

int sauth_is_private(request_rec *r)
{
    const sauth_state *state = sauth_state_find(r);

    if (!state || !state->decided || !state->proven)
        return 0;
    restore_nextnonce(r, state);
    return 1;
}
