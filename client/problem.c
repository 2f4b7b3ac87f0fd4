/* Reads the reason from a refusal: problem+json or an error of the challenge protocol. */
#include "problem.h"

#include <string.h>
#include <strings.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "interauth/envelope.h"
#include "interauth/json.h"
#include "interauth/xml.h"
#include "say.h"

#define NODES_MAX 1000
#define WAIT_MAX  60 /* seconds that we wait for a server's start */

/* {"status":"error","error":{"code","message"}} of the challenge protocol, or its XML. */
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
    problem told;

    if (response->status != status)
        return 0;
    problem_read(&told, p, response);
    return told.code && strcmp(told.code, code) == 0;
}

/* The seconds of Retry-After, 0 where there are none. */
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

int problem_status(long status)
{
    if (status < 400)
        return CL_OK;
    return status < 500 ? CL_REFUSED : CL_FAULT;
}

const char *problem_code(apr_pool_t *p, const problem *told, long status)
{
    return told->code ? told->code : apr_psprintf(p, "http_%ld", status);
}

const char *problem_message(apr_pool_t *p, const problem *told, long status)
{
    return told->title ? told->title : apr_psprintf(p, "the server answered HTTP %ld", status);
}

int problem_tell(apr_pool_t *p, const http_response *response)
{
    problem told;
    int status = problem_status(response->status);
    apr_int64_t after = retry_after(response);

    problem_read(&told, p, response);
    say_error(problem_code(p, &told, response->status), problem_message(p, &told, response->status));
    if (told.title || told.code)
        say_note("%s (%s, HTTP %ld)", told.title ? told.title : "refused", told.code ? told.code : "no code",
                 response->status);
    else
        say_note("the server answered HTTP %ld", response->status);
    if (response->status == 503 && after > 0)
        say_note("the server wants to be asked again after %" APR_INT64_T_FMT " s%s", after,
                 after > WAIT_MAX ? "; longer than a minute is not waited for here" : "");
    if (response->status >= 300 && response->status < 400 && http_field(response, "Location", 0))
        say_note("redirects are not followed; it leads to %s", http_field(response, "Location", 0));
    if (strstr(response->body, "plain HTTP to an SSL-enabled server port"))
        say_note("this port speaks TLS: https:// is meant");
    return status == CL_OK ? CL_FAULT : status;
}
