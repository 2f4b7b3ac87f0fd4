/*
 * A section that demands signatures where ISign is off refuses everybody for ever, and each refusal looks like a client
 * without credentials. The configuration tree is walked for sections where it is certain; what depends on the request
 * shows at run time.
 */
#include <httpd.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <string.h>
#include "mod_isign.h"
#include "log_field.h"
#include "section.h"
#include "startup.h"
#include "log_ratelimit.h"

APLOG_USE_MODULE(isign);

#define PAUSE apr_time_from_sec(60) /* between two lines of a process */

typedef int (*is_wanted)(apr_pool_t *p, const ap_directive_t *d);

/* `Require signed`, `Require not signed`, or an SAuthAccept that names signatures. */
static int demands_signature(apr_pool_t *p, const ap_directive_t *d)
{
    int is_require = !strcasecmp(d->directive, "Require");
    const char *args = d->args, *word;

    if (!is_require && strcasecmp(d->directive, "SAuthAccept"))
        return 0;
    while (*(word = ap_getword_conf(p, &args)))
        if (!strcasecmp(word, is_require ? "signed" : "signature"))
            return 1;
        else if (is_require && strcasecmp(word, "not"))
            return 0;
    return 0;
}

static int turns_on(apr_pool_t *p, const ap_directive_t *d)
{
    const char *args = d->args;

    return !strcasecmp(d->directive, "ISign") && strcasecmp(ap_getword_conf(p, &args), "off");
}

static int starts(const ap_directive_t *d, const char *name)
{
    return !strncasecmp(d->directive, name, strlen(name));
}

/* The section that says where: not one of rules or methods, and none for the whole (virtual) host. */
static const ap_directive_t *place_of(const ap_directive_t *d)
{
    for (d = d->parent; d; d = d->parent)
        if (!starts(d, "<Require") && !starts(d, "<Limit") && !starts(d, "<VirtualHost"))
            return d;
    return NULL;
}

static const ap_directive_t *host_of(const ap_directive_t *d)
{
    for (d = d->parent; d && !starts(d, "<VirtualHost"); d = d->parent)
        ;
    return d;
}

/* A section of a path, of which can be told which others lie in it. */
static int is_plain(const ap_directive_t *place)
{
    return (!strcasecmp(place->directive, "<Location") || !strcasecmp(place->directive, "<Directory")) &&
           !place_of(place) && !section_is_pattern(place);
}

/* Whether some request may be under both. */
static int may_meet(apr_pool_t *p, const ap_directive_t *a, const ap_directive_t *b)
{
    const ap_directive_t *a_host = host_of(a), *b_host = host_of(b), *a_place = place_of(a), *b_place = place_of(b);

    if (a_host && b_host && a_host != b_host)
        return 0;
    if (!a_place || !b_place || a_place == b_place || strcasecmp(a_place->directive, b_place->directive) ||
        !is_plain(a_place) || !is_plain(b_place))
        return 1;
    return section_covers(p, a_place, b_place) || section_covers(p, b_place, a_place);
}

static void collect(apr_array_header_t *out, const ap_directive_t *d, is_wanted wanted)
{
    for (; d; d = d->next) {
        if (wanted(out->pool, d))
            APR_ARRAY_PUSH(out, const ap_directive_t *) = d;
        collect(out, d->first_child, wanted);
    }
}

void isign_guard_check(apr_pool_t *ptemp, server_rec *s)
{
    apr_array_header_t *demands = apr_array_make(ptemp, 8, sizeof(const ap_directive_t *));
    apr_array_header_t *on = apr_array_make(ptemp, 8, sizeof(const ap_directive_t *));
    int i, k;

    collect(demands, ap_conftree, demands_signature);
    collect(on, ap_conftree, turns_on);
    for (i = 0; i < demands->nelts; i++) {
        const ap_directive_t *d = APR_ARRAY_IDX(demands, i, const ap_directive_t *);

        for (k = 0; k < on->nelts && !may_meet(ptemp, d, APR_ARRAY_IDX(on, k, const ap_directive_t *)); k++)
            ;
        if (k == on->nelts)
            ap_log_error(APLOG_MARK, startup_log_level(APLOG_WARNING), 0, s,
                         "isign: %s:%d: %s %s, but ISign is off there: no "
                         "signature is looked at, and nobody gets in by one; add ISign require",
                         log_words(ptemp, d->filename), d->line_num, d->directive, log_words(ptemp, d->args));
    }
}

void isign_guard_say(request_rec *r)
{
    static apr_int64_t said;

    if (!log_ratelimit_due(&said, PAUSE))
        return;
    ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                  "isign: Require signed where ISign is off: no signature is verified, and "
                  "nobody gets in by one; add ISign require%s",
                  log_field(r->pool, "location", r->uri));
}
