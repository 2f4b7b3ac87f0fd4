/** `interauth invoke`: calls a method in an envelope, with a login by the challenge protocol. */
#include <string.h>

#include <apr_strings.h>

#include "address.h"
#include "credentials.h"
#include "envelope_call.h"
#include "interauth/digest.h"
#include "interauth/envelope.h"
#include "request_head.h"
#include "say.h"
#include "trace.h"
#include "verbs.h"

#define TIMEOUT_DEFAULT 300

typedef struct invoke_options {
    const char *data, *output, *name, *endpoint, *uid, *password_file, *profile, *separator, *state, *ca_file;
    apr_array_header_t *headers;
    apr_int64_t timeout;
    int include, digest, xml, json, verbose;
} invoke_options;

#define AT(field) offsetof(invoke_options, field)

static const option_row rows[] = {
    OPTION(TEXT, 'd', "data", "TEXT|@FILE", data, "request: JSON or the content of <request>; @- is standard input"),
    OPTION(FLAG, 0, "xml", NULL, xml, "send XML instead of JSON"),
    OPTION(LIST, 'H', "header", "LINE", headers, "add a header field, \"Name: value\""),
    OPTION(FLAG, 'i', "include", NULL, include, "print the response header too"),
    OPTION(TEXT, 'o', "output", "FILE", output, "write the response body to FILE; - is standard output"),
    OPTION(TEXT, 0, "endpoint", "BASE", endpoint, "base URL for the login, such as https://host/sauth"),
    OPTION(TEXT, 0, "uid", "ID", uid, "participant id to log in as"),
    OPTION(TEXT, 0, "password-file", "FILE", password_file, "password for the login; default: the previous file"),
    OPTION(TEXT, 0, "profile", "hmac-sha256|md5", profile, "login profile; default: the previous one, or hmac-sha256"),
    OPTION(TEXT, 0, "separator", "TEXT", separator, "the server's SAuthChallengeSeparator, for md5"),
    OPTION(TEXT, 0, "grant", "NAME", name, "use this login; default: the one for the URL's server"),
    OPTION(CHOICE, 0, "digest", "sha-256|sha-512", digest, "Content-Digest algorithm for the body"),
    OPTION_RANGE("timeout", "SEC", timeout, 1, 86400, "time limit for the exchange; default: 300"),
    OPTION(TEXT, 0, "state", "FILE", state, "state file that holds the logins"),
    OPTION(TEXT, 0, "cacert", "FILE", ca_file, "trust the certificate authorities in FILE"),
    TRACE_ROW,
    OPTION(FLAG, 0, "json", NULL, json, "print status and error as JSON; requires -o"),
};

static int options_check(const invoke_options *o, const char *method, const char *url)
{
    const password_terms terms = {ia_challenge_profile_named(o->profile ? o->profile : "md5"), o->separator, NULL,
                                  NULL};

    if (strstr(method, "://") && !strstr(url, "://"))
        return say_usage("METHOD comes before URL: interauth invoke %s %s", url, method);
    if (!ia_envelope_is_method(method, strlen(method)))
        return say_usage("METHOD may contain only letters, digits and . _ - : /");
    if (o->name && (o->endpoint || o->uid))
        return say_usage("--grant cannot be combined with --endpoint or --uid");
    if (o->json && !output_path(o->output))
        return say_usage("--json requires --output FILE: the body would go to standard output too");
    if (o->password_file && strcmp(o->password_file, PASSWORD_STDIN) == 0 && o->data && strcmp(o->data, "@-") == 0)
        return say_usage("--password-file - and --data @- cannot be combined: both read standard input");
    if (terms.profile == IA_CHALLENGE_PROFILE_NONE)
        return say_usage("--profile takes one of hmac-sha256|md5");
    return password_terms_check(&terms);
}

static envelope_options options_make(apr_pool_t *p, const invoke_options *o, const char *method, const address *at,
                                     const char *base)
{
    return (envelope_options){.login = {.state = o->state,
                                        .name = o->name,
                                        .uid = o->uid,
                                        .password_file = o->password_file,
                                        .ca_file = o->ca_file,
                                        .endpoint = base ? apr_pstrcat(p, base, "/challenge", NULL) : NULL,
                                        .profile = o->profile,
                                        .separator = o->separator,
                                        .origin = at->origin,
                                        .is_cleartext = at->is_cleartext},
                              .method = method,
                              .data = o->data,
                              .is_xml = o->xml,
                              .ca_file = o->ca_file,
                              .timeout = o->timeout ? o->timeout : TIMEOUT_DEFAULT,
                              .digest = o->digest ? IA_DIGEST_SHA512 : IA_DIGEST_SHA256,
                              .out = {.path = output_path(o->output), .with_header = o->include, .fd = -1},
                              .json = o->json};
}

static int run(apr_pool_t *p, const void *parsed, const char *const *operands, int operand_count)
{
    static const char *const reserved[] = {"Authorization",  "Content-Type",      "Accept", "Content-Digest",
                                           "Content-Length", "Transfer-Encoding", NULL};
    const invoke_options *o = parsed;
    address at, endpoint = {0};
    apr_array_header_t *headers;
    envelope_options options;
    int rc;

    (void)operand_count;
    trace_begin(o->verbose);
    if ((rc = options_check(o, operands[0], operands[1])) != CL_OK ||
        (rc = address_parse(&at, p, operands[1], "URL")) != CL_OK ||
        (o->endpoint && (rc = address_parse_endpoint(&endpoint, p, o->endpoint, "--endpoint")) != CL_OK) ||
        (rc = head_read(&headers, p, o->headers, reserved)) != CL_OK)
        return rc;
    options = options_make(p, o, operands[0], &at, endpoint.url);
    options.headers = headers;
    return envelope_call(p, &options, &at);
}

const cl_verb verb_invoke = {
    "invoke", "Call a method with a login by challenge.", "METHOD URL", 2, 2, ROWS(rows), sizeof(invoke_options), run,
    NULL};
