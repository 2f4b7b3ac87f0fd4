/**
 * A login by challenge and its requests to the server: auth.request, auth.token, auth.refresh. Functions that return an exit
 * status report what is wrong.
 */
#ifndef CLIENT_LOGIN_EXCHANGE_H
#define CLIENT_LOGIN_EXCHANGE_H

#include "http.h"
#include "interauth/challenge.h"
#include "interauth/envelope.h"
#include "state.h"

#define CALL_NONCE_BYTES 16 /**< of the nonce in a call */

/** A login that is in use. */
typedef struct login {
    apr_pool_t *p;
    grant_record *record; /**< a copy: the state is not locked while the call runs */
    const char *ca_file;  /**< of this call; NULL: that of the record */
    ia_challenge_profile profile;
    ia_challenge_secret secret; /**< wiped by login_end */
    int is_new;                 /**< the token comes from a new login, not from the state */
} login;

/** An envelope to send. */
typedef struct envelope_post {
    const char *url, *ca_file;
    ia_envelope_format format;
    const char *text;
    apr_size_t len;
    const apr_array_header_t *headers; /**< additional header fields, or NULL */
    unsigned digest;                   /**< IA_DIGEST_* of its Content-Digest */
    apr_int64_t timeout;               /**< seconds */
} envelope_post;

/** Sends an envelope and keeps the whole response in memory. @return an exit status */
int envelope_send(http_response *response, apr_pool_t *p, const envelope_post *post);

/** Sets a random nonce and the current time, allocated from `p`. @return an exit status */
int envelope_stamp(ia_challenge_message *out, apr_pool_t *p);

/** Derives the secret from the password, once. The record must have a domain. @return an exit status */
int login_derive_secret(login *l);

/** The terms for computing tokens and signatures. */
ia_challenge_terms login_terms_of(const login *l);

/** The current window. */
apr_int64_t login_window(const login *l);

/** Logs in with a new challenge; sets token, expiry, lifetime and domain of the record. @return an exit status */
int login_authenticate(login *l);

/** Refreshes the token. `*refreshed` is false if the server refuses. @return an exit status */
int login_refresh(login *l, int *refreshed);

#endif
