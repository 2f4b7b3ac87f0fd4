/* Directives of mod_registry. */
#include <httpd.h>
#include <http_core.h>
#include "directive.h"
#include "mod_registry.h"

void *registry_config_create(apr_pool_t *p, server_rec *s)
{
    registry_config *conf = apr_pcalloc(p, sizeof *conf);

    (void)s;
    conf->capacity = REGISTRY_CAPACITY_DEFAULT;
    conf->key_capacity = REGISTRY_KEYS_DEFAULT;
    return conf;
}

/* All directives are global: the configuration is that of the main server, also in virtual hosts. */
registry_config *registry_config_of(server_rec *s)
{
    return ap_get_module_config(s->module_config, &registry_module);
}

static const char *set_file(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    registry_config *conf = registry_config_of(cmd->server);

    (void)unused;
    if (error)
        return error;
    if (!*arg)
        return "RegistryFile: a path expected";
    conf->file = ap_server_root_relative(cmd->pool, arg);
    return conf->file ? NULL : "RegistryFile: not a valid path";
}

static const char *set_capacity(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    (void)unused;
    return error ? error
                 : directive_number(cmd, arg, 1, REGISTRY_CAPACITY_MAX, &registry_config_of(cmd->server)->capacity);
}

static const char *set_key_capacity(cmd_parms *cmd, void *unused, const char *arg)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    (void)unused;
    return error ? error
                 : directive_number(cmd, arg, 1, REGISTRY_CAPACITY_MAX, &registry_config_of(cmd->server)->key_capacity);
}

const command_rec registry_directives[] = {
    AP_INIT_TAKE1("RegistryFile", set_file, NULL, RSRC_CONF,
                  "path of the JSON file of participants, which is read at start and reload"),
    AP_INIT_TAKE1("RegistryCapacity", set_capacity, NULL, RSRC_CONF,
                  "number of participants for which shared memory is allocated"),
    AP_INIT_TAKE1("RegistryKeyCapacity", set_key_capacity, NULL, RSRC_CONF,
                  "number of public keys for which shared memory is allocated"),
    {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL}};
