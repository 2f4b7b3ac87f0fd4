/**
 * Reads the configuration tree before a server starts. httpd has merged nothing yet: a section is a directive whose name
 * begins with "<", and a NULL section is the whole configuration. Nothing here changes the tree.
 */
#ifndef INTERAUTH_COMMON_SECTION_H
#define INTERAUTH_COMMON_SECTION_H

#include <httpd.h>
#include <http_config.h>

/** A question about one directive. `p` is for temporary memory. @return nonzero for yes */
typedef int section_test(apr_pool_t *p, const ap_directive_t *d);

/** The first directive in `section`; its `next` lead to the others directly in it. NULL if there is none. */
const ap_directive_t *section_first(const ap_directive_t *section);

/**
 * The next directive at any depth below `section`, in the order of the configuration: start with section_first().
 * @return NULL after the last one
 */
const ap_directive_t *section_next(const ap_directive_t *section, const ap_directive_t *d);

/** The first directive directly in `section` that passes, or NULL. */
const ap_directive_t *section_find_in(apr_pool_t *p, const ap_directive_t *section, section_test *test);

/** The first directive at any depth below `section` that passes, or NULL. */
const ap_directive_t *section_find_below(apr_pool_t *p, const ap_directive_t *section, section_test *test);

/**
 * Does a directive that passes perhaps apply where `d` does? It is looked for beside and below `d`, and beside each section
 * around it, but not in sections that are disjoint with these.
 */
int section_may_apply(apr_pool_t *p, const ap_directive_t *d, section_test *test);

/** The nearest section around `d` whose name begins with `prefix`, in any case, or NULL. */
const ap_directive_t *section_around(const ap_directive_t *d, const char *prefix);

/** Does the directive's name begin with `prefix`, in any case? */
int section_is_kind(const ap_directive_t *d, const char *prefix);

/** Does the directive have this name and, among its arguments, this word? Both in any case. */
int section_has_word(apr_pool_t *p, const ap_directive_t *d, const char *name, const char *word);

/** Is it for names that match a pattern: wildcards, or "~" and a regular expression? (Not <LocationMatch> and the like.) */
int section_is_pattern(const ap_directive_t *section);

/** Does the section `wide` apply wherever `narrow` does? Never, unless both are of one kind and neither is a pattern. */
int section_covers(apr_pool_t *p, const ap_directive_t *wide, const ap_directive_t *narrow);

/** Is it certain that no request is in both sections: two of one kind, for paths or hosts of which none contains the other? */
int section_is_disjoint(apr_pool_t *p, const ap_directive_t *a, const ap_directive_t *b);

#endif
