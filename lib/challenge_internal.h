/** Shared by the files of the challenge protocol. */
#ifndef INTERAUTH_LIB_CHALLENGE_INTERNAL_H
#define INTERAUTH_LIB_CHALLENGE_INTERNAL_H

#include "interauth/challenge.h"

/** Characters of Secret, Token and Signature; 0 if there is no such profile. */
apr_size_t iai_challenge_text_len(ia_challenge_profile profile);

/** Lower-case hex MD5 of the parts in their order, with its NUL. @return IA_OK or IA_FAULT_CRYPTO (`out` empty then) */
ia_result iai_challenge_md5(char out[IA_CHALLENGE_TEXT_SIZE], const ia_bytes *parts, unsigned count);

/** Lower-case hex HMAC-SHA-256 of the parts in their order, with its NUL. */
void iai_challenge_hmac(char out[IA_CHALLENGE_TEXT_SIZE], const ia_mac_key *key, const ia_bytes *parts, unsigned count);

/** Whether all `len` characters are lower-case hex digits, in time that depends on the length only. */
int iai_challenge_is_hex(const char *text, apr_size_t len);

#define IAI_CHALLENGE_MORE 4 /* parts that a signature may cover besides Token and Nonce */

/** K of one profile, with one Secret. Wipe it after use. */
typedef struct iai_challenge_signer {
    ia_challenge_profile profile;
    ia_bytes separator;
    ia_bytes secret;
    ia_mac_key mac; /* of the secret; profile hmac-sha256 */
} iai_challenge_signer;

/** @return IA_OK, or IA_FAULT_CRYPTO if the secret does not have the length of the profile */
ia_result iai_challenge_signer_init(iai_challenge_signer *m, ia_challenge_profile profile, const char *separator,
                                    const char *secret);

/**
 * K(first, Secret, Nonce); in profile hmac-sha256 also over the `more_count` parts in `more`, at most IAI_CHALLENGE_MORE.
 * @return IA_OK or IA_FAULT_CRYPTO
 */
ia_result iai_challenge_compute(char out[IA_CHALLENGE_TEXT_SIZE], const iai_challenge_signer *m, const char *first,
                                apr_int64_t nonce, const ia_bytes *more, unsigned more_count);

/** Like ia_challenge_sign, with an initialized signer. */
ia_result iai_challenge_sign(char out[IA_CHALLENGE_TEXT_SIZE], const iai_challenge_signer *m, const char *token,
                             apr_int64_t nonce, const ia_challenge_message *message);

#endif
