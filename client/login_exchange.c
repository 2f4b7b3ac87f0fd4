/* Sends auth.request, auth.token and auth.refresh, and checks the responses. */
#include "login_exchange.h"

#include <string.h>

#include <apr_strings.h>
#include <openssl/rand.h>

#include "credentials.h"
#include "interauth/digest.h"
#include "interauth/encoding.h"
#include "interauth/name.h"
#include "request_body.h"
#include "response.h"
#include "say.h"

#define NODES_MAX    1000
#define LIFETIME_MAX (366 * 86400)

int envelope_send(http_response *response, apr_pool_t *p, const envelope_post *post)
{
    http_body body = {.data = post->text, .fd = -1, .len = (apr_int64_t)post->len};
    apr_array_header_t *headers =
        post->headers ? apr_array_copy(p, post->headers) : apr_array_make(p, 4, sizeof(const char *));
    const char *type = ia_envelope_media_type(post->format), *digest;
    http_call call = {.method = "POST",
                      .url = post->url,
                      .headers = headers,
                      .body = &body,
                      .ca_file = post->ca_file,
                      .timeout = post->timeout};
    int rc = request_body_digest(&digest, p, &body, post->digest);

    if (rc != CL_OK)
        return rc;
    APR_ARRAY_PUSH(headers, const char *) = apr_pstrcat(p, "Content-Type: ", type, NULL);
    APR_ARRAY_PUSH(headers, const char *) = apr_pstrcat(p, "Accept: ", type, NULL);
    APR_ARRAY_PUSH(headers, const char *) = apr_pstrcat(p, "Content-Digest: ", digest, NULL);
    return http_send(response, p, &call);
}

int envelope_stamp(ia_challenge_message *out, apr_pool_t *p)
{
    unsigned char bytes[CALL_NONCE_BYTES];
    char *nonce = apr_palloc(p, IA_BASE64URL_SIZE(CALL_NONCE_BYTES));

    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return say_fault("no random numbers are available");
    ia_base64url_encode(nonce, bytes, sizeof bytes);
    out->nonce = nonce;
    out->timestamp = apr_psprintf(p, "%" APR_INT64_T_FMT, (apr_int64_t)apr_time_sec(apr_time_now()));
    return CL_OK;
}

int login_derive_secret(login *l)
{
    const login_terms *kept = &l->record->login;
    const password_terms terms = {l->profile, kept->separator, l->record->uid, kept->domain};

    return l->secret.fingerprint ? CL_OK : password_secret(&l->secret, l->p, l->record->secret_file, &terms);
}

ia_challenge_terms login_terms_of(const login *l)
{
    const char *separator = l->record->login.separator;
    ia_challenge_terms terms = {l->profile, separator ? separator : "", l->secret.text};

    return terms;
}

apr_int64_t login_window(const login *l)
{
    return ia_challenge_window(apr_time_now(), l->record->login.lifetime);
}

/* Sends one auth.* call. `members` alternates names and string values; it ends with NULL. */
static int auth_send(http_response *response, const login *l, const char *method, const char *const *members)
{
    envelope_post post = {.url = l->record->endpoint,
                          .ca_file = l->ca_file ? l->ca_file : l->record->ca_file,
                          .format = IA_ENVELOPE_JSON,
                          .digest = IA_DIGEST_SHA256,
                          .timeout = HTTP_TIMEOUT};
    ia_json_writer *w = ia_json_writer_create(l->p);

    ia_json_write_object(w);
    ia_json_write_member(w, "method", method);
    ia_json_write_name(w, "request");
    ia_json_write_object(w);
    for (; members[0]; members += 2)
        ia_json_write_member(w, members[0], members[1]);
    ia_json_write_end(w);
    ia_json_write_end(w);
    if (!(post.text = ia_json_writer_text(w, &post.len)))
        return say_usage("the uid must be UTF-8");
    return envelope_send(response, l->p, &post);
}

/* Reads the member "response" of a successful response. */
static int auth_read(const ia_json **result, const login *l, const char *method, const http_response *response)
{
    const ia_json *json;
    const char *status;
    int rc;

    *result = NULL;
    if (response->status != 200) {
        rc = problem_report(l->p, response);
        if (response->status == 404)
            say_note("requested %s: is --endpoint the location with SetHandler sauth?", l->record->endpoint);
        return rc;
    }
    if (ia_json_parse(&json, l->p, response->body, response->body_len, NODES_MAX, NULL) != IA_OK ||
        !(status = ia_json_member_string(json, "status")) || strcmp(status, "valid") != 0 ||
        !(*result = ia_json_member(json, "response")))
        return say_fault("%s: the response to %s is invalid", l->record->endpoint, method);
    return CL_OK;
}

/* With a changed domain the password would be hashed for another server. */
static int domain_check(login *l, const char *domain)
{
    login_terms *kept = &l->record->login;

    if (!domain || !ia_name_is_id(domain, strlen(domain)))
        return say_fault("%s: the challenge has no valid domain", l->record->endpoint);
    if (kept->domain && strcmp(kept->domain, domain) != 0)
        return say_refused("%s: the domain was %s and is now %s; if this is correct, run: interauth forget %s",
                           l->record->endpoint, kept->domain, domain, l->record->name);
    if (!kept->domain)
        l->record->can_refresh = 1; /* until a refresh is refused */
    kept->domain = domain;
    return CL_OK;
}

static int challenge_request(login *l, const char **challenge)
{
    const char *const members[] = {"username", l->record->uid, "profile", l->record->login.profile, NULL};
    const ia_json *result, *lifetime;
    const char *profile;
    http_response response;
    int rc = auth_send(&response, l, "auth.request", members);

    if (rc != CL_OK || (rc = auth_read(&result, l, "auth.request", &response)) != CL_OK)
        return rc;
    *challenge = ia_json_member_string(result, "challenge");
    profile = ia_json_member_string(result, "profile");
    lifetime = ia_json_member(result, "lifetime");
    if (!*challenge || strlen(*challenge) != IA_CHALLENGE_LEN || !lifetime || lifetime->type != IA_JSON_INTEGER ||
        lifetime->integer < 1 || lifetime->integer > LIFETIME_MAX)
        return say_fault("%s: the response to auth.request is not a challenge", l->record->endpoint);
    if (profile && strcmp(profile, l->record->login.profile) != 0)
        return say_fault("%s: the challenge is not for the profile %s", l->record->endpoint, l->record->login.profile);
    l->record->login.lifetime = lifetime->integer;
    return domain_check(l, ia_json_member_string(result, "domain"));
}

static int crypto_failed(void)
{
    return say_fault("OpenSSL could not compute a signature");
}

/* Computes the token, and proves it with a signature. */
static int token_request(http_response *response, login *l, const char *challenge, char token[IA_CHALLENGE_TEXT_SIZE],
                         apr_int64_t *window)
{
    const ia_challenge_terms terms = login_terms_of(l);
    char signature[IA_CHALLENGE_TEXT_SIZE];
    const char *const members[] = {"challenge", challenge, "signature", signature, NULL};

    *window = login_window(l);
    if (ia_challenge_token(token, &terms, challenge, *window) != IA_OK ||
        ia_challenge_sign(signature, &terms, token, *window, NULL) != IA_OK)
        return crypto_failed();
    return auth_send(response, l, "auth.token", members);
}

static void token_store(login *l, const char *token, apr_int64_t window)
{
    l->record->token = apr_pstrdup(l->p, token);
    l->record->expires = apr_time_from_sec(window);
}

/* `response` is that of auth.token. */
static int token_accept(login *l, const http_response *response, const char *token, apr_int64_t window)
{
    const ia_json *result;
    const char *received;
    int rc = auth_read(&result, l, "auth.token", response);

    if (rc == CL_REFUSED && problem_is(l->p, response, 401, "invalid_credentials"))
        say_note("check the user %s, the password in %s, the domain %s%s, and the clock: interauth check --url %s",
                 l->record->uid, l->record->secret_file, l->record->login.domain,
                 l->profile == IA_CHALLENGE_PROFILE_MD5 ? ", --separator" : "", l->record->endpoint);
    if (rc != CL_OK)
        return rc;
    received = ia_json_member_string(result, "token");
    if (!received || strlen(received) != strlen(token) || !ia_mac_equal(received, token, strlen(token)))
        return say_fault("%s: the token differs from the one that was computed here", l->record->endpoint);
    token_store(l, token, window);
    return CL_OK;
}

/* Another login used the challenge first, or it has expired. */
static int is_challenge_unusable(apr_pool_t *p, const http_response *response)
{
    return problem_is(p, response, 401, "replayed_challenge") || problem_is(p, response, 401, "stale_challenge");
}

int login_authenticate(login *l)
{
    char token[IA_CHALLENGE_TEXT_SIZE];
    const char *challenge;
    apr_int64_t window;
    http_response response;
    unsigned wait = 0;
    int rc = CL_OK;

    for (unsigned attempt = 0; attempt < 2; attempt++) {
        if (wait > 0) {
            say_note("the server has just started; retrying in %u s", wait);
            apr_sleep(apr_time_from_sec(wait));
        }
        if ((rc = challenge_request(l, &challenge)) != CL_OK || (rc = login_derive_secret(l)) != CL_OK ||
            (rc = token_request(&response, l, challenge, token, &window)) != CL_OK)
            return rc;
        wait = problem_start_wait(l->p, &response);
        if (wait == 0 && !is_challenge_unusable(l->p, &response))
            break;
    }
    return token_accept(l, &response, token, window);
}

/* auth.refresh is signed like a call with an empty request; md5 signs the token only. */
static int refresh_send(http_response *response, login *l)
{
    const ia_challenge_terms terms = login_terms_of(l);
    ia_challenge_message message = {.method = "auth.refresh", .request = ""};
    char signature[IA_CHALLENGE_TEXT_SIZE];
    int is_hmac = l->profile == IA_CHALLENGE_PROFILE_HMAC, rc = envelope_stamp(&message, l->p);
    const char *const members[] = {"token",     l->record->token,         "signature",
                                   signature,   is_hmac ? "nonce" : NULL, message.nonce,
                                   "timestamp", message.timestamp,        NULL};

    if (rc != CL_OK)
        return rc;
    if (ia_challenge_sign(signature, &terms, l->record->token, login_window(l), is_hmac ? &message : NULL) != IA_OK)
        return crypto_failed();
    return auth_send(response, l, "auth.refresh", members);
}

/* The signature over the new token proves that it is the server's, and tells its window. */
static int refreshed_accept(login *l, const char *token, const char *signature)
{
    const ia_challenge_terms terms = login_terms_of(l);
    apr_int64_t windows[IA_CHALLENGE_WINDOWS];
    char expected[IA_CHALLENGE_TEXT_SIZE];

    ia_challenge_windows(windows, apr_time_now(), l->record->login.lifetime,
                         apr_time_from_sec(l->record->login.lifetime));
    for (unsigned i = 0; token && signature && i < IA_CHALLENGE_WINDOWS; i++) {
        if (ia_challenge_sign(expected, &terms, token, windows[i], NULL) != IA_OK)
            return crypto_failed();
        if (strlen(signature) != strlen(expected) || !ia_mac_equal(signature, expected, strlen(expected)))
            continue;
        token_store(l, token, windows[i]);
        return CL_OK;
    }
    return say_fault("%s: the response to auth.refresh has no valid signature", l->record->endpoint);
}

int login_refresh(login *l, int *refreshed)
{
    const ia_json *result;
    http_response response;
    int rc;

    *refreshed = 0;
    if ((rc = login_derive_secret(l)) != CL_OK || (rc = refresh_send(&response, l)) != CL_OK)
        return rc;
    if (problem_is(l->p, &response, 403, "refresh_not_allowed"))
        l->record->can_refresh = 0;
    if ((response.status >= 400 && response.status < 500) || problem_start_wait(l->p, &response) > 0)
        return CL_OK;
    if ((rc = auth_read(&result, l, "auth.refresh", &response)) != CL_OK)
        return rc;
    rc = refreshed_accept(l, ia_json_member_string(result, "token"), ia_json_member_string(result, "signature"));
    *refreshed = rc == CL_OK;
    return rc;
}
