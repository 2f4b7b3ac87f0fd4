/* What the endpoint, the presentation, and the signed responses of the challenge protocol share. */
#include <httpd.h>
#include <apr_strings.h>
#include <string.h>
#include "sauth_challenge_call.h"
#include "log_field.h"
#include "sauth_mint.h"
#include "sauth_presentation.h"
#include "interauth/encoding.h"
#include "problem.h"
#include "snapshot.h"

static apr_status_t wipe_use(void *use)
{
    ia_wipe(use, sizeof(sauth_token_use));
    return APR_SUCCESS;
}

sauth_token_use *sauth_token_use_create(apr_pool_t *p)
{
    sauth_token_use *use = apr_pcalloc(p, sizeof *use);

    apr_pool_cleanup_register(p, use, wipe_use, apr_pool_cleanup_null);
    return use;
}

ia_challenge_profile sauth_profile_of(const char *text)
{
    apr_size_t len = strlen(text);

    if (strspn(text, "0123456789abcdef") != len)
        return IA_CHALLENGE_PROFILE_NONE;
    return len == IA_CHALLENGE_MD5_LEN    ? IA_CHALLENGE_PROFILE_MD5
           : len == IA_CHALLENGE_HMAC_LEN ? IA_CHALLENGE_PROFILE_HMAC
                                          : IA_CHALLENGE_PROFILE_NONE;
}

/* By TLS alone: behind a proxy on this machine that names no one, every client has a local address. */
static int is_confidential(request_rec *r)
{
    const char *named = r->server->server_scheme;

    return !strcmp(snapshot_of(r)->scheme, "https") || (named && !strcmp(named, "https"));
}

ia_result sauth_profile_check(request_rec *r, ia_challenge_profile profile)
{
    if (!(sauth.challenge->profiles & 1u << profile))
        return IA_PROFILE_NOT_ENABLED;
    return profile == IA_CHALLENGE_PROFILE_MD5 && !is_confidential(r) ? IA_CLEARTEXT_REFUSED : IA_OK;
}

void sauth_windows(apr_int64_t out[IA_CHALLENGE_WINDOWS], const sauth_dir *conf, apr_time_t now)
{
    ia_challenge_windows(out, now, sauth.challenge->lifetime, conf->clock_skew);
}

apr_time_t sauth_token_expires(const sauth_dir *conf, apr_int64_t window, apr_time_t now)
{
    return ia_challenge_token_expires(window, now, sauth.challenge->lifetime, conf->clock_skew);
}

static int is_nonce(const char *nonce)
{
    apr_size_t len = strlen(nonce);

    return len >= IA_CHALLENGE_NONCE_MIN && len <= IA_CHALLENGE_NONCE_MAX &&
           strspn(nonce, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

/* What the client can see in its own request. */
static ia_result check_grammar(request_rec *r, const sauth_token_use *use)
{
    ia_result rc = use->profile ? sauth_profile_check(r, use->profile) : IA_OK;

    if (rc || use->profile == IA_CHALLENGE_PROFILE_MD5)
        return rc;
    if (!use->message.nonce || !use->message.timestamp)
        return IA_CALL_UNSTAMPED;
    return is_nonce(use->message.nonce) ? IA_OK : IA_MALFORMED;
}

ia_credential_kind sauth_profile_credential(ia_challenge_profile profile)
{
    return profile == IA_CHALLENGE_PROFILE_MD5 ? IA_CREDENTIAL_CHALLENGE_MD5 : IA_CREDENTIAL_CHALLENGE_HMAC;
}

ia_result sauth_profile_secret(ia_challenge_secret *out, const ia_registry_entry *who, ia_challenge_profile profile)
{
    ia_credential found;
    ia_result rc = sauth.registry->credential(&found, who->index, who->generation, sauth_profile_credential(profile));

    memset(out, 0, sizeof *out);
    if (!rc) {
        out->fingerprint = found.fingerprint;
        memcpy(out->text, found.text, sizeof out->text);
        out->text[sizeof out->text - 1] = '\0';
    }
    ia_wipe(&found, sizeof found);
    return rc;
}

/* The secret behind the token. An unknown token costs as many computations, with a secret of nobody. */
static ia_result find_secret(sauth_token_use *use, sauth_state *state)
{
    ia_challenge_profile profile = use->profile ? use->profile : IA_CHALLENGE_PROFILE_HMAC;
    ia_result rc = sauth_grant_find(state, use->token, strlen(use->token));

    ia_wipe(state->entry.secrets, sizeof state->entry.secrets);
    if (!rc)
        rc = sauth_profile_secret(&use->secret, &state->entry, profile);
    return rc || use->secret.fingerprint ? rc : IA_SECRET_MISSING;
}

ia_result sauth_token_prove(request_rec *r, const sauth_dir *conf, sauth_token_use *use, sauth_state *state,
                            apr_time_t now)
{
    ia_challenge_claim claim = {NULL, use->token, use->signature, NULL};
    apr_int64_t windows[IA_CHALLENGE_WINDOWS];
    ia_result rc, found;

    use->profile = sauth_profile_of(use->token);
    if ((rc = check_grammar(r, use)))
        return rc;
    if (use->profile != IA_CHALLENGE_PROFILE_MD5)
        claim.message = &use->message;
    if ((found = find_secret(use, state)) < 0)
        return found;
    sauth_windows(windows, conf, now);
    rc = ia_challenge_verify(&use->match, use->profile ? use->profile : IA_CHALLENGE_PROFILE_HMAC,
                             sauth.challenge->separator, found ? NULL : &use->secret, &claim, windows);
    if (rc < 0)
        return rc;
    if (found || rc)
        return found ? found : rc;
    state->proven = 1;
    return IA_OK;
}

ia_result sauth_token_use_once(const sauth_dir *conf, const sauth_token_use *use, sauth_state *state, apr_time_t now)
{
    unsigned char mac[IA_MAC_MAX];
    apr_size_t len;
    ia_result rc;

    if (use->profile == IA_CHALLENGE_PROFILE_MD5)
        return IA_OK;
    if ((rc = ia_access_check_time(use->timestamp, now, conf->clock_skew)) ||
        (rc = sauth_proof_check_memory(use->timestamp, now, &state->retry_after)))
        return rc;
    if (ia_hex_decode(mac, sizeof mac, &len, use->match.signature, strlen(use->match.signature)) || len != sizeof mac)
        return IA_FAULT_INTERNAL;
    rc = sauth_proof_use(mac, state->entry.index, use->timestamp, now, &state->retry_after);
    return rc == IA_ACCESS_REPLAYED ? IA_CALL_REPLAYED : rc;
}

static const char *speak(ia_envelope_format format, apr_pool_t *p, const ia_outcome *outcome, const char *detail,
                         const char **type, apr_size_t *len)
{
    const char *message = detail ? apr_pstrcat(p, outcome->title, ": ", detail, NULL) : outcome->title;

    *type = ia_envelope_media_type(format);
    return ia_envelope_error(p, format, outcome->code, message, len);
}

static const char *speak_json(apr_pool_t *p, const ia_outcome *outcome, const char *detail, const char **type,
                              apr_size_t *len)
{
    return speak(IA_ENVELOPE_JSON, p, outcome, detail, type, len);
}

static const char *speak_xml(apr_pool_t *p, const ia_outcome *outcome, const char *detail, const char **type,
                             apr_size_t *len)
{
    return speak(IA_ENVELOPE_XML, p, outcome, detail, type, len);
}

void sauth_speak(request_rec *r, ia_envelope_format format)
{
    problem_set_formatter(r, format == IA_ENVELOPE_XML ? speak_xml : speak_json);
}

const char *sauth_call_log_detail(apr_pool_t *p, ia_result rc, const sauth_state *state,
                                  const sauth_call_circumstances *about)
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
