/* Nonces on their way to the client: in a challenge, in Authentication-Info. */
#include <httpd.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <string.h>
#include "clock.h"
#include "mod_sauth.h"
#include "interauth/encoding.h"
#include "request.h"

static const char *to_text(apr_pool_t *p, const unsigned char nonce[IA_NONCE_LEN])
{
    char *text = apr_palloc(p, IA_BASE64URL_SIZE(IA_NONCE_LEN));

    ia_base64url_encode(text, nonce, IA_NONCE_LEN);
    return text;
}

const char *sauth_next_nonce(apr_pool_t *p, const unsigned char grant_id[IA_GRANT_ID_LEN], apr_uint64_t sequence)
{
    unsigned char nonce[IA_NONCE_LEN];

    ia_nonce_mint_next(nonce, st_grants_nonce_key(sauth.grants), grant_id, sequence);
    return to_text(p, nonce);
}

const char *sauth_fresh_nonce(apr_pool_t *p)
{
    unsigned char nonce[IA_NONCE_LEN];

    ia_nonce_mint_fresh(nonce, st_grants_nonce_key(sauth.grants), st_grants_stamp(sauth.grants, clock_now()));
    return to_text(p, nonce);
}

/*
 * A stale nonce of a proven client is answered with a next nonce of its grant. A bare form that matched nothing gets
 * the newest unused one, which moves nothing: its HMAC proved nothing. Everybody else gets a fresh nonce.
 */
static const char *nonce_for(request_rec *r, const ia_outcome *outcome)
{
    sauth_state *state = sauth_state_find(r);
    apr_uint64_t sequence;

    if (state && state->proven && outcome->auth_hint == IA_AUTH_HINT_STALE &&
        st_grant_issue(sauth.grants, state->ref, &sequence, 1) == IA_OK)
        return sauth_next_nonce(r->pool, state->grant_id, sequence);
    if (state && state->bare_of_live_token && ia_nonce_unused(&state->grant.nonces, &sequence, 1))
        return sauth_next_nonce(r->pool, state->grant_id, sequence);
    return sauth_fresh_nonce(r->pool);
}

/* The ways in which a client could show itself here. */
static unsigned ways_of(request_rec *r)
{
    const sauth_state *state = sauth_state_find(r);

    if (state && state->asks)
        return state->asks;
    return ap_auth_type(r) ? sauth_dir_effective(r).accept : IA_PRESENT_SAUTH;
}

void sauth_www_authenticate_write(request_rec *r, ia_result rc)
{
    const ia_outcome *outcome = ia_outcome_of(rc);
    const char *realm = ap_auth_name(r);
    unsigned ways = ways_of(r);

    realm = realm ? ap_escape_quotes(r->pool, realm) : "interauth";
    apr_table_unset(r->err_headers_out, "WWW-Authenticate");
    if (ways & IA_PRESENT_SAUTH)
        apr_table_addn(r->err_headers_out, "WWW-Authenticate",
                       apr_pstrcat(r->pool, "SAuth realm=\"", realm, "\", nonce=\"", nonce_for(r, outcome), "\"",
                                   outcome->auth_hint == IA_AUTH_HINT_STALE ? ", stale=true" : "", NULL));
    if (ways & IA_PRESENT_SIGNATURE)
        apr_table_addn(r->err_headers_out, "WWW-Authenticate",
                       apr_pstrcat(r->pool, "Signature realm=\"", realm, "\"", NULL));
    if (ways & IA_PRESENT_CHALLENGE)
        apr_table_addn(r->err_headers_out, "WWW-Authenticate",
                       apr_pstrcat(r->pool, "Challenge realm=\"", realm, "\"", NULL));
}

/* Where a signature would do as well, the response says what it must be like. */
static void ask_for_signature(request_rec *r)
{
    if (sauth.ask_for_signature && sauth_dir_effective(r).accept & IA_PRESENT_SIGNATURE)
        sauth.ask_for_signature(r);
}

int sauth_note_auth_failure(request_rec *r, const char *auth_type)
{
    sauth_state *state = sauth_state_find(r);

    if (strcasecmp(auth_type, SAUTH_AUTH_TYPE) || !sauth.grants)
        return DECLINED;
    ask_for_signature(r);
    sauth_www_authenticate_write(r, state && state->decided && state->rc ? state->rc : IA_CREDENTIALS_MISSING);
    return OK;
}

void sauth_nextnonce_write(request_rec *r, sauth_state *state, apr_uint64_t sequence)
{
    static const char name[] = "nextnonce=\"";
    char *value = apr_palloc(request_outermost(r)->pool, sizeof name + IA_NONCE_TEXT_LEN + 1),
         *at = value + sizeof name - 1;
    unsigned char nonce[IA_NONCE_LEN];

    ia_nonce_mint_next(nonce, st_grants_nonce_key(sauth.grants), state->grant_id, sequence);
    memcpy(value, name, sizeof name - 1);
    ia_base64url_encode(at, nonce, IA_NONCE_LEN);
    memcpy(at + IA_NONCE_TEXT_LEN, "\"", 2);
    state->authentication_info = value;
    apr_table_setn(r->err_headers_out, "Authentication-Info", state->authentication_info);
}
