/* Removes request headers that imitate ours, and credentials from what the application sees. */
#include <httpd.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>
#include "sanitize.h"

#define REDIRECT     "REDIRECT_"
#define REDIRECT_LEN 9
#define SEPARATORS   ",; \t\v\f"

/* Backends map '-' to '_', and some map '.' too: all separators are equal here. */
static int begins_like(const char *name, const char *word, apr_size_t len)
{
    return !strncasecmp(name, word, len) && name[len] && !apr_isalnum(name[len]);
}

static int is_ours(const char *name)
{
    switch (name[0]) {
    case 's':
    case 'S':
        return begins_like(name, "SAuth", 5);
    case 'i':
    case 'I':
        return begins_like(name, "ISign", 5);
    }
    return 0;
}

/* The first key that `matches`, or NULL. */
static const char *find_key(const apr_table_t *table, int (*matches)(const char *, const char *), const char *arg)
{
    const apr_array_header_t *array = apr_table_elts(table);
    const apr_table_entry_t *entries = (const apr_table_entry_t *)array->elts;
    int i;

    for (i = 0; i < array->nelts; i++)
        if (entries[i].key && matches(entries[i].key, arg))
            return entries[i].key;
    return NULL;
}

static void strip(apr_table_t *table, int (*matches)(const char *, const char *), const char *arg)
{
    const char *key;

    while ((key = find_key(table, matches, arg)))
        apr_table_unset(table, key);
}

static int matches_ours(const char *key, const char *unused)
{
    (void)unused;
    return is_ours(key);
}

apr_array_header_t *sanitize_connection_names(apr_pool_t *p, const char *list)
{
    apr_array_header_t *names = apr_array_make(p, 4, sizeof(const char *));
    char *name, *last;

    for (name = apr_strtok(apr_pstrdup(p, list), SEPARATORS, &last); name; name = apr_strtok(NULL, SEPARATORS, &last))
        APR_ARRAY_PUSH(names, const char *) = name;
    return names;
}

/* mod_proxy removes the fields that Connection names, and would remove ours. */
static void strip_connection(request_rec *r)
{
    const char *list = apr_table_get(r->headers_in, "Connection");
    apr_array_header_t *names, *kept;
    int i, found = 0;

    if (!list)
        return;
    kept = apr_array_make(r->pool, 4, sizeof(const char *));
    names = sanitize_connection_names(r->pool, list);
    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);

        if (is_ours(name))
            found = 1;
        else
            APR_ARRAY_PUSH(kept, const char *) = name;
    }
    if (found && kept->nelts)
        apr_table_setn(r->headers_in, "Connection", apr_array_pstrcat(r->pool, kept, ','));
    else if (found)
        apr_table_unset(r->headers_in, "Connection");
}

void sanitize_inbound(request_rec *r)
{
    strip(r->headers_in, matches_ours, NULL);
    strip_connection(r);
}

static const char *behind_redirects(const char *key)
{
    while (!strncmp(key, REDIRECT, REDIRECT_LEN))
        key += REDIRECT_LEN;
    return key;
}

static int matches_authorization(const char *key, const char *unused)
{
    (void)unused;
    return !strcmp(behind_redirects(key), "HTTP_AUTHORIZATION");
}

static int matches_prefix(const char *key, const char *prefix)
{
    return !strncasecmp(behind_redirects(key), prefix, strlen(prefix)); /* compared as in httpd's tables */
}

#define PART_MIN 16 /* shorter text is no token, HMAC or nonce, and may be in the credentials by chance */
#define STEP     (PART_MIN / 2)

/* How many bytes around these positions are equal in two texts. */
static apr_size_t common_part(const char *text, apr_size_t at, const char *value, const char *found)
{
    apr_size_t before = 0, after = 0;

    while (before < at && found - before > value && text[at - before - 1] == found[-(apr_ssize_t)before - 1])
        before++;
    while (text[at + after] && text[at + after] == found[after])
        after++;
    return before + after;
}

/* Do they share PART_MIN bytes in a row? Any such run contains one of the pieces of STEP bytes completely. */
static int shares_part(const char *value, const char *credentials, apr_size_t len)
{
    apr_size_t at;
    char piece[STEP + 1] = {0};
    const char *found;

    for (at = 0; at + STEP <= len; at += STEP) {
        memcpy(piece, credentials + at, STEP);
        for (found = strstr(value, piece); found; found = strstr(found + 1, piece))
            if (common_part(credentials, at, value, found) >= PART_MIN)
                return 1;
    }
    return 0;
}

/* What to look for: the header as it was received, and its credentials, or NULL. */
typedef struct needle {
    const char *header, *credentials;
    apr_size_t header_len, credentials_len;
} needle;

/* strstr() prepares a table for a long part: it is not called where the lengths or a comparison tell. */
static int contains(const char *value, apr_size_t len, const char *part, apr_size_t part_len)
{
    return len == part_len ? !strcmp(value, part) : len > part_len && strstr(value, part);
}

/* Does a value contain the header, or a part of its credentials? */
static int is_copy(const char *value, const needle *n)
{
    apr_size_t len = strlen(value);

    if (contains(value, len, n->header, n->header_len))
        return 1;
    return n->credentials && (contains(value, len, n->credentials, n->credentials_len) ||
                              (len >= PART_MIN && shares_part(value, n->credentials, n->credentials_len)));
}

/*
 * SetEnvIf and RewriteRule E= can copy a header, or a part of it, to any variable, and RequestHeader to another header. Our
 * own variables and headers are not searched: they may have a part in common by the client's choice.
 */
static void strip_copies(apr_table_t *table, const needle *n)
{
    const apr_array_header_t *array = apr_table_elts(table);
    int i = 0;

    while (i < array->nelts) {
        const apr_table_entry_t *entry = (const apr_table_entry_t *)array->elts + i;

        if (entry->val && !is_ours(entry->key) && is_copy(entry->val, n)) {
            apr_table_unset(table, entry->key);
            i = 0;
        } else {
            i++;
        }
    }
}

void sanitize_authorization(request_rec *r, const char *received, int is_proven)
{
    const char *space = received ? strchr(received, ' ') : NULL;
    needle n = {received, is_proven && space ? space + strspn(space, " ") : NULL, 0, 0};

    if (received && *received) {
        n.header_len = strlen(received);
        n.credentials_len = n.credentials ? strlen(n.credentials) : 0;
        strip_copies(r->subprocess_env, &n);
        strip_copies(r->headers_in, &n);
    }
    strip(r->subprocess_env, matches_authorization, NULL);
}

void sanitize_environment(request_rec *r, const char *prefix)
{
    strip(r->subprocess_env, matches_prefix, prefix);
}
