/** Arguments of directives, checked where they are read, so that `httpd -t` finds what is wrong. */
#ifndef INTERAUTH_COMMON_DIRECTIVE_H
#define INTERAUTH_COMMON_DIRECTIVE_H

#include <httpd.h>
#include <http_config.h>

/** A whole decimal number from `min` to `max`. @return NULL, or the message for the administrator */
const char *directive_number(cmd_parms *cmd, const char *arg, apr_int64_t min, apr_int64_t max, apr_int64_t *out);

/** The same in bytes, with an optional suffix K, M or G. */
const char *directive_size(cmd_parms *cmd, const char *arg, apr_int64_t min, apr_int64_t max, apr_int64_t *out);

/**
 * A client that is known but may not is 403, not another 401. mod_authz_core has a directive for it, per section: sets it
 * for the section of a rule of ours. @return NULL, or the message for the administrator
 */
const char *directive_send_forbidden(cmd_parms *cmd);

/** Merges one field of a directory configuration: `unset` is the value that a section which says nothing has. */
#define DIRECTIVE_MERGE(to, base, add, field, unset)                                                                   \
    ((to)->field = (add)->field != (unset) ? (add)->field : (base)->field)

#endif
