/**
 * Reads the configuration tree before a server starts. httpd has merged nothing yet: a section is a directive whose name
 * begins with "<", and a NULL section is the whole configuration. Nothing here changes the tree.
 */
#ifndef INTERAUTH_COMMON_SECTION_H
#define INTERAUTH_COMMON_SECTION_H

#include <httpd.h>
#include <http_config.h>

/** Tests one directive. `p` is for temporary memory. @return nonzero if it passes */
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
 * Whether a directive that passes may apply where `d` does. It is looked for beside and below `d`, and beside each section
 * around it, except in sections that are disjoint with these.
 */
int section_may_apply(apr_pool_t *p, const ap_directive_t *d, section_test *test);

/** The nearest section around `d` whose name begins with `prefix`, in any case, or NULL. */
const ap_directive_t *section_around(const ap_directive_t *d, const char *prefix);

/** Whether the directive's name begins with `prefix`, in any case. */
int section_is_kind(const ap_directive_t *d, const char *prefix);

/** Whether the directive has this name and this word among its arguments, both in any case. */
int section_has_word(apr_pool_t *p, const ap_directive_t *d, const char *name, const char *word);

/**
 * Whether a section's argument is a pattern: wildcards, or "~" and a regular expression. Not for <LocationMatch> etc.
 */
int section_is_pattern(const ap_directive_t *section);

/** Whether the section `wide` applies wherever `narrow` does. Only if both are of one kind and neither is a pattern. */
int section_covers(apr_pool_t *p, const ap_directive_t *wide, const ap_directive_t *narrow);

/** Whether surely no request is in both sections: they are of one kind, and neither path or host contains the other. */
int section_is_disjoint(apr_pool_t *p, const ap_directive_t *a, const ap_directive_t *b);

#endif
