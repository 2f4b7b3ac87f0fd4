/**
 * The challenge of the challenge protocol. It is stateless: the server encrypts in it for whom and when it was made, and keeps
 * nothing. A challenge for an unknown user looks the same.
 */
#ifndef INTERAUTH_CHALLENGE_SEAL_H
#define INTERAUTH_CHALLENGE_SEAL_H

#include <apr_time.h>
#include "interauth/challenge.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The content of a challenge. Only the server that made it can read it. */
typedef struct ia_challenge_seal {
    apr_uint32_t participant_index;      /**< IA_CHALLENGE_NO_PARTICIPANT for an unknown user */
    apr_uint32_t participant_generation; /**< the lower 32 bits */
    apr_uint64_t stamp;                  /**< microseconds, never the same twice; below 2^56 */
    ia_challenge_profile profile;
} ia_challenge_seal;

#define IA_CHALLENGE_NO_PARTICIPANT 0xffffffffu

/**
 * Encrypts a challenge: one AES-256 block, with a key that is derived from `nonce_key`, as hex with its NUL.
 * @return IA_OK; IA_FAULT_CRYPTO; IA_FAULT_INTERNAL for a seal without a profile, or with a stamp of 2^56 or more
 */
ia_result ia_challenge_mint(char out[IA_CHALLENGE_LEN + 1], const ia_mac_key *nonce_key, const ia_challenge_seal *seal);

/**
 * Decrypts a challenge. The block has little redundancy: do not rely on the content before a signature over it is verified
 * and its stamp and generation are plausible.
 * @return IA_OK; IA_MALFORMED unless it is 32 lower-case hex digits; IA_CHALLENGE_UNKNOWN if it was not made with this key
 */
ia_result ia_challenge_open(ia_challenge_seal *out, const ia_mac_key *nonce_key, const char *text, apr_size_t len);

/**
 * Checks that the stamp (microseconds) is within `lifetime` seconds before `now`, by the clock that made it.
 * @return IA_OK or IA_CHALLENGE_EXPIRED
 */
ia_result ia_challenge_check_age(apr_uint64_t stamp, apr_time_t now, apr_int64_t lifetime);

#ifdef __cplusplus
}
#endif
#endif
