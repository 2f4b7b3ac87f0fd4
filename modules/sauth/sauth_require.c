/*
 * Require capability, participant, participant-role. Each takes several names, one of which must match, or an
 * expression as in `Require expr`. httpd also calls the providers before authentication; they then return
 * AUTHZ_DENIED_NO_USER.
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
#include "log_field.h"
#include "interauth_notes.h"
#include "problem.h"
#include "request.h"
#include "sauth_refuse.h"
#include "sauth_require.h"
#include "sauth_state.h"

APLOG_USE_MODULE(sauth);

/* A parsed Require line: names, or an expression that returns them. */
typedef struct requirement {
    const sauth_rule *rule;
    const char *line;
    const ap_expr_info_t *expression; /* NULL: the words are constant */
    const char **words;
    int count;
} requirement;

static const char **split(apr_pool_t *p, const char *line, int *count)
{
    apr_array_header_t *words = apr_array_make(p, 4, sizeof(const char *));
    const char *word;

    while (*line && *(word = ap_getword_conf(p, &line)))
        APR_ARRAY_PUSH(words, const char *) = word;
    *count = words->nelts;
    return (const char **)words->elts;
}

/* Whether the rule only excludes clients, and does not require anything of the others. */
static int is_negated(const cmd_parms *cmd)
{
    const ap_directive_t *d = cmd->directive;
    const char *args = d->args;

    if (!strcasecmp(ap_getword_conf(cmd->temp_pool, &args), "not"))
        return 1;
    while ((d = d->parent))
        if (!strncasecmp(d->directive, "<RequireNone", 12))
            return 1;
    return 0;
}

/* Records for sauth_guard.c that the section has a rule of this module. */
static void mark_section(cmd_parms *cmd)
{
    sauth_dir *conf = ap_set_config_vectors(cmd->server, cmd->context, cmd->path, &sauth_module, cmd->pool);

    if (!is_negated(cmd))
        conf->ours |= cmd->limited;
}

static const sauth_rule capability_rule;

static const char *check_words(cmd_parms *cmd, const requirement *req)
{
    int i;

    for (i = 0; i < req->count; i++) {
        if (req->rule == &capability_rule && strchr(req->words[i], ','))
            return apr_psprintf(cmd->pool, "Require %s: separate names by spaces, not by commas: \"%s\"",
                                req->rule->name, req->words[i]);
        if (!req->rule->is_word(req->words[i], strlen(req->words[i])))
            return apr_psprintf(cmd->pool, "Require %s: \"%s\" is not a valid name", req->rule->name, req->words[i]);
    }
    return req->count ? NULL : apr_psprintf(cmd->pool, "Require %s: at least one name expected", req->rule->name);
}

const char *sauth_rule_parse(cmd_parms *cmd, const char *line, const void **parsed, const sauth_rule *rule)
{
    requirement *req = apr_pcalloc(cmd->pool, sizeof *req);
    const char *error = NULL;

    req->rule = rule;
    req->line = apr_pstrcat(cmd->pool, rule->name, " ", line, NULL);
    if (strstr(line, "%{")) {
        req->expression = ap_expr_parse_cmd(cmd, line, AP_EXPR_FLAG_STRING_RESULT, &error, NULL);
        if (error)
            return apr_psprintf(cmd->pool, "Require %s: cannot parse expression: %s", rule->name, error);
    } else {
        req->words = split(cmd->pool, line, &req->count);
        if ((error = check_words(cmd, req)))
            return error;
    }
    *parsed = req;
    mark_section(cmd);
    return directive_send_forbidden(cmd);
}

/* If an expression cannot be evaluated, this is not a denial, because `Require not` would turn it into a grant. */
static authz_status evaluate(request_rec *r, const requirement *req, const sauth_state *state, const char **advice)
{
    const sauth_rule *rule = req->rule;
    const char **words = req->words, *error = NULL;
    int count = req->count, i;

    *advice = NULL;
    if (req->expression) {
        const char *line = ap_expr_str_exec(r, req->expression, &error);

        if (error) {
            ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "sauth: cannot evaluate a rule%s%s",
                          log_field(r->pool, "rule", req->line), log_sentence(r->pool, error));
            return AUTHZ_GENERAL_ERROR;
        }
        words = split(r->pool, line, &count);
    }
    for (i = 0; i < count; i++)
        if (rule->has(state, words[i]))
            return AUTHZ_GRANTED;
    if (rule->advise)
        *advice = rule->advise(r->pool, state, words, count);
    return AUTHZ_DENIED;
}

authz_status sauth_rule_check(request_rec *r, const char *line, const void *parsed)
{
    const requirement *req = parsed;
    const sauth_rule *rule = req->rule;
    sauth_state *state = sauth_state_find(r);
    sauth_dir conf;
    const char *advice = NULL;
    authz_status rc;

    (void)line;
    if (request_is_for_endpoint(r))
        return AUTHZ_GRANTED;
    if (!state || !apr_table_get(r->notes, IA_NOTE_SAUTH_DECIDED))
        return AUTHZ_DENIED_NO_USER;
    rc = state->rc ? AUTHZ_DENIED : evaluate(r, req, state, &advice);
    if (rc != AUTHZ_DENIED)
        return rc;
    conf = sauth_dir_effective(r);
    if (conf.mode == SAUTH_MODE_OBSERVE) {
        if (!state->rc)
            sauth_log_refusal(r, "would refuse", rule->missing, state->entry.id, req->line);
        return AUTHZ_GRANTED;
    }
    sauth_note_denial(r, state, rule->missing, req->line);
    problem_set(r, rule->missing, advice, 0);
    return AUTHZ_DENIED;
}

static int has_capability(const sauth_state *state, const char *word)
{
    return ia_capset_has(&state->capabilities, sauth.registry->capability_number(word));
}

/* Lists quoted names, comma-separated. Skips invalid names, which an expression can take from the request. */
static const char *list_capabilities(apr_pool_t *p, const char *const *words, int count, int *listed)
{
    apr_array_header_t *names = apr_array_make(p, count, sizeof(const char *));
    int i;

    for (i = 0; i < count; i++)
        if (ia_name_is_capability(words[i], strlen(words[i])))
            APR_ARRAY_PUSH(names, const char *) = apr_pstrcat(p, names->nelts ? " " : "", "\"", words[i], "\"", NULL);
    *listed = names->nelts;
    return apr_array_pstrcat(p, names, ',');
}

/* Returns the first of the words that the participant's record has, or NULL. */
static const char *find_held(const sauth_state *state, const char *const *words, int count)
{
    int i;

    for (i = 0; i < count; i++)
        if (ia_capset_has(&state->entry.entitlement.capabilities, sauth.registry->capability_number(words[i])))
            return words[i];
    return NULL;
}

static const char *advise_on_capability(apr_pool_t *p, const sauth_state *state, const char *const *words, int count)
{
    int listed;
    const char *names = list_capabilities(p, words, count, &listed), *held = find_held(state, words, count), *advice;

    if (!listed)
        return NULL;
    if (!held)
        advice = "This participant does not have it; the administrator of this service can add it";
    else if (state->presentation->obtain)
        advice = state->presentation->obtain(p, held);
    else
        advice = "The participant has it now: authenticate again";
    return apr_pstrcat(p, listed > 1 ? "One of the capabilities " : "The capability ", names, " is required. ", advice,
                       NULL);
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

static const sauth_rule capability_rule = {"capability", ia_name_is_capability, has_capability, IA_CAPABILITY_MISSING,
                                           advise_on_capability};
static const sauth_rule participant_rule = {"participant", ia_name_is_id, is_participant, IA_PARTICIPANT_NOT_LISTED,
                                            NULL};
static const sauth_rule role_rule = {"participant-role", ia_name_is_id, has_role, IA_ROLE_MISSING, NULL};

static const char *parse_capability(cmd_parms *cmd, const char *line, const void **parsed)
{
    return sauth_rule_parse(cmd, line, parsed, &capability_rule);
}

static const char *parse_participant(cmd_parms *cmd, const char *line, const void **parsed)
{
    return sauth_rule_parse(cmd, line, parsed, &participant_rule);
}

static const char *parse_role(cmd_parms *cmd, const char *line, const void **parsed)
{
    return sauth_rule_parse(cmd, line, parsed, &role_rule);
}

static const authz_provider capability_provider = {sauth_rule_check, parse_capability};
static const authz_provider participant_provider = {sauth_rule_check, parse_participant};
static const authz_provider role_provider = {sauth_rule_check, parse_role};

void sauth_rule_register(apr_pool_t *p, const sauth_rule *rule, const authz_provider *provider)
{
    ap_register_auth_provider(p, AUTHZ_PROVIDER_GROUP, rule->name, AUTHZ_PROVIDER_VERSION, provider,
                              AP_AUTH_INTERNAL_PER_CONF);
}

void sauth_require_register(apr_pool_t *p)
{
    sauth_rule_register(p, &capability_rule, &capability_provider);
    sauth_rule_register(p, &participant_rule, &participant_provider);
    sauth_rule_register(p, &role_rule, &role_provider);
}
