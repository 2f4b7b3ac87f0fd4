/* Names of participants, capabilities and domains. */
#include <apr_lib.h>
#include <string.h>
#include "interauth/name.h"

/* Space, quote and backslash would need escaping in header parameters, logs and space-separated lists. */
static int is_name(const char *name, apr_size_t len)
{
    apr_size_t i;

    if (len < 1 || len > IA_NAME_MAX)
        return 0;
    for (i = 0; i < len; i++)
        if (name[i] <= 0x20 || name[i] >= 0x7f || name[i] == '"' || name[i] == '\\')
            return 0;
    return 1;
}

int ia_name_is_id(const char *name, apr_size_t len)
{
    return is_name(name, len);
}

/* A comma separates names in configuration and options. */
int ia_name_is_capability(const char *name, apr_size_t len)
{
    return is_name(name, len) && !memchr(name, ',', len);
}

int ia_name_is_domain(const char *name, apr_size_t len)
{
    apr_size_t i;

    for (i = 0; i < len; i++)
        if (!apr_isalnum(name[i]) && name[i] != '.' && name[i] != '-' && name[i] != '_')
            return 0;
    return is_name(name, len);
}
