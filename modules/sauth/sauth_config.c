/* The directives of mod_sauth, and how they are merged. */
#include <httpd.h>
#include <apr_strings.h>
#include <http_core.h>
#include <string.h>
#include "directive.h"
#include "mod_sauth.h"
#include "interauth/name.h"
#include "sauth_dialect.h"
#include "sauth_store.h"

#define SKEW_DEFAULT 30
#define SKEW_MAX     3600
#define YEAR         (366 * 86400)

#define REFRESH_WINDOW_DEFAULT 3600
#define GRANT_MAX_AGE_DEFAULT  2592000

/* File and line of the first SAuthAccept of each presentation, by the number of its bit. */
static const char *accepted_at[32];
static apr_time_t server_skew, widest_location_skew;

void sauth_config_reset(void)
{
    server_skew = apr_time_from_sec(SKEW_DEFAULT);
    widest_location_skew = 0;
    memset(accepted_at, 0, sizeof accepted_at);
}

apr_time_t sauth_widest_skew(void)
{
    return widest_location_skew > server_skew ? widest_location_skew : server_skew;
}

void *sauth_dir_create(apr_pool_t *p, char *path)
{
    sauth_dir *conf = apr_pcalloc(p, sizeof *conf);

    (void)path;
    conf->pass_authorization = -1;
    conf->partial_grants = -1;
    conf->clock_skew = conf->refresh_window = conf->grant_max_age = -1;
    return conf;
}

static int overrides(const sauth_dir *conf)
{
    return conf->overrides || (conf->required && conf->merging == SAUTH_MERGING_OFF);
}

/* Must be associative: httpd merges Location sections with each other before it merges them with Directory sections. */
static void merge_rules(sauth_dir *conf, const sauth_dir *base, const sauth_dir *add)
{
    conf->overrides = overrides(base) || overrides(add);
    conf->merging = SAUTH_MERGING_AND; /* in the result, only `overrides` counts */
    conf->type = add->type ? add->type : base->type;
    conf->required = add->required | (add->type ? 0 : base->required);
    conf->ours = add->ours | (overrides(add) ? 0 : base->ours);
}

apr_int64_t sauth_dir_unruled(const sauth_dir *conf)
{
    return conf->type == SAUTH_TYPE_OURS ? ~conf->required & ~conf->ours : 0;
}

static sauth_dir merge(const sauth_dir *base, const sauth_dir *add)
{
    sauth_dir conf;

    DIRECTIVE_MERGE(&conf, base, add, accept, 0);
    DIRECTIVE_MERGE(&conf, base, add, scope, 0);
    DIRECTIVE_MERGE(&conf, base, add, mode, SAUTH_MODE_UNSET);
    DIRECTIVE_MERGE(&conf, base, add, pass, SAUTH_PASS_UNSET);
    DIRECTIVE_MERGE(&conf, base, add, pass_authorization, -1);
    DIRECTIVE_MERGE(&conf, base, add, partial_grants, -1);
    DIRECTIVE_MERGE(&conf, base, add, clock_skew, -1);
    DIRECTIVE_MERGE(&conf, base, add, refresh_window, -1);
    DIRECTIVE_MERGE(&conf, base, add, grant_max_age, -1);
    merge_rules(&conf, base, add);
    return conf;
}

void *sauth_dir_merge(apr_pool_t *p, void *base, void *add)
{
    sauth_dir *conf = apr_palloc(p, sizeof *conf);

    *conf = merge(base, add);
    conf->dialects =
        sauth_dialect_locations_merge(p, ((const sauth_dir *)base)->dialects, ((const sauth_dir *)add)->dialects);
    return conf;
}

sauth_dir sauth_dir_effective(request_rec *r)
{
    static const sauth_dir defaults = {.mode = SAUTH_MODE_ENFORCE,
                                       .pass = SAUTH_PASS_ENV,
                                       .clock_skew = apr_time_from_sec(SKEW_DEFAULT),
                                       .refresh_window = apr_time_from_sec(REFRESH_WINDOW_DEFAULT),
                                       .grant_max_age = apr_time_from_sec(GRANT_MAX_AGE_DEFAULT)};
    const sauth_dir *set = ap_get_module_config(r->per_dir_config, &sauth_module);
    sauth_dir conf = merge(&defaults, set);

    conf.dialects = set->dialects;
    if (!conf.accept)
        conf.accept = sauth_presentations[0]->bit;
    return conf;
}

void *sauth_server_create(apr_pool_t *p, server_rec *s)
{
    sauth_server *conf = apr_pcalloc(p, sizeof *conf);

    (void)s;
    conf->grant_capacity = 10000;
    conf->dialects = sauth_dialect_servers(p);
    return conf;
}

sauth_server *sauth_server_of(server_rec *s)
{
    return ap_get_module_config(s->module_config, &sauth_module);
}

/* --- directives of a location --- */

static unsigned bit_number(apr_uint32_t bit)
{
    unsigned number = 0;

    while (bit > 1) {
        bit >>= 1;
        number++;
    }
    return number;
}

const char *sauth_accepted_at(apr_uint32_t bit)
{
    return accepted_at[bit_number(bit)];
}

static const char *set_accept(cmd_parms *cmd, void *conf_, const char *arg)
{
    const sauth_presentation *presentation = sauth_presentation_named(arg);
    const char **first;

    if (!presentation)
        return apr_psprintf(cmd->pool, "SAuthAccept: %s expected, not \"%s\"", sauth_presentation_words(cmd->pool),
                            arg);
    ((sauth_dir *)conf_)->accept |= presentation->bit;
    first = &accepted_at[bit_number(presentation->bit)];
    if (!*first)
        *first = apr_psprintf(cmd->pool, "%s:%d", cmd->directive->filename, cmd->directive->line_num);
    return NULL;
}

apr_uint64_t sauth_scope_number(const char *name)
{
    unsigned char digest[IA_SHA256_LEN];
    ia_bytes part = {name, strlen(name)};
    apr_uint64_t number;

    ia_sha256(digest, &part, 1);
    memcpy(&number, digest, sizeof number);
    return number ? number : 1;
}

static const char *set_scope(cmd_parms *cmd, void *conf_, const char *arg)
{
    sauth_dir *conf = conf_;

    (void)cmd;
    if (!ia_name_is_id(arg, strlen(arg)))
        return "SAuthScope: a name of 1 to 255 printable ASCII characters without space, quote or backslash expected";
    conf->scope = sauth_scope_number(arg);
    return NULL;
}

/* Directives of httpd, which calls every module that has a directive of the name. Their arguments are only recorded. */
static const char *record_type(cmd_parms *cmd, void *conf_, const char *arg)
{
    sauth_dir *conf = conf_;

    conf->type = strcasecmp(arg, SAUTH_AUTH_TYPE) ? SAUTH_TYPE_OTHER : SAUTH_TYPE_OURS;
    /* If a rule of another module refuses an authenticated client, respond with 403 instead of 401. */
    return conf->type == SAUTH_TYPE_OURS ? directive_send_forbidden(cmd) : NULL;
}

static const char *record_merging(cmd_parms *cmd, void *conf_, const char *arg)
{
    sauth_dir *conf = conf_;

    (void)cmd;
    conf->merging = !strcasecmp(arg, "And")  ? SAUTH_MERGING_AND
                    : !strcasecmp(arg, "Or") ? SAUTH_MERGING_OR
                                             : SAUTH_MERGING_OFF;
    return NULL;
}

static const char *record_require(cmd_parms *cmd, void *conf_, const char *args)
{
    (void)args;
    ((sauth_dir *)conf_)->required |= cmd->limited;
    return NULL;
}

static const char *set_mode(cmd_parms *cmd, void *conf_, const char *arg)
{
    sauth_dir *conf = conf_;

    if (!strcasecmp(arg, "enforce"))
        conf->mode = SAUTH_MODE_ENFORCE;
    else if (!strcasecmp(arg, "observe"))
        conf->mode = SAUTH_MODE_OBSERVE;
    else
        return apr_psprintf(cmd->pool, "SAuthMode: enforce or observe expected, not \"%s\"", arg);
    return NULL;
}

static const char *set_pass(cmd_parms *cmd, void *conf_, const char *arg)
{
    sauth_dir *conf = conf_;

    if (!strcasecmp(arg, "env"))
        conf->pass = SAUTH_PASS_ENV;
    else if (!strcasecmp(arg, "headers"))
        conf->pass = SAUTH_PASS_HEADERS;
    else
        return apr_psprintf(cmd->pool, "SAuthPass: env or headers expected, not \"%s\"", arg);
    return NULL;
}

static const char *set_pass_authorization(cmd_parms *cmd, void *conf_, int on)
{
    (void)cmd;
    ((sauth_dir *)conf_)->pass_authorization = on;
    return NULL;
}

static const char *set_partial_grants(cmd_parms *cmd, void *conf_, int on)
{
    (void)cmd;
    ((sauth_dir *)conf_)->partial_grants = on;
    return NULL;
}

const char *sauth_set_seconds(cmd_parms *cmd, const char *arg, apr_int64_t min, apr_int64_t max, apr_time_t *out)
{
    apr_int64_t seconds;
    const char *error = directive_number(cmd, arg, min, max, &seconds);

    if (!error)
        *out = apr_time_from_sec(seconds);
    return error;
}

static const char *set_clock_skew(cmd_parms *cmd, void *conf_, const char *arg)
{
    sauth_dir *conf = conf_;
    const char *error = sauth_set_seconds(cmd, arg, 0, SKEW_MAX, &conf->clock_skew);

    if (error)
        return error;
    if (!cmd->path && !cmd->server->is_virtual)
        server_skew = conf->clock_skew;
    else if (conf->clock_skew > widest_location_skew)
        widest_location_skew = conf->clock_skew;
    return NULL;
}

static const char *set_refresh_window(cmd_parms *cmd, void *conf_, const char *arg)
{
    return sauth_set_seconds(cmd, arg, 0, YEAR, &((sauth_dir *)conf_)->refresh_window);
}

static const char *set_grant_max_age(cmd_parms *cmd, void *conf_, const char *arg)
{
    return sauth_set_seconds(cmd, arg, 1, 10 * YEAR, &((sauth_dir *)conf_)->grant_max_age);
}

/* --- directives of the server --- */

static const char *set_global(cmd_parms *cmd, const char *arg, apr_int64_t max, apr_int64_t *out)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    return error ? error : directive_number(cmd, arg, 1, max, out);
}

static const char *set_grant_capacity(cmd_parms *cmd, void *unused, const char *arg)
{
    (void)unused;
    return set_global(cmd, arg, 16777216, &sauth_server_of(cmd->server)->grant_capacity);
}

static const char *set_replay_capacity(cmd_parms *cmd, void *unused, const char *arg)
{
    (void)unused;
    return set_global(cmd, arg, 16777216, &sauth_server_of(cmd->server)->replay_capacity);
}

static const char *set_grant_quota(cmd_parms *cmd, void *unused, const char *arg)
{
    (void)unused;
    return set_global(cmd, arg, 16777216, &sauth_server_of(cmd->server)->grant_quota);
}

static const char *set_replay_quota(cmd_parms *cmd, void *unused, const char *arg)
{
    (void)unused;
    return set_global(cmd, arg, 16777216, &sauth_server_of(cmd->server)->replay_quota);
}

static const char *set_state_file(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    sauth_server *conf = sauth_server_of(cmd->server);

    (void)unused;
    if (error)
        return error;
    conf->state_file = *arg ? ap_server_root_relative(cmd->pool, arg) : NULL;
    return conf->state_file ? NULL : "SAuthStateFile: path expected";
}

const command_rec sauth_generic_directives[] = {
    AP_INIT_TAKE1("AuthType", record_type, NULL, OR_AUTHCFG, "SAuth: authenticate clients by mod_sauth"),
    AP_INIT_TAKE1("AuthMerging", record_merging, NULL, OR_AUTHCFG,
                  "Off, And or Or: how rules are merged with those of the parent section"),
    AP_INIT_RAW_ARGS("Require", record_require, NULL, OR_AUTHCFG, "authorization rule"),
    AP_INIT_ITERATE("SAuthAccept", set_accept, NULL, SAUTH_ANYWHERE, "accepted presentations"),
    AP_INIT_TAKE1("SAuthScope", set_scope, NULL, SAUTH_ANYWHERE,
                  "name of the scope; grants are valid only in the scope of their endpoint"),
    AP_INIT_TAKE1("SAuthMode", set_mode, NULL, SAUTH_ANYWHERE, "enforce, or observe: only log what would be refused"),
    AP_INIT_TAKE1("SAuthPass", set_pass, NULL, SAUTH_ANYWHERE,
                  "pass attributes to the application in the environment (env) or in request headers (headers)"),
    AP_INIT_FLAG("SAuthPassAuthorization", set_pass_authorization, NULL, SAUTH_ANYWHERE,
                 "On: pass the Authorization header to the application"),
    AP_INIT_FLAG("SAuthPartialGrants", set_partial_grants, NULL, SAUTH_ANYWHERE,
                 "On: grant the available part of the requested capabilities instead of refusing"),
    AP_INIT_TAKE1("SAuthClockSkew", set_clock_skew, NULL, SAUTH_ANYWHERE,
                  "maximum difference of a timestamp from the clock, in seconds"),
    AP_INIT_TAKE1("SAuthRefreshWindow", set_refresh_window, NULL, SAUTH_ANYWHERE,
                  "time after its expiry in which a grant can be refreshed, in seconds"),
    AP_INIT_TAKE1("SAuthGrantMaxAge", set_grant_max_age, NULL, SAUTH_ANYWHERE,
                  "maximum age of a grant, including refreshes, in seconds"),
    AP_INIT_TAKE1("SAuthGrantCapacity", set_grant_capacity, NULL, RSRC_CONF,
                  "maximum number of grants in shared memory"),
    AP_INIT_TAKE1("SAuthReplayCapacity", set_replay_capacity, NULL, RSRC_CONF,
                  "maximum number of used access requests in shared memory"),
    AP_INIT_TAKE1("SAuthGrantQuota", set_grant_quota, NULL, RSRC_CONF,
                  "maximum number of live grants of one participant"),
    AP_INIT_TAKE1("SAuthReplayQuota", set_replay_quota, NULL, RSRC_CONF,
                  "maximum number of used access requests of one participant"),
    AP_INIT_TAKE1("SAuthStateFile", set_state_file, NULL, RSRC_CONF, "file in which grants are saved"),
    {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL}};
