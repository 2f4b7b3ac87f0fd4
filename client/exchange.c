/* Requests to a service's grant endpoints: request_access, refresh_access, generate_nonce. */
#include "exchange.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <openssl/rand.h>

#include "capabilities.h"
#include "interauth/access.h"
#include "interauth/authorization.h"
#include "interauth/encoding.h"
#include "interauth/form.h"
#include "interauth/json.h"
#include "interauth/name.h"
#include "interauth/timestamp.h"
#include "response.h"
#include "say.h"

#define NODES_MAX 1000
#define ID_BYTES  16
#define REQUEST   "request_access"
#define REFRESH   "refresh_access"

/* The content of a response of request_access or refresh_access. */
typedef struct grant_response {
    const char *token;
    apr_time_t expires;
    int can_refresh;
    apr_array_header_t *access_to; /* NULL if absent */
    apr_array_header_t *nonces;
} grant_response;

static void integer_member(ia_json_writer *w, const char *name, apr_int64_t value)
{
    ia_json_write_name(w, name);
    ia_json_write_integer(w, value);
}

/* A random id makes two requests within one second differ. */
static int write_id(ia_json_writer *w)
{
    unsigned char bytes[ID_BYTES];
    char text[IA_BASE64URL_SIZE(ID_BYTES)];

    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return say_fault("no random numbers are available");
    ia_base64url_encode(text, bytes, sizeof bytes);
    ia_json_write_member(w, "id", text);
    return CL_OK;
}

/* The JSON of an access request; with a token, that of a refresh. */
static int body_make(const char **out, apr_pool_t *p, const grant_record *record, const char *token,
                     apr_int64_t lifespan)
{
    ia_json_writer *w = ia_json_writer_create(p);
    int rc;

    ia_json_write_object(w);
    if (token) {
        ia_json_write_member(w, "token", token);
    } else {
        ia_json_write_name(w, "access_for");
        ia_json_write_array(w);
        for (int i = 0; i < record->access_for->nelts; i++)
            ia_json_write_string(w, APR_ARRAY_IDX(record->access_for, i, const char *));
        ia_json_write_end(w);
    }
    if (lifespan)
        integer_member(w, "token_lifespan", lifespan);
    ia_json_write_member(w, "uid", record->uid);
    if (record->nonces_wanted > 1)
        integer_member(w, "nonces", record->nonces_wanted);
    if (record->audience)
        ia_json_write_member(w, "aud", record->audience);
    if (record->with_id && (rc = write_id(w)) != CL_OK)
        return rc;
    ia_json_write_end(w);
    if (!(*out = ia_json_writer_text(w, NULL)))
        return say_usage("--uid, --capability and --url must be UTF-8");
    return CL_OK;
}

static const char *form_make(apr_pool_t *p, const grant_record *record, const ia_mac_key *key, const char *body)
{
    const char *timestamp = apr_psprintf(p, "%" APR_INT64_T_FMT, (apr_int64_t)apr_time_sec(apr_time_now()));
    apr_size_t len = strlen(body);
    unsigned char mac[IA_MAC_MAX];
    char hex[IA_HEX_SIZE(IA_MAC_MAX)];

    ia_access_mac(mac, record->hash, key, timestamp, body, len);
    ia_hex_encode(hex, mac, ia_hash_len(record->hash));
    return apr_pstrcat(p, "uid=", ia_form_escape(p, record->uid, strlen(record->uid)), "&timestamp=", timestamp,
                       "&hmac=", hex, "&body=", ia_form_escape(p, body, len), NULL);
}

static int form_send(http_response *response, apr_pool_t *p, const grant_record *record, const ia_mac_key *key,
                     const char *endpoint, const char *token, apr_int64_t lifespan)
{
    apr_array_header_t *headers = apr_array_make(p, 2, sizeof(const char *));
    http_body body = {.fd = -1};
    http_call call = {
        .method = "POST", .headers = headers, .body = &body, .ca_file = record->ca_file, .timeout = HTTP_TIMEOUT};
    const char *text;
    int rc;

    if ((rc = body_make(&text, p, record, token, lifespan)) != CL_OK)
        return rc;
    body.data = form_make(p, record, key, text);
    body.len = (apr_int64_t)strlen(body.data);
    call.url = apr_pstrcat(p, record->endpoint, "/", endpoint, NULL);
    APR_ARRAY_PUSH(headers, const char *) = "Content-Type: application/x-www-form-urlencoded";
    APR_ARRAY_PUSH(headers, const char *) = "Accept: application/json, application/problem+json";
    return http_send(response, p, &call);
}

/* The first nonce is in Authentication-Info; the body lists nonces only if the request has "nonces". */
static int nonces_read(grant_response *out, apr_pool_t *p, const ia_json *json, const http_response *response)
{
    const char *nonce = ia_json_member_string(json, "nonce");
    const ia_json *list = ia_json_member(json, "nonces");
    char first[IA_NONCE_TEXT_LEN + 1];

    out->nonces = apr_array_make(p, 4, sizeof(const char *));
    if (!nonce && nextnonce_read(first, p, response))
        nonce = apr_pstrdup(p, first);
    if (nonce)
        APR_ARRAY_PUSH(out->nonces, const char *) = nonce;
    if (list && (list->type != IA_JSON_ARRAY || list->count > IA_ACCESS_NONCES_MAX))
        return -1;
    for (const ia_json *item = list ? list->first : NULL; item; item = item->next) {
        if (item->type != IA_JSON_STRING)
            return -1;
        if (!nonce || strcmp(nonce, item->string) != 0)
            APR_ARRAY_PUSH(out->nonces, const char *) = item->string;
    }
    for (int i = 0; i < out->nonces->nelts; i++)
        if (!nonce_is_valid(APR_ARRAY_IDX(out->nonces, i, const char *)))
            return -1;
    return 0;
}

static int access_to_read(grant_response *out, apr_pool_t *p, const ia_json *json)
{
    const ia_json *list = ia_json_member(json, "access_to");

    if (!list)
        return 0;
    if (list->type != IA_JSON_ARRAY)
        return -1;
    out->access_to = apr_array_make(p, 4, sizeof(const char *));
    for (const ia_json *item = list->first; item; item = item->next) {
        if (item->type != IA_JSON_STRING || !ia_name_is_capability(item->string, item->string_len))
            return -1;
        APR_ARRAY_PUSH(out->access_to, const char *) = item->string;
    }
    return 0;
}

static int token_is_valid(const char *token)
{
    apr_size_t len = strlen(token);

    for (const char *c = token; *c; c++)
        if (*c <= 0x20 || *c > 0x7e)
            return 0;
    return len >= 1 && len <= IA_TOKEN_TEXT_MAX;
}

static int grant_response_read(grant_response *out, apr_pool_t *p, const grant_record *record,
                               const http_response *response)
{
    const ia_json *json, *can_refresh;
    const char *uid, *timeout;

    memset(out, 0, sizeof *out);
    if (ia_json_parse(&json, p, response->body, response->body_len, NODES_MAX, NULL) != IA_OK)
        return -1;
    uid = ia_json_member_string(json, "uid");
    timeout = ia_json_member_string(json, "timeout");
    can_refresh = ia_json_member(json, "can_refresh");
    out->token = ia_json_member_string(json, "token");
    out->can_refresh = can_refresh && can_refresh->type == IA_JSON_BOOL && can_refresh->integer;
    if ((uid && strcmp(uid, record->uid) != 0) || !timeout || !out->token || !token_is_valid(out->token))
        return -1;
    if (ia_timestamp_parse(&out->expires, timeout, strlen(timeout)) != IA_OK)
        return -1;
    return access_to_read(out, p, json) != 0 ? -1 : nonces_read(out, p, json, response);
}

/* Adds what the server cannot know. */
static void refusal_explain(apr_pool_t *p, const grant_record *record, const char *endpoint,
                            const http_response *response)
{
    if (response->status == 404)
        say_note("requested %s/%s: is --url the location with SetHandler sauth?", record->endpoint, endpoint);
    else if (strcmp(endpoint, REQUEST) == 0 && problem_is(p, response, 403, "capability_not_held"))
        say_note("requested: %s", capabilities_text(p, record->access_for));
    else if (problem_is(p, response, 401, "invalid_credentials"))
        say_note("check the id %s and its secret; the server's error log shows the reason", record->uid);
    else if (problem_is(p, response, 401, "stale_timestamp"))
        say_note("compare the clocks with: interauth check --url %s", record->endpoint);
}

static int response_read(grant_response *out, apr_pool_t *p, const grant_record *record, const char *endpoint,
                         const http_response *response)
{
    if (response->status != 200) {
        int rc = problem_report(p, response);

        refusal_explain(p, record, endpoint, response);
        return rc;
    }
    if (grant_response_read(out, p, record, response) != 0)
        return say_fault("%s: the response is not a grant for %s", record->endpoint, record->uid);
    return CL_OK;
}

int exchange_grant(grant_record *record, apr_pool_t *p, const ia_mac_key *key)
{
    http_response response;
    grant_response got;
    unsigned wait;
    int rc = form_send(&response, p, record, key, REQUEST, NULL, record->lifespan);

    if (rc == CL_OK && (wait = problem_start_wait(p, &response)) > 0) {
        say_note("the server has just started; retrying in %u s", wait);
        apr_sleep(apr_time_from_sec(wait));
        rc = form_send(&response, p, record, key, REQUEST, NULL, record->lifespan);
    }
    if (rc == CL_OK && problem_is(p, &response, 401, "replayed_request")) {
        grant_record unique = *record;

        unique.with_id = 1; /* every server that responds with this code accepts an id */
        rc = form_send(&response, p, &unique, key, REQUEST, NULL, record->lifespan);
    }
    if (rc != CL_OK || (rc = response_read(&got, p, record, REQUEST, &response)) != CL_OK)
        return rc;
    if (!got.access_to || got.access_to->nelts == 0)
        return say_fault("%s: the response grants nothing", record->endpoint);
    record->token = got.token;
    record->expires = got.expires;
    record->can_refresh = got.can_refresh;
    record->access_to = got.access_to;
    record->nonces = got.nonces;
    return CL_OK;
}

int exchange_refresh(grant_record *record, apr_pool_t *p, const ia_mac_key *key, apr_int64_t lifespan)
{
    http_response response;
    grant_response got;
    int rc = form_send(&response, p, record, key, REFRESH, record->token, lifespan);

    if (rc != CL_OK || (rc = response_read(&got, p, record, REFRESH, &response)) != CL_OK)
        return rc;
    if (strcmp(got.token, record->token) != 0)
        return say_fault("%s: the response is for another token", record->endpoint);
    record->expires = got.expires;
    record->can_refresh = got.can_refresh;
    if (got.access_to)
        record->access_to = got.access_to;
    for (int i = 0; i < got.nonces->nelts; i++)
        record_add_nonce(record, p, APR_ARRAY_IDX(got.nonces, i, const char *));
    return CL_OK;
}

int exchange_nonce(char out[IA_NONCE_TEXT_LEN + 1], apr_pool_t *p, const grant_record *record)
{
    http_call call = {.method = "GET", .ca_file = record->ca_file, .timeout = HTTP_TIMEOUT};
    http_response response;

    out[0] = '\0';
    call.url = apr_pstrcat(p, record->endpoint, "/generate_nonce", NULL);
    if (http_send(&response, p, &call) != CL_OK || response.status != 200)
        return 0;
    while (response.body_len > 0 && apr_isspace(response.body[response.body_len - 1]))
        response.body[--response.body_len] = '\0';
    if (!nonce_is_valid(response.body))
        return 0;
    apr_cpystrn(out, response.body, IA_NONCE_TEXT_LEN + 1);
    return 1;
}
