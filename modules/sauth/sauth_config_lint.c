/*
 * Warns at startup about directives that depend on others: without those, all clients would be refused, or everybody
 * would have access. Only definite errors are reported: a section that may apply is treated as one that applies.
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

/*
 * Whether it is in an <If>, which is merged after all other sections. An <If> in the section with AuthType is
 * intended.
 */
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

/* Returns the section that contains a directive, except <If> and <Else>. */
static const ap_directive_t *section_of(const ap_directive_t *d)
{
    for (d = d->parent; d && (section_is_kind(d, "<If") || section_is_kind(d, "<Else")); d = d->parent)
        ;
    return d;
}

/* Whether `section` is merged after `other`: it is later on the same level, or in a virtual host. */
static int is_later(const ap_directive_t *section, const ap_directive_t *other)
{
    const ap_directive_t *d;

    if (section->parent != other->parent)
        return section->parent && !other->parent && section_is_kind(section->parent, "<VirtualHost");
    for (d = other->next; d && d != section; d = d->next)
        ;
    return d != NULL;
}

/* Finds a SetHandler that replaces that of this endpoint, in a section that covers it and is merged later. */
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

/* Whether the only rule of a section is "all granted", which then replaces those of earlier sections. */
static int grants_all_only(apr_pool_t *p, const ap_directive_t *section)
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

/* Whether the rules of `section` replace those of `other` wherever `other` applies. */
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

/* Finds a section that is merged later and grants everybody access to the section with this AuthType. */
static const ap_directive_t *find_granting(apr_pool_t *p, const ap_directive_t *guarded)
{
    const ap_directive_t *d = section_first(NULL);

    while (d && !(d->directive[0] == '<' && grants_all_only(p, d) && replaces(p, d, guarded)))
        d = section_next(NULL, d);
    return d;
}

/* Whether it is in an <If> without an <Else>. */
static int is_conditional(const ap_directive_t *d)
{
    for (d = d->parent; d; d = d->parent)
        if (!strcasecmp(d->directive, "<If"))
            return !d->next || !section_is_kind(d->next, "<Else");
    return 0;
}

static void check_type(apr_pool_t *p, server_rec *s, const ap_directive_t *d)
{
    const ap_directive_t *section = section_of(d), *granting = section ? find_granting(p, section) : NULL;

    if (granting)
        sauth_lint_warn(
            p, s, granting,
            apr_psprintf(p,
                         "its \"Require all granted\" overrides the protection by AuthType SAuth at %s:%d; put it "
                         "before that section",
                         log_words(p, d->filename), d->line_num));
    if (is_conditional(d))
        sauth_lint_warn(p, s, d, "applies only if its <If> does; add an <Else> that protects the other requests");
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
                            "an enclosing section has \"Require all granted\", which then grants access to everybody");
        if (is_sauth_type(p, d))
            check_type(p, s, d);
        if (grants_all(p, d) && is_in_if_around(p, d) && section_may_apply(p, d, is_sauth_type))
            sauth_lint_warn(p, s, d,
                            "if its <If> applies, everybody has access, also to locations with AuthType SAuth");
        if (sauth_lint_is_endpoint(p, d) && (replacing = find_replacing_handler(p, d)))
            sauth_lint_warn(
                p, s, replacing,
                apr_psprintf(p, "replaces the handler of the endpoints at %s:%d; put that section after this one",
                             d->filename, d->line_num));
    }
}
