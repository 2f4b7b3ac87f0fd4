/**
 * The challenge of the challenge protocol: stateless, sealed by the server that makes it. It says for whom and when it was
 * made, to nobody but that server; one for nobody looks like any other.
 */
#ifndef INTERAUTH_CHALLENGE_SEAL_H
#define INTERAUTH_CHALLENGE_SEAL_H

#include <apr_time.h>
#include "interauth/challenge.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a challenge says to the server that made it. Nobody else can read or make one. */
typedef struct ia_challenge_seal {
    apr_uint32_t participant_index;      /**< IA_CHALLENGE_NO_PARTICIPANT for an unknown user */
    apr_uint32_t participant_generation; /**< its low half */
    apr_uint64_t stamp;                  /**< microseconds, never the same twice; below 2^56 */
    ia_challenge_profile profile;
} ia_challenge_seal;

#define IA_CHALLENGE_NO_PARTICIPANT 0xffffffffu

/**
 * One AES-256 block under a key derived from `nonce key`: 16 bytes as hex, alike for known and unknown users.
 * @return IA_OK; IA_FAULT_CRYPTO; IA_FAULT_INTERNAL for a seal without a profile, or with a stamp of 2^56 or more
 */
ia_result ia_challenge_mint(char out[IA_CHALLENGE_LEN + 1], const ia_mac_key *nonce_key, const ia_challenge_seal *seal);

/**
 * Opens a challenge. What it says is to be believed only once a signature over it verified and its stamp and
 * generation are plausible: the block has little redundancy of its own.
 * @return IA_OK; IA_MALFORMED for what is not 32 lower-case hex digits; IA_CHALLENGE_UNKNOWN for what was never minted
 */
ia_result ia_challenge_open(ia_challenge_seal *out, const ia_mac_key *nonce_key, const char *text, apr_size_t len);

/** Is the stamp within `lifetime` seconds before now, on the clock that made it? @return IA_OK, IA_CHALLENGE_EXPIRED */
ia_result ia_challenge_check_age(apr_uint64_t stamp, apr_time_t now, apr_int64_t lifetime);

#ifdef __cplusplus
}
#endif
#endif
