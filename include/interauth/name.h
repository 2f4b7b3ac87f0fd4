/**
 * Which texts may name a thing. Names travel into logs, environments and headers, so they are narrow on purpose.
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
 * Capabilities: an RFC 6749 scope-token (section 3.3) of 1 to 255 bytes without a comma, so that a list of them splits at
 * spaces on the wire, and at spaces or commas where people write it.
 */
int ia_name_is_capability(const char *name, apr_size_t len);

/** Domains that challenge secrets are made for: an id of letters, digits, '.', '-' and '_' alone; no URL, no port. */
int ia_name_is_domain(const char *name, apr_size_t len);

#ifdef __cplusplus
}
#endif
#endif
