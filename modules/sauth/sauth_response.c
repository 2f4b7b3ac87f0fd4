/* What leaves: log lines and refusals, the app's environment, and the mark "private" on what is authenticated. */
#include <httpd.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <string.h>
#include <util_filter.h>
#include "mod_sauth.h"
#include "environment.h"
#include "hygiene.h"
#include "interauth_notes.h"
#include "problem.h"
#include "snapshot.h"

APLOG_USE_MODULE(sauth);

static ap_filter_rec_t *private_filter;

static const environment_row rows[] = {
    {IA_NOTE_SAUTH_PARTICIPANT, "SAUTH_PARTICIPANT", "SAuth-Participant"},
    {IA_NOTE_SAUTH_CAPABILITIES, "SAUTH_CAPABILITIES", "SAuth-Capabilities"},
    {IA_NOTE_SAUTH_SCHEME, "SAUTH_SCHEME", "SAuth-Scheme"},
    {IA_NOTE_SAUTH_GRANT, "SAUTH_GRANT", "SAuth-Grant"},
    {IA_NOTE_SAUTH_EXPIRES, "SAUTH_EXPIRES", "SAuth-Expires"},
    {NULL, NULL, NULL}};

static int level_of(ia_severity severity)
{
    switch (severity) {
    case IA_SEVERITY_ROUTINE:
        return APLOG_INFO;
    case IA_SEVERITY_NOTABLE:
        return APLOG_WARNING;
    case IA_SEVERITY_FAULT:
        break;
    }
    return APLOG_ERR;
}

void sauth_log_refusal(request_rec *r, const char *what, ia_result rc, const char *participant, const char *rule)
{
    const ia_outcome *outcome = ia_outcome_of(rc);

    ap_log_rerror(APLOG_MARK, level_of(outcome->severity), 0, r, "sauth: %s reason=%s%s%s%s location=\"%s\"%s%s%s", what,
                  outcome->tag, participant ? " participant=\"" : "", participant ? participant : "",
                  participant ? "\"" : "", r->uri, rule ? " rule=\"" : "", rule ? rule : "", rule ? "\"" : "");
}

int sauth_refuse(request_rec *r, ia_result rc, const char *detail, int retry_after)
{
    const sauth_state *state = sauth_state_find(r);
    int status = problem_set(r, rc, detail, retry_after);

    sauth_log_refusal(r, "refused", rc, state && state->proven ? state->entry.id : NULL, NULL);
    if (status != HTTP_UNAUTHORIZED)
        return status;
    if (ap_auth_type(r))
        ap_note_auth_failure(r);
    else
        sauth_challenge_write(r, rc);
    return status;
}

const char *sauth_capability_names(apr_pool_t *p, const ia_capset *set)
{
    const char *names = "";
    int number = -1;

    while ((number = ia_capset_next(set, number)) >= 0) {
        const char *name = sauth.registry->capability_name(number);

        if (name)
            names = *names ? apr_pstrcat(p, names, " ", name, NULL) : name;
    }
    return names;
}

/*
 * The last hook before the handler, so that nothing later puts back what is taken away here. It runs for sub-requests
 * and internal redirects too: the app may only be reached by one, at a location that is not protected itself.
 */
int sauth_fixups(request_rec *r)
{
    const sauth_state *state = sauth_state_find(r);
    sauth_dir conf;

    hygiene_strip_environment(r, "SAUTH_");
    if (!state || !state->decided)
        return DECLINED;
    conf = sauth_dir_effective(r);
    problem_clear(r);
    if (!conf.pass_authorization && (!state->rc || ia_authorization_is_sauth(apr_table_get(r->headers_in, "Authorization"))))
        hygiene_strip_authorization(r);
    if (state->rc)
        return OK;
    if (!r->user)
        r->user = apr_pstrdup(r->pool, state->entry.id);
    environment_export(r, rows, conf.pass == SAUTH_PASS_HEADERS ? ENVIRONMENT_HEADERS : ENVIRONMENT_VARIABLES);
    r->no_cache = 1;
    return OK;
}

/* Is `word` one of the comma-separated directives of a Cache-Control value? */
static int has_directive(const char *value, const char *word)
{
    return ap_find_list_item(NULL, value, word);
}

/* A page of one caller must not be kept for another: no shared cache may store it, whatever the app says. */
static apr_status_t make_private(ap_filter_t *f, apr_bucket_brigade *bb)
{
    request_rec *r = f->r;
    const char *value = apr_table_get(r->headers_out, "Cache-Control");

    ap_remove_output_filter(f);
    if (!value)
        apr_table_setn(r->headers_out, "Cache-Control", "private");
    else if (!has_directive(value, "no-store") && !has_directive(value, "private"))
        apr_table_setn(r->headers_out, "Cache-Control", has_directive(value, "no-cache") ? "private, no-cache" : "private");
    return ap_pass_brigade(f->next, bb);
}

void sauth_insert_private(request_rec *r)
{
    const sauth_state *state = sauth_state_find(r);

    if (!r->main && state && state->decided && state->proven)
        ap_add_output_filter_handle(private_filter, NULL, r, r->connection);
}

void sauth_response_register(apr_pool_t *p)
{
    (void)p;
    private_filter = ap_register_output_filter("SAUTH_PRIVATE", make_private, NULL, AP_FTYPE_CONTENT_SET);
}
