/**
 * Issued and used nonces of a grant. If a process is killed between any two stores, the state may refuse a valid nonce
 * later, but never accepts a nonce twice.
 */
#ifndef INTERAUTH_ST_NONCE_WINDOW_H
#define INTERAUTH_ST_NONCE_WINDOW_H

#include "interauth/nonce.h"
#include "st_result.h"

#define ST_NONCE_WINDOW 256 /**< a next nonce is stale if it is this far behind the newest used one */
#define ST_NONCE_STAMPS 16  /**< number of used fresh nonces that a grant stores individually */

/** Plain data. Zeroed for a new grant. */
typedef struct st_nonces {
    apr_uint64_t issued;                       /**< highest issued sequence number; the first is 1 */
    apr_uint64_t top;                          /**< highest used sequence number */
    apr_uint64_t window[ST_NONCE_WINDOW / 64]; /**< used bits of (top - 256, top], sequence s at bit s mod 256 */
    apr_uint64_t floor;                        /**< fresh stamps at or below it are refused */
    apr_uint64_t stamps[ST_NONCE_STAMPS];      /**< used fresh stamps above the floor; 0: free */
} st_nonces;

/**
 * Consumes a nonce. The caller holds the lock of the grant, and has verified nonce, token and HMAC.
 * @param now microseconds, of the clock that generated the stamps
 * @param lifetime of a fresh nonce, microseconds
 * @return ST_OK, ST_STALE, ST_FUTURE, ST_UNISSUED or ST_EXISTS
 */
st_result st_nonces_use(st_nonces *state, const ia_nonce_claim *claim, apr_uint64_t now, apr_uint64_t lifetime);

/**
 * Issues a next nonce, and returns its sequence number. If ST_NONCE_WINDOW nonces above `top` are unused, it is that
 * of the newest unused one, so that many valid requests do not push issued nonces out of the window.
 */
apr_uint64_t st_nonces_issue(st_nonces *state);

/**
 * Lists at most `max` unused sequence numbers, newest first, and returns how many. After the first was issued, there is
 * always at least one, because every use issues one.
 */
unsigned st_nonces_unused(const st_nonces *state, apr_uint64_t *out, unsigned max);

#endif
