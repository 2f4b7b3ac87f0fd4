/* Handles auth.request, auth.token and auth.refresh: reads the request and writes the response. */
#include <httpd.h>
#include <apr_strings.h>
#include <http_log.h>
#include <http_protocol.h>
#include <string.h>
#include "clock.h"
#include "body.h"
#include "challenge_login.h"
#include "mod_sauth.h"
#include "sauth_grant.h"
#include "sauth_refuse.h"
#include "interauth/challenge_seal.h"
#include "log_field.h"
#include "interauth/timestamp.h"
#include "request.h"

APLOG_USE_MODULE(sauth);

ia_result challenge_malformed(challenge_login *x, const char *detail)
{
    x->state->detail = detail;
    return IA_ENVELOPE_MALFORMED;
}

static ia_result read_call(challenge_login *x, int *status)
{
    const char *type = apr_table_get(x->r->headers_in, "Content-Type"), *text;
    ia_json_error error = {0, NULL};
    ia_envelope_format format;
    apr_size_t len;
    ia_result rc = ia_envelope_format_of(&format, type);

    *status = 0;
    x->call.format = format;
    challenge_speak(x->r, x->state, format);
    if (!rc && apr_table_get(x->r->headers_in, "Content-Encoding"))
        rc = IA_MEDIA_TYPE;
    if (rc == IA_MEDIA_TYPE)
        x->state->detail = CHALLENGE_TYPES;
    if (rc || (rc = (ia_result)request_read_body(x->r, CHALLENGE_LOGIN_MAX, &text, &len, status)))
        return rc;
    rc = ia_envelope_parse(&x->call, x->r->pool, format, text, len, &error);
    x->call.format = format;
    x->state->detail = rc ? error.reason : NULL;
    return rc;
}

static const char *log_detail_of(const challenge_login *x, ia_result rc)
{
    challenge_circumstances about = {x->call.method, x->profile, NULL, x->now};
    const char *log_detail;

    if (x->use) {
        about.profile = x->use->profile;
        about.use = x->use;
    }
    log_detail = challenge_log_detail(x->r->pool, rc, x->state, &about);
    return x->signature_profile
               ? apr_pstrcat(x->r->pool, log_detail, log_field(x->r->pool, "signed_in", x->signature_profile), NULL)
               : log_detail;
}

static int refuse(challenge_login *x, ia_result rc, int status)
{
    x->state->log_detail = log_detail_of(x, rc);
    x->state->status = status;
    return sauth_refuse_state(x->r, x->state, rc);
}

ia_result challenge_respond(challenge_login *x, const ia_envelope_member *members, unsigned count)
{
    apr_size_t len;
    const char *text = ia_envelope_response(x->r->pool, x->call.format, members, count, &len);

    if (!text)
        return IA_FAULT_INTERNAL;
    ap_set_content_type(x->r, ia_envelope_media_type(x->call.format));
    ap_set_content_length(x->r, (apr_off_t)len);
    ap_rwrite(text, (int)len, x->r);
    return IA_OK;
}

ia_result challenge_seal(char challenge[IA_CHALLENGE_LEN + 1], const ia_challenge_seal *seal)
{
    ia_mac_key key;
    ia_result rc;

    st_store_nonce_key(sauth.grants, &key);
    rc = ia_challenge_mint(challenge, &key, seal);
    ia_wipe(&key, sizeof key);
    return rc;
}

ia_result challenge_store(challenge_login *x, const char *token, ia_grant_terms *terms, apr_int64_t window,
                          apr_uint64_t secret_fingerprint)
{
    sauth_grant_request request = {&x->conf, &x->state->entry, &challenge_presentation, secret_fingerprint, 0, NULL, 0,
                                   x->now};
    apr_time_t latest = challenge_token_expires(&x->conf, window, x->now);
    unsigned char grant_id[IA_GRANT_ID_LEN];
    ia_result rc;

    if (terms->expires > latest)
        terms->expires = latest;
    x->state->retry_after = 60;
    if (!(rc = sauth_grant_create(grant_id, &request, token, terms)))
        sauth_grant_log(x->r, &x->state->entry, terms);
    return rc;
}

typedef ia_result (*login_method)(challenge_login *x);

static login_method find_method(const char *name)
{
    static const struct {
        const char *name;
        login_method run;
    } methods[] = {{"auth.request", challenge_auth_request},
                   {"auth.token", challenge_auth_token},
                   {"auth.refresh", challenge_auth_refresh}};
    unsigned i;

    for (i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (!strcmp(methods[i].name, name))
            return methods[i].run;
    return NULL;
}

int challenge_is_login_method(const char *method)
{
    return find_method(method) != NULL;
}

static ia_result run(challenge_login *x)
{
    login_method method = find_method(x->call.method);

    if (!method) {
        x->state->detail =
            "this URL accepts only auth.request, auth.token and auth.refresh; send other calls to the URL "
            "of the application";
        return IA_CALL_UNKNOWN;
    }
    if (x->call.token || x->call.signature || x->call.nonce || x->call.timestamp_text)
        return challenge_malformed(x, "the token, signature, nonce and timestamp of this method belong in its request");
    return method(x);
}

static void begin(challenge_login *x, request_rec *r)
{
    memset(x, 0, sizeof *x);
    x->r = r;
    x->conf = sauth_dir_effective(r);
    x->state = sauth_state_of(r);
    x->state->dialect = &challenge_dialect;
    x->now = clock_now();
}

int challenge_endpoint_handle(request_rec *r, const char *tail)
{
    challenge_login x;
    ia_result rc;
    int status;

    (void)tail;
    begin(&x, r);
    rc = read_call(&x, &status);
    x.now = clock_now(); /* again, because the client may have sent the body slowly */
    if (rc || (rc = run(&x)))
        return refuse(&x, rc, status);
    return OK;
}

int challenge_login_handle(request_rec *r, const challenge_call *call)
{
    challenge_login x;
    ia_result rc;

    begin(&x, r);
    x.call = call->envelope;
    challenge_speak(r, x.state, call->format);
    if (call->length > CHALLENGE_LOGIN_MAX)
        return refuse(&x, IA_BODY_TOO_LARGE, 0);
    rc = run(&x);
    return rc ? refuse(&x, rc, 0) : OK;
}
