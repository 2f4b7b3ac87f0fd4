/* Finds the presentation of a request, among those that the dialects have. */
#include <httpd.h>
#include <apr_strings.h>
#include <string.h>
#include "mod_sauth.h"
#include "sauth_dialect.h"
#include "snapshot.h"

const sauth_presentation *sauth_presentation_next(const sauth_presentation *previous)
{
    unsigned i, k;
    int is_next = !previous;

    for (i = 0; sauth_dialects[i]; i++)
        for (k = 0; sauth_dialects[i]->presentations && sauth_dialects[i]->presentations[k]; k++) {
            if (is_next)
                return sauth_dialects[i]->presentations[k];
            is_next = sauth_dialects[i]->presentations[k] == previous;
        }
    return NULL;
}

const sauth_presentation *sauth_presentation_named(const char *word)
{
    const sauth_presentation *p = NULL;

    while ((p = sauth_presentation_next(p)))
        if (!strcasecmp(p->word, word))
            return p;
    return NULL;
}

const char *sauth_presentation_words(apr_pool_t *p)
{
    const sauth_presentation *each = NULL, *next = sauth_presentation_next(NULL);
    const char *words = "";

    while ((each = next)) {
        next = sauth_presentation_next(each);
        words = apr_pstrcat(p, words, !*words ? "" : next ? ", " : " or ", each->word, NULL);
    }
    return words;
}

static int is_of_scheme(const char *value, const char *scheme)
{
    apr_size_t len = strlen(scheme);

    return !strncasecmp(value, scheme, len) && (value[len] == ' ' || !value[len]);
}

/* If the request has an Authorization field, no other credentials are considered. */
const sauth_presentation *sauth_presentation_shown(request_rec *r, const sauth_dir *conf)
{
    const char *authorization = snapshot_of(r)->authorization;
    const sauth_presentation *p = NULL;

    while ((p = sauth_presentation_next(p))) {
        if (!(conf->accept & p->bit))
            continue;
        if (authorization ? p->scheme && is_of_scheme(authorization, p->scheme) : !p->scheme)
            if (!p->is_shown || p->is_shown(r, conf))
                return p;
    }
    return NULL;
}

/* httpd joins repeated fields with ", ": the scheme may follow another one. */
int sauth_presentation_reads(const char *value)
{
    const sauth_presentation *p;

    while (value) {
        for (p = sauth_presentation_next(NULL); p; p = sauth_presentation_next(p))
            if (p->scheme && is_of_scheme(value, p->scheme))
                return 1;
        if ((value = strchr(value, ',')))
            value += 1 + strspn(value + 1, " \t");
    }
    return 0;
}
