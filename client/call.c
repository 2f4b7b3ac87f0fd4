/** `interauth call`: a request that carries a grant, one nonce after the other. */
#include <string.h>
#include <strings.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "address.h"
#include "exchange.h"
#include "interauth/authorization.h"
#include "interauth/digest.h"
#include "interauth/json.h"
#include "output.h"
#include "problem.h"
#include "request_body.h"
#include "say.h"
#include "session.h"
#include "verbs.h"

#define TIMEOUT_DEFAULT 300

typedef struct call_options {
    const char *method, *data, *upload, *output, *name, *endpoint, *uid, *secret_file, *state, *ca_file;
    apr_array_header_t *headers, *capabilities;
    apr_int64_t timeout;
    int include, digest, hash, json;
} call_options;

#define AT(field) offsetof(call_options, field)

static const option_row rows[] = {
    OPTION(TEXT, 'X', "request", "METHOD", method, "default: GET, POST with -d, PUT with -T"),
    OPTION(TEXT, 'd', "data", "TEXT|@FILE", data, "the body, byte for byte; @- is standard input"),
    OPTION(TEXT, 'T', "upload-file", "FILE", upload, "the body from a file; - is standard input"),
    OPTION(LIST, 'H', "header", "LINE", headers, "a header field, \"Name: value\""),
    OPTION(FLAG, 'i', "include", NULL, include, "print the answer's header too"),
    OPTION(TEXT, 'o', "output", "FILE", output, "write the answer's body to FILE"),
    OPTION(CHOICE, 0, "digest", "sha-256|sha-512", digest, "algorithm of the body's Content-Digest"),
    OPTION_RANGE("timeout", "SEC", timeout, 1, 86400, "for the whole exchange; default: 300"),
    OPTION(TEXT, 0, "grant", "NAME", name, "which grant; default: the one of the URL's server"),
    OPTION(TEXT, 0, "endpoint", "BASE", endpoint, "the grant of these endpoints"),
    OPTION(TEXT, 0, "uid", "ID", uid, "the grant of this participant id"),
    OPTION(LIST, 0, "capability", "NAME", capabilities, "ask for it where there is no grant yet"),
    OPTION(CHOICE, 0, "hash", "sha256|sha1", hash, "of the HMAC of such a grant"),
    OPTION(TEXT, 0, "secret-file", "FILE", secret_file, "our shared secret; default: as for grant"),
    OPTION(TEXT, 0, "state", "FILE", state, "where grants are kept"),
    OPTION(TEXT, 0, "cacert", "FILE", ca_file, "trust the certificate authorities in FILE"),
    OPTION(FLAG, 0, "json", NULL, json, "print status and refusal as JSON; needs -o"),
};

typedef struct call_run {
    apr_pool_t *p;
    const call_options *o;
    const char *url;
    apr_array_header_t *headers; /* without Authorization */
    http_body body;
    int has_body;
    session s;
    output out;
    http_answer answer;
    sauth_challenge challenge;
} call_run;

static int is_field_name(const char *name, apr_size_t len)
{
    for (apr_size_t i = 0; i < len; i++)
        if (!apr_isalnum(name[i]) && !strchr("!#$%&'*+-.^_`|~", name[i]))
            return 0;
    return len > 0;
}

static int header_add(call_run *c, const char *line)
{
    static const char *const ours[] = {"Authorization", "Content-Length", "Transfer-Encoding"};
    const char *colon = strchr(line, ':'), *value;

    if (!colon || !is_field_name(line, (apr_size_t)(colon - line)))
        return say_usage("--header takes \"Name: value\"");
    for (value = colon + 1; *value; value++)
        if ((unsigned char)*value < 0x20 && *value != '\t')
            return say_usage("--header: a value holds no control characters");
    for (unsigned i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (strncasecmp(line, ours[i], strlen(ours[i])) == 0 && line[strlen(ours[i])] == ':')
            return say_usage("--header %s: this field is made here", ours[i]);
    for (value = colon + 1; *value == ' ' || *value == '\t';)
        value++;
    /* libcurl would take "Name:" as the wish to leave a field out. */
    APR_ARRAY_PUSH(c->headers, const char *) =
        *value ? line : apr_pstrcat(c->p, apr_pstrmemdup(c->p, line, (apr_size_t)(colon - line)), ";", NULL);
    return CL_OK;
}

static int has_header(const call_run *c, const char *name)
{
    apr_size_t len = strlen(name);

    for (int i = 0; i < c->headers->nelts; i++) {
        const char *line = APR_ARRAY_IDX(c->headers, i, const char *);

        if (strncasecmp(line, name, len) == 0 && (line[len] == ':' || line[len] == ';'))
            return 1;
    }
    return 0;
}

static int body_headers(call_run *c)
{
    const char *digest;
    int rc;

    if (c->o->data && !has_header(c, "Content-Type"))
        APR_ARRAY_PUSH(c->headers, const char *) = "Content-Type: application/x-www-form-urlencoded";
    if (has_header(c, "Content-Digest"))
        return CL_OK;
    rc = request_body_digest(&digest, c->p, &c->body, c->o->digest ? IA_DIGEST_SHA512 : IA_DIGEST_SHA256);
    if (rc == CL_OK)
        APR_ARRAY_PUSH(c->headers, const char *) = apr_pstrcat(c->p, "Content-Digest: ", digest, NULL);
    return rc;
}

static int request_prepare(call_run *c)
{
    const call_options *o = c->o;
    int rc;

    if (o->data && o->upload)
        return say_usage("--data and --upload-file exclude each other");
    if (o->json && !o->output)
        return say_usage("--json needs --output: the body would stand in its way");
    if (o->method && !is_field_name(o->method, strlen(o->method)))
        return say_usage("--request takes a method, such as PATCH");
    c->headers = apr_array_make(c->p, 8, sizeof(const char *));
    for (int i = 0; o->headers && i < o->headers->nelts; i++)
        if ((rc = header_add(c, APR_ARRAY_IDX(o->headers, i, const char *))) != CL_OK)
            return rc;
    c->has_body = o->data || o->upload;
    if (!c->has_body)
        return CL_OK;
    if ((rc = request_body_open(&c->body, c->p, o->data, o->upload)) != CL_OK)
        return rc;
    return body_headers(c);
}

/* Sends the request once. Without a nonce it goes without credentials, for the challenge that this provokes.
 */
static int attempt(call_run *c, const char *nonce)
{
    http_call call = {.url = c->url,
                      .ca_file = c->o->ca_file ? c->o->ca_file : c->s.held->ca_file,
                      .timeout = c->o->timeout ? c->o->timeout : TIMEOUT_DEFAULT,
                      .sink = output_sink,
                      .sink_context = &c->out};
    apr_array_header_t *headers = apr_array_copy(c->p, c->headers);
    char next[IA_NONCE_TEXT_LEN + 1];
    int rc;

    call.method = c->o->method ? c->o->method : c->o->upload ? "PUT" : c->o->data ? "POST" : "GET";
    call.body = c->has_body ? &c->body : NULL;
    call.headers = headers;
    if (nonce) {
        const char *value =
            ia_authorization_format(c->p, c->s.held->token, nonce, c->s.held->hash, &c->s.key);

        if (!value)
            return say_fault("the token held is not of the right form");
        APR_ARRAY_PUSH(headers, const char *) = apr_pstrcat(c->p, "Authorization: ", value, NULL);
    }
    if ((rc = http_send(&c->answer, c->p, &call)) != CL_OK)
        return rc;
    challenge_read(&c->challenge, c->p, &c->answer);
    if (nextnonce_read(next, c->p, &c->answer))
        session_keep(&c->s, c->p, next, 0);
    return CL_OK;
}

static int is_refused_as(call_run *c, const char *code)
{
    problem told;

    problem_read(&told, c->p, &c->answer);
    return c->answer.status == 401 && told.code && strcmp(told.code, code) == 0;
}

/* One nonce came back stale: the others held are as old, and would each cost a round trip. */
static int retry_stale(call_run *c)
{
    char nonce[IA_NONCE_TEXT_LEN + 1];

    memcpy(nonce, c->challenge.nonce, sizeof nonce);
    if (c->s.nonce_was_held && is_refused_as(c, "stale_nonce"))
        session_keep(&c->s, c->p, NULL, 1);
    return attempt(c, nonce);
}

static int retry_expired(call_run *c, const session_wish *wish)
{
    const char *dead = c->s.held->token;
    int rc;

    session_close(&c->s);
    if ((rc = session_begin(&c->s, c->p, wish, dead)) != CL_OK)
        return rc;
    return attempt(c, *c->s.nonce ? c->s.nonce : NULL);
}

static int exchange_run(call_run *c, const session_wish *wish)
{
    char nonce[IA_NONCE_TEXT_LEN + 1];
    int rc = attempt(c, *c->s.nonce ? c->s.nonce : NULL);

    if (rc == CL_OK && !*c->s.nonce && c->answer.status == 401 && *c->challenge.nonce) {
        memcpy(nonce, c->challenge.nonce, sizeof nonce);
        rc = attempt(c, nonce);
    }
    if (rc != CL_OK || c->answer.status != 401)
        return rc;
    if (c->challenge.stale && *c->challenge.nonce)
        return retry_stale(c);
    if (is_refused_as(c, "token_expired") && c->s.held->access_for->nelts > 0)
        return retry_expired(c, wish);
    return CL_OK;
}

static int summary_print(const call_run *c)
{
    ia_json_writer *w = ia_json_writer_create(c->p);
    const char *type = http_field(&c->answer, "Content-Type", 0);
    problem told;

    problem_read(&told, c->p, &c->answer);
    ia_json_write_object(w);
    ia_json_write_name(w, "status");
    ia_json_write_integer(w, c->answer.status);
    if (type)
        ia_json_write_member(w, "content_type", type);
    ia_json_write_name(w, "bytes");
    ia_json_write_integer(w, c->out.written);
    if (told.code)
        ia_json_write_member(w, "code", told.code);
    if (told.title)
        ia_json_write_member(w, "title", told.title);
    ia_json_write_end(w);
    return say_out(ia_json_writer_text(w, NULL));
}

static int call_carry_out(call_run *c, const session_wish *wish)
{
    int rc = session_begin(&c->s, c->p, wish, NULL);

    if (rc != CL_OK)
        return rc;
    rc = exchange_run(c, wish);
    session_close(&c->s);
    if (rc != CL_OK || (rc = output_end(&c->out, &c->answer)) != CL_OK)
        return rc;
    if (c->o->json && (rc = summary_print(c)) != CL_OK)
        return rc;
    return c->answer.status < 400 ? CL_OK : problem_tell(c->p, &c->answer, 0);
}

static int run(apr_pool_t *p, const void *options, const char *const *operands, int operand_count)
{
    const call_options *o = options;
    call_run c = {
        .p = p, .o = o, .body = {.fd = -1}, .out = {.path = o->output, .with_header = o->include, .fd = -1}};
    session_wish wish = {.state = o->state,
                         .name = o->name,
                         .uid = o->uid,
                         .secret_file = o->secret_file,
                         .ca_file = o->ca_file,
                         .capabilities = o->capabilities,
                         .hash = (ia_hash)o->hash};
    address at, endpoint = {0};
    int rc;

    (void)operand_count;
    if ((rc = address_parse(&at, p, operands[0])) != CL_OK ||
        (o->endpoint && (rc = address_parse_endpoint(&endpoint, p, o->endpoint)) != CL_OK))
        return rc;
    if (o->name && (o->endpoint || o->uid))
        return say_usage("--grant stands alone: without --endpoint and --uid");
    c.url = at.url;
    wish.origin = at.origin;
    wish.endpoint = endpoint.url;
    if ((rc = request_prepare(&c)) == CL_OK)
        rc = call_carry_out(&c, &wish);
    request_body_close(&c.body);
    return rc;
}

const cl_verb verb_call = {
    "call", "Send a request that carries a grant.", "URL", 1, 1, ROWS(rows), sizeof(call_options), run};
