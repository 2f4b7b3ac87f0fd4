/*
 * Presentation "challenge": the call itself carries token and signature, in its body. The body is read before the client
 * is known, within bounds, and reaches the app as it came.
 */
#include <httpd.h>
#include <apr_strings.h>
#include <string.h>
#include "clock.h"
#include "sauth_challenge_call.h"
#include "sauth_presentation.h"
#include "intake.h"
#include "request.h"
#include "snapshot.h"

static ia_result read_call(request_rec *r, sauth_call *call, ia_envelope_format format, int *status)
{
    ia_json_error error = {0, NULL};
    const char *text;
    apr_size_t len;
    ia_result rc;

    if (!sauth.read_body)
        return IA_FAULT_INTERNAL;
    if ((rc = (ia_result)sauth.read_body(r, IA_ENVELOPE_MAX, &text, &len, status)))
        return rc;
    call->was_read = 1;
    call->length = len;
    rc = ia_envelope_parse(&call->envelope, request_outermost(r)->pool, format, text, len, &error);
    call->wrong = rc ? error.reason : NULL;
    call->envelope.format = format;
    call->is_login = !rc && sauth_login_is_method(call->envelope.method);
    return rc;
}

static void take_members(sauth_call *call)
{
    const ia_envelope *e = &call->envelope;
    sauth_token_use *use = call->use;

    use->token = e->token;
    use->signature = e->signature;
    use->timestamp = e->timestamp;
    use->message.method = e->method;
    use->message.nonce = e->nonce;
    use->message.timestamp = e->timestamp_text;
    use->message.request = e->request_text;
    use->message.request_len = e->request_len;
}

static sauth_call *make_call(apr_pool_t *p, ia_envelope_format format)
{
    sauth_call *call = apr_pcalloc(p, sizeof *call);

    call->format = format;
    call->use = sauth_token_use_create(p);
    return call;
}

sauth_call *sauth_call_of(request_rec *r)
{
    request_rec *top = request_outermost(r);
    sauth_state *state = sauth_state_of(r);
    ia_envelope_format format;
    sauth_call *call;

    if (state->call)
        return state->call; /* whatever the headers say after its trailers */
    if (strcmp(snapshot_of(r)->method, "POST") || apr_table_get(top->headers_in, "Content-Encoding") ||
        ia_envelope_format_of(&format, apr_table_get(top->headers_in, "Content-Type")))
        return NULL;
    state->call = call = make_call(top->pool, format);
    call->rc = read_call(r, call, format, &state->status);
    if (!call->rc)
        take_members(call);
    return call;
}

void sauth_call_speak(request_rec *r, const sauth_state *state)
{
    if (state->call && state->call->speaks)
        sauth_speak(r, state->call->format);
}

/*
 * A body that is no call shows nothing where clients can show themselves by a header too: they are asked for it. Where
 * the protocol is the only way, its grammar was meant.
 */
int sauth_challenge_is_shown(request_rec *r, const sauth_dir *conf)
{
    sauth_call *call = sauth_call_of(r);
    int is_alone = conf->accept == IA_PRESENT_CHALLENGE, is_shown;

    if (!call)
        return 0;
    if (call->rc)
        is_shown = is_alone || !call->was_read;
    else
        is_shown = call->use->token || call->use->signature || (call->is_login && conf->mode != SAUTH_MODE_OBSERVE);
    call->speaks = is_shown || is_alone;
    return is_shown;
}

static ia_result check_proven(const sauth_dir *conf, const sauth_call *call, sauth_state *state, apr_time_t now)
{
    int still_has_secret = call->use->secret.fingerprint == state->grant.secret_fingerprint;
    ia_result rc;

    if ((rc = sauth_grant_check(state, IA_PRESENT_CHALLENGE, still_has_secret, now)) ||
        (rc = sauth_token_use_once(conf, call->use, state, now)))
        return rc;
    return sauth_grant_open(state, now);
}

static void log_detail(request_rec *r, ia_result rc, const sauth_call *call, sauth_state *state, apr_time_t now)
{
    sauth_call_circumstances about = {call->envelope.method, call->use->profile, call->use, now};

    state->log_detail = sauth_call_log_detail(request_outermost(r)->pool, rc, state, &about);
}

ia_result sauth_present_challenge(request_rec *r, const sauth_dir *conf, sauth_state *state)
{
    sauth_call *call = sauth_call_of(r);
    apr_time_t now = clock_now(); /* once the body is here: who sends it slowly must not stop the clock */
    ia_result rc = call->rc;

    state->detail = call->wrong;
    if (!rc && (!call->use->token || !call->use->signature)) {
        state->detail = "token and signature expected";
        rc = IA_ENVELOPE_MALFORMED;
    }
    if (!rc)
        rc = sauth_token_prove(r, conf, call->use, state, now);
    if (!rc)
        rc = check_proven(conf, call, state, now);
    if (!rc)
        state->method = call->envelope.method;
    if (rc)
        log_detail(r, rc, call, state, now);
    return rc;
}

static int is_call_of_another_type(request_rec *r)
{
    request_rec *top = request_outermost(r);
    ia_envelope_format format;
    int status;

    return !strcmp(snapshot_of(r)->method, "POST") && intake_has_content(r, &status) > 0 &&
           (apr_table_get(top->headers_in, "Content-Encoding") ||
            ia_envelope_format_of(&format, apr_table_get(top->headers_in, "Content-Type")));
}

ia_result sauth_challenge_missing(request_rec *r, const sauth_dir *conf, sauth_state *state)
{
    apr_pool_t *p = request_outermost(r)->pool;

    if (conf->accept != IA_PRESENT_CHALLENGE || !is_call_of_another_type(r))
        return IA_CREDENTIALS_MISSING;
    state->call = make_call(p, IA_ENVELOPE_JSON);
    state->call->rc = IA_MEDIA_TYPE;
    state->call->speaks = 1;
    state->detail = SAUTH_CALL_TYPES;
    log_detail(r, IA_MEDIA_TYPE, state->call, state, 0);
    return IA_MEDIA_TYPE;
}
