/** `interauth call`: sends a request with a grant, a signature, or both. */
#include <string.h>

#include <apr_strings.h>

#include "address.h"
#include "capabilities.h"
#include "exchange.h"
#include "interauth/access.h"
#include "interauth/authorization.h"
#include "interauth/digest.h"
#include "output.h"
#include "request_body.h"
#include "request_head.h"
#include "response.h"
#include "say.h"
#include "session.h"
#include "signing.h"
#include "trace.h"
#include "verbs.h"

#define TIMEOUT_DEFAULT 300

typedef struct call_options {
    const char *method, *data, *upload, *output, *name, *endpoint, *uid, *secret_file, *state, *ca_file;
    apr_array_header_t *headers, *capabilities;
    apr_int64_t timeout;
    int include, digest, hash, json, verbose, no_grant;
    signing_options sign;
} call_options;

#define AT(field) offsetof(call_options, field)

static const option_row rows[] = {
    OPTION(TEXT, 'X', "method", "METHOD", method, "request method; default: GET, POST with -d, PUT with -T"),
    OPTION(TEXT, 'd', "data", "TEXT|@FILE", data, "request body, sent unchanged; @- is standard input"),
    OPTION(TEXT, 'T', "upload-file", "FILE", upload, "request body from FILE; - is standard input"),
    OPTION(LIST, 'H', "header", "LINE", headers, "add a header field, \"Name: value\""),
    OPTION(FLAG, 'i', "include", NULL, include, "print the response header too"),
    OPTION(TEXT, 'o', "output", "FILE", output, "write the response body to FILE; - is standard output"),
    OPTION(CHOICE, 0, "digest", "sha-256|sha-512", digest, "Content-Digest algorithm for the body"),
    OPTION_RANGE("timeout", "SEC", timeout, 1, 86400, "time limit for the exchange; default: 300"),
    OPTION(TEXT, 0, "grant", "NAME", name, "use this grant; default: the one for the URL's server"),
    OPTION(TEXT, 0, "endpoint", "BASE", endpoint, "use the grant from these endpoints"),
    OPTION(TEXT, 0, "uid", "ID", uid, "use the grant for this participant id"),
    OPTION(LIST, 0, "capability", "NAMES", capabilities, "request these capabilities if the grant lacks them"),
    OPTION(CHOICE, 0, "hash", "sha256|sha1", hash, "HMAC hash for a new grant"),
    OPTION(TEXT, 0, "secret-file", "FILE", secret_file, "shared secret; default: the file used for the grant"),
    OPTION(TEXT, 0, "sign", "FILE", sign.key_file, "sign the request with this private key"),
    OPTION(TEXT, 0, "sign-secret", "FILE", sign.secret_file, "sign it with this shared secret (hmac-sha256)"),
    OPTION(TEXT, 0, "keyid", "ID", sign.keyid, "keyid of the signature; default: as for sign"),
    OPTION(LIST, 0, "cover", "COMPONENT", sign.cover, "cover this component instead of the default set"),
    OPTION(TEXT, 0, "label", "NAME", sign.label, "label of the signature; default: sig1"),
    OPTION(TEXT, 0, "tag", "TEXT", sign.tag, "tag of the signature: the application it is for"),
    OPTION_RANGE("expires", "SEC", sign.expires, 1, 31536000, "lifetime of the signature; default: no expiry"),
    OPTION(FLAG, 0, "no-grant", NULL, no_grant, "send only the signature, without a grant"),
    OPTION(TEXT, 0, "state", "FILE", state, "state file that holds the grants"),
    OPTION(TEXT, 0, "cacert", "FILE", ca_file, "trust the certificate authorities in FILE"),
    TRACE_ROW,
    OPTION(FLAG, 0, "json", NULL, json, "print status and error as JSON; requires -o"),
};

typedef struct call_run {
    apr_pool_t *p;
    const call_options *o;
    address at;
    const char *method;
    apr_array_header_t *headers; /* without Authorization and signature */
    http_body body;
    int has_body;
    session s;
    signing signer; /* has a key only if the request is signed */
    int signs;
    output out;
    http_response response;
    www_authenticate accepted;
    int renewal_rc;        /* exit status of the attempt to get a new grant */
    int has_authorization; /* the last request carried an Authorization */
} call_run;

static int body_headers(call_run *c)
{
    const char *digest;
    int rc;

    if (c->o->data && !head_has(c->headers, "Content-Type"))
        APR_ARRAY_PUSH(c->headers, const char *) = "Content-Type: " REQUEST_BODY_TYPE;
    if (head_has(c->headers, "Content-Digest"))
        return CL_OK;
    rc = request_body_digest(&digest, c->p, &c->body, c->o->digest ? IA_DIGEST_SHA512 : IA_DIGEST_SHA256);
    if (rc == CL_OK)
        APR_ARRAY_PUSH(c->headers, const char *) = apr_pstrcat(c->p, "Content-Digest: ", digest, NULL);
    return rc;
}

static int request_prepare(call_run *c)
{
    static const char *const reserved[] = {"Authorization", "Content-Length", "Transfer-Encoding", NULL};
    const call_options *o = c->o;
    int rc;

    if (o->data && o->upload)
        return say_usage("--data and --upload-file cannot be combined");
    if (o->method && !head_is_token(o->method, strlen(o->method)))
        return say_usage("--method takes an HTTP method, such as PATCH");
    c->method = o->method ? o->method : o->upload ? "PUT" : o->data ? "POST" : "GET";
    if ((rc = head_read(&c->headers, c->p, o->headers, reserved)) != CL_OK)
        return rc;
    c->has_body = o->data || o->upload;
    if (!c->has_body)
        return CL_OK;
    if ((rc = request_body_open(&c->body, c->p, o->data, o->upload)) != CL_OK)
        return rc;
    return body_headers(c);
}

static int authorization_add(call_run *c, apr_array_header_t *headers, const char *nonce)
{
    const char *value = ia_authorization_format(c->p, c->s.record->token, nonce, c->s.record->hash, &c->s.key);

    if (!value)
        return say_fault("the stored token is malformed");
    APR_ARRAY_PUSH(headers, const char *) = apr_pstrcat(c->p, "Authorization: ", value, NULL);
    return CL_OK;
}

/* Called last, because the signature covers the Authorization of this attempt. */
static int signature_add(call_run *c, apr_array_header_t *headers)
{
    ia_httpsig_message message;
    signing_result made;
    unsigned given;
    int rc;

    if (c->s.record)
        c->signer.options.uid = c->s.record->uid;
    head_message(&message, c->p, c->method, &c->at, headers);
    given = message.field_count;
    signing_complete(&message, c->p, &c->signer.options, c->has_body ? &c->body : NULL);
    for (; given < message.field_count; given++)
        APR_ARRAY_PUSH(headers, const char *) =
            apr_pstrcat(c->p, message.fields[given].name, ": ", message.fields[given].value, NULL);
    if ((rc = signing_mint(&made, c->p, &c->signer, &message, c->has_body)) != CL_OK)
        return rc;
    APR_ARRAY_PUSH(headers, const char *) = apr_pstrcat(c->p, "Signature-Input: ", made.fields.input, NULL);
    APR_ARRAY_PUSH(headers, const char *) = apr_pstrcat(c->p, "Signature: ", made.fields.signature, NULL);
    return CL_OK;
}

/*
 * Sends the request once. If it needs a grant and there is no nonce yet, it goes without any credentials, to get a nonce
 * from the 401: with the signature alone, the server might already accept it.
 */
static int send_once(call_run *c, const char *nonce)
{
    const char *ca_file = c->s.record ? c->s.record->ca_file : NULL;
    http_call call = {.method = c->method,
                      .url = c->at.url,
                      .body = c->has_body ? &c->body : NULL,
                      .ca_file = c->o->ca_file ? c->o->ca_file : ca_file,
                      .timeout = c->o->timeout ? c->o->timeout : TIMEOUT_DEFAULT,
                      .sink = output_sink,
                      .sink_context = &c->out};
    apr_array_header_t *headers = apr_array_copy(c->p, c->headers);
    char next[IA_NONCE_TEXT_LEN + 1];
    int rc = nonce ? authorization_add(c, headers, nonce) : CL_OK;

    c->has_authorization = !!nonce;
    if (rc == CL_OK && c->signs && (nonce || c->o->no_grant))
        rc = signature_add(c, headers);
    call.headers = headers;
    if (rc != CL_OK || (rc = http_send(&c->response, c->p, &call)) != CL_OK)
        return rc;
    www_authenticate_read(&c->accepted, c->p, &c->response);
    if (c->s.record && nextnonce_read(next, c->p, &c->response))
        session_keep(&c->s, c->p, next, 0);
    if (c->s.record && nonce && nextnonce_read(next, c->p, &c->response) && c->response.status != 401)
        session_keep_secret(&c->s, c->p);
    return CL_OK;
}

/* A server that has just started cannot detect replayed signatures, and tells in Retry-After when it can. */
static int attempt(call_run *c, const char *nonce)
{
    int rc = send_once(c, nonce);
    unsigned wait = rc == CL_OK && c->signs ? problem_start_wait(c->p, &c->response) : 0;

    if (wait == 0)
        return rc;
    say_note("the server has just started; retrying in %u s", wait);
    apr_sleep(apr_time_from_sec(wait));
    return send_once(c, nonce);
}

/* If a stored nonce is stale, the others are as old, and each would cost a round trip. */
static int retry_stale(call_run *c)
{
    char nonce[IA_NONCE_TEXT_LEN + 1];

    memcpy(nonce, c->accepted.nonce, sizeof nonce);
    if (c->s.nonce_was_stored && problem_is(c->p, &c->response, 401, "stale_nonce"))
        session_keep(&c->s, c->p, NULL, 1);
    return attempt(c, nonce);
}

/* Sends the request with the current grant and a nonce that the server accepts. */
static int attempt_grant(call_run *c)
{
    char nonce[IA_NONCE_TEXT_LEN + 1];
    int rc = attempt(c, *c->s.nonce ? c->s.nonce : NULL);

    if (rc == CL_OK && !*c->s.nonce && c->response.status == 401 && *c->accepted.nonce) {
        memcpy(nonce, c->accepted.nonce, sizeof nonce);
        rc = attempt(c, nonce);
    }
    if (rc != CL_OK || c->response.status != 401 || !c->accepted.is_stale || !*c->accepted.nonce)
        return rc;
    return retry_stale(c);
}

/* The grant has expired or was revoked, the server has lost it, or its secret was replaced. A 401 of the application
 * itself does not offer SAuth. */
static int is_grant_refused(call_run *c)
{
    static const char *const codes[] = {"invalid_credentials", "token_revoked", "token_expired"};

    for (unsigned i = 0; c->accepted.has_sauth && i < sizeof codes / sizeof codes[0]; i++)
        if (problem_is(c->p, &c->response, 401, codes[i]))
            return 1;
    return 0;
}

/* Requests a new grant at most once: if something else is wrong, it does not help. */
static int exchange_run(call_run *c, const session_options *options)
{
    const char *rejected = c->s.record->token;
    int rc = attempt_grant(c);

    if (rc != CL_OK || c->s.is_new || !is_grant_refused(c))
        return rc;
    session_close(&c->s);
    if ((c->renewal_rc = session_begin(&c->s, c->p, options, rejected)) != CL_OK)
        return CL_OK;
    return attempt_grant(c);
}

static int is_signature_required(const call_run *c)
{
    return problem_is(c->p, &c->response, 401, "signature_required") ||
           problem_is(c->p, &c->response, 403, "signature_required");
}

/* Points out what the location accepts, if that is not what was sent. */
static void refusal_explain(const call_run *c)
{
    if (c->response.status != 401 && c->response.status != 403)
        return;
    if (c->accepted.has_challenge && !c->accepted.has_sauth)
        say_note("this location accepts calls by challenge: interauth invoke METHOD %s", c->at.url);
    if (c->has_authorization && problem_is(c->p, &c->response, 401, "credentials_required"))
        say_note("Authorization was sent but did not reach the server: does a proxy remove it?");
    if (c->accepted.has_signature && !c->accepted.has_sauth && !c->o->no_grant)
        say_note("this location accepts a signature alone: use --no-grant --sign FILE");
    else if (!c->signs && is_signature_required(c))
        say_note("sign the request: use --sign FILE");
    if (c->signs && problem_is(c->p, &c->response, 401, "invalid_signature"))
        say_note("check that the server has this key; its error log shows the reason");
}

static int call_carry_out(call_run *c, const session_options *options)
{
    int rc;

    if (c->o->no_grant) {
        rc = attempt(c, NULL);
    } else if ((rc = session_begin(&c->s, c->p, options, NULL)) == CL_OK) {
        rc = exchange_run(c, options);
        session_close(&c->s);
    }
    if (rc != CL_OK || (rc = output_end(&c->out, &c->response)) != CL_OK)
        return rc;
    if (c->o->json && (rc = output_summary(&c->out, c->p, &c->response)) != CL_OK)
        return rc;
    if (c->response.status >= 400) {
        rc = problem_report(c->p, &c->response);
        refusal_explain(c);
    } else if (c->response.status >= 300 && c->response.status != 304 && http_field(&c->response, "Location", 0)) {
        say_note("HTTP %ld: redirects are not followed; the location is %s", c->response.status,
                 http_field(&c->response, "Location", 0));
    }
    return c->renewal_rc ? c->renewal_rc : rc;
}

static int options_check(const call_options *o)
{
    int signs = o->sign.key_file || o->sign.secret_file;

    if (o->name && (o->endpoint || o->uid))
        return say_usage("--grant cannot be combined with --endpoint or --uid");
    if (o->json && !output_path(o->output))
        return say_usage("--json requires --output FILE: the body would go to standard output too");
    if (o->no_grant && !signs)
        return say_usage("--no-grant requires --sign or --sign-secret");
    if (o->no_grant && (o->name || o->endpoint || o->capabilities || o->secret_file))
        return say_usage("--no-grant cannot be combined with --grant, --endpoint, --capability or --secret-file");
    if (!signs && (o->sign.keyid || o->sign.cover || o->sign.label || o->sign.tag || o->sign.expires))
        return say_usage("--keyid, --cover, --label, --tag and --expires require --sign or --sign-secret");
    return CL_OK;
}

static int signer_open(call_run *c)
{
    signing_options options = c->o->sign;

    c->signs = options.key_file || options.secret_file;
    options.uid = c->o->uid;
    return c->signs ? signing_open(&c->signer, c->p, &options) : CL_OK;
}

static int run(apr_pool_t *p, const void *parsed, const char *const *operands, int operand_count)
{
    const call_options *o = parsed;
    call_run c = {.p = p,
                  .o = o,
                  .body = {.fd = -1},
                  .out = {.path = output_path(o->output), .with_header = o->include, .fd = -1}};
    session_options options = {.state = o->state,
                               .name = o->name,
                               .uid = o->uid,
                               .secret_file = o->secret_file,
                               .ca_file = o->ca_file,
                               .hash = (ia_hash)o->hash};
    address endpoint = {0};
    int rc;

    (void)operand_count;
    trace_begin(o->verbose);
    if ((rc = address_parse(&c.at, p, operands[0], "URL")) != CL_OK ||
        (o->endpoint && (rc = address_parse_endpoint(&endpoint, p, o->endpoint, "--endpoint")) != CL_OK) ||
        (rc = options_check(o)) != CL_OK ||
        (rc = capabilities_read(&options.capabilities, p, o->capabilities, IA_ACCESS_NAMES_MAX)) != CL_OK)
        return rc;
    if ((rc = signer_open(&c)) != CL_OK)
        return rc;
    options.origin = c.at.origin;
    options.endpoint = endpoint.url;
    if ((rc = request_prepare(&c)) == CL_OK)
        rc = call_carry_out(&c, &options);
    signing_close(&c.signer);
    request_body_close(&c.body);
    return rc;
}

static const option_move moves[] = {
    {"challenge", "for calls by challenge use: interauth invoke METHOD URL"},
    {"request", "use --method"},
    {NULL, NULL},
};

const cl_verb verb_call = {
    "call", "Send a request with a grant, a signature, or both.", "URL", 1, 1, ROWS(rows), sizeof(call_options), run,
    moves};
