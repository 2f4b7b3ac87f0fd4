/**
 * Dialect SAuth: an access request authenticated by an HMAC obtains a grant, whose token is presented with one-time
 * nonces. See interauth/access.h for the messages, interauth/authorization.h for the header field, and
 * interauth/nonce.h for the nonces.
 */
#ifndef SAUTH_ACCESS_H
#define SAUTH_ACCESS_H

#include <httpd.h>
#include "interauth/mac.h"
#include "sauth_dialect.h"
#include "sauth_state.h"

extern const sauth_dialect access_dialect;
extern const sauth_presentation access_presentation;

#define ACCESS_HASH_SHA256 1u
#define ACCESS_HASH_SHA1   2u
#define ACCESS_NEED_NONE   1u /* explicitly none; 0 is unset */
#define ACCESS_NEED_ID     2u
#define ACCESS_NEED_AUD    4u

/** Settings of a location. */
typedef struct access_settings {
    unsigned hashes;           /**< ACCESS_HASH_*; 0 unset */
    unsigned needs;            /**< ACCESS_NEED_*; 0 unset */
    apr_time_t nonce_lifetime; /**< microseconds; -1 unset */
} access_settings;

/** Returns the settings of a location, including defaults. */
access_settings access_settings_of(const sauth_dir *conf);

/** Returns the ACCESS_HASH_* bit of a hash. */
unsigned access_hash_bit(ia_hash hash);

/** The credentials of a request; see sauth_state_own. */
typedef struct access_credentials {
    unsigned hash;                   /**< ACCESS_HASH_* bit of the HMAC */
    int bare_of_live_token;          /**< a bare form with a live token matched none of its nonces */
    const char *authentication_info; /**< value of the field; set when a nonce was used */
} access_credentials;

/* --- nonces --- */

/** Returns a nonce as text of IA_NONCE_TEXT_LEN characters. */
const char *access_next_nonce(apr_pool_t *p, const unsigned char grant_id[IA_GRANT_ID_LEN], apr_uint64_t sequence);

/** Sets Authentication-Info: nextnonce, which all responses to this external request get. */
void access_nextnonce_write(request_rec *r, sauth_state *state, apr_uint64_t sequence);

/** Returns the challenge of the presentation, with a nonce that the client can use. */
const char *access_challenge(request_rec *r, const char *realm, ia_result rc);

/** Restores Authentication-Info, because errors detected by a filter (unsatisfiable range) clear the header fields. */
void access_nextnonce_restore(request_rec *r, sauth_state *state);

/* --- endpoints --- */

int access_request_handle(request_rec *r, const char *tail);
int access_refresh_handle(request_rec *r, const char *tail);
int access_nonce_handle(request_rec *r, const char *tail);

#endif
