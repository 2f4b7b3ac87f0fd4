/*
 * Warns at the start of directives that are valid alone but need others: without them every client is refused, or everybody
 * let in. Only what is certain is reported: a section that may apply counts as one that does.
 */
#include <httpd.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_log.h>
#include <string.h>
#include "mod_sauth.h"
#include "log_field.h"
#include "sauth_config_lint.h"
#include "section.h"
#include "startup.h"

APLOG_USE_MODULE(sauth);

int sauth_lint_is_endpoint(apr_pool_t *p, const ap_directive_t *d)
{
    return section_has_word(p, d, "SetHandler", SAUTH_HANDLER);
}

static int is_sauth_type(apr_pool_t *p, const ap_directive_t *d)
{
    return section_has_word(p, d, "AuthType", SAUTH_AUTH_TYPE);
}

static int satisfies_any(apr_pool_t *p, const ap_directive_t *d)
{
    return section_has_word(p, d, "Satisfy", "Any");
}

static int merges_or(apr_pool_t *p, const ap_directive_t *d)
{
    return section_has_word(p, d, "AuthMerging", "Or");
}

static int grants_all(apr_pool_t *p, const ap_directive_t *d)
{
    const char *args = d->args;

    return !strcasecmp(d->directive, "Require") && !strcasecmp(ap_getword_conf(p, &args), "all") &&
           !strcasecmp(ap_getword_conf(p, &args), "granted");
}

static int is_if(const ap_directive_t *d)
{
    return !strcasecmp(d->directive, "<If") || !strcasecmp(d->directive, "<ElseIf") ||
           !strcasecmp(d->directive, "<Else");
}

/* In an <If>, which is merged after all other sections. One inside of the section with AuthType SAuth is intended. */
static int is_in_if_around(apr_pool_t *p, const ap_directive_t *d)
{
    const ap_directive_t *at;
    int conditional = 0;

    for (at = d; at; at = at->parent) {
        if (at->parent && section_find_in(p, at->parent, is_sauth_type))
            return 0;
        conditional |= is_if(at);
    }
    return conditional;
}

/* The section around a directive, other than <If> and <Else>. */
static const ap_directive_t *section_of(const ap_directive_t *d)
{
    for (d = d->parent; d && (section_is_kind(d, "<If") || section_is_kind(d, "<Else")); d = d->parent)
        ;
    return d;
}

/* Whether it is merged later than the other: it comes later on the same level, or is in a virtual host. */
static int is_later(const ap_directive_t *section, const ap_directive_t *other)
{
    const ap_directive_t *d;

    if (section->parent != other->parent)
        return section->parent && !other->parent && section_is_kind(section->parent, "<VirtualHost");
    for (d = other->next; d && d != section; d = d->next)
        ;
    return d != NULL;
}

/* A SetHandler that replaces that of this endpoint: in a section that covers it and is merged later. */
static const ap_directive_t *find_replacing_handler(apr_pool_t *p, const ap_directive_t *endpoint)
{
    const ap_directive_t *d, *section, *place = section_of(endpoint);

    for (d = place ? section_first(NULL) : NULL; d; d = section_next(NULL, d)) {
        section = section_of(d);
        if (!strcasecmp(d->directive, "SetHandler") && !sauth_lint_is_endpoint(p, d) && section &&
            section_covers(p, section, place) && is_later(section, place))
            break;
    }
    return d;
}

void sauth_lint_warn(apr_pool_t *p, server_rec *s, const ap_directive_t *d, const char *lack)
{
    ap_log_error(APLOG_MARK, startup_log_level(APLOG_WARNING), 0, s, "sauth: %s:%d: %s %s: %s",
                 log_words(p, d->filename), d->line_num, d->directive, log_words(p, d->args), log_words(p, lack));
}

/* Whether its only rule is "all granted", which replaces those of earlier sections. */
static int opens(apr_pool_t *p, const ap_directive_t *section)
{
    const ap_directive_t *d;
    int found = 0;

    for (d = section_first(section); d; d = d->next) {
        if (grants_all(p, d))
            found = 1;
        else if (section_is_kind(d, "Require") || section_is_kind(d, "<Require") ||
                 (!strcasecmp(d->directive, "AuthMerging") && strcasecmp(d->args, "Off")))
            return 0;
    }
    return found;
}

/* Whether the rules of `section` replace those of `other` wherever that one applies. */
static int replaces(apr_pool_t *p, const ap_directive_t *section, const ap_directive_t *other)
{
    const ap_directive_t *host = section_around(section, "<VirtualHost");
    const ap_directive_t *other_host = section_around(other, "<VirtualHost");

    if (section == other || (host && other_host && host != other_host))
        return 0;
    if (!strcasecmp(section->directive, "<Location") && strcasecmp(other->directive, "<Location") &&
        section_is_kind(other, "<Directory")) {
        const char *args = section->args;

        return !strcmp(ap_getword_conf(p, &args), "/");
    }
    if (!section_covers(p, section, other) || !is_later(section, other))
        return 0;
    return strcasecmp(section->directive, "<Directory") || section_covers(p, other, section);
}

/* A section that is merged later and grants everybody access to the one with this AuthType. */
static const ap_directive_t *find_opener(apr_pool_t *p, const ap_directive_t *guarded)
{
    const ap_directive_t *d = section_first(NULL);

    while (d && !(d->directive[0] == '<' && opens(p, d) && replaces(p, d, guarded)))
        d = section_next(NULL, d);
    return d;
}

/* In an <If> without an <Else>. */
static int is_only_sometimes(const ap_directive_t *d)
{
    for (d = d->parent; d; d = d->parent)
        if (!strcasecmp(d->directive, "<If"))
            return !d->next || !section_is_kind(d->next, "<Else");
    return 0;
}

static void check_type(apr_pool_t *p, server_rec *s, const ap_directive_t *d)
{
    const ap_directive_t *section = section_of(d), *opener = section ? find_opener(p, section) : NULL;

    if (opener)
        sauth_lint_warn(p, s, opener,
                        apr_psprintf(p,
                                     "its \"Require all granted\" opens what AuthType SAuth protects at %s:%d; put it "
                                     "before that section",
                                     log_words(p, d->filename), d->line_num));
    if (is_only_sometimes(d))
        sauth_lint_warn(
            p, s, d,
            "only where its <If> applies; protect the other requests in an <Else>, or they may have no protection");
}

void sauth_config_lint(apr_pool_t *p, server_rec *s)
{
    const ap_directive_t *d, *replacing;

    for (d = section_first(NULL); d; d = section_next(NULL, d)) {
        if (satisfies_any(p, d) && section_may_apply(p, d, is_sauth_type))
            sauth_lint_warn(p, s, d,
                            "clients that meet the rules for hosts need no credentials; use <RequireAny> instead");
        if (merges_or(p, d) && section_may_apply(p, d, is_sauth_type) && section_may_apply(p, d, grants_all))
            sauth_lint_warn(p, s, d,
                            "a section around it has \"Require all granted\", which then grants access to everybody");
        if (is_sauth_type(p, d))
            check_type(p, s, d);
        if (grants_all(p, d) && is_in_if_around(p, d) && section_may_apply(p, d, is_sauth_type))
            sauth_lint_warn(
                p, s, d,
                "where the <If> around it applies, everybody has access, also to locations with AuthType SAuth");
        if (sauth_lint_is_endpoint(p, d) && (replacing = find_replacing_handler(p, d)))
            sauth_lint_warn(
                p, s, replacing,
                apr_psprintf(p, "replaces the handler of the endpoints at %s:%d; put that section after this one",
                             d->filename, d->line_num));
    }
}
