/*
 * Dialect challenge: auth.request, auth.token, auth.refresh. A challenge costs the server nothing and says nothing about
 * whom it is for; a signature over it becomes a grant by the one decision.
 */
#include <httpd.h>
#include <apr_strings.h>
#include <http_log.h>
#include <http_protocol.h>
#include <string.h>
#include "clock.h"
#include "challenge.h"
#include "mod_sauth.h"
#include "sauth_grant.h"
#include "sauth_refuse.h"
#include "interauth/challenge_seal.h"
#include "log_field.h"
#include "interauth/timestamp.h"
#include "request.h"

APLOG_USE_MODULE(sauth);

/* One exchange on its way through. The state holds who was verified, and by what grant. */
typedef struct exchange {
    request_rec *r;
    sauth_dir conf;
    apr_time_t now;
    ia_envelope call;
    sauth_state *state;
    challenge_use *use;           /* of auth.refresh, or NULL */
    ia_challenge_profile profile; /* of auth.token's challenge; for the log */
    const char *foreign;          /* auth.token: the name of the signature's profile where it is another */
} exchange;

static ia_result malformed(exchange *x, const char *detail)
{
    x->state->detail = detail;
    return IA_ENVELOPE_MALFORMED;
}

static ia_result read_call(exchange *x, int *status)
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

static const char *log_detail_of(const exchange *x, ia_result rc)
{
    challenge_circumstances about = {x->call.method, x->profile, NULL, x->now};
    const char *log_detail;

    if (x->use) {
        about.profile = x->use->profile;
        about.use = x->use;
    }
    log_detail = challenge_log_detail(x->r->pool, rc, x->state, &about);
    return x->foreign ? apr_pstrcat(x->r->pool, log_detail, log_field(x->r->pool, "signed_in", x->foreign), NULL)
                      : log_detail;
}

static int refuse(exchange *x, ia_result rc, int status)
{
    x->state->log_detail = log_detail_of(x, rc);
    x->state->status = status;
    return sauth_refuse_state(x->r, x->state, rc);
}

static ia_result response(exchange *x, const ia_envelope_member *members, unsigned count)
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

static ia_result seal_challenge(char challenge[IA_CHALLENGE_LEN + 1], const ia_challenge_seal *seal)
{
    ia_mac_key key;
    ia_result rc;

    st_store_nonce_key(sauth.grants, &key);
    rc = ia_challenge_mint(challenge, &key, seal);
    ia_wipe(&key, sizeof key);
    return rc;
}

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
    st_result result = st_store_use_challenge(sauth.grants, participant_index, stamp);

    return result == ST_OK ? IA_OK : result == ST_EXISTS ? IA_CHALLENGE_SUPERSEDED : IA_FAULT_STORE;
}

/* --- auth.request ------------------------------------------------------------------------------------------------- */

static ia_result wanted_profile(const exchange *x, ia_challenge_profile *profile)
{
    const char *name = ia_envelope_request_string(&x->call, "profile");

    *profile = challenge_settings_of_server()->profiles & 1u << IA_CHALLENGE_PROFILE_MD5 ? IA_CHALLENGE_PROFILE_MD5
                                                                                         : IA_CHALLENGE_PROFILE_HMAC;
    if (name && !(*profile = ia_challenge_profile_named(name)))
        return IA_PROFILE_NOT_ENABLED;
    return challenge_profile_check(x->r, *profile);
}

/* Who asked, whether it is known or not: a refusal of auth.token cannot name what its challenge could not seal. */
static void log_request(const exchange *x, const char *username, ia_result found, const ia_challenge_seal *seal)
{
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, x->r, "sauth: challenged%s profile=%s%s%s",
                  log_field(x->r->pool, "claimed", username), ia_challenge_profile_name(seal->profile),
                  found ? " lacks=" : "", found ? ia_outcome_of(found)->tag : "");
}

/*
 * Known or not, with a secret or without: the same look-up, the same response, and nothing is stored. Who has no secret is
 * sealed too, so that the log can name it once the response was wrong.
 */
static ia_result request_challenge(exchange *x)
{
    static const char *const names[] = {"username", "profile", NULL};
    ia_challenge_seal seal = {IA_CHALLENGE_NO_PARTICIPANT, 0, st_store_stamp(sauth.grants, x->now),
                              IA_CHALLENGE_PROFILE_NONE};
    const char *username = ia_envelope_request_string(&x->call, "username");
    char challenge[IA_CHALLENGE_LEN + 1];
    ia_registry_entry entry;
    ia_result rc;

    if (!ia_envelope_request_is(&x->call, names) || !username)
        return malformed(x, "username and profile expected");
    if (strlen(username) > IA_NAME_MAX)
        return IA_TOO_LONG;
    if ((rc = wanted_profile(x, &seal.profile)) || (rc = sauth.registry->find(&entry, username)) < 0)
        return rc;
    ia_wipe(entry.secrets, sizeof entry.secrets);
    if (!rc) {
        seal.participant_index = entry.index;
        seal.participant_generation = (apr_uint32_t)entry.generation;
        rc = entry.credentials[challenge_credential_kind(seal.profile)] ? IA_OK : IA_SECRET_MISSING;
    }
    log_request(x, username, rc, &seal);
    if ((rc = seal_challenge(challenge, &seal)))
        return rc;
    {
        const ia_envelope_member members[] = {{"lifetime", NULL, challenge_settings_of_server()->lifetime},
                                              {"challenge", challenge, 0},
                                              {"profile", ia_challenge_profile_name(seal.profile), 0},
                                              {"domain", challenge_settings_of_server()->domain, 0}};

        return response(x, members, 4);
    }
}

/* --- auth.token --------------------------------------------------------------------------------------------------- */

/* Who the challenge was made for, and its secret in a profile. Nobody costs a look-up too. */
static ia_result find_challenged(exchange *x, const ia_challenge_seal *seal, ia_challenge_profile profile,
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

/* A signature of another profile than the challenge's is wrong, after the same work, whatever it is. */
static ia_result prove_challenged(exchange *x, const ia_challenge_seal *seal, const ia_challenge_claim *claim,
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
        x->foreign = ia_challenge_profile_name(given);
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
        *x->state->entry.id = '\0'; /* somebody else has this place now */
    return found ? found : rc;
}

/* The clock of the stamps may be ahead of ours. */
static ia_result check_new(const exchange *x, const ia_challenge_seal *seal)
{
    apr_time_t clock = (apr_time_t)st_store_clock(sauth.grants, x->now);
    ia_result rc = ia_challenge_check_age(seal->stamp, clock, challenge_settings_of_server()->lifetime);

    if (!rc && seal->participant_generation != (apr_uint32_t)x->state->entry.generation)
        rc = IA_CHALLENGE_EXPIRED; /* of another life */
    return rc;
}

static ia_result store(exchange *x, const char *token, ia_grant_terms *terms, apr_int64_t window,
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

/* All that the participant holds: the wire has no room to ask for less. */
static ia_result grant_all(exchange *x, const ia_challenge_seal *seal, const ia_challenge_match *match,
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
    return store(x, match->token, &terms, match->nonce, secret_fingerprint);
}

static ia_result exchange_challenge(exchange *x)
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
        return malformed(x, "challenge and signature expected");
    profile = challenge_profile_of(signature);
    if (profile && (rc = challenge_profile_check(x->r, profile)))
        return rc;
    rc = open_challenge(&seal, challenge);
    if (rc == IA_MALFORMED || rc < 0)
        return rc;
    if (rc)
        seal.participant_index = IA_CHALLENGE_NO_PARTICIPANT; /* costs the same */
    rc = prove_challenged(x, &seal, &claim, &secret, &match);
    if (rc == IA_PARTICIPANT_UNKNOWN && !seal.stamp)
        rc = IA_CHALLENGE_UNKNOWN;
    if (!rc && !(rc = check_new(x, &seal)))
        rc = grant_all(x, &seal, &match, secret.fingerprint);
    ia_wipe(&secret, sizeof secret);
    if (!rc) {
        const ia_envelope_member members[] = {{"token", match.token, 0}};

        rc = response(x, members, 1);
    }
    ia_wipe(&match, sizeof match);
    return rc;
}

/* --- auth.refresh ------------------------------------------------------------------------------------------------- */

/* A timestamp may be a number, as at the top of a call. */
static ia_result take_timestamp(exchange *x)
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

static ia_result read_refresh(exchange *x)
{
    static const char *const names[] = {"token", "signature", "nonce", "timestamp", NULL};
    const ia_json *request = x->call.request, *member;
    unsigned found = 0, i;

    if (request->type != IA_JSON_OBJECT)
        return malformed(x, "token and signature expected");
    for (i = 0; names[i]; i++)
        found += ia_json_member(request, names[i]) != NULL;
    member = ia_json_member(request, "nonce");
    x->use = challenge_use_create(x->r->pool);
    x->use->token = ia_envelope_request_string(&x->call, "token");
    x->use->signature = ia_envelope_request_string(&x->call, "signature");
    x->use->message.method = x->call.method;
    x->use->message.nonce = ia_envelope_request_string(&x->call, "nonce");
    if (found != request->count || !x->use->token || !x->use->signature || (member && !x->use->message.nonce))
        return malformed(x, "token and signature expected, and with profile hmac-sha256 nonce and timestamp");
    return take_timestamp(x);
}

static ia_result decide_refresh(exchange *x, ia_grant_terms *terms)
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

/* A token is made of a challenge: the server makes one that nobody ever sees. */
static ia_result make_token(const exchange *x, apr_int64_t window, char token[IA_CHALLENGE_TEXT_SIZE],
                            char signature[IA_CHALLENGE_TEXT_SIZE])
{
    ia_challenge_terms terms = {x->use->profile, challenge_settings_of_server()->separator, x->use->secret.text};
    ia_challenge_seal seal = {x->state->entry.index, (apr_uint32_t)x->state->entry.generation,
                              st_store_stamp(sauth.grants, x->now), x->use->profile};
    char challenge[IA_CHALLENGE_LEN + 1];
    ia_result rc = seal_challenge(challenge, &seal);

    if (!rc)
        rc = ia_challenge_token(token, &terms, challenge, window);
    if (!rc)
        rc = ia_challenge_sign(signature, &terms, token, window, NULL);
    ia_wipe(challenge, sizeof challenge);
    return rc;
}

/*
 * The client of profile md5 may be somebody who saw a call: it gets a signature for the window that it had one for, or it
 * could go on from window to window without the secret.
 */
static apr_int64_t window_of(const exchange *x)
{
    return x->use->profile == IA_CHALLENGE_PROFILE_MD5
               ? x->use->match.nonce
               : ia_challenge_window(x->now, challenge_settings_of_server()->lifetime);
}

static ia_result refresh_token(exchange *x)
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
    if (!rc && !(rc = store(x, token, &terms, window, x->use->secret.fingerprint))) {
        const ia_envelope_member members[] = {{"token", token, 0}, {"signature", signature, 0}};

        rc = response(x, members, 2);
    }
    ia_wipe(token, sizeof token);
    ia_wipe(signature, sizeof signature);
    return rc;
}

typedef ia_result (*login_method)(exchange *x);

static login_method find_method(const char *name)
{
    static const struct {
        const char *name;
        login_method run;
    } methods[] = {
        {"auth.request", request_challenge}, {"auth.token", exchange_challenge}, {"auth.refresh", refresh_token}};
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

static ia_result run(exchange *x)
{
    login_method method = find_method(x->call.method);

    if (!method) {
        x->state->detail = "auth.request, auth.token and auth.refresh are answered here; send any other call to the "
                           "URL of the application";
        return IA_CALL_UNKNOWN;
    }
    if (x->call.token || x->call.signature || x->call.nonce || x->call.timestamp_text)
        return malformed(x, "token, signature, nonce and timestamp of this method stand in its request");
    return method(x);
}

static void begin(exchange *x, request_rec *r)
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
    exchange x;
    ia_result rc;
    int status;

    (void)tail;
    begin(&x, r);
    rc = read_call(&x, &status);
    x.now = clock_now(); /* again: who sends the body slowly must not stop the clock */
    if (rc || (rc = run(&x)))
        return refuse(&x, rc, status);
    return OK;
}

int challenge_login(request_rec *r, const challenge_call *call)
{
    exchange x;
    ia_result rc;

    begin(&x, r);
    x.call = call->envelope;
    challenge_speak(r, x.state, call->format);
    if (call->length > CHALLENGE_LOGIN_MAX)
        return refuse(&x, IA_BODY_TOO_LARGE, 0);
    rc = run(&x);
    return rc ? refuse(&x, rc, 0) : OK;
}
