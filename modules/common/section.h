/** Sections of the configuration tree, looked at before a server starts. */
#ifndef INTERAUTH_COMMON_SECTION_H
#define INTERAUTH_COMMON_SECTION_H

#include <httpd.h>
#include <http_config.h>

/** Is it for names that match a pattern: wildcards, or "~" and a regular expression? (Not <LocationMatch> and the like.) */
int section_is_pattern(const ap_directive_t *section);

/** Does the section `wide` apply wherever `narrow` does? Never, unless both are of one kind and neither is a pattern. */
int section_covers(apr_pool_t *p, const ap_directive_t *wide, const ap_directive_t *narrow);

#endif
