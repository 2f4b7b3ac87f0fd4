/* The endpoints in a participant's record: URLs that the participant serves, by version of its API. */
#include <apr_escape.h>
#include <apr_strings.h>
#include <apr_uri.h>
#include <string.h>
#include "participant_internal.h"

/* An absolute http or https URL that a client can use without change. */
static int is_url(apr_pool_t *p, const char *url)
{
    apr_uri_t uri;
    const char *c;

    if (!*url || strlen(url) > IA_URL_MAX)
        return 0;
    for (c = url; *c; c++)
        if (*c <= ' ' || *c > '~' || strchr("\"<>\\^`{|}", *c))
            return 0;
    return apr_uri_parse(p, url, &uri) == APR_SUCCESS && uri.scheme && uri.hostname && *uri.hostname && !uri.user &&
           !uri.password && !uri.fragment && (!strcmp(uri.scheme, "https") || !strcmp(uri.scheme, "http"));
}

static ia_result take_member(ia_participant_endpoint *out, apr_pool_t *p, const ia_json *m, ia_participant_error *error)
{
    if (!strcmp(m->name, "url")) {
        if (m->type != IA_JSON_STRING || strlen(m->string) != m->string_len || !is_url(p, m->string))
            return IAI_FAIL(error, p, "endpoints: url: an http or https URL of at most %d bytes expected", IA_URL_MAX);
        out->url = m->string;
        return IA_OK;
    }
    if (!strcmp(m->name, "api_version")) {
        if (m->type != IA_JSON_STRING || m->string_len > IA_API_VERSION_MAX || !ia_name_is_id(m->string, m->string_len))
            return IAI_FAIL(error, p, "endpoints: api_version: 1 to %d printable ASCII characters expected",
                            IA_API_VERSION_MAX);
        out->api_version = m->string;
        return IA_OK;
    }
    if (!strcmp(m->name, "valid_from"))
        return iai_participant_time(&out->valid_from, p, m, "endpoints: valid_from", error);
    if (!strcmp(m->name, "valid_until"))
        return iai_participant_time(&out->valid_until, p, m, "endpoints: valid_until", error);
    return IAI_FAIL(error, p, "endpoints: unknown member \"%s\"", apr_pescape_echo(p, m->name, 1));
}

static ia_result take_endpoint(ia_participant_endpoint *out, apr_pool_t *p, const ia_json *object,
                               ia_participant_error *error)
{
    const ia_json *member;
    ia_result rc = IA_OK;

    if (object->type != IA_JSON_OBJECT)
        return IAI_FAIL(error, p, "endpoints: objects with url expected");
    out->api_version = "";
    for (member = object->first; member && !rc; member = member->next)
        rc = take_member(out, p, member, error);
    return rc || out->url ? rc : IAI_FAIL(error, p, "endpoints: objects with url expected");
}

ia_result iai_participant_endpoints(ia_participant *out, apr_pool_t *p, const ia_json *list,
                                    ia_participant_error *error)
{
    const ia_json *item;
    ia_result rc = IA_OK;

    if (list->type != IA_JSON_ARRAY || list->count > IA_PARTICIPANT_ENDPOINTS)
        return IAI_FAIL(error, p, "endpoints: a list of at most %d objects expected", IA_PARTICIPANT_ENDPOINTS);
    out->endpoints = apr_pcalloc(p, (list->count + 1) * sizeof *out->endpoints);
    for (item = list->first; item && !rc; item = item->next, out->endpoint_count++)
        rc = take_endpoint(&out->endpoints[out->endpoint_count], p, item, error);
    return rc;
}
