/*
 * A section that requires signatures where ISign is off refuses every request, and each refusal looks like a client without
 * credentials. The start warns about the sections where this is certain; where it depends on the request, a warning is logged
 * at run time.
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

/* `Require signed`, `Require not signed`, or an SAuthAccept that names signatures. */
static int requires_signature(apr_pool_t *p, const ap_directive_t *d)
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

/* The innermost section of a location. NULL: the whole (virtual) host. Sections of rules or methods do not count. */
static const ap_directive_t *place_of(const ap_directive_t *d)
{
    for (d = d->parent; d; d = d->parent)
        if (!section_is_kind(d, "<Require") && !section_is_kind(d, "<Limit") && !section_is_kind(d, "<VirtualHost"))
            return d;
    return NULL;
}

/* Whether both may apply to a request. They may if one is in a section inside of another one. */
static int may_meet(apr_pool_t *p, const ap_directive_t *a, const ap_directive_t *b)
{
    const ap_directive_t *a_host = section_around(a, "<VirtualHost"), *b_host = section_around(b, "<VirtualHost");
    const ap_directive_t *a_place = place_of(a), *b_place = place_of(b);

    if (a_host && b_host && a_host != b_host)
        return 0;
    return !a_place || !b_place || place_of(a_place) || place_of(b_place) || !section_is_disjoint(p, a_place, b_place);
}

static int is_on_somewhere(apr_pool_t *p, const ap_directive_t *demand)
{
    const ap_directive_t *d;

    for (d = section_first(NULL); d; d = section_next(NULL, d))
        if (turns_on(p, d) && may_meet(p, demand, d))
            return 1;
    return 0;
}

void isign_guard_check(apr_pool_t *ptemp, server_rec *s)
{
    const ap_directive_t *d;

    for (d = section_first(NULL); d; d = section_next(NULL, d))
        if (requires_signature(ptemp, d) && !is_on_somewhere(ptemp, d))
            ap_log_error(APLOG_MARK, startup_log_level(APLOG_WARNING), 0, s,
                         "isign: %s:%d: %s %s, but ISign is off there: signatures are not verified and cannot grant "
                         "access; add ISign require",
                         log_words(ptemp, d->filename), d->line_num, d->directive, log_words(ptemp, d->args));
}

void isign_guard_warn(request_rec *r)
{
    static apr_int64_t logged;

    if (!log_ratelimit_due(&logged, PAUSE))
        return;
    ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                  "isign: Require signed where ISign is off: signatures are not verified and cannot grant access; add "
                  "ISign require%s",
                  log_field(r->pool, "location", r->uri));
}
