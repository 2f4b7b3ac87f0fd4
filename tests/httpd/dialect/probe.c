/*
 * A dialect that exists only in tests and needs no change in any generic file. It has endpoints with a tail and outside
 * the section, a directive, its own format of refusals with status 200, its own auth-scheme, and data bound to its grants.
 *
 * POST .../knock with the body ID creates a grant for the participant ID and binds the text of ProbeGreeting to it. It
 * verifies no proof of the client's identity; modules/sauth/sauth/access_request.c shows how a dialect does that. Requests
 * then carry "Authorization: Probe TOKEN". The responses to GET .../knocks/X and /.well-known/probe/X contain X.
 */
#include <httpd.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include <string.h>
#include "body.h"
#include "clock.h"
#include "mod_sauth.h"
#include "probe.h"
#include "sauth_export.h"
#include "sauth_grant.h"
#include "sauth_refuse.h"
#include "snapshot.h"

#define GREETING_MAX 32

typedef struct settings {
    const char *greeting; /* NULL: not set */
} settings;

/* The data of one request: what is bound to its grant. */
typedef struct credentials {
    char greeting[GREETING_MAX];
} credentials;

static const sauth_presentation probe_presentation;

static void merge(void *out, const void *base, const void *add)
{
    *(settings *)out = ((const settings *)add)->greeting ? *(const settings *)add : *(const settings *)base;
}

static const char *set_greeting(cmd_parms *cmd, void *conf, const char *arg)
{
    ((settings *)sauth_dialect_location_set(cmd, conf, &probe_dialect))->greeting = arg;
    return strlen(arg) < GREETING_MAX ? NULL : "ProbeGreeting: at most 31 characters expected";
}

static int write_text(request_rec *r, const char *text)
{
    ap_set_content_type(r, "text/plain");
    ap_rputs(text, r);
    return OK;
}

/* Like GraphQL: status 200, with the reason in the body. */
static int respond_error(request_rec *r, const ia_outcome *outcome, const char *detail, problem_response *out)
{
    out->status = HTTP_OK;
    out->type = "application/json";
    out->body = apr_psprintf(r->pool, "{\"errors\":[{\"message\":\"%s\",\"was\":%d}]}", detail ? detail : outcome->code,
                             outcome->status);
    out->len = strlen(out->body);
    apr_table_setn(r->err_headers_out, "Probe-Refused", outcome->code);
    return 1;
}

static ia_result make_grant(request_rec *r, sauth_state *state, const char *id, const char **token)
{
    sauth_dir conf = sauth_dir_effective(r);
    const settings *set = sauth_dialect_location(&conf, &probe_dialect);
    credentials bound = {""};
    ia_grant_policy policy = sauth_grant_policy(&conf);
    sauth_grant_request request = {&conf, &state->entry, &probe_presentation, 0, 0, &bound, sizeof bound, clock_now()};
    unsigned char grant_id[IA_GRANT_ID_LEN];
    ia_grant_request wanted;
    ia_grant_terms terms;
    ia_result rc = sauth.registry->find(&state->entry, id);

    apr_cpystrn(bound.greeting, set && set->greeting ? set->greeting : "none", sizeof bound.greeting);
    memset(&wanted, 0, sizeof wanted);
    wanted.capabilities = state->entry.entitlement.capabilities;
    if (rc || (rc = ia_grant_decide(&terms, &state->entry.entitlement, &wanted, &policy, request.now)) ||
        (rc = sauth_grant_token(r->pool, token)))
        return rc;
    return sauth_grant_create(grant_id, &request, *token, &terms);
}

static int knock(request_rec *r, const char *tail)
{
    sauth_state *state = sauth_state_of(r);
    const char *id, *token = NULL;
    apr_size_t len;
    ia_result rc = (ia_result)request_read_body(r, IA_NAME_MAX, &id, &len, &state->status);

    (void)tail;
    if (!rc)
        rc = make_grant(r, state, id, &token);
    ia_wipe(state->entry.secrets, sizeof state->entry.secrets);
    if (!rc)
        return write_text(r, token);
    state->detail = "no such participant";
    return sauth_refuse_state(r, state, rc);
}

static int write_tail(request_rec *r, const char *tail)
{
    return write_text(r, apr_pstrcat(r->pool, "tail=", tail, NULL));
}

static ia_result check(request_rec *r, const sauth_dir *conf, sauth_state *state)
{
    const char *token = snapshot_of(r)->authorization + strlen("Probe"); /* perhaps nothing follows */
    ia_result rc;

    (void)conf;
    token += strspn(token, " ");
    rc = sauth_grant_find(state, token, strlen(token));
    ia_wipe(state->entry.secrets, sizeof state->entry.secrets);
    if (rc)
        return rc;
    state->proven = 1;
    if (state->grant.part != ST_GRANT_WITH_BOUND)
        return IA_PRESENTATION_MISMATCH;
    if ((rc = sauth_grant_check(state, &probe_presentation, 1, clock_now())))
        return rc;
    memcpy(sauth_state_own(state, &probe_presentation, sizeof(credentials)), state->grant.bound, sizeof(credentials));
    return sauth_grant_open(state, clock_now());
}

static const environment_row attributes[] = {{"probe-greeting", "SAUTH_PROBE", "SAuth-Probe"}, {NULL, NULL, NULL}};

static void describe(sauth_state *state)
{
    const credentials *held = sauth_state_find_own(state, &probe_presentation);

    sauth_attribute_add(state, &attributes[0], held->greeting);
}

static const char *challenge(request_rec *r, const char *realm, ia_result rc)
{
    return apr_pstrcat(r->pool, "Probe realm=\"", realm, "\", reason=\"", ia_outcome_of(rc)->code, "\"", NULL);
}

static const sauth_presentation probe_presentation = {.word = "probe",
                                                      .name = "probe",
                                                      .bit = 1u << 30,
                                                      .scheme = "Probe",
                                                      .has_grant = 1,
                                                      .check = check,
                                                      .challenge = challenge,
                                                      .attributes = attributes,
                                                      .describe = describe};

static const sauth_presentation *const presentations[] = {&probe_presentation, NULL};

static const sauth_endpoint endpoints[] = {{"knock", SAUTH_PATH_LAST, SAUTH_METHOD(M_POST), knock},
                                           {"knocks", SAUTH_PATH_TAIL, SAUTH_METHOD(M_GET), write_tail},
                                           {".well-known/probe", SAUTH_PATH_ROOT, SAUTH_METHOD(M_GET), write_tail},
                                           {NULL, SAUTH_PATH_LAST, 0, NULL}};

static const command_rec directives[] = {
    AP_INIT_TAKE1("ProbeGreeting", set_greeting, NULL, SAUTH_ANYWHERE, "text that is bound to a grant"),
    {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL}};

const sauth_dialect probe_dialect = {.name = "probe",
                                     .endpoints = endpoints,
                                     .presentations = presentations,
                                     .endpoint_challenge = &probe_presentation,
                                     .respond_error = respond_error,
                                     .directives = directives,
                                     .location = {sizeof(settings), NULL, merge}};
