/** What one call takes from the state and stores there: its grant, its nonce, and new nonces. */
#ifndef CLIENT_SESSION_H
#define CLIENT_SESSION_H

#include "interauth/nonce.h"
#include "state.h"

/** How to find the grant and, with endpoint, uid and capabilities, how to request one. NULL if not given. */
typedef struct session_options {
    const char *state, *name, *endpoint, *uid, *secret_file, *ca_file;
    const char *origin; /**< of the request */
    apr_array_header_t *capabilities;
    ia_hash hash;
} session_options;

typedef struct session {
    const session_options *options;
    grant_record *record;              /**< a copy: the state is not locked while the call runs */
    ia_mac_key key;                    /**< wiped by session_close */
    char nonce[IA_NONCE_TEXT_LEN + 1]; /**< to use; empty if there is none */
    int nonce_was_stored;              /**< the nonce comes from the state, not from the server just now */
    int is_new;                        /**< the grant was requested just now */
} session;

/**
 * Finds the grant, requests one if there is none or it has expired, and takes a nonce from the state.
 * @param rejected_token a token that the server has refused, or NULL
 * @return an exit status
 */
int session_begin(session *out, apr_pool_t *p, const session_options *options, const char *rejected_token);

/** Stores a nonce for a later call, unless it is NULL. With `drop`, removes the stored nonces first. */
void session_keep(const session *s, apr_pool_t *p, const char *nonce, int drop);

/** Stores the secret file of this call with the grant, once the server has accepted its HMAC. */
void session_keep_secret(const session *s, apr_pool_t *p);

void session_close(session *s);

#endif
