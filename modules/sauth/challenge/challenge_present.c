/*
 * Presentation "challenge": the body of a call contains token and signature. The body is read before the client is
 * authenticated, up to a limit, and is passed on to the application unchanged.
 */
#include <httpd.h>
#include <apr_strings.h>
#include <string.h>
#include "clock.h"
#include "challenge.h"
#include "intake.h"
#include "interauth_notes.h"
#include "mod_sauth.h"
#include "request.h"
#include "sauth_export.h"
#include "sauth_grant.h"
#include "snapshot.h"

static ia_result read_call(request_rec *r, challenge_call *call, ia_envelope_format format, int *status)
{
    ia_json_error error = {0, NULL};
    const char *text;
    apr_size_t len;
    ia_result rc;

    if (!challenge_read_body)
        return IA_FAULT_INTERNAL;
    if ((rc = (ia_result)challenge_read_body(r, IA_ENVELOPE_MAX, &text, &len, status)))
        return rc;
    call->was_read = 1;
    call->length = len;
    rc = ia_envelope_parse(&call->envelope, request_outermost(r)->pool, format, text, len, &error);
    call->error = rc ? error.reason : NULL;
    call->envelope.format = format;
    call->is_login = !rc && challenge_is_login_method(call->envelope.method);
    return rc;
}

static void copy_members(challenge_call *call)
{
    const ia_envelope *e = &call->envelope;
    challenge_use *use = call->use;

    use->token = e->token;
    use->signature = e->signature;
    use->timestamp = e->timestamp;
    use->message.method = e->method;
    use->message.nonce = e->nonce;
    use->message.timestamp = e->timestamp_text;
    use->message.request = e->request_text;
    use->message.request_len = e->request_len;
}

static challenge_call *create_call(apr_pool_t *p, ia_envelope_format format)
{
    challenge_call *call = apr_pcalloc(p, sizeof *call);

    call->format = format;
    call->use = challenge_use_create(p);
    return call;
}

static challenge_call *call_of(request_rec *r)
{
    request_rec *top = request_outermost(r);
    sauth_state *state = sauth_state_of(r);
    challenge_request *request = challenge_request_of(state);
    ia_envelope_format format;
    challenge_call *call;

    if (request->call)
        return request->call; /* trailers may have changed the headers since */
    if (strcmp(snapshot_of(r)->method, "POST") || apr_table_get(top->headers_in, "Content-Encoding") ||
        ia_envelope_format_of(&format, apr_table_get(top->headers_in, "Content-Type")))
        return NULL;
    request->call = call = create_call(top->pool, format);
    call->rc = read_call(r, call, format, &state->status);
    if (!call->rc)
        copy_members(call);
    return call;
}

/*
 * If the location accepts other presentations too, a body that is not a call counts as a request without credentials.
 * If it accepts only this one, the body counts as a malformed call.
 */
static int is_shown(request_rec *r, const sauth_dir *conf)
{
    challenge_call *call = call_of(r);
    int is_only = conf->accept == challenge_presentation.bit, has_credentials;

    if (!call)
        return 0;
    if (call->rc)
        has_credentials = is_only || !call->was_read;
    else
        has_credentials =
            call->use->token || call->use->signature || (call->is_login && conf->mode != SAUTH_MODE_OBSERVE);
    if (has_credentials || is_only)
        challenge_speak(r, sauth_state_of(r), call->format);
    return has_credentials;
}

static ia_result check_proven(const sauth_dir *conf, const challenge_call *call, sauth_state *state, apr_time_t now)
{
    int still_has_secret = call->use->secret.fingerprint == state->grant.secret_fingerprint;
    ia_result rc;

    if ((rc = sauth_grant_check(state, &challenge_presentation, still_has_secret, now)) ||
        (rc = challenge_use_once(conf, call->use, state, now)))
        return rc;
    return sauth_grant_open(state, now);
}

static void set_log_detail(ia_result rc, const challenge_call *call, sauth_state *state, apr_time_t now)
{
    challenge_circumstances about = {call->envelope.method, call->use->profile, call->use, now};

    state->log_detail = challenge_log_detail(state->pool, rc, state, &about);
}

static ia_result check(request_rec *r, const sauth_dir *conf, sauth_state *state)
{
    challenge_call *call = call_of(r);
    apr_time_t now = clock_now(); /* after the body was read, which the client may have sent slowly */
    ia_result rc = call->rc;

    state->detail = call->error;
    if (!rc && (!call->use->token || !call->use->signature)) {
        state->detail = "token and signature expected";
        rc = IA_ENVELOPE_MALFORMED;
    }
    if (!rc)
        rc = challenge_prove(r, conf, call->use, state, now);
    if (!rc)
        rc = check_proven(conf, call, state, now);
    if (!rc)
        challenge_request_of(state)->method = call->envelope.method;
    if (rc)
        set_log_detail(rc, call, state, now);
    return rc;
}

static int has_unsupported_type(request_rec *r)
{
    request_rec *top = request_outermost(r);
    ia_envelope_format format;
    int status;

    return !strcmp(snapshot_of(r)->method, "POST") && intake_has_content(r, &status) > 0 &&
           (apr_table_get(top->headers_in, "Content-Encoding") ||
            ia_envelope_format_of(&format, apr_table_get(top->headers_in, "Content-Type")));
}

static ia_result missing(request_rec *r, const sauth_dir *conf, sauth_state *state)
{
    challenge_call *call;

    (void)conf;
    if (!has_unsupported_type(r))
        return IA_CREDENTIALS_MISSING;
    challenge_request_of(state)->call = call = create_call(state->pool, IA_ENVELOPE_JSON);
    call->rc = IA_MEDIA_TYPE;
    challenge_speak(r, state, call->format);
    state->detail = CHALLENGE_TYPES;
    set_log_detail(IA_MEDIA_TYPE, call, state, 0);
    return IA_MEDIA_TYPE;
}

static const environment_row attributes[] = {{IA_NOTE_SAUTH_CALL, "SAUTH_CALL", "SAuth-Call"}, {NULL, NULL, NULL}};

static void describe(sauth_state *state)
{
    const char *method = challenge_request_of(state)->method;

    if (method)
        sauth_attribute_add(state, &attributes[0], method);
}

static const char *challenge(request_rec *r, const char *realm, ia_result rc)
{
    (void)rc;
    return apr_pstrcat(r->pool, "Challenge realm=\"", realm, "\"", NULL);
}

static const char *obtain(apr_pool_t *p, const char *capability)
{
    (void)p, (void)capability;
    return "The participant has it now: log in again";
}

const sauth_presentation challenge_presentation = {
    .word = "challenge",
    .name = "challenge",
    .bit = 4,
    .has_grant = 1,
    .is_shown = is_shown,
    .check = check,
    .handle = challenge_location_handle,
    .missing = missing,
    .challenge = challenge,
    .obtain = obtain,
    .attributes = attributes,
    .describe = describe,
};
