/*
 * The message that was signed, and what policies require of its signature. The message is the request as received, before
 * any other module changed it; scheme and authority are never taken from what a proxy's header claims.
 */
#include <httpd.h>
#include <apr_strings.h>
#include <apr_uri.h>
#include <http_config.h>
#include <http_vhost.h>
#include <string.h>
#include "external.h"
#include "mod_isign.h"
#include "isign_httpsig.h"
#include "intake.h"
#include "snapshot.h"

static const ia_httpsig_field *to_fields(apr_pool_t *p, const apr_table_t *table, unsigned *count)
{
    const apr_array_header_t *array = apr_table_elts(table);
    const apr_table_entry_t *entries = (const apr_table_entry_t *)array->elts;
    ia_httpsig_field *fields = apr_palloc(p, ((apr_size_t)array->nelts + 1) * sizeof *fields);
    int i;

    for (i = 0; i < array->nelts; i++) {
        fields[i].name = entries[i].key;
        fields[i].value = entries[i].val;
    }
    *count = (unsigned)array->nelts;
    return fields;
}

void isign_message_fill(ia_httpsig_message *out, request_rec *top, const isign_dir *conf)
{
    const snapshot *s = snapshot_of(top);

    memset(out, 0, sizeof *out);
    out->method = s->method;
    out->scheme = *conf->scheme ? conf->scheme : s->scheme;
    out->authority = *conf->authority ? conf->authority : s->authority;
    out->target = s->target;
    out->fields = to_fields(top->pool, isign_fields_of(top), &out->field_count);
    out->merged = 1;
}

static apr_port_t port_of(const char *authority, const char *scheme)
{
    const char *colon = strrchr(authority, ':'), *bracket = strrchr(authority, ']');

    if (!colon || !colon[1] || (bracket && bracket > colon))
        return apr_uri_port_of_scheme(scheme);
    return (apr_port_t)apr_strtoi64(colon + 1, NULL, 10);
}

/* The port matters: another server on this machine is another authority. */
int isign_message_is_ours(request_rec *top)
{
    const snapshot *s = snapshot_of(top);

    if (!external_port_is_ours(top, port_of(s->authority, s->scheme)))
        return 0;
    return ap_matches_request_vhost(top, top->hostname ? top->hostname : "", top->server->port);
}

apr_array_header_t *isign_message_required(request_rec *r, const isign_dir *conf, int has_body)
{
    static const char *const always[] = {"@method", "@authority", "@path", "@query"};
    const apr_table_t *fields = isign_fields_of(r);
    apr_array_header_t *names;
    unsigned i;

    if (conf->cover)
        return apr_array_copy(r->pool, conf->cover);
    names = apr_array_make(r->pool, 8, sizeof(const char *));
    for (i = 0; i < 4; i++)
        APR_ARRAY_PUSH(names, const char *) = always[i];
    if (apr_table_get(fields, "Authorization"))
        APR_ARRAY_PUSH(names, const char *) = "authorization";
    if (has_body && apr_table_get(fields, "Content-Type"))
        APR_ARRAY_PUSH(names, const char *) = "content-type";
    if (has_body && apr_table_get(fields, "Content-Encoding"))
        APR_ARRAY_PUSH(names, const char *) = "content-encoding";
    return names;
}

/*
 * A nonce is used up under this policy, even if the location then refuses the signature for what only it requires. The age
 * is limited, or old captures would fill the memory of used nonces.
 */
void isign_policy_fill_common(ia_httpsig_policy *out, const isign_dir *conf)
{
    memset(out, 0, sizeof *out);
    out->tag = *conf->tag ? conf->tag : NULL;
    out->label = *conf->label ? conf->label : NULL;
    out->max_age = isign.longest_age;
    out->skew = isign.widest_skew;
}

void isign_policy_fill(ia_httpsig_policy *out, request_rec *r, const isign_dir *conf)
{
    int has_body = intake_must_have_content(r);
    const apr_array_header_t *required = isign_message_required(r, conf, has_body);

    isign_policy_fill_common(out, conf);
    out->algorithms = conf->algorithms;
    out->max_age = apr_time_from_sec(conf->max_age);
    out->skew = apr_time_from_sec(conf->skew);
    out->needs_nonce = conf->nonce == ISIGN_NONCE_REQUIRED;
    out->has_body = has_body;
    out->required = (const char *const *)required->elts;
    out->required_count = (unsigned)required->nelts;
}
