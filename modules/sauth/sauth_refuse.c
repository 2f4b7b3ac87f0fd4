/* Refuses requests: logs the exact reason, and prepares the response. */
#include <httpd.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <string.h>
#include "mod_sauth.h"
#include "intake.h"
#include "log_field.h"
#include "log_ratelimit.h"
#include "problem.h"
#include "request.h"
#include "sauth_guard.h"
#include "sauth_refuse.h"

APLOG_USE_MODULE(sauth);

static void log_refusal(request_rec *r, const char *what, ia_result rc, const char *participant, const char *location,
                        const char *rule)
{
    const ia_outcome *outcome = ia_outcome_of(rc);
    const sauth_state *state = sauth_state_find(r);
    int is_observed = !strcmp(what, "would refuse"); /* logged at the default LogLevel */
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

/* Another rule of a RequireAny may be met, so only the end of the request shows whether this was a refusal. */
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
    if (state->passed == r || state->denied) /* a 403 of the application, or one that was noted */
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

static int refuse(request_rec *r, ia_result rc, const char *participant, const char *detail, int retry_after)
{
    int status = problem_set(r, rc, detail, retry_after);

    sauth_log_refusal(r, "refused", rc, participant, NULL);
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

static const char *proven_id(const sauth_state *state)
{
    return state && state->proven ? state->entry.id : NULL;
}

int sauth_refuse(request_rec *r, ia_result rc, const char *detail, int retry_after)
{
    return refuse(r, rc, proven_id(sauth_state_find(r)), detail, retry_after);
}

/* If httpd could not read the body, its own status is returned, because it may have responded already. */
int sauth_refuse_state(request_rec *r, sauth_state *state, ia_result rc)
{
    state->rc = rc;
    if (rc == IA_BODY_BROKEN && state->status && state->status != HTTP_BAD_REQUEST) {
        sauth_log_refusal(r, "refused", rc, NULL, NULL);
        if (!r->main)
            intake_drop(r);
        return state->status;
    }
    return refuse(r, rc, proven_id(state), state->detail, state->retry_after);
}
