/**
 * Shared secrets, from a file or the environment variable INTERAUTH_SECRET, and secrets of the challenge protocol,
 * derived from the password in a file. Neither is ever a command-line argument.
 */
#ifndef CLIENT_CREDENTIALS_H
#define CLIENT_CREDENTIALS_H

#include <apr_pools.h>
#include "interauth/challenge.h"
#include "interauth/mac.h"

#define SECRET_FILE_MAX 4096 /**< bytes */
#define SECRET_VARIABLE "INTERAUTH_SECRET"

/**
 * Loads the secret in `path`, or in the environment if `path` is NULL, as a key. The secret itself is wiped.
 * @return an exit status; the key is wiped unless it is CL_OK
 */
int secret_key_load(ia_mac_key *key, apr_pool_t *p, const char *path);

/**
 * Decodes base64url text; white space around it is ignored.
 * @param out room for IA_SECRET_MAX bytes
 * @return IA_OK, IA_MALFORMED, IA_TOO_LONG, or IA_SECRET_MISSING if it is shorter than IA_SECRET_MIN bytes
 */
ia_result secret_decode(unsigned char *out, apr_size_t *len, const char *text, apr_size_t text_len);

/** What a secret of the challenge protocol is derived from, beside the password. */
typedef struct password_terms {
    ia_challenge_profile profile;
    const char *separator; /**< profile md5 only; NULL for none */
    const char *username, *domain;
} password_terms;

/** Checks the separator and the domain, and reports what is wrong. @return CL_OK or CL_USAGE */
int password_terms_check(const password_terms *terms);

/** The path for standard input. */
#define PASSWORD_STDIN "-"

/**
 * Reads the password, which is the whole file without a line end at its end, and derives the secret. The password is
 * wiped. Takes a fraction of a second.
 * @return an exit status; `out` must be wiped by the caller, and is wiped already unless the status is CL_OK
 */
int password_secret(ia_challenge_secret *out, apr_pool_t *p, const char *path, const password_terms *terms);

#endif
