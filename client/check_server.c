/** What `interauth check` asks a server. */
#include <stdlib.h>
#include <strings.h>

#include <curl/curl.h>

#include <apr_strings.h>
#include <apr_time.h>

#include "address.h"
#include "findings.h"
#include "http.h"
#include "say.h"

#define OFFSET_TOLERATED 30 /* seconds: what servers accept of an access request unless told otherwise */
#define OFFSET_NOTED     5

/* The server's Date has whole seconds: ours are taken from the middle of the exchange. */
static int offset_ask(const http_call *call, apr_pool_t *p, long *offset, long *status)
{
    http_response response;
    apr_time_t before = apr_time_now(), after;
    const char *date;
    time_t theirs;

    if (http_send(&response, p, call) != CL_OK)
        return -1;
    after = apr_time_now();
    *status = response.status;
    date = http_field(&response, "Date", 0);
    theirs = date ? curl_getdate(date, NULL) : -1;
    if (theirs == -1)
        return 0;
    *offset = (long)(theirs - (time_t)apr_time_sec(before + (after - before) / 2));
    return 1;
}

static http_choice drop(void *context, const http_response *response, const void *data, apr_size_t len)
{
    (void)context;
    (void)response;
    (void)data;
    (void)len;
    return HTTP_TAKEN;
}

static void check_trace(findings *all, http_call *call, const char *where)
{
    http_response response;

    call->method = "TRACE";
    if (http_send(&response, all->p, call) != CL_OK)
        return;
    if (response.status == 200)
        finding_add(all, FINDING_WARNING, "trace", where,
                    "answers TRACE without asking for credentials; set TraceEnable off");
}

void check_server(findings *all, const char *url, const char *ca_file, int *has_offset, long *offset)
{
    http_call call = {.method = "HEAD", .ca_file = ca_file, .timeout = HTTP_TIMEOUT, .sink = drop};
    address at;
    long status = 0;
    int asked;

    if (address_parse(&at, all->p, url, "--url") != CL_OK) {
        finding_add(all, FINDING_FAULT, "url", url, "not a URL of a server");
        return;
    }
    call.url =
        apr_pstrcat(all->p, at.origin, "/", NULL); /* an endpoint below would log a method that it does not know */
    if (at.is_cleartext)
        finding_add(all, FINDING_WARNING, "cleartext", url, "without TLS everybody on the way can read and change it");
    if ((asked = offset_ask(&call, all->p, offset, &status)) < 0) {
        finding_add(all, FINDING_FAULT, "unreachable", url, "does not answer");
        return;
    }
    if (status == 400 && !strncasecmp(url, "http:", 5)) {
        finding_add(all, FINDING_ERROR, "bad_request", url,
                    "answers 400 to HTTP without TLS; does this port want https://?");
        return;
    }
    *has_offset = asked;
    if (!asked)
        finding_add(all, FINDING_WARNING, "no_date", url, "tells no Date; its clock is unknown");
    else if (labs(*offset) > OFFSET_TOLERATED)
        finding_add(all, FINDING_ERROR, "clock", url, "its clock differs from ours by %ld s; access requests will fail",
                    labs(*offset));
    else if (labs(*offset) > OFFSET_NOTED)
        finding_add(all, FINDING_WARNING, "clock", url, "its clock differs from ours by %ld s", labs(*offset));
    check_trace(all, &call, url);
}
