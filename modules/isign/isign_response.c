/* Refusals: log lines and response headers. And the environment of the application. */
#include <httpd.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include "mod_isign.h"
#include "environment.h"
#include "sanitize.h"
#include "intake.h"
#include "interauth/digest.h"
#include "interauth_notes.h"
#include "log_field.h"
#include "problem.h"
#include "request.h"
#include "log_ratelimit.h"

APLOG_USE_MODULE(isign);

#define REFUSED_NOTE "isign-refused" /* the status, for later hooks of the same request_rec */

static const environment_row rows[] = {{IA_NOTE_ISIGN_RESULT, "ISIGN_RESULT", "ISign-Result"},
                                       {IA_NOTE_ISIGN_DIGEST, "ISIGN_DIGEST", "ISign-Digest"},
                                       {IA_NOTE_ISIGN_PARTICIPANT, "ISIGN_PARTICIPANT", "ISign-Participant"},
                                       {IA_NOTE_ISIGN_KEYID, "ISIGN_KEYID", "ISign-Keyid"},
                                       {IA_NOTE_ISIGN_COVERED, "ISIGN_COVERED", "ISign-Covered"},
                                       {IA_NOTE_ISIGN_ALG, "ISIGN_ALG", "ISign-Alg"},
                                       {IA_NOTE_ISIGN_NONCE, "ISIGN_NONCE", "ISign-Nonce"},
                                       {NULL, NULL, NULL}};

static void log_at(request_rec *r, const char *what, ia_result rc, const char *location)
{
    const ia_outcome *outcome = ia_outcome_of(rc);
    const isign_state *state = isign_state_of(r);
    int has_log_detail = state->log_detail && state->log_detail_rc == rc;
    const char *participant = request_note(r, IA_NOTE_SAUTH_PARTICIPANT), *suppressed = log_ratelimit_fault(r, outcome);

    if (!suppressed)
        return;
    if (!participant)
        participant = request_note(r, IA_NOTE_ISIGN_PARTICIPANT);
    if (!participant && has_log_detail)
        participant = state->log_participant;
    ap_log_rerror(APLOG_MARK, problem_log_level(outcome), 0, r, "isign: %s reason=%s%s%s%s%s", what, outcome->tag,
                  log_field(r->pool, "participant", participant), log_field(r->pool, "location", location),
                  has_log_detail ? state->log_detail : "", suppressed);
}

void isign_log(request_rec *r, const char *what, ia_result rc)
{
    log_at(r, what, rc, r->uri);
}

static int lacks_digest(ia_result rc)
{
    return rc == IA_DIGEST_MISSING || rc == IA_DIGEST_UNSUPPORTED || rc == IA_DIGEST_DEPRECATED;
}

int isign_is_enabled(request_rec *r)
{
    return isign_dir_effective(r).level != ISIGN_OFF;
}

void isign_ask(request_rec *r)
{
    isign_dir conf = isign_dir_effective(r);

    if (conf.level == ISIGN_OFF)
        return;
    isign_write_accept(r, &conf);
    isign_state_of(r)->accept_in = r;
}

/* Another rule may grant access: whether this is a refusal is known only at the end of the request. */
void isign_deny(request_rec *r, ia_result rc)
{
    isign_state *state = isign_state_of(r);

    state->denied = rc;
    state->denied_in = r;
    state->denied_at = apr_pstrdup(request_outermost(r)->pool, r->uri);
    problem_set(r, rc, NULL, 0);
    isign_ask(r);
}

int isign_log_denial(request_rec *r)
{
    const isign_state *state = isign_state_of(r);

    if (state->denied)
        log_at(r, "refused", state->denied, state->denied_at);
    return DECLINED;
}

static int refuse(request_rec *r, ia_result rc, int status)
{
    isign_dir conf = isign_dir_effective(r);

    isign_log(r, "refused", rc);
    apr_table_setn(r->notes, IA_NOTE_ISIGN_RESULT, ia_outcome_of(rc)->tag);
    if (!r->main)
        intake_drop(r);
    if (lacks_digest(rc))
        apr_table_setn(r->err_headers_out, "Want-Content-Digest", IA_WANT_CONTENT_DIGEST);
    if (rc == IA_BODY_BROKEN && status && status != HTTP_BAD_REQUEST)
        return status;
    status = problem_set(r, rc, NULL, rc == IA_REPLAY_CACHE_WARMING ? isign_nonce_retry_after() : 0);
    if (status != HTTP_UNAUTHORIZED)
        return status;
    isign_write_accept(r, &conf);
    if (ap_auth_type(r))
        ap_note_auth_failure(r);
    else
        apr_table_setn(r->err_headers_out, "WWW-Authenticate", "Signature");
    return status;
}

/* Kept with this request_rec: under Satisfy Any, httpd ignores a refusal of check_access. */
int isign_refuse(request_rec *r, ia_result rc, int status)
{
    status = refuse(r, rc, status);
    apr_table_setn(r->notes, REFUSED_NOTE, apr_itoa(r->pool, status));
    return status;
}

int isign_refused(request_rec *r)
{
    const char *status = apr_table_get(r->notes, REFUSED_NOTE);

    return status ? (int)apr_atoi64(status) : OK;
}

int isign_is_private(request_rec *r)
{
    return isign_state_of(r)->proof != NULL;
}

int isign_export(request_rec *r)
{
    isign_state *state = isign_state_of(r);

    if (state->denied_in == r && state->denied) {
        state->denied = IA_OK;
        problem_clear(r);
    }
    if (state->accept_in == r) {
        state->accept_in = NULL;
        apr_table_unset(r->err_headers_out, "Accept-Signature");
    }
    sanitize_environment(r, "ISIGN_");
    environment_export(r, rows, ENVIRONMENT_VARIABLES);
    return OK;
}
