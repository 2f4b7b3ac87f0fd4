/** Where the shared secret comes from: a file, or the environment variable INTERAUTH_SECRET. Never an
 * argument. */
#ifndef CLIENT_SECRET_SOURCE_H
#define CLIENT_SECRET_SOURCE_H

#include <apr_pools.h>
#include "interauth/mac.h"

#define SECRET_FILE_MAX 4096
#define SECRET_VARIABLE "INTERAUTH_SECRET"

/**
 * Loads the secret of `path`, or of the environment where `path` is NULL, as a key. The secret itself is
 * wiped.
 * @return an exit status; the key is wiped unless it is CL_OK
 */
int secret_key_load(ia_mac_key *key, apr_pool_t *p, const char *path);

/**
 * Decodes base64url text, white space around it allowed.
 * @param out room for IA_SECRET_MAX bytes
 * @return IA_OK, IA_MALFORMED, IA_TOO_LONG, or IA_SECRET_MISSING where it is shorter than IA_SECRET_MIN bytes
 */
ia_result secret_decode(unsigned char *out, apr_size_t *len, const char *text, apr_size_t text_len);

#endif
