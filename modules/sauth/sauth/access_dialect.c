/* The dialect "SAuth" and its directives. */
#include <httpd.h>
#include <apr_strings.h>
#include <string.h>
#include "access.h"
#include "directive.h"
#include "mod_sauth.h"

#define NONCE_LIFETIME_DEFAULT 300

static void settings_init(void *settings)
{
    ((access_settings *)settings)->nonce_lifetime = -1;
}

static void settings_merge(void *out, const void *base, const void *add)
{
    DIRECTIVE_MERGE((access_settings *)out, (const access_settings *)base, (const access_settings *)add, hashes, 0);
    DIRECTIVE_MERGE((access_settings *)out, (const access_settings *)base, (const access_settings *)add, needs, 0);
    DIRECTIVE_MERGE((access_settings *)out, (const access_settings *)base, (const access_settings *)add, nonce_lifetime,
                    -1);
}

access_settings access_settings_of(const sauth_dir *conf)
{
    static const access_settings defaults = {ACCESS_HASH_SHA256, ACCESS_NEED_NONE,
                                             apr_time_from_sec(NONCE_LIFETIME_DEFAULT)};
    const access_settings *set = sauth_dialect_location(conf, &access_dialect);
    access_settings settings;

    if (!set)
        return defaults;
    settings_merge(&settings, &defaults, set);
    return settings;
}

unsigned access_hash_bit(ia_hash hash)
{
    return hash == IA_HASH_SHA1 ? ACCESS_HASH_SHA1 : ACCESS_HASH_SHA256;
}

static access_settings *settings_for_change(cmd_parms *cmd, void *conf)
{
    return sauth_dialect_location_set(cmd, conf, &access_dialect);
}

static const char *set_hash(cmd_parms *cmd, void *conf_, const char *arg)
{
    access_settings *conf = settings_for_change(cmd, conf_);

    if (!strcasecmp(arg, "sha256"))
        conf->hashes |= ACCESS_HASH_SHA256;
    else if (!strcasecmp(arg, "sha1"))
        conf->hashes |= ACCESS_HASH_SHA1;
    else
        return apr_psprintf(cmd->pool, "SAuthHash: sha256 or sha1 expected, not \"%s\"", arg);
    return NULL;
}

static const char *set_needs(cmd_parms *cmd, void *conf_, const char *arg)
{
    access_settings *conf = settings_for_change(cmd, conf_);

    if (!strcasecmp(arg, "none"))
        conf->needs = ACCESS_NEED_NONE;
    else if (!strcasecmp(arg, "id"))
        conf->needs |= ACCESS_NEED_ID;
    else if (!strcasecmp(arg, "aud"))
        conf->needs |= ACCESS_NEED_AUD;
    else
        return apr_psprintf(cmd->pool, "SAuthRequestRequire: id, aud or none expected, not \"%s\"", arg);
    return NULL;
}

static const char *set_nonce_lifetime(cmd_parms *cmd, void *conf_, const char *arg)
{
    return sauth_set_seconds(cmd, arg, 1, 86400, &settings_for_change(cmd, conf_)->nonce_lifetime);
}

static const command_rec directives[] = {
    AP_INIT_ITERATE("SAuthHash", set_hash, NULL, SAUTH_ANYWHERE, "hashes accepted in HMACs: sha256, sha1"),
    AP_INIT_TAKE1("SAuthNonceLifetime", set_nonce_lifetime, NULL, SAUTH_ANYWHERE,
                  "lifetime of a fresh nonce, in seconds"),
    AP_INIT_ITERATE("SAuthRequestRequire", set_needs, NULL, SAUTH_ANYWHERE,
                    "members that an access request must contain: id, aud, or none"),
    {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL}};

static const sauth_endpoint endpoints[] = {
    {"request_access", SAUTH_PATH_LAST, SAUTH_METHOD(M_POST), access_request_handle},
    {"refresh_access", SAUTH_PATH_LAST, SAUTH_METHOD(M_POST), access_refresh_handle},
    {"generate_nonce", SAUTH_PATH_LAST, SAUTH_METHOD(M_GET) | SAUTH_METHOD(M_POST), access_nonce_handle},
    {NULL, SAUTH_PATH_LAST, 0, NULL}};

static const sauth_presentation *const presentations[] = {&access_presentation, NULL};

const sauth_dialect access_dialect = {
    .name = "SAuth",
    .endpoints = endpoints,
    .presentations = presentations,
    .endpoint_challenge = &access_presentation,
    .directives = directives,
    .location = {sizeof(access_settings), settings_init, settings_merge},
};
