/* Finds the presentation whose credentials a request contains. */
#include <httpd.h>
#include <apr_strings.h>
#include <string.h>
#include "mod_sauth.h"
#include "sauth_dialect.h"
#include "snapshot.h"

#define PRESENTATIONS_MAX 32 /* one bit for each */

const sauth_presentation *sauth_presentations[PRESENTATIONS_MAX + 1];

__attribute__((constructor)) static void collect_presentations(void)
{
    unsigned count = 0, i, k;

    for (i = 0; sauth_dialects[i]; i++)
        for (k = 0; sauth_dialects[i]->presentations && sauth_dialects[i]->presentations[k]; k++)
            if (count < PRESENTATIONS_MAX)
                sauth_presentations[count++] = sauth_dialects[i]->presentations[k];
}

const sauth_presentation *sauth_presentation_named(const char *word)
{
    const sauth_presentation **each;

    for (each = sauth_presentations; *each; each++)
        if (!strcasecmp((*each)->word, word))
            return *each;
    return NULL;
}

const char *sauth_presentation_words(apr_pool_t *p)
{
    const sauth_presentation **each;
    const char *words = "";

    for (each = sauth_presentations; *each; each++)
        words = apr_pstrcat(p, words, !*words ? "" : each[1] ? ", " : " or ", (*each)->word, NULL);
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
    const sauth_presentation **each, *p;

    for (each = sauth_presentations; (p = *each); each++) {
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
    const sauth_presentation **each;

    while (value) {
        for (each = sauth_presentations; *each; each++)
            if ((*each)->scheme && is_of_scheme(value, (*each)->scheme))
                return 1;
        if ((value = strchr(value, ',')))
            value += 1 + strspn(value + 1, " \t");
    }
    return 0;
}
