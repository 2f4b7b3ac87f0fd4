/*
 * Refuses configurations with an unprotected `AuthType SAuth`. A section with it but without a Require inherits the
 * rule of a more general section, which is often `Require all granted`: the application would look protected, and be
 * open.
 */
#include <httpd.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_request.h>
#include <string.h>
#include "mod_sauth.h"
#include "sauth_guard.h"
#include "sauth_refuse.h"
#include "sauth_state.h"
#include "sauth_store.h"
#include "interauth_notes.h"
#include "log_field.h"
#include "request.h"
#include "section.h"
#include "startup.h"

APLOG_USE_MODULE(sauth);

typedef enum guard { GUARDED, UNGUARDED, UNDECIDED } guard;

static int is_section(const ap_directive_t *d)
{
    return d->directive[0] == '<';
}

/* Whether a directive is a rule or a container of rules. */
static int is_rule(apr_pool_t *p, const ap_directive_t *d)
{
    (void)p;
    return section_is_kind(d, "Require") || section_is_kind(d, "<Require");
}

static const ap_directive_t *find_require(apr_pool_t *p, const ap_directive_t *section)
{
    return section_find_in(p, section, is_rule);
}

static int is_sauth_type(apr_pool_t *p, const ap_directive_t *d)
{
    return section_has_word(p, d, "AuthType", SAUTH_AUTH_TYPE);
}

/* Whether a section applies only to some requests. */
static int is_conditional(const ap_directive_t *d)
{
    return section_is_kind(d, "<If") || section_is_kind(d, "<Else") || strcasestr(d->directive, "Match") ||
           section_is_pattern(d);
}

/*
 * Whether a section or a container of rules has a rule that clients must meet. "all granted" and rules that only
 * exclude clients do not count.
 */
static int requires_client(apr_pool_t *p, const ap_directive_t *section)
{
    const ap_directive_t *d;

    for (d = section_first(section); d; d = d->next) {
        const char *args = d->args;

        if (section_is_kind(d, "<Require")) {
            if (!section_is_kind(d, "<RequireNone") && requires_client(p, d))
                return 1;
        } else if (!strcasecmp(d->directive, "Require")) {
            const char *first = ap_getword_conf(p, &args);

            if (strcasecmp(first, "not") &&
                (strcasecmp(first, "all") || strcasecmp(ap_getword_conf(p, &args), "granted")))
                return 1;
        }
    }
    return 0;
}

static int merges_rules(apr_pool_t *p, const ap_directive_t *d)
{
    (void)p;
    return !strcasecmp(d->directive, "AuthMerging") && strcasecmp(d->args, "Off");
}

/* Whether the rules of a section grant access to everybody and are not merged with others. Sections inherit them. */
static int grants_all(apr_pool_t *p, const ap_directive_t *section)
{
    return !section_find_in(p, section, merges_rules) && !requires_client(p, section);
}

/* Whether the rules of `b` replace those of `a`, if both cover the same section. */
static int overrides(apr_pool_t *p, const ap_directive_t *b, const ap_directive_t *a)
{
    return !a || strcasecmp(a->directive, "<Directory") || section_covers(p, a, b);
}

/* Finds the rules that a section inherits: the last ones among its siblings and those of its parents. */
static guard find_inherited(apr_pool_t *p, const ap_directive_t *section)
{
    const ap_directive_t *at, *d, *last;
    guard found = UNGUARDED;
    int may_grant = 0;

    for (at = section; at; at = at->parent) {
        if (at != section && find_require(p, at))
            return grants_all(p, at) ? UNGUARDED : GUARDED;
        for (d = section_first(at->parent), last = NULL; d; d = d->next) {
            if (d == section || !is_section(d) || !find_require(p, d))
                continue;
            if (section_covers(p, d, section) && overrides(p, d, last))
                last = d;
            if (is_conditional(d) || is_conditional(section))
                found = UNDECIDED;
            may_grant |= is_conditional(d) && grants_all(p, d);
        }
        if (last)
            return grants_all(p, last) ? UNGUARDED : may_grant ? UNDECIDED : GUARDED;
    }
    return found;
}

static const char *check_section(apr_pool_t *p, server_rec *s, const ap_directive_t *section)
{
    guard found;

    if (find_require(p, section))
        return NULL;
    found = find_inherited(p, section);
    if (found == UNGUARDED &&
        section_find_below(p, section, is_rule)) /* in a <Limit> or <If>: applies to some requests */
        found = UNDECIDED;
    if (found == UNDECIDED)
        ap_log_error(APLOG_MARK, startup_log_level(APLOG_WARNING), 0, s,
                     "sauth: %s:%d: AuthType SAuth in %s %s without a "
                     "Require of its own; the response is 503 unless a rule of another section protects it",
                     log_words(p, section->filename), section->line_num, section->directive,
                     log_words(p, section->args));
    if (found != UNGUARDED)
        return NULL;
    return apr_psprintf(p,
                        "%s:%d: AuthType SAuth in %s %s without a Require: the location would be open; add "
                        "\"Require capability NAME\"",
                        section->filename, section->line_num, section->directive, section->args);
}

/* Returns an error message about the first unprotected section, or NULL. */
static const char *find_unprotected(apr_pool_t *p, server_rec *s)
{
    const ap_directive_t *d;
    const char *open = NULL;

    for (d = section_first(NULL); d && !open; d = section_next(NULL, d))
        if (is_section(d) && section_find_in(p, d, is_sauth_type))
            open = check_section(p, s, d);
    return open;
}

int sauth_guard_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    (void)plog;
    sauth.unguarded = find_unprotected(pconf, s);
    if (!sauth.unguarded)
        return OK;
    if (startup_is_reload()) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     "sauth: %s; locations with AuthType SAuth respond with 503 until this is "
                     "corrected",
                     log_words(ptemp, sauth.unguarded));
        return OK;
    }
    ap_log_error(APLOG_MARK, startup_log_level(APLOG_ERR), 0, s, "sauth: %s", log_words(ptemp, sauth.unguarded));
    return HTTP_INTERNAL_SERVER_ERROR;
}

int sauth_is_ours(request_rec *r)
{
    const char *type = ap_auth_type(r);

    return type && !strcasecmp(type, SAUTH_AUTH_TYPE) && !request_is_for_endpoint(r);
}

int sauth_guard_access(request_rec *r)
{
    return sauth.unguarded && sauth_is_ours(r) ? sauth_refuse(r, IA_LOCATION_UNGUARDED, NULL, 60) : DECLINED;
}

/*
 * Checks at run time, when all sections are merged, what cannot be decided at startup: whether there is no rule for
 * this method, or an unauthenticated client has access by a rule that the section with AuthType SAuth inherited. A
 * rule in the same section, such as a RequireAny that grants access to everybody, is intended.
 */
int sauth_guard_passes(request_rec *r, const sauth_dir *conf, const sauth_state *state)
{
    if (request_is_for_endpoint(r)) /* an <If> or a rewrite may have set another handler */
        return r->handler && !strcmp(r->handler, SAUTH_HANDLER);
    if (!sauth_is_ours(r))
        return 1;
    if (sauth.unguarded) /* Satisfy Any may have ignored the refusal */
        return 0;
    if (conf->mode == SAUTH_MODE_OBSERVE)
        return 1;
    if (!ap_some_auth_required(r)) /* <Limit>: the Require lines are for other methods */
        return 0;
    if (!(sauth_dir_unruled(conf) & (AP_METHOD_BIT << r->method_number)))
        return 1;
    return (state && state->decided && !state->rc) || request_note(r, IA_NOTE_ISIGN_PARTICIPANT);
}
