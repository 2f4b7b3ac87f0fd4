/* Signs a call with a token of the challenge protocol, sends it, and verifies the response. */
#include "envelope_call.h"

#include <string.h>

#include <apr_strings.h>

#include "interauth/envelope.h"
#include "request_body.h"
#include "response.h"
#include "say.h"

typedef struct envelope_run {
    apr_pool_t *p;
    const envelope_options *options;
    const address *at;
    ia_envelope_format format;
    ia_challenge_message message; /* of the last attempt */
    apr_int64_t window;
    login l;
    http_response response;
    int is_verified;
} envelope_run;

static int is_hmac(const envelope_run *c)
{
    return c->l.profile == IA_CHALLENGE_PROFILE_HMAC;
}

static int is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* White space around a JSON value is not part of it, and is not signed. */
static void request_trim(ia_challenge_message *message)
{
    while (message->request_len > 0 && is_space(message->request[message->request_len - 1]))
        message->request_len--;
    while (message->request_len > 0 && is_space(*message->request)) {
        message->request++;
        message->request_len--;
    }
}

static int request_load(envelope_run *c)
{
    ia_challenge_message *message = &c->message;
    http_body body;
    char *text;
    int rc = request_body_open(&body, c->p, c->options->data, NULL);

    message->request = c->options->data || c->options->is_xml ? "" : "{}";
    message->request_len = strlen(message->request);
    if (rc == CL_OK && body.len > IA_ENVELOPE_MAX)
        rc = say_usage("--data: longer than %d bytes", IA_ENVELOPE_MAX);
    if (rc == CL_OK && c->options->data) {
        text = apr_palloc(c->p, (apr_size_t)body.len + 1);
        rc = request_body_copy(text, &body);
        message->request = text;
        message->request_len = (apr_size_t)body.len;
    }
    request_body_close(&body);
    if (!c->options->is_xml)
        request_trim(message);
    return rc;
}

/* Nothing needs to be escaped: the request is inserted as it is, and the other parts have safe characters only. */
static const char *envelope_make(const envelope_run *c, const char *token, const char *signature, apr_size_t *len)
{
    const ia_challenge_message *m = &c->message;
    const char *before, *after, *stamp = "";
    char *text;

    if (c->format == IA_ENVELOPE_XML) {
        if (m->nonce)
            stamp = apr_pstrcat(c->p, "<nonce>", m->nonce, "</nonce><timestamp>", m->timestamp, "</timestamp>", NULL);
        before = apr_pstrcat(c->p, "<xml><method>", m->method, "</method><token>", token, "</token><signature>",
                             signature, "</signature>", stamp, "<request>", NULL);
        after = "</request></xml>";
    } else {
        if (m->nonce)
            stamp = apr_pstrcat(c->p, "\"nonce\":\"", m->nonce, "\",\"timestamp\":", m->timestamp, ",", NULL);
        before = apr_pstrcat(c->p, "{\"method\":\"", m->method, "\",\"token\":\"", token, "\",\"signature\":\"",
                             signature, "\",", stamp, "\"request\":", NULL);
        after = "}";
    }
    *len = strlen(before) + m->request_len + strlen(after);
    text = apr_palloc(c->p, *len + 1);
    memcpy(text, before, strlen(before));
    memcpy(text + strlen(before), m->request, m->request_len);
    memcpy(text + strlen(before) + m->request_len, after, strlen(after) + 1);
    return text;
}

/* The server's parser must find exactly the request that is signed. */
static int envelope_check(const envelope_run *c, const char *text, apr_size_t len)
{
    ia_json_error error = {0, NULL};
    ia_envelope parsed;
    ia_result rc = ia_envelope_parse(&parsed, c->p, c->format, text, len, &error);

    if (rc == IA_OK && parsed.request_len == c->message.request_len &&
        memcmp(parsed.request_text, c->message.request, parsed.request_len) == 0)
        return CL_OK;
    return say_usage("--data is not %s%s%s",
                     c->format == IA_ENVELOPE_XML ? "the content of an XML element" : "a JSON value",
                     error.reason ? ": " : "", error.reason ? error.reason : "");
}

/* Checks that the request fits into an envelope, before anything is sent. */
static int request_check(const envelope_run *c)
{
    apr_size_t len;
    const char *text = envelope_make(c, "0", "0", &len);

    return envelope_check(c, text, len);
}

static int send_once(envelope_run *c)
{
    const envelope_options *options = c->options;
    const ia_challenge_terms terms = login_terms_of(&c->l);
    envelope_post post = {.url = c->at->url,
                          .ca_file = options->ca_file ? options->ca_file : c->l.record->ca_file,
                          .format = c->format,
                          .headers = options->headers,
                          .digest = options->digest,
                          .timeout = options->timeout};
    char signature[IA_CHALLENGE_TEXT_SIZE];
    int rc = is_hmac(c) ? envelope_stamp(&c->message, c->p) : CL_OK;

    if (rc != CL_OK)
        return rc;
    c->window = login_window(&c->l);
    if (ia_challenge_sign(signature, &terms, c->l.record->token, c->window, is_hmac(c) ? &c->message : NULL) != IA_OK)
        return say_fault("OpenSSL could not compute a signature");
    post.text = envelope_make(c, c->l.record->token, signature, &post.len);
    return envelope_send(&c->response, c->p, &post);
}

/* A server that has just started cannot detect replayed calls, and tells in Retry-After when it can. */
static int attempt(envelope_run *c)
{
    int rc = send_once(c);
    unsigned wait = rc == CL_OK ? problem_start_wait(c->p, &c->response) : 0;

    if (wait == 0)
        return rc;
    say_note("the server has just started; retrying in %u s", wait);
    apr_sleep(apr_time_from_sec(wait));
    return send_once(c);
}

/* A newer login, a stop of the server, or a changed password has ended the token. */
static int is_token_refused(const envelope_run *c)
{
    static const char *const codes[] = {"invalid_credentials", "token_revoked", "token_expired", "replayed_challenge",
                                        "stale_challenge"};

    for (unsigned i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (problem_is(c->p, &c->response, 401, codes[i]))
            return 1;
    return 0;
}

/* Makes a new login at most once. */
static int exchange_run(envelope_run *c, int *login_rc)
{
    const char *rejected = c->l.record->token;
    int rc = attempt(c);

    if (rc != CL_OK || c->l.is_new || !is_token_refused(c))
        return rc;
    login_end(&c->l);
    if ((*login_rc = login_begin(&c->l, c->p, &c->options->login, rejected)) != CL_OK)
        return CL_OK;
    say_note("the token was refused; logged in again at %s", c->l.record->endpoint);
    return attempt(c);
}

/* The server signed the application's response and inserted the signature, which is removed here. */
static int signature_verify(envelope_run *c, const ia_envelope_signed *signed_body)
{
    const ia_challenge_terms terms = login_terms_of(&c->l);
    const ia_bytes parts[] = {{c->response.body, signed_body->head_len}, {signed_body->tail, signed_body->tail_len}};
    unsigned char digest[IA_SHA256_LEN];
    char expected[IA_CHALLENGE_TEXT_SIZE];

    ia_sha256(digest, parts, 2);
    if (ia_challenge_sign_response(expected, &terms, c->l.record->token, c->window, c->message.nonce, digest) != IA_OK)
        return say_fault("OpenSSL could not compute a signature");
    if (strlen(signed_body->signature) != strlen(expected) ||
        !ia_mac_equal(signed_body->signature, expected, strlen(expected)))
        return say_fault(
            "%s: the signature of the response is invalid: the response was changed in transit, or belongs to "
            "another call",
            c->at->url);
    memmove(c->response.body + signed_body->head_len, signed_body->tail, signed_body->tail_len);
    c->response.body_len = signed_body->head_len + signed_body->tail_len;
    c->response.body[c->response.body_len] = '\0';
    return CL_OK;
}

/* The server cannot sign a response if it does not know the client. */
static int response_verify(envelope_run *c)
{
    const char *type = http_field(&c->response, "Content-Type", 0);
    ia_envelope_format format;
    ia_envelope_signed signed_body;

    if (!is_hmac(c))
        return CL_OK;
    if (ia_envelope_format_of(&format, type) == IA_OK &&
        ia_envelope_unsign(&signed_body, c->p, format, c->response.body, c->response.body_len) == IA_OK)
        return signature_verify(c, &signed_body);
    if (c->response.status < 400)
        return say_fault("%s: the response (HTTP %ld, %s) is not signed, although the call was; it is discarded",
                         c->at->url, c->response.status, type ? type : "no Content-Type");
    say_note("this refusal is not signed: anyone on the network path could have forged it");
    return CL_OK;
}

static int call_carry_out(envelope_run *c)
{
    output out = c->options->out;
    int login_rc = CL_OK, rc = exchange_run(c, &login_rc);
    problem found;

    if (rc != CL_OK)
        return rc;
    if (login_rc == CL_OK && (rc = response_verify(c)) != CL_OK)
        return rc;
    if ((rc = output_end(&out, &c->response)) != CL_OK)
        return rc;
    if (c->options->json && (rc = output_summary(&out, c->p, &c->response)) != CL_OK)
        return rc;
    if (login_rc != CL_OK) {
        problem_read(&found, c->p, &c->response);
        say_note("the token was refused (%s), and no new login was possible", found.code);
        return login_rc;
    }
    return c->response.status < 400 ? CL_OK : problem_report(c->p, &c->response);
}

int envelope_call(apr_pool_t *p, const envelope_options *options, const address *at)
{
    envelope_run c = {
        .p = p, .options = options, .at = at, .format = options->is_xml ? IA_ENVELOPE_XML : IA_ENVELOPE_JSON};
    int rc;

    c.message.method = options->method;
    if ((rc = request_load(&c)) != CL_OK || (rc = request_check(&c)) != CL_OK ||
        (rc = login_begin(&c.l, p, &options->login, NULL)) != CL_OK)
        return rc;
    rc = call_carry_out(&c);
    login_end(&c.l);
    return rc;
}
