#include <httpd.h>
#include <apr_strings.h>
#include <errno.h>
#include <string.h>
#include "directive.h"

const char *directive_number(cmd_parms *cmd, const char *arg, apr_int64_t min, apr_int64_t max, apr_int64_t *out)
{
    char *end;

    errno = 0;
    *out = apr_strtoi64(arg, &end, 10);
    if (errno || !*arg || *end || strspn(arg, "0123456789") != strlen(arg) || *out < min || *out > max)
        return apr_psprintf(cmd->pool, "%s: a whole number from %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT
                            " expected, not \"%s\"", cmd->cmd->name, min, max, arg);
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
        return apr_psprintf(cmd->pool, "%s: bytes from %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT
                            " expected, with K, M or G after the number if wanted, not \"%s\"",
                            cmd->cmd->name, min, max, arg);
    *out = value << shift;
    return NULL;
}
