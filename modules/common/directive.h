/** Checks the arguments of directives as they are read, so that `httpd -t` reports errors. */
#ifndef INTERAUTH_COMMON_DIRECTIVE_H
#define INTERAUTH_COMMON_DIRECTIVE_H

#include <httpd.h>
#include <http_config.h>

/** Parses a whole decimal number from `min` to `max`. @return NULL, or an error message in cmd->pool */
const char *directive_number(cmd_parms *cmd, const char *arg, apr_int64_t min, apr_int64_t max, apr_int64_t *out);

/** The same for a number of bytes, with an optional suffix K, M or G. */
const char *directive_size(cmd_parms *cmd, const char *arg, apr_int64_t min, apr_int64_t max, apr_int64_t *out);

/**
 * Sets AuthzSendForbiddenOnFailure of mod_authz_core for the section of a rule of ours: the response to a client that is
 * authenticated but not authorized is then 403, not another 401. @return NULL, or an error message
 */
const char *directive_send_forbidden(cmd_parms *cmd);

/** Merges a field of a directory configuration. `unset` is its value in a section without the directive. */
#define DIRECTIVE_MERGE(to, base, add, field, unset)                                                                   \
    ((to)->field = (add)->field != (unset) ? (add)->field : (base)->field)

#endif
