/**
 * One-time nonces of SAuth: 16 opaque bytes, 22 characters of base64url.
 *
 *   byte 0      kind
 *   bytes 1-7   fresh: stamp in microseconds since 1970 (56 bits); next: sequence number (48 bits, byte 1 zero)
 *   bytes 8-15  HMAC-SHA-256 under the nonce key over kind, value and, for a next nonce, the grant id; first 64 bits
 *
 * A FRESH nonce costs no memory to hand out: it carries its own time. A NEXT nonce belongs to one grant. What
 * was used is kept with the grant.
 */
#ifndef INTERAUTH_NONCE_H
#define INTERAUTH_NONCE_H

#include <apr_time.h>
#include "interauth/mac.h"
#include "interauth/token.h"

#ifdef __cplusplus
extern "C" {
#endif

#define IA_GRANT_ID_LEN  16 /**< bytes */
#define IA_NONCE_SEQ_MAX ((APR_UINT64_C(1) << 48) - 1)

typedef enum ia_nonce_kind { IA_NONCE_FRESH = 1, IA_NONCE_NEXT = 2 } ia_nonce_kind;

/** What a genuine nonce says. */
typedef struct ia_nonce_claim {
    ia_nonce_kind kind;
    apr_uint64_t value; /**< fresh: stamp in microseconds; next: sequence number */
} ia_nonce_claim;

void ia_nonce_mint_fresh(unsigned char out[IA_NONCE_LEN], const ia_mac_key *nonce_key, apr_uint64_t stamp);
void ia_nonce_mint_next(unsigned char out[IA_NONCE_LEN], const ia_mac_key *nonce_key,
                        const unsigned char grant_id[IA_GRANT_ID_LEN], apr_uint64_t seq);

/**
 * Whether the nonce was made under this key and, for a next nonce, for this grant.
 * @param grant_id NULL refuses next nonces
 * @return IA_OK and the claim, or IA_NONCE_FOREIGN
 */
ia_result ia_nonce_verify(ia_nonce_claim *out, const unsigned char nonce[IA_NONCE_LEN], const ia_mac_key *nonce_key,
                          const unsigned char grant_id[IA_GRANT_ID_LEN]);

#ifdef __cplusplus
}
#endif
#endif
