/** One call's use of the state: which grant it carries, the nonce it spends, the nonces it brings home. */
#ifndef CLIENT_SESSION_H
#define CLIENT_SESSION_H

#include "interauth/nonce.h"
#include "state.h"

/** How to find the grant, and, with endpoint, uid and capabilities, how to ask for one. NULL is "not told".
 */
typedef struct session_options {
    const char *state, *name, *endpoint, *uid, *secret_file, *ca_file;
    const char *origin; /**< of the request */
    apr_array_header_t *capabilities;
    ia_hash hash;
} session_options;

typedef struct session {
    const session_options *options;
    grant_record *held;                /**< a copy of its own: the state is not locked while the call runs */
    ia_mac_key key;                    /**< wiped by session_close */
    char nonce[IA_NONCE_TEXT_LEN + 1]; /**< to spend; empty where none could be had */
    int nonce_was_held;                /**< it came from the state, not from the server just now */
    int asked;                         /**< the grant was asked for just now */
} session;

/**
 * Finds the grant, asks for one where there is none or it has expired, and takes a nonce off the state.
 * @param dead_token a token that the server has refused, else NULL
 * @return an exit status
 */
int session_begin(session *out, apr_pool_t *p, const session_options *options, const char *dead_token);

/** Keeps a nonce for a later call; NULL for none. With `drop` those held are given up first. */
void session_keep(const session *s, apr_pool_t *p, const char *nonce, int drop);

/** The server has accepted our HMAC: the secret file that the call named is kept with the grant. */
void session_keep_secret(const session *s, apr_pool_t *p);

void session_close(session *s);

#endif
