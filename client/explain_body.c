/* Explains a saved body: an access request, a grant, a call or response of the challenge protocol, a problem document. */
#include "explain_message.h"

#include <string.h>
#include <strings.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "interauth/access.h"
#include "interauth/encoding.h"
#include "interauth/envelope.h"
#include "interauth/nonce.h"
#include "interauth/timestamp.h"
#include "interauth/xml.h"
#include "request_head.h"

#define TAGS_MAX 12 /* tags of the log listed for a code */

static void number_add(parts *all, const char *where, const char *name, apr_int64_t number, const char *meaning)
{
    part_add(all, where, name, apr_psprintf(all->p, "%" APR_INT64_T_FMT, number), meaning);
}

/* A member that is a number or, in XML, its digits. */
static void scalar_add(parts *all, const char *where, const ia_json *object, const char *name, const char *meaning)
{
    const ia_json *member = ia_json_member(object, name);

    if (member && member->type == IA_JSON_INTEGER)
        number_add(all, where, name, member->integer, meaning);
    else
        part_add(all, where, name, ia_json_member_string(object, name), meaning);
}

static void bool_add(parts *all, const char *where, const ia_json *object, const char *name, const char *meaning)
{
    const ia_json *member = ia_json_member(object, name);

    if (member && member->type == IA_JSON_BOOL)
        part_add(all, where, name, member->integer ? "true" : "false", meaning);
}

static const char *names_join(apr_pool_t *p, const ia_json *list)
{
    apr_array_header_t *names = apr_array_make(p, 8, sizeof(const char *));

    if (!list || list->type != IA_JSON_ARRAY)
        return NULL;
    for (const ia_json *item = list->first; item; item = item->next)
        if (item->type == IA_JSON_STRING)
            APR_ARRAY_PUSH(names, const char *) = item->string;
    return apr_array_pstrcat(p, names, ',');
}

/* --- SAuth --- */

static void access_add(parts *all, const char *where, const ia_access_form *form, ia_access_kind kind)
{
    ia_access_body body;
    const char *detail = NULL, *names = "";
    ia_result rc = ia_access_body_parse(&body, all->p, form, kind, &detail);

    if (rc != IA_OK) {
        part_add_refusal(all, where, rc, detail);
        return;
    }
    for (unsigned i = 0; i < body.access_for_count; i++)
        names = apr_pstrcat(all->p, names, i ? "," : "", body.access_for[i], NULL);
    part_add(all, where, "uid", body.uid, "the participant that requests access");
    if (kind == IA_ACCESS_REQUEST)
        part_add(all, where, "access_for", names, "the requested capabilities");
    part_add_secret(all, where, "token", body.token, "of the grant to refresh");
    if (body.lifespan)
        number_add(all, where, "token_lifespan", body.lifespan, "requested lifetime of the grant in seconds");
    if (body.nonces)
        number_add(all, where, "nonces", body.nonces, "number of nonces requested");
    part_add_secret(all, where, "id", body.id, "random, so that two requests within one second differ");
    part_add(all, where, "aud", body.audience, "the endpoint that the request is for");
}

static ia_access_kind access_kind(parts *all, const char *text, apr_size_t len)
{
    const ia_json *json;

    if (ia_json_parse(&json, all->p, text, len, IA_ENVELOPE_NODES, NULL) == IA_OK && ia_json_member(json, "token"))
        return IA_ACCESS_REFRESH;
    return IA_ACCESS_REQUEST;
}

static void form_add(parts *all, const char *text, apr_size_t len)
{
    static const char where[] = "form";
    ia_access_form form;
    const char *detail = NULL;
    char hex[IA_HEX_SIZE(IA_MAC_MAX)];
    ia_access_kind kind;
    ia_result rc;

    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r')) /* appended by an editor */
        len--;
    rc = len > IA_ACCESS_BODY_MAX ? IA_TOO_LONG : ia_access_form_parse(&form, all->p, text, len, &detail);
    if (rc != IA_OK) {
        part_add_refusal(all, where, rc, detail);
        return;
    }
    kind = access_kind(all, form.body, form.body_len);
    ia_hex_encode(hex, form.mac, ia_hash_len(form.hash));
    part_add(all, where, "uid", form.uid,
             kind == IA_ACCESS_REQUEST ? "the participant that requests a grant"
                                       : "the participant that refreshes a grant");
    part_add_time(all, where, "timestamp", apr_time_sec(form.timestamp),
                  "time of the request; the server accepts it only for a short time");
    part_add_secret(all, where, "hmac", hex,
                    form.hash == IA_HASH_SHA1 ? "HMAC-SHA-1 over timestamp and body"
                                              : "HMAC-SHA-256 over timestamp and body");
    ia_wipe(hex, sizeof hex);
    access_add(all, "form, body", &form, kind);
}

static void grant_add(parts *all, const ia_json *json)
{
    static const char where[] = "grant";
    const ia_json *nonces = ia_json_member(json, "nonces");
    const char *timeout = ia_json_member_string(json, "timeout");
    apr_time_t when;

    part_add(all, where, "uid", ia_json_member_string(json, "uid"), "the participant that holds the grant");
    part_add(all, where, "access_to", names_join(all->p, ia_json_member(json, "access_to")),
             "the granted capabilities");
    if (timeout && ia_timestamp_parse(&when, timeout, strlen(timeout)) == IA_OK)
        part_add_time(all, where, "timeout", apr_time_sec(when), "when the grant expires");
    else if (timeout)
        part_add_error(all, where, "malformed", "timeout is not a valid time");
    bool_add(all, where, json, "can_refresh", "whether the grant can be refreshed");
    part_add_secret(all, where, "token", ia_json_member_string(json, "token"), "identifies the grant in calls");
    part_add_secret(all, where, "nonce", ia_json_member_string(json, "nonce"), "for the first call");
    if (nonces && nonces->type == IA_JSON_ARRAY)
        number_add(all, where, "nonces", nonces->count, "number of nonces");
}

/* The JSON of an access request without its form, so that there is no other uid to compare. */
static void access_json_add(parts *all, const ia_json *json, const char *text, apr_size_t len)
{
    ia_access_form form = {.uid = ia_json_member_string(json, "uid"), .body = text, .body_len = len};

    if (!form.uid)
        part_add_error(all, "access request", "access_malformed", "uid is missing");
    else
        access_add(all, "access request", &form, ia_json_member(json, "token") ? IA_ACCESS_REFRESH : IA_ACCESS_REQUEST);
}

/* --- the challenge protocol --- */

static const char *call_meaning(const char *method)
{
    if (strcmp(method, "auth.request") == 0)
        return "requests a challenge";
    if (strcmp(method, "auth.token") == 0)
        return "responds to a challenge to obtain a token";
    return strcmp(method, "auth.refresh") == 0 ? "requests a new token" : "calls the application";
}

static void login_add(parts *all, const ia_envelope *e)
{
    static const char where[] = "request";
    const char *timestamp = ia_envelope_request_string(e, "timestamp");
    apr_time_t when;

    part_add(all, where, "username", ia_envelope_request_string(e, "username"), "the participant that logs in");
    part_add(all, where, "profile", ia_envelope_request_string(e, "profile"), "selects the hash");
    part_add_secret(all, where, "challenge", ia_envelope_request_string(e, "challenge"), "as issued by the server");
    part_add_secret(all, where, "token", ia_envelope_request_string(e, "token"), "to be replaced");
    part_add_secret(all, where, "signature", ia_envelope_request_string(e, "signature"),
                    "proves that the sender knows the secret");
    part_add_secret(all, where, "nonce", ia_envelope_request_string(e, "nonce"), "random, valid once");
    if (timestamp && ia_timestamp_parse_unix(&when, timestamp, strlen(timestamp)) == IA_OK)
        part_add_time(all, where, "timestamp", apr_time_sec(when), "when the request was sent");
}

static void call_add(parts *all, ia_envelope_format format, const char *text, apr_size_t len)
{
    static const char where[] = "call";
    ia_json_error error = {0, NULL};
    ia_envelope e;
    ia_result rc = ia_envelope_parse(&e, all->p, format, text, len, &error);

    if (rc != IA_OK) {
        part_add_refusal(all, where, rc, error.reason);
        return;
    }
    part_add(all, where, "method", e.method, call_meaning(e.method));
    part_add_secret(all, where, "token", e.token, "of the login");
    part_add_secret(all, where, "signature", e.signature,
                    e.nonce ? "over token, method, nonce, time and request"
                            : "over the token only; without a nonce, this is profile md5");
    part_add_secret(all, where, "nonce", e.nonce, "random, valid once");
    if (e.timestamp_text)
        part_add_time(all, where, "timestamp", apr_time_sec(e.timestamp), "when the request was sent");
    if (strncmp(e.method, "auth.", 5) == 0)
        login_add(all, &e);
    else
        number_add(all, where, "request", (apr_int64_t)e.request_len, "bytes for the application");
}

static const char *tags_of(apr_pool_t *p, const char *code)
{
    unsigned count, found = 0;
    const ia_outcome *all = ia_outcomes(&count);
    const char *tags = NULL;

    for (unsigned i = 0; i < count && found < TAGS_MAX; i++)
        if (code && strcmp(all[i].code, code) == 0) {
            tags = tags ? apr_pstrcat(p, tags, " ", all[i].tag, NULL) : all[i].tag;
            found++;
        }
    return tags;
}

static void code_add(parts *all, const char *where, const char *code)
{
    part_add(all, where, "code", code, "stable, for programs");
    part_add(all, where, "tags", tags_of(all->p, code), "possible tags in the server's log; see interauth explain TAG");
}

static void response_add(parts *all, const ia_json *json)
{
    static const char where[] = "response";
    const ia_json *response = ia_json_member(json, "response"), *error = ia_json_member(json, "error");

    part_add(all, where, "status", ia_json_member_string(json, "status"), "valid or error");
    scalar_add(all, where, response, "lifetime", "length in seconds of the window in which a token is valid");
    part_add_secret(all, where, "challenge", ia_json_member_string(response, "challenge"),
                    "to be signed in auth.token");
    part_add(all, where, "profile", ia_json_member_string(response, "profile"), "selects the hash");
    part_add(all, where, "domain", ia_json_member_string(response, "domain"), "hashed with the password");
    part_add_secret(all, where, "token", ia_json_member_string(response, "token"), "for calls");
    part_add_secret(all, where, "signature", ia_json_member_string(response, "signature"),
                    "proves that the server knows the secret");
    code_add(all, where, ia_json_member_string(error, "code"));
    part_add(all, where, "message", ia_json_member_string(error, "message"), "for people");
    part_add_secret(all, where, "signature", ia_json_member_string(json, "signature"),
                    "the server's signature of this response");
}

static void problem_add(parts *all, const ia_json *json)
{
    static const char where[] = "problem";

    scalar_add(all, where, json, "status", "the HTTP status");
    part_add(all, where, "type", ia_json_member_string(json, "type"), "identifies the kind of problem");
    part_add(all, where, "title", ia_json_member_string(json, "title"), "for people");
    part_add(all, where, "detail", ia_json_member_string(json, "detail"), "details of the problem");
    code_add(all, where, ia_json_member_string(json, "code"));
}

/* --- detection of the format --- */

static void json_add(parts *all, const char *type, const char *text, apr_size_t len)
{
    static const char problem[] = "application/problem+json";
    ia_json_error error = {0, NULL};
    const ia_json *json;
    ia_result rc = ia_json_parse(&json, all->p, text, len, IA_ENVELOPE_NODES, &error);

    if (rc != IA_OK)
        part_add_refusal(all, "JSON", rc, error.reason);
    else if ((type && strncasecmp(type, problem, sizeof problem - 1) == 0) ||
             (ia_json_member_string(json, "code") && ia_json_member_string(json, "title")))
        problem_add(all, json);
    else if (ia_json_member(json, "method") && ia_json_member(json, "request"))
        call_add(all, IA_ENVELOPE_JSON, text, len);
    else if (ia_json_member_string(json, "status") &&
             (ia_json_member(json, "response") || ia_json_member(json, "error")))
        response_add(all, json);
    else if (ia_json_member(json, "access_to"))
        grant_add(all, json);
    else if (ia_json_member(json, "access_for") || ia_json_member(json, "access-for") ||
             (ia_json_member(json, "uid") && ia_json_member(json, "token")))
        access_json_add(all, json, text, len);
}

static void xml_add(parts *all, const char *text, apr_size_t len)
{
    ia_json_error error = {0, NULL};
    const ia_json *xml;
    ia_result rc = ia_xml_parse(&xml, all->p, text, len, IA_ENVELOPE_NODES, "request", NULL, &error);

    if (rc == IA_OK && ia_json_member(xml, "method"))
        call_add(all, IA_ENVELOPE_XML, text, len);
    else if (rc == IA_OK && ia_json_member_string(xml, "status"))
        response_add(all, xml);
    else if (rc != IA_OK)
        part_add_refusal(all, "XML", rc, error.reason);
}

static void nonce_add(parts *all, const char *text, apr_size_t len)
{
    unsigned char nonce[IA_NONCE_LEN];
    apr_size_t nonce_len;

    while (len > 0 && apr_isspace(text[len - 1]))
        len--;
    if (len == IA_NONCE_TEXT_LEN && ia_base64url_decode(nonce, sizeof nonce, &nonce_len, text, len) == IA_OK)
        part_add_secret(all, "body", "nonce", apr_pstrmemdup(all->p, text, len),
                        "a fresh nonce, valid for one request");
}

static int is_form(const char *type, const char *text, apr_size_t len)
{
    static const char form[] = "application/x-www-form-urlencoded";

    if (type)
        return strncasecmp(type, form, sizeof form - 1) == 0;
    return !memchr(text, '\0', len) && (strncmp(text, "hmac=", 5) == 0 || strstr(text, "&hmac="));
}

void explain_body(parts *all, const saved_message *m)
{
    const char *type = head_value(&m->message, "Content-Type"), *text = m->body;
    apr_size_t len = m->body_len;

    if (head_value(&m->message, "Content-Encoding") || head_value(&m->message, "Transfer-Encoding")) {
        if (len > 0)
            part_add_error(all, "body", "encoded",
                           "the body is encoded: save it decoded, without Content-Encoding and "
                           "Transfer-Encoding");
        return;
    }
    for (; len > 0 && apr_isspace(*text); len--)
        text++;
    if (len == 0)
        return;
    if (is_form(type, text, len))
        form_add(all, text, len);
    else if (*text == '{')
        json_add(all, type, text, len);
    else if (*text == '<' && (!type || strstr(type, "xml")))
        xml_add(all, text, len);
    else
        nonce_add(all, text, len);
}
