/**
 * One-time nonces of SAuth: 16 opaque bytes, 22 characters of base64url.
 *
 *   byte 0      kind
 *   bytes 1-7   fresh: stamp in microseconds since 1970 (56 bits); next: sequence number (48 bits, byte 1 zero)
 *   bytes 8-15  HMAC-SHA-256 under the nonce key over kind, value and, for a next nonce, the grant id; first 64 bits
 *
 * A FRESH nonce costs no memory to hand out: it carries its own time. A NEXT nonce belongs to one grant. What was
 * used is kept per grant in an `ia_nonce_state`, whose functions are written so that a process killed between any
 * two stores leaves a state that may refuse an honest nonce but never accepts one twice.
 */
#ifndef INTERAUTH_NONCE_H
#define INTERAUTH_NONCE_H

#include <apr_time.h>
#include "interauth/mac.h"

#ifdef __cplusplus
extern "C" {
#endif

#define IA_NONCE_LEN      16
#define IA_NONCE_TEXT_LEN 22
#define IA_GRANT_ID_LEN   16
#define IA_NONCE_WINDOW   256 /**< how far apart the next nonces of one grant may be used */
#define IA_NONCE_STAMPS   16  /**< fresh nonces a grant remembers by name */
#define IA_NONCE_SEQ_MAX  ((APR_UINT64_C(1) << 48) - 1)

typedef enum ia_nonce_kind { IA_NONCE_FRESH = 1, IA_NONCE_NEXT = 2 } ia_nonce_kind;

/** What a genuine nonce says. */
typedef struct ia_nonce_claim {
    ia_nonce_kind kind;
    apr_uint64_t value; /**< fresh: stamp in microseconds; next: sequence number */
} ia_nonce_claim;

/** What a grant remembers of its nonces. Zeroed is the state of a new grant. */
typedef struct ia_nonce_state {
    apr_uint64_t issued;                       /**< highest next sequence handed out; the first is 1 */
    apr_uint64_t top;                          /**< highest next sequence used */
    apr_uint64_t window[IA_NONCE_WINDOW / 64]; /**< used bits of (top - 256, top], sequence s at bit s mod 256 */
    apr_uint64_t floor;                        /**< fresh stamps at or below are refused */
    apr_uint64_t stamps[IA_NONCE_STAMPS];      /**< fresh stamps used above the floor; 0 is free */
} ia_nonce_state;

void ia_nonce_mint_fresh(unsigned char out[IA_NONCE_LEN], const ia_mac_key *nonce_key, apr_uint64_t stamp);
void ia_nonce_mint_next(unsigned char out[IA_NONCE_LEN], const ia_mac_key *nonce_key,
                        const unsigned char grant_id[IA_GRANT_ID_LEN], apr_uint64_t seq);

/**
 * Whether this server minted the nonce in this nonce key and, for a next nonce, for this grant.
 * @param grant_id NULL refuses next nonces
 * @return IA_OK and the claim, or IA_NONCE_FOREIGN
 */
ia_result ia_nonce_verify(ia_nonce_claim *out, const unsigned char nonce[IA_NONCE_LEN], const ia_mac_key *nonce_key,
                          const unsigned char grant_id[IA_GRANT_ID_LEN]);

/**
 * Uses a nonce up. The caller holds the grant's lock, and has verified the nonce, token and HMAC.
 * @param now microseconds on the clock that made the stamps
 * @param lifetime of a fresh nonce, microseconds
 * @return IA_OK, IA_NONCE_STALE, IA_NONCE_FUTURE, IA_NONCE_UNISSUED or IA_NONCE_REPLAYED
 */
ia_result ia_nonce_use(ia_nonce_state *state, const ia_nonce_claim *claim, apr_uint64_t now, apr_uint64_t lifetime);

/**
 * The sequence of a next nonce to hand out: a new one, or, where IA_NONCE_WINDOW are outstanding above `top`
 * already, the newest unused. Thus no flood of honest-looking requests can push held nonces out of the window.
 */
apr_uint64_t ia_nonce_issue(ia_nonce_state *state);

/**
 * The newest unused next sequences, newest first, at most `max`; returns how many were written. There is at
 * least one once one was issued, because every use issues one.
 */
unsigned ia_nonce_unused(const ia_nonce_state *state, apr_uint64_t *out, unsigned max);

#ifdef __cplusplus
}
#endif
#endif
