/* Reads problems, nonces, and authentication schemes from responses. */
#include "response.h"

#include <string.h>
#include <strings.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "interauth/encoding.h"
#include "interauth/envelope.h"
#include "interauth/json.h"
#include "interauth/xml.h"
#include "say.h"

#define NODES_MAX 1000
#define WAIT_MAX  60 /* seconds that the client waits for a server that has just started */
#define SCHEME    "SAuth"

/* --- problems --- */

/* {"status":"error","error":{"code","message"}} of the challenge protocol, or the same in XML. */
static void envelope_error_read(problem *out, apr_pool_t *p, const http_response *response, ia_envelope_format format)
{
    const ia_json *json, *error;
    const char *status;
    ia_result rc = format == IA_ENVELOPE_JSON
                       ? ia_json_parse(&json, p, response->body, response->body_len, NODES_MAX, NULL)
                       : ia_xml_parse(&json, p, response->body, response->body_len, NODES_MAX, NULL, NULL, NULL);

    if (rc != IA_OK || !(status = ia_json_member_string(json, "status")) || strcmp(status, "error") != 0)
        return;
    error = ia_json_member(json, "error");
    out->title = ia_json_member_string(error, "message");
    out->code = ia_json_member_string(error, "code");
}

void problem_read(problem *out, apr_pool_t *p, const http_response *response)
{
    static const char media_type[] = "application/problem+json";
    const char *type = http_field(response, "Content-Type", 0);
    ia_envelope_format format;
    const ia_json *json;

    out->title = out->code = NULL;
    if (ia_envelope_format_of(&format, type) == IA_OK) {
        envelope_error_read(out, p, response, format);
        return;
    }
    if (!type || strncasecmp(type, media_type, sizeof media_type - 1) != 0)
        return;
    if (ia_json_parse(&json, p, response->body, response->body_len, NODES_MAX, NULL) != IA_OK)
        return;
    out->title = ia_json_member_string(json, "title");
    out->code = ia_json_member_string(json, "code");
}

int problem_is(apr_pool_t *p, const http_response *response, long status, const char *code)
{
    problem found;

    if (response->status != status)
        return 0;
    problem_read(&found, p, response);
    return found.code && strcmp(found.code, code) == 0;
}

/* The seconds in Retry-After, or 0. */
static apr_int64_t retry_after(const http_response *response)
{
    const char *after = http_field(response, "Retry-After", 0);

    return after && *after && strlen(after) <= 9 && strspn(after, "0123456789") == strlen(after) ? apr_atoi64(after)
                                                                                                 : 0;
}

unsigned problem_start_wait(apr_pool_t *p, const http_response *response)
{
    apr_int64_t seconds = retry_after(response);

    return seconds >= 1 && seconds <= WAIT_MAX && problem_is(p, response, 503, "starting") ? (unsigned)seconds : 0;
}

/* The exit status for an HTTP status. */
static int exit_status(long status)
{
    if (status < 400)
        return CL_OK;
    return status < 500 ? CL_REFUSED : CL_FAULT;
}

const char *problem_code(apr_pool_t *p, const problem *found, long status)
{
    return found->code ? found->code : apr_psprintf(p, "http_%ld", status);
}

const char *problem_message(apr_pool_t *p, const problem *found, long status)
{
    return found->title ? found->title : apr_psprintf(p, "the server responded with HTTP %ld", status);
}

int problem_report(apr_pool_t *p, const http_response *response)
{
    problem found;
    int rc = exit_status(response->status);
    apr_int64_t after = retry_after(response);

    problem_read(&found, p, response);
    say_error(problem_code(p, &found, response->status), problem_message(p, &found, response->status));
    if (found.title || found.code)
        say_note("%s (%s, HTTP %ld)", found.title ? found.title : "refused", found.code ? found.code : "no code",
                 response->status);
    else
        say_note("the server responded with HTTP %ld", response->status);
    if (response->status == 503 && after > 0)
        say_note("the server asks to retry after %" APR_INT64_T_FMT " s%s", after,
                 after > WAIT_MAX ? "; interauth waits for at most a minute" : "");
    if (response->status >= 300 && response->status < 400 && http_field(response, "Location", 0))
        say_note("redirects are not followed; the location is %s", http_field(response, "Location", 0));
    if (strstr(response->body, "plain HTTP to an SSL-enabled server port"))
        say_note("this port requires TLS: use https://");
    return rc == CL_OK ? CL_FAULT : rc;
}

/* --- WWW-Authenticate and Authentication-Info --- */

/* One element of a header's list. A parameter has a name and a value; a scheme has only a name. */
typedef struct element {
    const char *name;
    const char *value; /* NULL for a scheme */
} element;

static int is_token_char(char c)
{
    return apr_isalnum(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static const char *skip_space(const char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

/* Reads a quoted string after its opening quote. @return the rest, or NULL */
static const char *quoted_read(const char **value, apr_pool_t *p, const char *at)
{
    char *out = apr_palloc(p, strlen(at) + 1), *put = out;

    for (; *at && *at != '"'; at++) {
        if (*at == '\\' && at[1])
            at++;
        *put++ = *at;
    }
    *put = '\0';
    *value = out;
    return *at == '"' ? at + 1 : NULL;
}

/* Reads one element. @return the rest, or NULL at the end or after a syntax error */
static const char *element_read(element *out, apr_pool_t *p, const char *at)
{
    const char *start, *after;

    out->value = NULL;
    while (*at == ' ' || *at == '\t' || *at == ',')
        at++;
    for (start = at; is_token_char(*at);)
        at++;
    if (at == start)
        return NULL;
    out->name = apr_pstrmemdup(p, start, (apr_size_t)(at - start));
    after = skip_space(at);
    if (*after != '=')
        return at;
    after = skip_space(after + 1);
    if (*after == '"')
        return quoted_read(&out->value, p, after + 1);
    for (start = after; is_token_char(*after) || *after == '/' || *after == '=';)
        after++;
    out->value = apr_pstrmemdup(p, start, (apr_size_t)(after - start));
    return after;
}

int nonce_is_valid(const char *text)
{
    unsigned char bytes[IA_NONCE_LEN];
    apr_size_t len;

    return strlen(text) == IA_NONCE_TEXT_LEN &&
           ia_base64url_decode(bytes, sizeof bytes, &len, text, IA_NONCE_TEXT_LEN) == IA_OK && len == IA_NONCE_LEN;
}

static void schemes_parse(www_authenticate *out, apr_pool_t *p, const char *at)
{
    int is_sauth = 0;
    element e;

    while ((at = element_read(&e, p, at))) {
        if (!e.value) {
            is_sauth = strcasecmp(e.name, SCHEME) == 0 && !out->has_sauth;
            out->has_sauth |= is_sauth;
            out->has_challenge |= strcasecmp(e.name, "Challenge") == 0;
            out->has_signature |= strcasecmp(e.name, "Signature") == 0;
        } else if (is_sauth && strcasecmp(e.name, "stale") == 0) {
            out->is_stale = strcasecmp(e.value, "true") == 0;
        } else if (is_sauth && strcasecmp(e.name, "nonce") == 0 && nonce_is_valid(e.value)) {
            apr_cpystrn(out->nonce, e.value, sizeof out->nonce);
        }
    }
}

void www_authenticate_read(www_authenticate *out, apr_pool_t *p, const http_response *response)
{
    const char *value;

    memset(out, 0, sizeof *out);
    for (int i = 0; (value = http_field(response, "WWW-Authenticate", i)); i++)
        schemes_parse(out, p, value);
    out->has_signature |= !!http_field(response, "Accept-Signature", 0);
}

int nextnonce_read(char out[IA_NONCE_TEXT_LEN + 1], apr_pool_t *p, const http_response *response)
{
    const char *value;
    element e;

    for (int i = 0; (value = http_field(response, "Authentication-Info", i)); i++) {
        while ((value = element_read(&e, p, value))) {
            if (e.value && strcasecmp(e.name, "nextnonce") == 0 && nonce_is_valid(e.value)) {
                apr_cpystrn(out, e.value, IA_NONCE_TEXT_LEN + 1);
                return 1;
            }
        }
    }
    return 0;
}
