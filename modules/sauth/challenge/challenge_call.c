/* Functions shared by the endpoint, the presentation and the signed responses of the challenge protocol. */
#include <httpd.h>
#include <apr_strings.h>
#include <string.h>
#include "challenge.h"
#include "log_field.h"
#include "mod_sauth.h"
#include "sauth_grant.h"
#include "interauth/access_verify.h"
#include "interauth/encoding.h"
#include "problem.h"
#include "snapshot.h"

static apr_status_t wipe_use(void *use)
{
    ia_wipe(use, sizeof(challenge_use));
    return APR_SUCCESS;
}

challenge_use *challenge_use_create(apr_pool_t *p)
{
    challenge_use *use = apr_pcalloc(p, sizeof *use);

    apr_pool_cleanup_register(p, use, wipe_use, apr_pool_cleanup_null);
    return use;
}

ia_challenge_profile challenge_profile_of(const char *text)
{
    apr_size_t len = strlen(text);

    if (strspn(text, "0123456789abcdef") != len)
        return IA_CHALLENGE_PROFILE_NONE;
    return len == IA_CHALLENGE_MD5_LEN    ? IA_CHALLENGE_PROFILE_MD5
           : len == IA_CHALLENGE_HMAC_LEN ? IA_CHALLENGE_PROFILE_HMAC
                                          : IA_CHALLENGE_PROFILE_NONE;
}

/* Checks TLS, not the address: behind a local proxy without mod_remoteip, every client has a local address. */
static int is_confidential(request_rec *r)
{
    const char *named = r->server->server_scheme;

    return !strcmp(snapshot_of(r)->scheme, "https") || (named && !strcmp(named, "https"));
}

ia_result challenge_profile_check(request_rec *r, ia_challenge_profile profile)
{
    if (!(challenge_settings_of_server()->profiles & 1u << profile))
        return IA_PROFILE_NOT_ENABLED;
    return profile == IA_CHALLENGE_PROFILE_MD5 && !is_confidential(r) ? IA_CLEARTEXT_REFUSED : IA_OK;
}

void challenge_windows(apr_int64_t out[IA_CHALLENGE_WINDOWS], const sauth_dir *conf, apr_time_t now)
{
    ia_challenge_windows(out, now, challenge_settings_of_server()->lifetime, conf->clock_skew);
}

apr_time_t challenge_token_expires(const sauth_dir *conf, apr_int64_t window, apr_time_t now)
{
    return ia_challenge_token_expires(window, now, challenge_settings_of_server()->lifetime, conf->clock_skew);
}

static int is_nonce(const char *nonce)
{
    apr_size_t len = strlen(nonce);

    return len >= IA_CHALLENGE_NONCE_MIN && len <= IA_CHALLENGE_NONCE_MAX &&
           strspn(nonce, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

/* Errors that the client can find in its own request, and may therefore learn without authentication. */
static ia_result check_grammar(request_rec *r, const challenge_use *use)
{
    ia_result rc = use->profile ? challenge_profile_check(r, use->profile) : IA_OK;

    if (rc || use->profile == IA_CHALLENGE_PROFILE_MD5)
        return rc;
    if (!use->message.nonce || !use->message.timestamp)
        return IA_CALL_UNSTAMPED;
    return is_nonce(use->message.nonce) ? IA_OK : IA_MALFORMED;
}

ia_credential_kind challenge_credential_kind(ia_challenge_profile profile)
{
    return profile == IA_CHALLENGE_PROFILE_MD5 ? IA_CREDENTIAL_CHALLENGE_MD5 : IA_CREDENTIAL_CHALLENGE_HMAC;
}

ia_result challenge_secret_of(ia_challenge_secret *out, const ia_registry_entry *who, ia_challenge_profile profile)
{
    ia_credential found;
    ia_result rc = sauth.registry->credential(&found, who->index, who->generation, challenge_credential_kind(profile));

    memset(out, 0, sizeof *out);
    if (!rc) {
        out->fingerprint = found.fingerprint;
        memcpy(out->text, found.text, sizeof out->text);
        out->text[sizeof out->text - 1] = '\0';
    }
    ia_wipe(&found, sizeof found);
    return rc;
}

/* Finds the secret for the token. For an unknown token, challenge_prove() does the same work with a dummy secret. */
static ia_result find_secret(challenge_use *use, sauth_state *state)
{
    ia_challenge_profile profile = use->profile ? use->profile : IA_CHALLENGE_PROFILE_HMAC;
    ia_result rc = sauth_grant_find(state, use->token, strlen(use->token));

    ia_wipe(state->entry.secrets, sizeof state->entry.secrets);
    if (!rc)
        rc = challenge_secret_of(&use->secret, &state->entry, profile);
    return rc || use->secret.fingerprint ? rc : IA_SECRET_MISSING;
}

ia_result challenge_prove(request_rec *r, const sauth_dir *conf, challenge_use *use, sauth_state *state, apr_time_t now)
{
    ia_challenge_claim claim = {NULL, use->token, use->signature, NULL};
    apr_int64_t windows[IA_CHALLENGE_WINDOWS];
    ia_result rc, found;

    use->profile = challenge_profile_of(use->token);
    if ((rc = check_grammar(r, use)))
        return rc;
    if (use->profile != IA_CHALLENGE_PROFILE_MD5)
        claim.message = &use->message;
    if ((found = find_secret(use, state)) < 0)
        return found;
    challenge_windows(windows, conf, now);
    rc = ia_challenge_verify(&use->match, use->profile ? use->profile : IA_CHALLENGE_PROFILE_HMAC,
                             challenge_settings_of_server()->separator, found ? NULL : &use->secret, &claim, windows);
    if (rc < 0)
        return rc;
    if (found || rc)
        return found ? found : rc;
    state->proven = 1;
    return IA_OK;
}

ia_result challenge_use_once(const sauth_dir *conf, const challenge_use *use, sauth_state *state, apr_time_t now)
{
    unsigned char mac[IA_MAC_MAX];
    apr_size_t len;
    ia_result rc;

    if (use->profile == IA_CHALLENGE_PROFILE_MD5)
        return IA_OK;
    if ((rc = ia_access_check_time(use->timestamp, now, conf->clock_skew)) ||
        (rc = sauth_proof_check_cache(use->timestamp, now, &state->retry_after)))
        return rc;
    if (ia_hex_decode(mac, sizeof mac, &len, use->match.signature, strlen(use->match.signature)) || len != sizeof mac)
        return IA_FAULT_INTERNAL;
    rc = sauth_proof_use(mac, state->entry.index, use->timestamp, now, &state->retry_after);
    return rc == IA_ACCESS_REPLAYED ? IA_CALL_REPLAYED : rc;
}

challenge_request *challenge_request_of(sauth_state *state)
{
    return sauth_state_own(state, &challenge_dialect, sizeof(challenge_request));
}

challenge_request *challenge_request_find(const sauth_state *state)
{
    return sauth_state_find_own(state, &challenge_dialect);
}

int challenge_respond_error(request_rec *r, const ia_outcome *outcome, const char *detail, problem_response *out)
{
    const challenge_request *request = challenge_request_find(sauth_state_find(r));
    const char *message = detail ? apr_pstrcat(r->pool, outcome->title, ": ", detail, NULL) : outcome->title;

    if (!request || !request->speaks)
        return 0;
    out->type = ia_envelope_media_type(request->format);
    out->body = ia_envelope_error(r->pool, request->format, outcome->code, message, &out->len);
    return out->body != NULL;
}

void challenge_speak(request_rec *r, sauth_state *state, ia_envelope_format format)
{
    challenge_request *request = challenge_request_of(state);

    request->speaks = 1;
    request->format = format;
    state->respond_error = challenge_respond_error;
    problem_set_formatter(r, challenge_respond_error);
}

const char *challenge_log_detail(apr_pool_t *p, ia_result rc, const sauth_state *state,
                                 const challenge_circumstances *about)
{
    const char *log_detail = log_field(p, "call", about->method);

    if (about->profile)
        log_detail =
            apr_pstrcat(p, log_detail, log_field(p, "profile", ia_challenge_profile_name(about->profile)), NULL);
    if (!state->proven && *state->entry.id)
        log_detail = apr_pstrcat(p, log_detail, log_field(p, "claimed", state->entry.id), NULL);
    if (about->use && (rc == IA_TIMESTAMP_STALE || rc == IA_TIMESTAMP_FUTURE))
        log_detail = apr_psprintf(p, "%s offset=%+" APR_TIME_T_FMT, log_detail,
                                  apr_time_sec(about->use->timestamp) - apr_time_sec(about->now));
    return apr_pstrcat(p, log_detail, log_sentence(p, state->detail), NULL);
}
