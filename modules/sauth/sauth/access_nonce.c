/* Sends nonces to the client: in a challenge, in Authentication-Info, and from the endpoint generate_nonce. */
#include <httpd.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include <string.h>
#include "access.h"
#include "clock.h"
#include "interauth/encoding.h"
#include "mod_sauth.h"

static const char *to_text(apr_pool_t *p, const unsigned char nonce[IA_NONCE_LEN])
{
    char *text = apr_palloc(p, IA_BASE64URL_SIZE(IA_NONCE_LEN));

    ia_base64url_encode(text, nonce, IA_NONCE_LEN);
    return text;
}

const char *access_next_nonce(apr_pool_t *p, const unsigned char grant_id[IA_GRANT_ID_LEN], apr_uint64_t sequence)
{
    unsigned char nonce[IA_NONCE_LEN];

    st_store_next_nonce(sauth.grants, nonce, grant_id, sequence);
    return to_text(p, nonce);
}

static const char *fresh_nonce(apr_pool_t *p)
{
    unsigned char nonce[IA_NONCE_LEN];

    st_store_fresh_nonce(sauth.grants, nonce, clock_now());
    return to_text(p, nonce);
}

/*
 * A verified client whose nonce is stale gets a next nonce of its grant. If the HMAC of a bare form matched no nonce,
 * the client is not verified, and gets the newest unused nonce, which does not change the grant. Other clients get a
 * fresh nonce.
 */
static const char *nonce_for(request_rec *r, const ia_outcome *outcome)
{
    sauth_state *state = sauth_state_find(r);
    const access_credentials *credentials = sauth_state_find_own(state, &access_presentation);
    apr_uint64_t sequence;

    if (state && state->proven && outcome->auth_hint == IA_AUTH_HINT_STALE &&
        st_store_issue(sauth.grants, &state->ref, &sequence, 1) == ST_OK)
        return access_next_nonce(r->pool, state->grant_id, sequence);
    if (credentials && credentials->bare_of_live_token && st_nonces_unused(&state->grant.nonces.state, &sequence, 1))
        return access_next_nonce(r->pool, state->grant_id, sequence);
    return fresh_nonce(r->pool);
}

const char *access_challenge(request_rec *r, const char *realm, ia_result rc)
{
    const ia_outcome *outcome = ia_outcome_of(rc);

    return apr_pstrcat(r->pool, "SAuth realm=\"", realm, "\", nonce=\"", nonce_for(r, outcome), "\"",
                       outcome->auth_hint == IA_AUTH_HINT_STALE ? ", stale=true" : "", NULL);
}

void access_nextnonce_write(request_rec *r, sauth_state *state, apr_uint64_t sequence)
{
    static const char name[] = "nextnonce=\"";
    access_credentials *credentials = sauth_state_own(state, &access_presentation, sizeof *credentials);
    char *value = apr_palloc(state->pool, sizeof name + IA_NONCE_TEXT_LEN + 1), *at = value + sizeof name - 1;
    unsigned char nonce[IA_NONCE_LEN];

    st_store_next_nonce(sauth.grants, nonce, state->grant_id, sequence);
    memcpy(value, name, sizeof name - 1);
    ia_base64url_encode(at, nonce, IA_NONCE_LEN);
    memcpy(at + IA_NONCE_TEXT_LEN, "\"", 2);
    credentials->authentication_info = value;
    apr_table_setn(r->err_headers_out, "Authentication-Info", credentials->authentication_info);
}

void access_nextnonce_restore(request_rec *r, sauth_state *state)
{
    const access_credentials *credentials = sauth_state_find_own(state, &access_presentation);

    if (credentials && credentials->authentication_info && !apr_table_get(r->err_headers_out, "Authentication-Info"))
        apr_table_setn(r->err_headers_out, "Authentication-Info", credentials->authentication_info);
}

int access_nonce_handle(request_rec *r, const char *tail)
{
    const char *nonce = fresh_nonce(r->pool);

    (void)tail;
    ap_discard_request_body(r);
    ap_set_content_type(r, "text/plain");
    ap_set_content_length(r, IA_NONCE_TEXT_LEN);
    ap_rwrite(nonce, IA_NONCE_TEXT_LEN, r);
    return OK;
}
