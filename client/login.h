/** A login by challenge: found in the state, refreshed when its window has ended, made anew where there is
 * none. */
#ifndef CLIENT_LOGIN_H
#define CLIENT_LOGIN_H

#include "interauth/challenge.h"
#include "state.h"

/** How to find the login, and, with endpoint, uid and password file, how to make it. NULL is "not told". */
typedef struct login_options {
    const char *state, *name, *uid, *password_file, *ca_file;
    const char *endpoint; /**< that of the protocol: base and "/challenge" */
    const char *profile, *separator;
    const char *origin; /**< of the call */
    int is_cleartext;   /**< the call goes there without TLS */
} login_options;

typedef struct login {
    apr_pool_t *p;
    const login_options *options;
    grant_record *held; /**< a copy of its own: the state is not locked while the call runs */
    ia_challenge_profile profile;
    ia_challenge_secret secret; /**< wiped by login_close */
    int asked;                  /**< the token was asked for with a new challenge just now */
} login;

/**
 * Finds the login, and sees that it has a token of this window and its Secret.
 * @param dead_token a token that the server has refused, else NULL
 * @return an exit status
 */
int login_begin(login *out, apr_pool_t *p, const login_options *options, const char *dead_token);

void login_close(login *l);

/** What Token and Signature are computed with. */
ia_challenge_terms login_terms_of(const login *l);

/** The window of this moment. */
apr_int64_t login_window(const login *l);

#endif
