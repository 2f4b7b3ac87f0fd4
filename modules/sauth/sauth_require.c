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
#include "log_field.h"
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

/* One kind of rule. */
typedef struct rule {
    int (*has)(const sauth_state *state, const char *word); /* whether a client has what one word names */
    ia_result missing;
    /* What a client without any of the words is told, or NULL. */
    const char *(*advise)(apr_pool_t *p, const sauth_state *state, const char *const *words, int count);
} rule;

static const char **split(apr_pool_t *p, const char *line, int *count)
{
    apr_array_header_t *words = apr_array_make(p, 4, sizeof(const char *));
    const char *word;

    while (*line && *(word = ap_getword_conf(p, &line)))
        APR_ARRAY_PUSH(words, const char *) = word;
    *count = words->nelts;
    return (const char **)words->elts;
}

/* A rule that only keeps somebody out lets everybody else in. */
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

/* Tells this section's settings that it has a rule of ours; sauth_guard asks. */
static void mark_ours(cmd_parms *cmd)
{
    sauth_dir *conf = ap_set_config_vectors(cmd->server, cmd->context, cmd->path, &sauth_module, cmd->pool);

    if (!is_negated(cmd))
        conf->ours |= cmd->limited;
}

static const char *parse(cmd_parms *cmd, const char *line, const void **parsed,
                         int (*is_word)(const char *, apr_size_t), const char *what)
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
static authz_status fulfils(request_rec *r, const requirement *req, const sauth_state *state, const rule *rule,
                            const char **advice)
{
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

static authz_status check(request_rec *r, const void *parsed, const rule *rule)
{
    const requirement *req = parsed;
    sauth_state *state = sauth_state_find(r);
    sauth_dir conf;
    const char *advice = NULL;
    authz_status rc;

    if (request_is_for_endpoint(r))
        return AUTHZ_GRANTED;
    if (!state || !apr_table_get(r->notes, IA_NOTE_SAUTH_DECIDED))
        return AUTHZ_DENIED_NO_USER;
    rc = state->rc ? AUTHZ_DENIED : fulfils(r, req, state, rule, &advice);
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

/* Quoted, comma-separated. An expression can make words that are no names of capabilities, out of the request. */
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

/* The first of the words that the participant's record has, or NULL. */
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
    const char *names = list_capabilities(p, words, count, &listed), *held = find_held(state, words, count), *way;

    if (!listed)
        return NULL;
    if (!held)
        way = "This participant does not have it; the administrator of this service can add it";
    else if (state->grant.presentation == IA_PRESENT_SAUTH)
        way = apr_pstrcat(p, "Request a grant that includes it, as with: interauth grant --capability ", held, NULL);
    else
        way = "The participant has it by now: log in again";
    return apr_pstrcat(p, listed > 1 ? "One of the capabilities " : "The capability ", names, " is required. ", way,
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

static int is_call(const sauth_state *state, const char *word)
{
    return state->method && !strcmp(state->method, word);
}

static authz_status check_capability(request_rec *r, const char *line, const void *parsed)
{
    static const rule rule = {has_capability, IA_CAPABILITY_MISSING, advise_on_capability};

    (void)line;
    return check(r, parsed, &rule);
}

static authz_status check_participant(request_rec *r, const char *line, const void *parsed)
{
    static const rule rule = {is_participant, IA_PARTICIPANT_NOT_LISTED, NULL};

    (void)line;
    return check(r, parsed, &rule);
}

static authz_status check_role(request_rec *r, const char *line, const void *parsed)
{
    static const rule rule = {has_role, IA_ROLE_MISSING, NULL};

    (void)line;
    return check(r, parsed, &rule);
}

static authz_status check_call(request_rec *r, const char *line, const void *parsed)
{
    static const rule rule = {is_call, IA_CALL_NOT_LISTED, NULL};

    (void)line;
    return check(r, parsed, &rule);
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
