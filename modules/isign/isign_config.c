#include <httpd.h>
#include <http_core.h>
#include "directive.h"
#include "mod_isign.h"

#define MEMORY_DEFAULT (256 * 1024)
#define MAX_DEFAULT    (64 * 1024 * 1024)
#define MEMORY_MAX     (64 * 1024 * 1024)
#define BODY_MAX       (APR_INT64_C(1) << 40)

void *isign_dir_create(apr_pool_t *p, char *path)
{
    isign_dir *conf = apr_pcalloc(p, sizeof *conf);

    (void)path;
    conf->spool_memory = conf->spool_max = -1;
    return conf;
}

static isign_dir merge(const isign_dir *base, const isign_dir *add)
{
    isign_dir conf;

    DIRECTIVE_MERGE(&conf, base, add, mode, ISIGN_UNSET);
    DIRECTIVE_MERGE(&conf, base, add, spool_memory, -1);
    DIRECTIVE_MERGE(&conf, base, add, spool_max, -1);
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
    static const isign_dir defaults = {ISIGN_OFF, MEMORY_DEFAULT, MAX_DEFAULT};

    return merge(&defaults, ap_get_module_config(r->per_dir_config, &isign_module));
}

static const char *set_mode(cmd_parms *cmd, void *conf_, const char *arg)
{
    isign_dir *conf = conf_;

    (void)cmd;
    if (!strcasecmp(arg, "off"))
        conf->mode = ISIGN_OFF;
    else if (!strcasecmp(arg, "observe"))
        conf->mode = ISIGN_OBSERVE;
    else if (!strcasecmp(arg, "require"))
        conf->mode = ISIGN_REQUIRE;
    else
        return "ISign: off, observe or require expected";
    return NULL;
}

static const char *set_body(cmd_parms *cmd, void *conf_, const char *way, const char *memory, const char *max)
{
    isign_dir *conf = conf_;
    const char *error;

    if (strcasecmp(way, "spool"))
        return "ISignBody: spool [MEM [MAX]] expected";
    conf->spool_memory = MEMORY_DEFAULT;
    conf->spool_max = MAX_DEFAULT;
    if (memory && (error = directive_size(cmd, memory, 0, MEMORY_MAX, &conf->spool_memory)))
        return error;
    if (max && (error = directive_size(cmd, max, 0, BODY_MAX, &conf->spool_max)))
        return error;
    return conf->spool_memory > conf->spool_max ? "ISignBody: MEM is larger than MAX" : NULL;
}

const command_rec isign_directives[] = {
    AP_INIT_TAKE1("ISign", set_mode, NULL, RSRC_CONF | ACCESS_CONF, "off, observe or require: body digests of requests"),
    AP_INIT_TAKE123("ISignBody", set_body, NULL, RSRC_CONF | ACCESS_CONF,
                    "spool [MEM [MAX]]: read bodies whole, MEM bytes in memory, MAX at most"),
    {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL}};
