/* What leaves: log lines, refusals with what they ask for, the app's environment. */
#include <httpd.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <openssl/rand.h>
#include <string.h>
#include "clock.h"
#include "mod_isign.h"
#include "environment.h"
#include "sanitize.h"
#include "intake.h"
#include "interauth/encoding.h"
#include "interauth_notes.h"
#include "log_field.h"
#include "problem.h"
#include "request.h"
#include "log_ratelimit.h"

APLOG_USE_MODULE(isign);

#define REFUSED_NOTE "isign-refused" /* the status, for a later hook of the same pass */

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
    int has_log_detail = state->log_detail && state->has_log_detail == rc;
    const char *participant = request_note(r, IA_NOTE_SAUTH_PARTICIPANT), *suppressed = log_ratelimit_fault(r, outcome);

    if (!suppressed)
        return;
    if (!participant)
        participant = request_note(r, IA_NOTE_ISIGN_PARTICIPANT);
    if (!participant && has_log_detail)
        participant = state->proven;
    ap_log_rerror(APLOG_MARK, problem_log_level(outcome), 0, r, "isign: %s reason=%s%s%s%s%s", what, outcome->tag,
                  log_field(r->pool, "participant", participant), log_field(r->pool, "location", location),
                  has_log_detail ? state->log_detail : "", suppressed);
}

void isign_log(request_rec *r, const char *what, ia_result rc)
{
    log_at(r, what, rc, r->uri);
}

/* One that nobody has used. The server does not remember that it gave it: it takes any that is new. */
static const char *make_nonce(apr_pool_t *p)
{
    unsigned char random[16];
    char *text = apr_palloc(p, IA_BASE64URL_SIZE(sizeof random));

    if (RAND_bytes(random, sizeof random) != 1)
        return NULL;
    ia_base64url_encode(text, random, sizeof random);
    return text;
}

/* The signature that would do: RFC 9421 section 5.1. */
static void write_accept_signature(request_rec *r)
{
    isign_dir conf = isign_dir_effective(r);
    int has_body = intake_may_have_content(r); /* what is signed too much does no harm */
    apr_array_header_t *components = isign_required(r, &conf, has_body);
    ia_httpsig_plan plan = {*conf.label ? conf.label : "sig1", NULL, 0, 1, 0, NULL, NULL,
                            *conf.tag ? conf.tag : NULL,       0};
    char *value;
    int i;

    if (has_body) {
        for (i = 0; i < components->nelts && strcmp(APR_ARRAY_IDX(components, i, const char *), "content-digest"); i++)
            ;
        if (i == components->nelts)
            APR_ARRAY_PUSH(components, const char *) = "content-digest";
    }
    plan.components = (const char *const *)components->elts;
    plan.component_count = (unsigned)components->nelts;
    if (conf.nonce == ISIGN_NONCE_REQUIRED)
        plan.nonce = make_nonce(r->pool);
    if (ia_httpsig_format_accept(&value, r->pool, &plan, IA_ALGORITHM_NONE) == IA_OK)
        apr_table_setn(r->err_headers_out, "Accept-Signature", value);
}

static int asks_for_digest(ia_result rc)
{
    return rc == IA_DIGEST_MISSING || rc == IA_DIGEST_UNSUPPORTED || rc == IA_DIGEST_DEPRECATED;
}

int isign_looks(request_rec *r)
{
    return isign_dir_effective(r).demand != ISIGN_OFF;
}

void isign_ask(request_rec *r)
{
    if (!isign_looks(r))
        return;
    write_accept_signature(r);
    isign_state_of(r)->asked_in = r;
}

/* A rule that was not met may stand beside one that was: only at the end it is known whether it was a refusal. */
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

/* Seconds until a signature made now would be accepted after a start. */
static int seconds_young(void)
{
    apr_time_t left = isign.replays ? st_replays_birth(isign.replays) + isign.widest_skew - clock_now() : 0;

    /* `created` is cut to whole seconds: one more, or a client that comes back right then is still too early. */
    return left > 0 ? (int)apr_time_sec(left) + 2 : 1;
}

static int refuse(request_rec *r, ia_result rc, int status)
{
    isign_log(r, "refused", rc);
    apr_table_setn(r->notes, IA_NOTE_ISIGN_RESULT, ia_outcome_of(rc)->tag);
    if (!r->main)
        intake_drop(r);
    if (asks_for_digest(rc))
        apr_table_setn(r->err_headers_out, "Want-Content-Digest", IA_WANT_CONTENT_DIGEST);
    if (rc == IA_BODY_BROKEN && status && status != HTTP_BAD_REQUEST)
        return status;
    status = problem_set(r, rc, NULL, rc == IA_REPLAY_CACHE_WARMING ? seconds_young() : 0);
    if (status == HTTP_UNAUTHORIZED)
        write_accept_signature(r);
    if (status != HTTP_UNAUTHORIZED)
        return status;
    if (ap_auth_type(r))
        ap_note_auth_failure(r);
    else
        apr_table_setn(r->err_headers_out, "WWW-Authenticate", "Signature");
    return status;
}

/* Kept with this pass, because a refusal in check_access is none under Satisfy Any. */
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
    return isign_state_of(r)->signature != NULL;
}

int isign_export(request_rec *r)
{
    isign_state *state = isign_state_of(r);

    if (state->denied_in == r && state->denied) {
        state->denied = IA_OK;
        problem_clear(r);
    }
    if (state->asked_in == r) {
        state->asked_in = NULL;
        apr_table_unset(r->err_headers_out, "Accept-Signature");
    }
    sanitize_environment(r, "ISIGN_");
    environment_export(r, rows, ENVIRONMENT_VARIABLES);
    return OK;
}
