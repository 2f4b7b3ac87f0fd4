/*
 * Require capability, participant, participant-role, call. Each takes names, any of which is enough, or an expression as
 * `Require expr` does. The providers are asked before authentication too: they answer "no user" then.
 */
#include <httpd.h>
#include <ap_expr.h>
#include <ap_provider.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <string.h>
#include "mod_sauth.h"
#include "directive.h"
#include "interauth/envelope.h"
#include "interauth_notes.h"
#include "problem.h"
#include "request.h"

APLOG_USE_MODULE(sauth);

/* What a Require line was parsed into: its words, or an expression that makes them. */
typedef struct requirement {
    const char *line;
    const ap_expr_info_t *expression; /* NULL: the words are fixed */
    const char **words;
    int count;
} requirement;

/* Whether a caller has what one word names. */
typedef int (*word_test)(const sauth_state *state, const char *word);

static const char **split(apr_pool_t *p, const char *line, int *count)
{
    apr_array_header_t *words = apr_array_make(p, 4, sizeof(const char *));
    const char *word;

    while (*line && *(word = ap_getword_conf(p, &line)))
        APR_ARRAY_PUSH(words, const char *) = word;
    *count = words->nelts;
    return (const char **)words->elts;
}

/* Tells this section's settings that it has a rule of ours; sauth_guard asks. */
static void mark_ours(cmd_parms *cmd)
{
    sauth_dir *conf = ap_set_config_vectors(cmd->server, cmd->context, cmd->path, &sauth_module, cmd->pool);

    conf->ours = 1;
}

static const char *parse(cmd_parms *cmd, const char *line, const void **parsed, int (*is_word)(const char *, apr_size_t),
                         const char *what)
{
    requirement *req = apr_pcalloc(cmd->pool, sizeof *req);
    const char *error = NULL;
    int i;

    req->line = apr_pstrcat(cmd->temp_pool, what, " ", line, NULL);
    req->line = apr_pstrdup(cmd->pool, req->line);
    if (strstr(line, "%{")) {
        req->expression = ap_expr_parse_cmd(cmd, line, AP_EXPR_FLAG_STRING_RESULT, &error, NULL);
        if (error)
            return apr_psprintf(cmd->pool, "Require %s: cannot parse expression: %s", what, error);
    } else {
        req->words = split(cmd->pool, line, &req->count);
        for (i = 0; i < req->count; i++)
            if (is_word == ia_name_is_capability && strchr(req->words[i], ','))
                return apr_psprintf(cmd->pool, "Require %s: separate names by spaces, not by commas: \"%s\"", what,
                                    req->words[i]);
            else if (!is_word(req->words[i], strlen(req->words[i])))
                return apr_psprintf(cmd->pool, "Require %s: \"%s\" is no valid name", what, req->words[i]);
    }
    if (!req->expression && !req->count)
        return apr_psprintf(cmd->pool, "Require %s: at least one name expected", what);
    *parsed = req;
    mark_ours(cmd);
    return directive_send_forbidden(cmd);
}

/* An expression that cannot be evaluated is no "no": `Require not` would make a "yes" of it. */
static authz_status fulfils(request_rec *r, const requirement *req, const sauth_state *state, word_test has)
{
    const char **words = req->words, *error = NULL;
    int count = req->count, i;

    if (req->expression) {
        const char *line = ap_expr_str_exec(r, req->expression, &error);

        if (error) {
            ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "sauth: cannot evaluate \"Require %s\": %s", req->line, error);
            return AUTHZ_GENERAL_ERROR;
        }
        words = split(r->pool, line, &count);
    }
    for (i = 0; i < count; i++)
        if (has(state, words[i]))
            return AUTHZ_GRANTED;
    return AUTHZ_DENIED;
}

static authz_status check(request_rec *r, const void *parsed, word_test has, ia_result missing)
{
    const requirement *req = parsed;
    sauth_state *state = sauth_state_find(r);
    sauth_dir conf;
    authz_status rc;

    if (request_is_for_endpoint(r))
        return AUTHZ_GRANTED;
    if (!state || !apr_table_get(r->notes, IA_NOTE_SAUTH_DECIDED))
        return AUTHZ_DENIED_NO_USER;
    rc = state->rc ? AUTHZ_DENIED : fulfils(r, req, state, has);
    if (rc != AUTHZ_DENIED)
        return rc;
    conf = sauth_dir_effective(r);
    if (conf.mode == SAUTH_MODE_OBSERVE) {
        if (!state->rc)
            sauth_log_refusal(r, "would refuse", missing, state->entry.id, req->line);
        return AUTHZ_GRANTED;
    }
    sauth_note_denial(r, state, missing, req->line);
    problem_set(r, missing, NULL, 0);
    return AUTHZ_DENIED;
}

static int has_capability(const sauth_state *state, const char *word)
{
    return ia_capset_has(&state->capabilities, sauth.registry->capability_number(word));
}

static int is_participant(const sauth_state *state, const char *word)
{
    return !strcmp(state->entry.id, word);
}

static int has_role(const sauth_state *state, const char *word)
{
    int number = sauth.registry->role_number(word);

    return number >= 0 && (state->entry.roles >> number & 1);
}

static int is_call(const sauth_state *state, const char *word)
{
    return state->method && !strcmp(state->method, word);
}

static authz_status check_capability(request_rec *r, const char *line, const void *parsed)
{
    (void)line;
    return check(r, parsed, has_capability, IA_CAPABILITY_MISSING);
}

static authz_status check_participant(request_rec *r, const char *line, const void *parsed)
{
    (void)line;
    return check(r, parsed, is_participant, IA_PARTICIPANT_NOT_LISTED);
}

static authz_status check_role(request_rec *r, const char *line, const void *parsed)
{
    (void)line;
    return check(r, parsed, has_role, IA_ROLE_MISSING);
}

static authz_status check_call(request_rec *r, const char *line, const void *parsed)
{
    (void)line;
    return check(r, parsed, is_call, IA_CALL_NOT_LISTED);
}

static const char *parse_capability(cmd_parms *cmd, const char *line, const void **parsed)
{
    return parse(cmd, line, parsed, ia_name_is_capability, "capability");
}

static const char *parse_participant(cmd_parms *cmd, const char *line, const void **parsed)
{
    return parse(cmd, line, parsed, ia_name_is_id, "participant");
}

static const char *parse_role(cmd_parms *cmd, const char *line, const void **parsed)
{
    return parse(cmd, line, parsed, ia_name_is_id, "participant-role");
}

static const char *parse_call(cmd_parms *cmd, const char *line, const void **parsed)
{
    return parse(cmd, line, parsed, ia_envelope_is_method, "call");
}

static const authz_provider capability_provider = {check_capability, parse_capability};
static const authz_provider participant_provider = {check_participant, parse_participant};
static const authz_provider role_provider = {check_role, parse_role};
static const authz_provider call_provider = {check_call, parse_call};

void sauth_require_register(apr_pool_t *p)
{
    ap_register_auth_provider(p, AUTHZ_PROVIDER_GROUP, "capability", AUTHZ_PROVIDER_VERSION, &capability_provider,
                              AP_AUTH_INTERNAL_PER_CONF);
    ap_register_auth_provider(p, AUTHZ_PROVIDER_GROUP, "participant", AUTHZ_PROVIDER_VERSION, &participant_provider,
                              AP_AUTH_INTERNAL_PER_CONF);
    ap_register_auth_provider(p, AUTHZ_PROVIDER_GROUP, "participant-role", AUTHZ_PROVIDER_VERSION, &role_provider,
                              AP_AUTH_INTERNAL_PER_CONF);
    ap_register_auth_provider(p, AUTHZ_PROVIDER_GROUP, "call", AUTHZ_PROVIDER_VERSION, &call_provider,
                              AP_AUTH_INTERNAL_PER_CONF);
}
