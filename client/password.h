/** Secret of the challenge protocol, computed from a password. The password comes from a file, never as an
 * argument. */
#ifndef CLIENT_PASSWORD_H
#define CLIENT_PASSWORD_H

#include <apr_pools.h>
#include "interauth/challenge.h"

/** Of whom, and by which rules. */
typedef struct password_terms {
    ia_challenge_profile profile;
    const char *separator; /**< profile md5; NULL for none */
    const char *username, *domain;
} password_terms;

/** Whether the separator and the domain can be used. Says what is wrong. @return CL_OK or CL_USAGE */
int password_terms_check(const password_terms *terms);

/** The path that stands for standard input. */
#define PASSWORD_STDIN "-"

/**
 * Reads the password, all of the file but a newline at its end, and derives Secret. The password is wiped.
 * Takes a fraction of a second. @return an exit status; `out` is the caller's to wipe, and wiped unless it is
 * CL_OK
 */
int password_secret(ia_challenge_secret *out, apr_pool_t *p, const char *path, const password_terms *terms);

#endif
