/** Sections of the configuration tree, looked at before a server starts. */
#ifndef INTERAUTH_COMMON_SECTION_H
#define INTERAUTH_COMMON_SECTION_H

#include <httpd.h>
#include <http_config.h>

/** Does the section `wide` apply wherever `narrow` does? Never, unless both are plain sections of one kind. */
int section_covers(apr_pool_t *p, const ap_directive_t *wide, const ap_directive_t *narrow);

#endif
