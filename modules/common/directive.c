/* Checks the arguments of directives. */
#include <httpd.h>
#include <apr_strings.h>
#include <errno.h>
#include <http_config.h>
#include <string.h>
#include "directive.h"

const char *directive_number(cmd_parms *cmd, const char *arg, apr_int64_t min, apr_int64_t max, apr_int64_t *out)
{
    char *end;

    errno = 0;
    *out = apr_strtoi64(arg, &end, 10);
    if (errno || !*arg || *end || strspn(arg, "0123456789") != strlen(arg) || *out < min || *out > max)
        return apr_psprintf(cmd->pool,
                            "%s: a whole number from %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT " expected, not \"%s\"",
                            cmd->cmd->name, min, max, arg);
    return NULL;
}

const char *directive_size(cmd_parms *cmd, const char *arg, apr_int64_t min, apr_int64_t max, apr_int64_t *out)
{
    static const char suffixes[] = "KMG";
    apr_size_t len = strlen(arg);
    const char *suffix = len ? strchr(suffixes, arg[len - 1]) : NULL;
    int shift = suffix && *suffix ? 10 * (int)(suffix - suffixes + 1) : 0;
    const char *digits = shift ? apr_pstrmemdup(cmd->pool, arg, len - 1) : arg;
    apr_int64_t value;

    if (directive_number(cmd, digits, 0, APR_INT64_C(1) << 33, &value) || value << shift < min || value << shift > max)
        return apr_psprintf(cmd->pool,
                            "%s: bytes from %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT
                            " expected, optionally with K, M or G after the number, not \"%s\"",
                            cmd->cmd->name, min, max, arg);
    *out = value << shift;
    return NULL;
}

#define FORBIDDEN_DIRECTIVE "AuthzSendForbiddenOnFailure"
#define AUTHZ_CORE          "mod_authz_core.c"

const char *directive_send_forbidden(cmd_parms *cmd)
{
    module *core = ap_find_linked_module(AUTHZ_CORE);
    const command_rec *directive = core ? core->cmds : NULL;
    cmd_parms call = *cmd; /* the function of the directive reads its name and data here */
    void *conf;

    while (directive && directive->name && strcasecmp(directive->name, FORBIDDEN_DIRECTIVE))
        directive++;
    if (!directive || !directive->name)
        return "mod_authz_core is not loaded, or is older than 2.4 and has no " FORBIDDEN_DIRECTIVE;
    call.cmd = directive;
    call.info = directive->cmd_data;
    conf = ap_set_config_vectors(cmd->server, cmd->context, cmd->path, core, cmd->pool);
    return directive->AP_FLAG(&call, conf, 1);
}
