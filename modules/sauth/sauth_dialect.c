/* Settings and endpoints of the dialects. */
#include <httpd.h>
#include <apr_strings.h>
#include <string.h>
#include "mod_sauth.h"
#include "sauth_dialect.h"

#define DIRECTIVES_MAX 128

command_rec sauth_directives[DIRECTIVES_MAX]; /* ends with a zeroed row */

static int directives_do_not_fit;

static unsigned add_directives(unsigned count, const command_rec *directives)
{
    for (; directives && directives->name && count < DIRECTIVES_MAX - 1; directives++)
        sauth_directives[count++] = *directives;
    directives_do_not_fit |= directives && directives->name;
    return count;
}

/* A constructor, because httpd reads the list before it calls a function of the module. */
__attribute__((constructor)) static void collect_directives(void)
{
    unsigned count = add_directives(0, sauth_generic_directives), i;

    for (i = 0; sauth_dialects[i]; i++)
        count = add_directives(count, sauth_dialects[i]->directives);
}

static int is_taken(const sauth_presentation *p)
{
    const sauth_presentation **each;

    for (each = sauth_presentations; *each != p; each++)
        if ((*each)->bit == p->bit || !strcasecmp((*each)->word, p->word))
            return 1;
    return 0;
}

const char *sauth_dialects_check(apr_pool_t *p)
{
    const sauth_presentation **each;
    unsigned count = 0, found = 0, i, k;

    for (each = sauth_presentations; *each; each++, found++)
        if (!(*each)->bit || ((*each)->bit & ((*each)->bit - 1)) || is_taken(*each))
            return apr_pstrcat(
                p, "built with a presentation whose bit or word is invalid or not unique: ", (*each)->word, NULL);
    for (i = 0; sauth_dialects[i]; i++)
        for (k = 0; sauth_dialects[i]->presentations && sauth_dialects[i]->presentations[k]; k++)
            count++;
    return directives_do_not_fit || count != found ? "built with more directives or presentations than its tables hold"
                                                   : NULL;
}

/* Allocates one block that contains the pointers and the settings to which they point. */
static void **make_settings(apr_pool_t *p, const sauth_settings *(*kind)(const sauth_dialect *))
{
    unsigned count = 0, i;
    apr_size_t size = 0;
    char *at;
    void **all;

    for (; sauth_dialects[count]; count++)
        size += APR_ALIGN_DEFAULT(kind(sauth_dialects[count])->size);
    all = apr_pcalloc(p, APR_ALIGN_DEFAULT((count + 1) * sizeof *all) + size);
    at = (char *)all + APR_ALIGN_DEFAULT((count + 1) * sizeof *all);
    for (i = 0; i < count; i++) {
        const sauth_settings *settings = kind(sauth_dialects[i]);

        if (!settings->size)
            continue;
        all[i] = at;
        at += APR_ALIGN_DEFAULT(settings->size);
        if (settings->init)
            settings->init(all[i]);
    }
    return all;
}

static const sauth_settings *location_of(const sauth_dialect *dialect)
{
    return &dialect->location;
}

static const sauth_settings *server_of(const sauth_dialect *dialect)
{
    return &dialect->server;
}

void **sauth_dialect_servers(apr_pool_t *p)
{
    return make_settings(p, server_of);
}

/* Avoids a copy if possible: sections are merged for each request, and few have settings of dialects. */
void *const *sauth_dialect_locations_merge(apr_pool_t *p, void *const *base, void *const *add)
{
    void **all;
    unsigned i;

    if (!base || !add)
        return base ? base : add;
    all = make_settings(p, location_of);
    for (i = 0; sauth_dialects[i]; i++)
        if (all[i])
            sauth_dialects[i]->location.merge(all[i], base[i], add[i]);
    return all;
}

static unsigned index_of(const sauth_dialect *dialect)
{
    unsigned i = 0;

    while (sauth_dialects[i] != dialect)
        i++;
    return i;
}

const void *sauth_dialect_location(const sauth_dir *conf, const sauth_dialect *dialect)
{
    return conf->dialects ? conf->dialects[index_of(dialect)] : NULL;
}

void *sauth_dialect_location_set(cmd_parms *cmd, sauth_dir *conf, const sauth_dialect *dialect)
{
    if (!conf->dialects)
        conf->dialects = make_settings(cmd->pool, location_of);
    return conf->dialects[index_of(dialect)];
}

void *sauth_dialect_server(server_rec *s, const sauth_dialect *dialect)
{
    return sauth_server_of(s)->dialects[index_of(dialect)];
}

/* Whether the first `len` bytes of the path end in "/" and the name. */
static int ends_with(const char *path, apr_size_t len, const char *name)
{
    apr_size_t name_len = strlen(name);

    return len > name_len && path[len - name_len - 1] == '/' && !strncmp(path + len - name_len, name, name_len);
}

/* Returns the length of the path before its last slash. */
static apr_size_t parent_of(const char *path, apr_size_t len)
{
    while (len > 0 && path[len - 1] != '/')
        len--;
    return len > 0 ? len - 1 : 0;
}

/* Returns the length of the path before the endpoint's name, or -1 if the path is not that of the endpoint. */
static apr_ssize_t base_of(const char *path, apr_size_t len, const sauth_endpoint *e)
{
    apr_size_t name_len = strlen(e->name), parent;

    switch (e->path) {
    case SAUTH_PATH_LAST:
        return ends_with(path, len, e->name) ? (apr_ssize_t)(len - name_len - 1) : -1;
    case SAUTH_PATH_TAIL:
        parent = parent_of(path, len);
        return parent + 1 < len && ends_with(path, parent, e->name) ? (apr_ssize_t)(parent - name_len - 1) : -1;
    case SAUTH_PATH_ROOT:
        return len > name_len && *path == '/' && !strncmp(path + 1, e->name, name_len) &&
                       (len == name_len + 1 || path[name_len + 1] == '/')
                   ? 0
                   : -1;
    }
    return -1;
}

/* If several endpoints match, the one that matches most of the path is used: with a tail, that of its own. */
static const sauth_endpoint *find_longest(const char *path, apr_size_t len, const sauth_dialect **dialect)
{
    const sauth_endpoint *found = NULL, *e;
    apr_ssize_t base, least = 0;
    unsigned i;

    for (i = 0; sauth_dialects[i]; i++)
        for (e = sauth_dialects[i]->endpoints; e && e->name; e++)
            if ((base = base_of(path, len, e)) >= 0 && (!found || base < least)) {
                found = e;
                least = base;
                *dialect = sauth_dialects[i];
            }
    return found;
}

/* There are no endpoints below an endpoint: the base URL of the client is wrong if it ends in one. */
const sauth_endpoint *sauth_endpoint_find(const char *path, const sauth_dialect **dialect, const char **tail)
{
    const sauth_endpoint *found = find_longest(path, strlen(path), dialect);
    const sauth_dialect *other;
    apr_ssize_t base = found ? base_of(path, strlen(path), found) : 0;

    if (!found || (base > 0 && find_longest(path, (apr_size_t)base, &other)))
        return NULL;
    *tail = path + base + 1 + strlen(found->name);
    if (found->path == SAUTH_PATH_LAST)
        *tail = NULL;
    else if (found->path == SAUTH_PATH_TAIL)
        ++*tail;
    return found;
}
