/* Parses the values of --capability. */
#include "capabilities.h"

#include <string.h>

#include <apr_strings.h>

#include "interauth/name.h"
#include "say.h"

#define SEPARATORS ", \t\r\n"

static int name_add(apr_array_header_t *names, const char *name, int max)
{
    if (!ia_name_is_capability(name, strlen(name)))
        return say_usage("--capability %s: not a valid capability name", name);
    for (int i = 0; i < names->nelts; i++)
        if (strcmp(name, APR_ARRAY_IDX(names, i, const char *)) == 0)
            return say_usage("--capability %s is given twice", name);
    if (max > 0 && names->nelts == max)
        return say_usage("--capability: at most %d names", max);
    APR_ARRAY_PUSH(names, const char *) = name;
    return CL_OK;
}

int capabilities_read(apr_array_header_t **out, apr_pool_t *p, const apr_array_header_t *given, int max)
{
    apr_array_header_t *names = apr_array_make(p, 4, sizeof(const char *));
    int rc = CL_OK;

    *out = NULL;
    if (!given)
        return CL_OK;
    for (int i = 0; i < given->nelts; i++) {
        char *last, *text = apr_pstrdup(p, APR_ARRAY_IDX(given, i, const char *));
        char *name = apr_strtok(text, SEPARATORS, &last);

        if (!name)
            return say_usage("--capability requires a value (NAMES)");
        for (; name && rc == CL_OK; name = apr_strtok(NULL, SEPARATORS, &last))
            rc = name_add(names, name, max);
    }
    *out = names;
    return rc;
}

const char *capabilities_text(apr_pool_t *p, const apr_array_header_t *names)
{
    return apr_array_pstrcat(p, names, ',');
}

int capabilities_has(const apr_array_header_t *names, const char *name)
{
    for (int i = 0; names && i < names->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(names, i, const char *), name) == 0)
            return 1;
    return 0;
}

apr_array_header_t *capabilities_missing(apr_pool_t *p, const apr_array_header_t *names, const apr_array_header_t *one,
                                         const apr_array_header_t *other)
{
    apr_array_header_t *missing = apr_array_make(p, 4, sizeof(const char *));

    for (int i = 0; names && i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);

        if (!capabilities_has(one, name) && !capabilities_has(other, name))
            APR_ARRAY_PUSH(missing, const char *) = name;
    }
    return missing;
}
