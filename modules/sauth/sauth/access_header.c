/*
 * Presentation "Authorization: SAuth". Checks syntax, token and MAC, and then, for a verified client, presentation,
 * expiry, nonce and entitlement. sauth_authenticate.c checks the other requirements of the location.
 */
#include <httpd.h>
#include <apr_strings.h>
#include <http_log.h>
#include <string.h>
#include "access.h"
#include "clock.h"
#include "interauth/authorization.h"
#include "interauth/encoding.h"
#include "log_field.h"
#include "mod_sauth.h"
#include "sauth_grant.h"
#include "snapshot.h"

#define BARE_CANDIDATES 4 /* number of nonces that the bare form is verified with */

/* Verifies the MAC of N with each secret that has not expired. */
static ia_result verify(const ia_authorization *auth, const ia_registry_entry *entry, const void *n, apr_size_t n_len,
                        apr_time_t now)
{
    ia_result rc = IA_SECRET_MISSING;
    unsigned i;

    for (i = 0; i < entry->secret_count && rc; i++) {
        if (entry->secrets[i].not_after && entry->secrets[i].not_after <= now)
            continue;
        rc = ia_authorization_verify(auth, &entry->secrets[i].mac, n, n_len);
    }
    return rc;
}

/* Grants that other presentations made may have data of their own in the same place. */
static int has_nonces(const sauth_state *state)
{
    return state->grant.part == ST_GRANT_WITH_NONCES;
}

/* The bare form contains no nonce. The newest unused nonces of the grant are tried, as text and as bytes. */
static ia_result verify_bare(ia_authorization *auth, sauth_state *state, apr_time_t now)
{
    apr_uint64_t sequences[BARE_CANDIDATES];
    unsigned count, i;
    ia_result rc;

    if (!has_nonces(state))
        return IA_BARE_UNMATCHED;
    count = st_nonces_unused(&state->grant.nonces.state, sequences, BARE_CANDIDATES);
    for (i = 0; i < count; i++) {
        char text[IA_BASE64URL_SIZE(IA_NONCE_LEN)];

        st_store_next_nonce(sauth.grants, auth->nonce, state->grant_id, sequences[i]);
        ia_base64url_encode(text, auth->nonce, IA_NONCE_LEN);
        rc = verify(auth, &state->entry, text, IA_NONCE_TEXT_LEN, now);
        if (rc == IA_MAC_MISMATCH)
            rc = verify(auth, &state->entry, auth->nonce, IA_NONCE_LEN, now);
        if (rc != IA_MAC_MISMATCH)
            return rc;
    }
    return IA_BARE_UNMATCHED;
}

/* The id of the token's participant, which is not authenticated and only logged. */
static const char *claimed_field(const sauth_state *state)
{
    return log_field(state->pool, "claimed", state->entry.id);
}

/* Makes a request with an unknown token cost one MAC, too. */
static void verify_dummy(const ia_authorization *auth)
{
    static const ia_mac_key dummy;

    ia_authorization_verify(auth, &dummy, auth->n, auth->n_len);
}

static int has_secret(const ia_registry_entry *entry, apr_uint64_t fingerprint, apr_time_t now)
{
    unsigned i;

    for (i = 0; i < entry->secret_count; i++)
        if (entry->secrets[i].fingerprint == fingerprint &&
            (!entry->secrets[i].not_after || entry->secrets[i].not_after > now))
            return 1;
    return 0;
}

static ia_result use_nonce(request_rec *r, const sauth_dir *conf, const ia_authorization *auth, sauth_state *state,
                           apr_time_t now)
{
    ia_nonce_claim claim;
    apr_uint64_t next;
    ia_result rc = st_store_verify_nonce(sauth.grants, &claim, auth->nonce, state->grant_id);

    if (!rc)
        rc = sauth_grant_outcome(
            st_store_use_nonce(sauth.grants, &state->ref, &claim, now, access_settings_of(conf).nonce_lifetime, &next));
    if (!rc)
        access_nextnonce_write(r, state, next);
    return rc;
}

/*
 * The client proved that it has the secret, so it may learn the exact error. The nonce is consumed even if this
 * location refuses the request: otherwise a captured request could be replayed at another location.
 */
static ia_result check_proven(request_rec *r, const sauth_dir *conf, const ia_authorization *auth, sauth_state *state,
                              int still_has_secret, apr_time_t now)
{
    ia_result rc;

    if ((rc = sauth_grant_check(state, &access_presentation, still_has_secret, now)) ||
        (rc = use_nonce(r, conf, auth, state, now)))
        return rc;
    return sauth_grant_open(state, now);
}

/* Called for each location that the request is redirected to: it must accept the hash of the HMAC. */
static ia_result check_hash(request_rec *r, const sauth_dir *conf, const sauth_state *state)
{
    const access_credentials *credentials = sauth_state_find_own(state, &access_presentation);

    (void)r;
    return access_settings_of(conf).hashes & credentials->hash ? IA_OK : IA_AUTHORIZATION_MALFORMED;
}

static ia_result check(request_rec *r, const sauth_dir *conf, sauth_state *state)
{
    apr_time_t now = clock_now();
    access_credentials *credentials = sauth_state_own(state, &access_presentation, sizeof *credentials);
    ia_authorization auth;
    int still_has_secret;
    ia_result rc;

    if ((rc = ia_authorization_parse(&auth, snapshot_of(r)->authorization)))
        return rc;
    credentials->hash = access_hash_bit(auth.hash);
    if ((rc = check_hash(r, conf, state)))
        return rc;
    if ((rc = sauth_grant_find(state, auth.token, auth.token_len))) {
        if (rc > 0)
            verify_dummy(&auth);
        return rc;
    }
    if (auth.bare)
        rc = verify_bare(&auth, state, now);
    else
        rc = verify(&auth, &state->entry, auth.n, auth.n_len, now);
    still_has_secret = has_secret(&state->entry, state->grant.secret_fingerprint, now);
    ia_wipe(state->entry.secrets, sizeof state->entry.secrets);
    credentials->bare_of_live_token = rc == IA_BARE_UNMATCHED && has_nonces(state) && state->grant.expires > now;
    if (rc) {
        state->log_detail = claimed_field(state);
        return rc;
    }
    state->proven = 1;
    return check_proven(r, conf, &auth, state, still_has_secret, now);
}

static const char *obtain(apr_pool_t *p, const char *capability)
{
    return apr_pstrcat(p, "Request a grant that includes it, as with: interauth grant --capability ", capability, NULL);
}

const sauth_presentation access_presentation = {
    .word = "sauth",
    .name = "SAuth",
    .bit = 1,
    .scheme = "SAuth",
    .has_grant = 1,
    .check = check,
    .check_location = check_hash,
    .challenge = access_challenge,
    .obtain = obtain,
    .complete = access_nextnonce_restore,
};
