/**
 * Dialect SAuth: access requests guarded by HMAC become grants, whose tokens are presented with one-time nonces.
 * Messages are in interauth/access.h, the header field in interauth/authorization.h, nonces in interauth/nonce.h.
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
#define ACCESS_NEED_NONE   1u /* set explicitly; 0 is unset */
#define ACCESS_NEED_ID     2u
#define ACCESS_NEED_AUD    4u

/** Of a location. */
typedef struct access_settings {
    unsigned hashes;           /**< ACCESS_HASH_*; 0 unset */
    unsigned needs;            /**< ACCESS_NEED_*; 0 unset */
    apr_time_t nonce_lifetime; /**< microseconds; -1 unset */
} access_settings;

/** The settings with every default filled in. */
access_settings access_settings_of(const sauth_dir *conf);

/** The bit ACCESS_HASH_* of a hash. */
unsigned access_hash_bit(ia_hash hash);

/** The credentials of a request; see sauth_state_own. */
typedef struct access_credentials {
    unsigned hash;                   /**< ACCESS_HASH_* of the HMAC */
    int bare_of_live_token;          /**< a bare form of a live token matched no nonce that it holds */
    const char *authentication_info; /**< the field's value, once a nonce was used */
} access_credentials;

/* --- nonces --- */

/** Text of a next nonce; IA_NONCE_TEXT_LEN characters. */
const char *access_next_nonce(apr_pool_t *p, const unsigned char grant_id[IA_GRANT_ID_LEN], apr_uint64_t sequence);
const char *access_fresh_nonce(apr_pool_t *p);

/** Authentication-Info: nextnonce, for every response to this external request. */
void access_nextnonce_write(request_rec *r, sauth_state *state, apr_uint64_t sequence);

/** The presentation's challenge, with a nonce that the client can use. */
const char *access_challenge(request_rec *r, const char *realm, ia_result rc);

/** An error that a filter found, such as an unsatisfiable range, begins with empty fields: puts Authentication-Info back. */
void access_nextnonce_restore(request_rec *r, sauth_state *state);

/* --- endpoints --- */

int access_request_handle(request_rec *r, const char *tail);
int access_refresh_handle(request_rec *r, const char *tail);
int access_nonce_handle(request_rec *r, const char *tail);

#endif
