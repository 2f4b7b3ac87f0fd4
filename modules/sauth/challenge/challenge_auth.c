/*
 * auth.request and auth.token. The server does not store challenges, and a challenge does not reveal whether its user
 * exists. A client that signs its challenge gets a grant.
 */
#include <httpd.h>
#include <apr_strings.h>
#include <http_log.h>
#include <string.h>
#include "challenge_login.h"
#include "interauth/timestamp.h"
#include "log_field.h"
#include "mod_sauth.h"
#include "sauth_grant.h"

APLOG_USE_MODULE(sauth);

static ia_result open_challenge(ia_challenge_seal *seal, const char *challenge)
{
    ia_mac_key key;
    ia_result rc;

    st_store_nonce_key(sauth.grants, &key);
    rc = ia_challenge_open(seal, &key, challenge, strlen(challenge));
    ia_wipe(&key, sizeof key);
    return rc;
}

static ia_result use_challenge(apr_uint32_t participant_index, apr_uint64_t stamp)
{
    st_result result = st_store_use_stamp(sauth.grants, participant_index, stamp);

    return result == ST_OK ? IA_OK : result == ST_EXISTS ? IA_CHALLENGE_SUPERSEDED : IA_FAULT_STORE;
}

/* --- auth.request ------------------------------------------------------------------------------------------------- */

static ia_result requested_profile(const challenge_login *x, ia_challenge_profile *profile)
{
    const char *name = ia_envelope_request_string(&x->call, "profile");

    *profile = challenge_settings_of_server()->profiles & 1u << IA_CHALLENGE_PROFILE_MD5 ? IA_CHALLENGE_PROFILE_MD5
                                                                                         : IA_CHALLENGE_PROFILE_HMAC;
    if (name && !(*profile = ia_challenge_profile_named(name)))
        return IA_PROFILE_NOT_ENABLED;
    return challenge_profile_check(x->r, *profile);
}

/* Logs the claimed username: the challenge of an unknown user does not contain it, so auth.token cannot log it. */
static void log_request(const challenge_login *x, const char *username, ia_result found, const ia_challenge_seal *seal)
{
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, x->r, "sauth: challenged%s profile=%s%s%s",
                  log_field(x->r->pool, "claimed", username), ia_challenge_profile_name(seal->profile),
                  found ? " lacks=" : "", found ? ia_outcome_of(found)->tag : "");
}

/*
 * The look-up and the response do not depend on whether the user exists or has a secret, and nothing is stored. The
 * challenge of a participant without a secret contains its index too, so that auth.token can log its id.
 */
ia_result challenge_auth_request(challenge_login *x)
{
    static const char *const names[] = {"username", "profile", NULL};
    ia_challenge_seal seal = {IA_CHALLENGE_NO_PARTICIPANT, 0, st_store_stamp(sauth.grants, x->now),
                              IA_CHALLENGE_PROFILE_NONE};
    const char *username = ia_envelope_request_string(&x->call, "username");
    char challenge[IA_CHALLENGE_LEN + 1];
    ia_registry_entry entry;
    ia_result rc;

    if (!ia_envelope_request_is(&x->call, names) || !username)
        return challenge_malformed(x, "username and profile expected");
    if (strlen(username) > IA_NAME_MAX)
        return IA_TOO_LONG;
    if ((rc = requested_profile(x, &seal.profile)) || (rc = sauth.registry->find(&entry, username)) < 0)
        return rc;
    ia_wipe(entry.secrets, sizeof entry.secrets);
    if (!rc) {
        seal.participant_index = entry.index;
        seal.participant_generation = (apr_uint32_t)entry.generation;
        rc = entry.credentials[challenge_credential_kind(seal.profile)] ? IA_OK : IA_SECRET_MISSING;
    }
    log_request(x, username, rc, &seal);
    if ((rc = challenge_seal(challenge, &seal)))
        return rc;
    {
        const ia_envelope_member members[] = {{"lifetime", NULL, challenge_settings_of_server()->lifetime},
                                              {"challenge", challenge, 0},
                                              {"profile", ia_challenge_profile_name(seal.profile), 0},
                                              {"domain", challenge_settings_of_server()->domain, 0}};

        return challenge_respond(x, members, 4);
    }
}

/* --- auth.token --------------------------------------------------------------------------------------------------- */

/* Finds the participant of a challenge and its secret. An unknown user costs a look-up too. */
static ia_result find_challenged(challenge_login *x, const ia_challenge_seal *seal, ia_challenge_profile profile,
                                 ia_challenge_secret *secret)
{
    int is_nobody = seal->participant_index == IA_CHALLENGE_NO_PARTICIPANT;
    sauth_state *state = x->state;
    ia_result rc = sauth.registry->get(&state->entry, is_nobody ? 0 : seal->participant_index, 0);

    ia_wipe(state->entry.secrets, sizeof state->entry.secrets);
    if (rc >= 0 && challenge_secret_of(secret, &state->entry, profile) < 0)
        return IA_FAULT_REGISTRY;
    if (is_nobody)
        memset(&state->entry, 0, sizeof state->entry);
    if (is_nobody && rc >= 0)
        return IA_PARTICIPANT_UNKNOWN;
    return rc || secret->fingerprint ? rc : IA_SECRET_MISSING;
}

/* Refuses a signature whose profile is not that of the challenge, but only after the same computations. */
static ia_result verify_signature(challenge_login *x, const ia_challenge_seal *seal, const ia_challenge_claim *claim,
                                  ia_challenge_secret *secret, ia_challenge_match *match)
{
    ia_challenge_profile given = challenge_profile_of(claim->signature);
    ia_challenge_profile profile = given ? given : IA_CHALLENGE_PROFILE_HMAC;
    apr_int64_t windows[IA_CHALLENGE_WINDOWS];
    ia_result rc, found = find_challenged(x, seal, profile, secret);

    if (found < 0)
        return found;
    x->profile = seal->profile;
    if (seal->stamp && seal->profile != given) {
        x->signature_profile = ia_challenge_profile_name(given);
        found = found == IA_PARTICIPANT_UNKNOWN ? found : IA_MAC_MISMATCH;
    }
    challenge_windows(windows, &x->conf, x->now);
    rc = ia_challenge_verify(match, profile, challenge_settings_of_server()->separator, found ? NULL : secret, claim,
                             windows);
    if (rc < 0)
        return rc;
    if (!found && !rc)
        x->state->proven = 1;
    else if ((apr_uint32_t)x->state->entry.generation != seal->participant_generation)
        *x->state->entry.id = '\0'; /* another participant has this index now */
    return found ? found : rc;
}

/* Uses the clock of the stamps, which may be ahead of this process's clock. */
static ia_result check_new(const challenge_login *x, const ia_challenge_seal *seal)
{
    apr_time_t clock = (apr_time_t)st_store_clock(sauth.grants, x->now);
    ia_result rc = ia_challenge_check_age(seal->stamp, clock, challenge_settings_of_server()->lifetime);

    if (!rc && seal->participant_generation != (apr_uint32_t)x->state->entry.generation)
        rc = IA_CHALLENGE_EXPIRED; /* of an earlier generation */
    return rc;
}

/* Grants all capabilities of the participant: auth.token cannot request a subset. */
static ia_result create_grant(challenge_login *x, const ia_challenge_seal *seal, const ia_challenge_match *match,
                              apr_uint64_t secret_fingerprint)
{
    ia_grant_policy policy = sauth_grant_policy(&x->conf);
    ia_grant_request request = {x->state->entry.entitlement.capabilities, 0, 0};
    ia_grant_terms terms;
    ia_result rc = ia_grant_decide(&terms, &x->state->entry.entitlement, &request, &policy, x->now);

    if (!rc)
        rc = use_challenge(x->state->entry.index, seal->stamp);
    if (rc)
        return rc;
    return challenge_store(x, match->token, &terms, match->nonce, secret_fingerprint);
}

ia_result challenge_auth_token(challenge_login *x)
{
    static const char *const names[] = {"challenge", "signature", NULL};
    const char *challenge = ia_envelope_request_string(&x->call, "challenge");
    const char *signature = ia_envelope_request_string(&x->call, "signature");
    ia_challenge_claim claim = {challenge, NULL, signature, NULL};
    ia_challenge_secret secret = {0};
    ia_challenge_match match;
    ia_challenge_seal seal;
    ia_challenge_profile profile;
    ia_result rc;

    if (!ia_envelope_request_is(&x->call, names) || !challenge || !signature)
        return challenge_malformed(x, "challenge and signature expected");
    profile = challenge_profile_of(signature);
    if (profile && (rc = challenge_profile_check(x->r, profile)))
        return rc;
    rc = open_challenge(&seal, challenge);
    if (rc == IA_MALFORMED || rc < 0)
        return rc;
    if (rc)
        seal.participant_index = IA_CHALLENGE_NO_PARTICIPANT; /* verified in the same time */
    rc = verify_signature(x, &seal, &claim, &secret, &match);
    if (rc == IA_PARTICIPANT_UNKNOWN && !seal.stamp)
        rc = IA_CHALLENGE_UNKNOWN;
    if (!rc && !(rc = check_new(x, &seal)))
        rc = create_grant(x, &seal, &match, secret.fingerprint);
    ia_wipe(&secret, sizeof secret);
    if (!rc) {
        const ia_envelope_member members[] = {{"token", match.token, 0}};

        rc = challenge_respond(x, members, 1);
    }
    ia_wipe(&match, sizeof match);
    return rc;
}
