/* Parses the directives, and merges the settings of sections. */
#include <httpd.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_uri.h>
#include <http_core.h>
#include <string.h>
#include "directive.h"
#include "mod_isign.h"
#include "request.h"

#define MEMORY_DEFAULT  (1024 * 1024)
#define MAX_DEFAULT     (64 * 1024 * 1024)
#define MEMORY_MAX      (64 * 1024 * 1024)
#define BODY_MAX        (APR_INT64_C(1) << 40)
#define AGE_DEFAULT     300
#define SKEW_DEFAULT    30
#define SKEW_MAX        3600
#define TOTAL_DEFAULT   (APR_INT64_C(1) << 30)
#define REPLAYS_DEFAULT 200000

static apr_int64_t server_skew, widest_location_skew; /* seconds */

void isign_config_reset(void)
{
    server_skew = SKEW_DEFAULT;
    widest_location_skew = 0;
}

apr_time_t isign_widest_skew(void)
{
    return apr_time_from_sec(widest_location_skew > server_skew ? widest_location_skew : server_skew);
}

void *isign_dir_create(apr_pool_t *p, char *path)
{
    isign_dir *conf = apr_pcalloc(p, sizeof *conf);

    (void)path;
    conf->spool_memory = conf->spool_max = conf->max_age = conf->skew = -1;
    return conf;
}

static isign_dir merge(const isign_dir *base, const isign_dir *add)
{
    isign_dir conf;

    DIRECTIVE_MERGE(&conf, base, add, level, ISIGN_UNSET);
    DIRECTIVE_MERGE(&conf, base, add, mode, ISIGN_MODE_UNSET);
    DIRECTIVE_MERGE(&conf, base, add, body, ISIGN_BODY_UNSET);
    DIRECTIVE_MERGE(&conf, base, add, spool_memory, -1);
    DIRECTIVE_MERGE(&conf, base, add, spool_max, -1);
    DIRECTIVE_MERGE(&conf, base, add, cover, NULL);
    DIRECTIVE_MERGE(&conf, base, add, max_age, -1);
    DIRECTIVE_MERGE(&conf, base, add, algorithms, 0);
    DIRECTIVE_MERGE(&conf, base, add, tag, NULL);
    DIRECTIVE_MERGE(&conf, base, add, label, NULL);
    DIRECTIVE_MERGE(&conf, base, add, nonce, ISIGN_NONCE_UNSET);
    DIRECTIVE_MERGE(&conf, base, add, skew, -1);
    DIRECTIVE_MERGE(&conf, base, add, scheme, NULL);
    DIRECTIVE_MERGE(&conf, base, add, authority, NULL);
    return conf;
}

void *isign_dir_merge(apr_pool_t *p, void *base, void *add)
{
    isign_dir *conf = apr_palloc(p, sizeof *conf);

    *conf = merge(base, add);
    return conf;
}

isign_dir isign_dir_effective(request_rec *r)
{
    static const isign_dir defaults = {ISIGN_OFF,
                                       ISIGN_MODE_ENFORCE,
                                       ISIGN_BODY_SPOOL,
                                       MEMORY_DEFAULT,
                                       MAX_DEFAULT,
                                       NULL,
                                       AGE_DEFAULT,
                                       ISIGN_ALGORITHMS_ALL,
                                       "",
                                       "",
                                       ISIGN_NONCE_REQUIRED,
                                       SKEW_DEFAULT,
                                       "",
                                       ""};

    isign_dir conf = merge(&defaults, ap_get_module_config(r->per_dir_config, &isign_module));

    if (request_is_for_endpoint(r))
        conf.level = ISIGN_OFF;
    return conf;
}

void *isign_server_create(apr_pool_t *p, server_rec *s)
{
    isign_server *conf = apr_pcalloc(p, sizeof *conf);

    (void)s;
    conf->spool_total = TOTAL_DEFAULT;
    conf->replay_capacity = REPLAYS_DEFAULT;
    conf->longest_age = AGE_DEFAULT;
    return conf;
}

isign_server *isign_server_of(server_rec *s)
{
    return ap_get_module_config(s->module_config, &isign_module);
}

static const char *set_level(cmd_parms *cmd, void *conf_, const char *arg)
{
    isign_dir *conf = conf_;

    if (!strcasecmp(arg, "off"))
        conf->level = ISIGN_OFF;
    else if (!strcasecmp(arg, "optional"))
        conf->level = ISIGN_OPTIONAL;
    else if (!strcasecmp(arg, "digest"))
        conf->level = ISIGN_DIGEST;
    else if (!strcasecmp(arg, "require"))
        conf->level = ISIGN_REQUIRE;
    else if (!strcasecmp(arg, "observe"))
        return "ISign observe is now written as two directives: \"ISign digest\" and \"ISignMode observe\"";
    else
        return apr_psprintf(cmd->pool, "ISign: off, optional, digest or require expected, not \"%s\"", arg);
    return NULL;
}

static const char *set_mode(cmd_parms *cmd, void *conf_, const char *arg)
{
    isign_dir *conf = conf_;

    if (!strcasecmp(arg, "enforce"))
        conf->mode = ISIGN_MODE_ENFORCE;
    else if (!strcasecmp(arg, "observe"))
        conf->mode = ISIGN_MODE_OBSERVE;
    else
        return apr_psprintf(cmd->pool, "ISignMode: enforce or observe expected, not \"%s\"", arg);
    return NULL;
}

static const char *set_body(cmd_parms *cmd, void *conf_, const char *way, const char *memory, const char *max)
{
    isign_dir *conf = conf_;
    const char *error;

    if (!strcasecmp(way, "stream")) {
        conf->body = ISIGN_BODY_STREAM;
        return memory ? "ISignBody stream: no size expected" : NULL;
    }
    if (strcasecmp(way, "spool"))
        return "ISignBody: spool [MEM [MAX]] or stream expected";
    conf->body = ISIGN_BODY_SPOOL;
    conf->spool_memory = MEMORY_DEFAULT;
    conf->spool_max = MAX_DEFAULT;
    if (memory && (error = directive_size(cmd, memory, 0, MEMORY_MAX, &conf->spool_memory)))
        return error;
    if (max && (error = directive_size(cmd, max, 0, BODY_MAX, &conf->spool_max)))
        return error;
    return conf->spool_memory > conf->spool_max ? "ISignBody: MEM is larger than MAX" : NULL;
}

/* A component that a policy can require: a field name in lower case, or a derived component of requests. */
static int is_component(const char *name)
{
    static const char *const derived[] = {"@method",         "@target-uri", "@authority", "@scheme",
                                          "@request-target", "@path",       "@query"};
    unsigned i;

    if (*name == '@') {
        for (i = 0; i < sizeof derived / sizeof derived[0]; i++)
            if (!strcmp(name, derived[i]))
                return 1;
        return 0;
    }
    return *name && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_!#$%&'*+.^`|~") == strlen(name);
}

static const char *set_cover(cmd_parms *cmd, void *conf_, const char *arg)
{
    isign_dir *conf = conf_;

    if (!is_component(arg))
        return apr_psprintf(cmd->pool,
                            "ISignCover: a field name in lower case, or a derived component such as @method, "
                            "expected, not \"%s\"",
                            arg);
    if (!conf->cover)
        conf->cover = apr_array_make(cmd->pool, 8, sizeof(const char *));
    APR_ARRAY_PUSH(conf->cover, const char *) = arg;
    return NULL;
}

static const char *set_max_age(cmd_parms *cmd, void *conf_, const char *arg)
{
    isign_server *server = isign_server_of(cmd->server);
    apr_int64_t *age = &((isign_dir *)conf_)->max_age;
    const char *error = directive_number(cmd, arg, 1, 86400, age);

    if (!error && *age > server->longest_age)
        server->longest_age = *age;
    return error;
}

static const char *set_clock_skew(cmd_parms *cmd, void *conf_, const char *arg)
{
    apr_int64_t *skew = &((isign_dir *)conf_)->skew;
    const char *error = directive_number(cmd, arg, 0, SKEW_MAX, skew);

    if (error)
        return error;
    if (!cmd->path && !cmd->server->is_virtual)
        server_skew = *skew;
    else if (*skew > widest_location_skew)
        widest_location_skew = *skew;
    return NULL;
}

static const char *set_nonce(cmd_parms *cmd, void *conf_, const char *arg)
{
    isign_dir *conf = conf_;

    if (!strcasecmp(arg, "required"))
        conf->nonce = ISIGN_NONCE_REQUIRED;
    else if (!strcasecmp(arg, "optional"))
        conf->nonce = ISIGN_NONCE_OPTIONAL;
    else
        return apr_psprintf(cmd->pool, "ISignNonce: required or optional expected, not \"%s\"", arg);
    return NULL;
}

static const char *set_algorithms(cmd_parms *cmd, void *conf_, const char *arg)
{
    ia_algorithm algorithm = ia_algorithm_find(arg, strlen(arg));
    unsigned *algorithms = &((isign_dir *)conf_)->algorithms;
    int is_all = !strcasecmp(arg, "all");

    if (*algorithms == ISIGN_ALGORITHMS_ALL || (is_all && *algorithms))
        return "ISignAlgorithms: all must be the only argument";
    if (!is_all && algorithm == IA_ALGORITHM_NONE)
        return apr_psprintf(cmd->pool,
                            "ISignAlgorithms: ed25519, ecdsa-p256-sha256, ecdsa-p384-sha384, rsa-pss-sha512, "
                            "rsa-v1_5-sha256, hmac-sha256 or all expected, not \"%s\"",
                            arg);
    *algorithms |= is_all ? ISIGN_ALGORITHMS_ALL : 1u << algorithm;
    return NULL;
}

static const char *set_tag(cmd_parms *cmd, void *conf_, const char *arg)
{
    const char *at;

    (void)cmd;
    for (at = arg; *at; at++)
        if (*at < 0x20 || *at > 0x7e)
            return "ISignTag: printable ASCII expected";
    if (!*arg)
        return "ISignTag: a tag, or none, expected";
    ((isign_dir *)conf_)->tag = strcasecmp(arg, "none") ? arg : "";
    return NULL;
}

/* A key of a structured field (RFC 9651 section 3.1.2). */
static int is_label(const char *text)
{
    return (apr_islower(*text) || *text == '*') &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-.*") == strlen(text);
}

static const char *set_label(cmd_parms *cmd, void *conf_, const char *arg)
{
    if (!is_label(arg))
        return apr_psprintf(cmd->pool, "ISignLabel: a label such as sig1, or none, expected, not \"%s\"", arg);
    ((isign_dir *)conf_)->label = strcmp(arg, "none") ? arg : "";
    return NULL;
}

static const char *set_external(cmd_parms *cmd, void *conf_, const char *arg)
{
    isign_dir *conf = conf_;
    apr_uri_t uri;

    if (conf->scheme)
        return "ISignExternal: already set in this section";
    if (!strcasecmp(arg, "none")) {
        conf->scheme = conf->authority = "";
        return NULL;
    }
    if (apr_uri_parse(cmd->pool, arg, &uri) || !uri.scheme || !uri.hostname || uri.user || uri.query || uri.fragment ||
        (uri.path && strcmp(uri.path, "/")) || (strcmp(uri.scheme, "http") && strcmp(uri.scheme, "https")))
        return apr_psprintf(cmd->pool,
                            "ISignExternal: http://host[:port], https://host[:port] or none expected, not \"%s\"", arg);
    conf->scheme = uri.scheme;
    conf->authority = uri.hostinfo;
    return NULL;
}

static const char *set_spool_total(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    (void)unused;
    return error ? error : directive_size(cmd, arg, 0, BODY_MAX, &isign_server_of(cmd->server)->spool_total);
}

static const char *set_spool_directory(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    isign_server *conf = isign_server_of(cmd->server);

    (void)unused;
    if (error)
        return error;
    conf->spool_directory = *arg ? ap_server_root_relative(cmd->pool, arg) : NULL;
    return conf->spool_directory ? NULL : "ISignSpoolDirectory: a path expected";
}

static const char *set_replay_capacity(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    (void)unused;
    return error ? error : directive_number(cmd, arg, 1, 16777216, &isign_server_of(cmd->server)->replay_capacity);
}

static const char *set_state_file(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    isign_server *conf = isign_server_of(cmd->server);

    (void)unused;
    if (error)
        return error;
    conf->state_file = *arg ? ap_server_root_relative(cmd->pool, arg) : NULL;
    return conf->state_file ? NULL : "ISignStateFile: a path expected";
}

#define ANYWHERE (RSRC_CONF | ACCESS_CONF)

const command_rec isign_directives[] = {
    AP_INIT_TAKE1("ISign", set_level, NULL, ANYWHERE,
                  "off, optional, digest or require: which signatures and digests are checked and required"),
    AP_INIT_TAKE1("ISignMode", set_mode, NULL, ANYWHERE, "enforce, or observe: only log what would be refused"),
    AP_INIT_TAKE123(
        "ISignBody", set_body, NULL, ANYWHERE,
        "spool [MEM [MAX]]: read bodies of up to MAX bytes first, MEM in memory; or stream: check while reading"),
    AP_INIT_ITERATE("ISignCover", set_cover, NULL, ANYWHERE, "components that signatures must cover"),
    AP_INIT_TAKE1("ISignMaxAge", set_max_age, NULL, ANYWHERE, "maximum age of a signature in seconds"),
    AP_INIT_TAKE1("ISignClockSkew", set_clock_skew, NULL, ANYWHERE, "maximum difference between the clocks in seconds"),
    AP_INIT_TAKE1("ISignNonce", set_nonce, NULL, ANYWHERE, "required or optional: whether signatures need a nonce"),
    AP_INIT_ITERATE("ISignAlgorithms", set_algorithms, NULL, ANYWHERE, "algorithms that are accepted, or all"),
    AP_INIT_TAKE1("ISignTag", set_tag, NULL, ANYWHERE, "tag of the signature to verify, or none for any"),
    AP_INIT_TAKE1("ISignLabel", set_label, NULL, ANYWHERE, "label of the signature to verify, or none for any"),
    AP_INIT_TAKE1("ISignExternal", set_external, NULL, ANYWHERE,
                  "scheme://host[:port] that clients see behind a proxy, or none"),
    AP_INIT_TAKE1("ISignSpoolTotal", set_spool_total, NULL, RSRC_CONF,
                  "maximum number of bytes of all stored bodies together"),
    AP_INIT_TAKE1("ISignSpoolDirectory", set_spool_directory, NULL, RSRC_CONF, "directory for files of stored bodies"),
    AP_INIT_TAKE1("ISignReplayCapacity", set_replay_capacity, NULL, RSRC_CONF,
                  "maximum number of used nonces in the replay cache"),
    AP_INIT_TAKE1("ISignStateFile", set_state_file, NULL, RSRC_CONF,
                  "file that preserves used nonces after a clean stop"),
    {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL}};
