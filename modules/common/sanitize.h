/**
 * Removes what clients must not set, and what applications must not see.
 */
#ifndef INTERAUTH_COMMON_SANITIZE_H
#define INTERAUTH_COMMON_SANITIZE_H

#include <httpd.h>

/** The fields that a value of Connection names, as const char *. ';' also separates them, as in mod_proxy. */
apr_array_header_t *sanitize_connection_names(apr_pool_t *p, const char *list);

/**
 * Removes SAuth-* and ISign-* request headers, in any spelling that a backend could map to them, and these names from
 * Connection: mod_proxy takes away what it names.
 */
void sanitize_inbound(request_rec *r);

/**
 * Removes HTTP_AUTHORIZATION from the environment under every redirect prefix, and each variable and request header, the
 * field itself among them, that holds the Authorization as it was received. Where the credentials are proven, it also
 * removes what holds them without the scheme or 16 bytes of them or more: with others, a client could name variables to
 * be removed. An Authorization that the configuration put in its place stays.
 * @param received NULL for none
 */
void sanitize_authorization(request_rec *r, const char *received, int is_proven);

/**
 * Removes environment variables that begin with `prefix` behind any number of REDIRECT_ prefixes, and the bare ones.
 */
void sanitize_environment(request_rec *r, const char *prefix);

#endif
