/**
 * Which nonces of a grant were given out and used. The functions are written so that a process killed between any two
 * stores leaves a state that may refuse an honest nonce but never accepts one twice.
 */
#ifndef INTERAUTH_ST_NONCE_WINDOW_H
#define INTERAUTH_ST_NONCE_WINDOW_H

#include "interauth/nonce.h"
#include "st_result.h"

#define ST_NONCE_WINDOW 256 /**< how far apart the next nonces of one grant may be used */
#define ST_NONCE_STAMPS 16  /**< fresh nonces that a grant remembers one by one */

/** Plain data. Zeroed is the state of a new grant. */
typedef struct st_nonces {
    apr_uint64_t issued;                       /**< highest next sequence given out; the first is 1 */
    apr_uint64_t top;                          /**< highest next sequence used */
    apr_uint64_t window[ST_NONCE_WINDOW / 64]; /**< used bits of (top - 256, top], sequence s at bit s mod 256 */
    apr_uint64_t floor;                        /**< fresh stamps at or below are refused */
    apr_uint64_t stamps[ST_NONCE_STAMPS];      /**< fresh stamps used above the floor; 0 is free */
} st_nonces;

/**
 * Uses a nonce up. The caller holds the grant's lock, and has verified the nonce, token and HMAC.
 * @param now microseconds on the clock that made the stamps
 * @param lifetime of a fresh nonce, microseconds
 * @return ST_OK, ST_STALE, ST_FUTURE, ST_UNISSUED or ST_EXISTS
 */
st_result st_nonces_use(st_nonces *state, const ia_nonce_claim *claim, apr_uint64_t now, apr_uint64_t lifetime);

/**
 * The sequence of a next nonce to give out: a new one, or, where ST_NONCE_WINDOW are outstanding above `top` already, the
 * newest unused. Thus no flood of valid requests can push held nonces out of the window.
 */
apr_uint64_t st_nonces_issue(st_nonces *state);

/**
 * The newest unused next sequences, newest first, at most `max`; returns how many were written. There is at least one
 * once one was issued, because every use issues one.
 */
unsigned st_nonces_unused(const st_nonces *state, apr_uint64_t *out, unsigned max);

#endif
