/* Walks the configuration tree, and compares its sections. */
#include <httpd.h>
#include <string.h>
#include "section.h"

const ap_directive_t *section_first(const ap_directive_t *section)
{
    return section ? section->first_child : ap_conftree;
}

const ap_directive_t *section_next(const ap_directive_t *section, const ap_directive_t *d)
{
    if (d->first_child)
        return d->first_child;
    while (d && d != section && !d->next)
        d = d->parent;
    return d && d != section ? d->next : NULL;
}

const ap_directive_t *section_find_in(apr_pool_t *p, const ap_directive_t *section, section_test *test)
{
    const ap_directive_t *d = section_first(section);

    while (d && !test(p, d))
        d = d->next;
    return d;
}

const ap_directive_t *section_find_below(apr_pool_t *p, const ap_directive_t *section, section_test *test)
{
    const ap_directive_t *d = section_first(section);

    while (d && !test(p, d))
        d = section_next(section, d);
    return d;
}

int section_may_apply(apr_pool_t *p, const ap_directive_t *d, section_test *test)
{
    const ap_directive_t *at, *other;

    for (at = d; at; at = at->parent)
        for (other = section_first(at->parent); other; other = other->next)
            if (test(p, other) || (!section_is_disjoint(p, at, other) && section_find_below(p, other, test)))
                return 1;
    return 0;
}

int section_is_kind(const ap_directive_t *d, const char *prefix)
{
    return !strncasecmp(d->directive, prefix, strlen(prefix));
}

const ap_directive_t *section_around(const ap_directive_t *d, const char *prefix)
{
    for (d = d->parent; d && !section_is_kind(d, prefix); d = d->parent)
        ;
    return d;
}

int section_has_word(apr_pool_t *p, const ap_directive_t *d, const char *name, const char *word)
{
    const char *args = d->args;

    if (strcasecmp(d->directive, name))
        return 0;
    while (args && *args)
        if (!strcasecmp(ap_getword_conf(p, &args), word))
            return 1;
    return 0;
}

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

int section_is_disjoint(apr_pool_t *p, const ap_directive_t *a, const ap_directive_t *b)
{
    return !strcasecmp(a->directive, b->directive) &&
           (!strcasecmp(a->directive, "<Location") || !strcasecmp(a->directive, "<Directory") ||
            !strcasecmp(a->directive, "<VirtualHost")) &&
           !section_is_pattern(a) && !section_is_pattern(b) && !section_covers(p, b, a) && !section_covers(p, a, b);
}
