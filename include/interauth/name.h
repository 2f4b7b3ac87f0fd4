/**
 * Syntax of names. Names appear in logs, environment variables and headers, so few characters are allowed.
 */
#ifndef INTERAUTH_NAME_H
#define INTERAUTH_NAME_H

#include <apr.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The longest participant id, key id, role or capability, in bytes. */
#define IA_NAME_MAX 255

/** Participant ids, kids and roles: 1 to 255 bytes of printable ASCII without space, quote or backslash. */
int ia_name_is_id(const char *name, apr_size_t len);

/**
 * Capabilities: an RFC 6749 scope-token (section 3.3) of 1 to 255 bytes without a comma, so that a list of them
 * can be split at spaces in messages, and at spaces or commas in configuration.
 */
int ia_name_is_capability(const char *name, apr_size_t len);

/** Domains of challenge secrets: 1 to 255 letters, digits, '.', '-' and '_'. Not a URL, and without a port. */
int ia_name_is_domain(const char *name, apr_size_t len);

#ifdef __cplusplus
}
#endif
#endif
