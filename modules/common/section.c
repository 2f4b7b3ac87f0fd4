/* Compares sections of the configuration tree. */
#include <httpd.h>
#include <string.h>
#include "section.h"

static const char *path_of(apr_pool_t *p, const ap_directive_t *section)
{
    const char *args = section->args;
    char *path = ap_getword_conf(p, &args);
    apr_size_t len = strlen(path);

    if (len && path[len - 1] == '>')
        path[len - 1] = '\0';
    return path;
}

int section_is_pattern(const ap_directive_t *section)
{
    return (!strcasecmp(section->directive, "<Location") || !strcasecmp(section->directive, "<Directory") ||
            !strcasecmp(section->directive, "<Files")) &&
           strpbrk(section->args, "~*?[");
}

int section_covers(apr_pool_t *p, const ap_directive_t *wide, const ap_directive_t *narrow)
{
    const char *a = path_of(p, wide), *b = path_of(p, narrow);
    apr_size_t len = strlen(a);

    if (strcasecmp(wide->directive, narrow->directive) || section_is_pattern(wide) || section_is_pattern(narrow))
        return 0;
    while (len > 1 && a[len - 1] == '/')
        len--;
    return !strncmp(a, b, len) && (len == 1 || !b[len] || b[len] == '/');
}
