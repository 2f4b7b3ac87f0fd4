/** Obtains a login by challenge: from the state, by a refresh once its window has ended, or by a new login. */
#ifndef CLIENT_LOGIN_H
#define CLIENT_LOGIN_H

#include "login_exchange.h"

/** How to find the login and, with endpoint, uid and password file, how to make it. NULL if not given. */
typedef struct login_options {
    const char *state, *name, *uid, *password_file, *ca_file;
    const char *endpoint; /**< of the protocol: the base and "/challenge" */
    const char *profile, *separator;
    const char *origin; /**< of the call */
    int is_cleartext;   /**< the call goes there without TLS */
} login_options;

/**
 * Finds the login and ensures that it has a token and its secret.
 * @param rejected_token a token that the server has refused, or NULL
 * @return an exit status; what is wrong is reported. login_end is needed only after CL_OK
 */
int login_begin(login *out, apr_pool_t *p, const login_options *options, const char *rejected_token);

void login_end(login *l);

#endif
