/* The dialect "challenge": directives, startup checks, and Require call. */
#include <httpd.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_log.h>
#include <string.h>
#include "challenge.h"
#include "directive.h"
#include "interauth/name.h"
#include "log_field.h"
#include "mod_sauth.h"
#include "sauth_config_lint.h"
#include "sauth_require.h"
#include "section.h"
#include "startup.h"

APLOG_USE_MODULE(sauth);

#define LIFETIME_DEFAULT 600

static const challenge_settings *settings; /* of the main server, after post_config */

APR_OPTIONAL_FN_TYPE(isign_read_body) * challenge_read_body;

const challenge_settings *challenge_settings_of_server(void)
{
    return settings;
}

static void server_init(void *unset)
{
    challenge_settings *out = unset;

    out->separator = "";
    out->lifetime = LIFETIME_DEFAULT;
}

static challenge_settings *settings_of(server_rec *s)
{
    return sauth_dialect_server(s, &challenge_dialect);
}

static const char *add_profile(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    ia_challenge_profile profile = ia_challenge_profile_named(arg);

    (void)unused;
    if (error)
        return error;
    if (!profile)
        return apr_psprintf(cmd->pool, "SAuthChallenge: hmac-sha256 or md5 expected, not \"%s\"", arg);
    settings_of(cmd->server)->profiles |= 1u << profile;
    return NULL;
}

static const char *set_domain(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    (void)unused;
    if (error)
        return error;
    if (!ia_name_is_domain(arg, strlen(arg)))
        return apr_psprintf(cmd->pool,
                            "SAuthChallengeDomain: a name of 1 to 255 letters, digits, '.', '-' and '_' "
                            "expected, such as api.example.org, not \"%s\"",
                            arg);
    settings_of(cmd->server)->domain = arg;
    return NULL;
}

static const char *set_separator(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY), *c;

    (void)unused;
    if (error)
        return error;
    for (c = arg; *c >= 0x20 && *c < 0x7f; c++)
        ;
    if (*c || c - arg > IA_CHALLENGE_SEPARATOR_MAX)
        return "SAuthChallengeSeparator: at most 8 printable ASCII characters expected";
    settings_of(cmd->server)->separator = arg;
    return NULL;
}

static const char *set_lifetime(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    (void)unused;
    return error ? error : directive_number(cmd, arg, 60, 86400, &settings_of(cmd->server)->lifetime);
}

static const command_rec directives[] = {
    AP_INIT_ITERATE("SAuthChallenge", add_profile, NULL, RSRC_CONF,
                    "profiles of the challenge protocol: hmac-sha256, md5"),
    AP_INIT_TAKE1("SAuthChallengeDomain", set_domain, NULL, RSRC_CONF, "domain for which challenge secrets are made"),
    AP_INIT_TAKE1("SAuthChallengeSeparator", set_separator, NULL, RSRC_CONF,
                  "separator between the arguments of a hash in profile md5"),
    AP_INIT_TAKE1("SAuthChallengeLifetime", set_lifetime, NULL, RSRC_CONF,
                  "lifetime of a challenge and length of a window, in seconds"),
    {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL}};

static const char *check_config(apr_pool_t *ptemp, server_rec *s)
{
    const char *accepted_at = sauth_accepted_at(challenge_presentation.bit);

    (void)s;
    if (!accepted_at || ap_find_linked_module("mod_isign.c"))
        return NULL;
    return apr_pstrcat(ptemp, accepted_at,
                       ": SAuthAccept challenge requires mod_isign, which reads the bodies of calls; "
                       "load it: LoadModule isign_module .../mod_isign.so",
                       NULL);
}

static int accepts_challenge(apr_pool_t *p, const ap_directive_t *d)
{
    return section_has_word(p, d, "SAuthAccept", "challenge");
}

static int requires_call(apr_pool_t *p, const ap_directive_t *d)
{
    const char *args = d->args, *word;

    if (strcasecmp(d->directive, "Require"))
        return 0;
    word = ap_getword_conf(p, &args);
    if (!strcasecmp(word, "not"))
        word = ap_getword_conf(p, &args);
    return !strcasecmp(word, "call");
}

static void lint(apr_pool_t *ptemp, server_rec *s)
{
    const ap_directive_t *d, *accepts = section_find_below(ptemp, NULL, accepts_challenge);

    for (d = section_first(NULL); d; d = section_next(NULL, d))
        if (requires_call(ptemp, d) && !section_may_apply(ptemp, d, accepts_challenge))
            sauth_lint_warn(ptemp, s, d, "never matches, because \"SAuthAccept challenge\" is missing");
    if (accepts && !section_find_below(ptemp, NULL, sauth_lint_is_endpoint))
        sauth_lint_warn(ptemp, s, accepts, "clients cannot log in, because no section has \"SetHandler sauth\"");
}

/* Returns the ServerName if it replaces SAuthChallengeDomain and is likely to change, otherwise NULL. */
static const char *weak_domain(server_rec *s)
{
    const char *name = s->server_hostname;

    if (!sauth_accepted_at(challenge_presentation.bit) || settings_of(s)->domain)
        return NULL;
    if (name && (!strcasecmp(name, "localhost") || strchr(name, ':') || strspn(name, "0123456789.") == strlen(name)))
        return name;
    return NULL;
}

static void warn(server_rec *s)
{
    const char *domain = weak_domain(s);

    if (domain)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "sauth: SAuthChallengeDomain is not set: challenge secrets are made for the ServerName, %s, and "
                     "become invalid if it changes",
                     domain);
    if (settings_of(s)->profiles & 1u << IA_CHALLENGE_PROFILE_MD5)
        ap_log_error(
            APLOG_MARK, APLOG_WARNING, 0, s,
            "sauth: SAuthChallenge md5 is for old clients only: anyone who sees a call can make other calls until "
            "the window ends; it is accepted only over TLS");
}

static int post_config(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s)
{
    challenge_settings *set = settings_of(s);

    (void)pconf, (void)ptemp;
    if (!startup_is_reload())
        warn(s);
    if (!set->profiles)
        set->profiles = 1u << IA_CHALLENGE_PROFILE_HMAC;
    if (!set->domain)
        set->domain = s->server_hostname;
    settings = set;
    return OK;
}

/* --- Require call --- */

static int is_call(const sauth_state *state, const char *word)
{
    const challenge_request *request = challenge_request_find(state);

    return request && request->method && !strcmp(request->method, word);
}

static const sauth_rule call_rule = {"call", ia_envelope_is_method, is_call, IA_CALL_NOT_LISTED, NULL};

static const char *parse_call(cmd_parms *cmd, const char *line, const void **parsed)
{
    return sauth_rule_parse(cmd, line, parsed, &call_rule);
}

static const authz_provider call_provider = {sauth_rule_check, parse_call};

/* --- hooks --- */

static void find_isign(void)
{
    challenge_read_body = APR_RETRIEVE_OPTIONAL_FN(isign_read_body);
}

static void register_hooks(apr_pool_t *p)
{
    ap_hook_optional_fn_retrieve(find_isign, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(challenge_location_handler, NULL, NULL, APR_HOOK_REALLY_FIRST);
    challenge_sign_register(p);
    sauth_rule_register(p, &call_rule, &call_provider);
}

static const sauth_endpoint endpoints[] = {
    {"challenge", SAUTH_PATH_LAST, SAUTH_METHOD(M_POST), challenge_endpoint_handle}, {NULL, SAUTH_PATH_LAST, 0, NULL}};

static const sauth_presentation *const presentations[] = {&challenge_presentation, NULL};

const sauth_dialect challenge_dialect = {
    .name = "challenge",
    .endpoints = endpoints,
    .presentations = presentations,
    .endpoint_challenge = &challenge_presentation,
    .respond_error = challenge_respond_error,
    .directives = directives,
    .server = {sizeof(challenge_settings), server_init, NULL},
    .check_config = check_config,
    .lint = lint,
    .post_config = post_config,
    .register_hooks = register_hooks,
};
