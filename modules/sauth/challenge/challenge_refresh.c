/* auth.refresh: exchanges a valid token for a new one. */
#include <httpd.h>
#include <apr_strings.h>
#include <http_log.h>
#include <string.h>
#include "challenge_login.h"
#include "interauth/timestamp.h"
#include "log_field.h"
#include "mod_sauth.h"
#include "sauth_grant.h"

/* The timestamp may be a number or a string, as in a call. */
static ia_result parse_timestamp(challenge_login *x)
{
    const ia_json *member = ia_json_member(x->call.request, "timestamp");
    const char *text;

    if (!member)
        return IA_OK;
    text = member->type == IA_JSON_INTEGER ? apr_psprintf(x->r->pool, "%" APR_INT64_T_FMT, member->integer)
                                           : member->string;
    if ((member->type != IA_JSON_INTEGER && member->type != IA_JSON_STRING) ||
        ia_timestamp_parse_unix(&x->use->timestamp, text, strlen(text)))
        return IA_TIMESTAMP_MALFORMED;
    x->use->message.timestamp = text;
    return IA_OK;
}

static ia_result read_refresh(challenge_login *x)
{
    static const char *const names[] = {"token", "signature", "nonce", "timestamp", NULL};
    const ia_json *request = x->call.request, *member;
    unsigned found = 0, i;

    if (request->type != IA_JSON_OBJECT)
        return challenge_malformed(x, "token and signature expected");
    for (i = 0; names[i]; i++)
        found += ia_json_member(request, names[i]) != NULL;
    member = ia_json_member(request, "nonce");
    x->use = challenge_use_create(x->r->pool);
    x->use->token = ia_envelope_request_string(&x->call, "token");
    x->use->signature = ia_envelope_request_string(&x->call, "signature");
    x->use->message.method = x->call.method;
    x->use->message.nonce = ia_envelope_request_string(&x->call, "nonce");
    if (found != request->count || !x->use->token || !x->use->signature || (member && !x->use->message.nonce))
        return challenge_malformed(x, "token and signature expected, and with profile hmac-sha256 nonce and timestamp");
    return parse_timestamp(x);
}

static ia_result decide_refresh(challenge_login *x, ia_grant_terms *terms)
{
    const st_grant *grant = &x->state->grant;
    ia_grant_policy policy = sauth_grant_policy(&x->conf);
    ia_grant_terms held = {grant->capabilities, grant->created, grant->expires, (int)grant->can_refresh};
    ia_result rc;

    if (grant->presentation != challenge_presentation.bit)
        return IA_PRESENTATION_MISMATCH;
    if (grant->secret_fingerprint != x->use->secret.fingerprint)
        return IA_SECRET_ROTATED;
    if (grant->scope != x->conf.scope)
        return IA_SCOPE_MISMATCH;
    if ((rc = challenge_use_once(&x->conf, x->use, x->state, x->now)))
        return rc;
    return ia_grant_refresh(terms, &held, &x->state->entry.entitlement, 0, &policy, x->now);
}

/* A token is derived from a challenge, so the server makes one, which it never sends. */
static ia_result make_token(const challenge_login *x, apr_int64_t window, char token[IA_CHALLENGE_TEXT_SIZE],
                            char signature[IA_CHALLENGE_TEXT_SIZE])
{
    ia_challenge_terms terms = {x->use->profile, challenge_settings_of_server()->separator, x->use->secret.text};
    ia_challenge_seal seal = {x->state->entry.index, (apr_uint32_t)x->state->entry.generation,
                              st_store_stamp(sauth.grants, x->now), x->use->profile};
    char challenge[IA_CHALLENGE_LEN + 1];
    ia_result rc = challenge_seal(challenge, &seal);

    if (!rc)
        rc = ia_challenge_token(token, &terms, challenge, window);
    if (!rc)
        rc = ia_challenge_sign(signature, &terms, token, window, NULL);
    ia_wipe(challenge, sizeof challenge);
    return rc;
}

/*
 * With profile md5, the client may be an eavesdropper who saw a call. It gets a signature for the same window only:
 * otherwise it could refresh in every window without knowing the secret.
 */
static apr_int64_t window_of(const challenge_login *x)
{
    return x->use->profile == IA_CHALLENGE_PROFILE_MD5
               ? x->use->match.nonce
               : ia_challenge_window(x->now, challenge_settings_of_server()->lifetime);
}

ia_result challenge_auth_refresh(challenge_login *x)
{
    char token[IA_CHALLENGE_TEXT_SIZE], signature[IA_CHALLENGE_TEXT_SIZE];
    apr_int64_t window;
    ia_grant_terms terms;
    ia_result rc;

    if ((rc = read_refresh(x)) || (rc = challenge_prove(x->r, &x->conf, x->use, x->state, x->now)) ||
        (rc = decide_refresh(x, &terms)))
        return rc;
    window = window_of(x);
    rc = make_token(x, window, token, signature);
    if (!rc && !(rc = challenge_store(x, token, &terms, window, x->use->secret.fingerprint))) {
        const ia_envelope_member members[] = {{"token", token, 0}, {"signature", signature, 0}};

        rc = challenge_respond(x, members, 2);
    }
    ia_wipe(token, sizeof token);
    ia_wipe(signature, sizeof signature);
    return rc;
}
