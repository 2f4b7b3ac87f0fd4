/**
 * What a caller must not be able to say, and what an app must not be able to see.
 */
#ifndef INTERAUTH_COMMON_HYGIENE_H
#define INTERAUTH_COMMON_HYGIENE_H

#include <httpd.h>

/** What separates the fields that Connection names, for apr_strtok: mod_proxy takes ';' for a separator too. */
#define HYGIENE_CONNECTION_SEPARATORS ",; \t\v\f"

/**
 * Removes SAuth-* and ISign-* request headers, in any spelling that a backend could map to them, and these names from
 * Connection: mod_proxy takes away what it names.
 */
void hygiene_strip_inbound(request_rec *r);

/**
 * Removes Authorization from the headers, HTTP_AUTHORIZATION from the environment under every redirect prefix, and each
 * variable that holds the whole header. Where the credentials are proven, it also removes each variable that holds them
 * without the scheme or 16 bytes of them or more: with others, a client could name variables to be removed.
 */
void hygiene_strip_authorization(request_rec *r, int is_proven);

/** Removes environment variables that begin with `prefix` behind any number of REDIRECT_ prefixes, and the bare ones. */
void hygiene_strip_environment(request_rec *r, const char *prefix);

#endif
