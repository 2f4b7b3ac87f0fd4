/**
 * Signatures over bytes with the algorithms of RFC 9421 section 3.3.
 *
 * The key determines the algorithm. Lengths are exact: Ed25519 64 bytes with S < L; ECDSA r || s, 64 or 96 bytes, both in
 * 1 .. n-1; RSA the length of the modulus, PSS with a salt of 64 bytes; HMAC 32 bytes, not truncated. From an ECDSA
 * signature anybody can compute a second valid one, so do not use the bytes of a signature to detect replays.
 *
 * Keeps no state: any number of threads may use one key.
 */
#ifndef INTERAUTH_SIGN_H
#define INTERAUTH_SIGN_H

#include "interauth/key.h"

#ifdef __cplusplus
extern "C" {
#endif

#define IA_SIGNATURE_MAX IA_KEY_BYTES_MAX

/** The length of each signature by this key, in bytes. */
apr_size_t ia_signature_len(const ia_key *key);

/**
 * Writes ia_signature_len bytes to `out`.
 * @return IA_OK, IA_KEY_PUBLIC for a key that cannot sign, or IA_FAULT_CRYPTO; `*len` is 0 unless IA_OK
 */
ia_result ia_signature_mint(unsigned char out[IA_SIGNATURE_MAX], apr_size_t *len, const ia_key *key,
                            const void *message, apr_size_t message_len);

/** @return IA_OK, IA_SIG_LENGTH, IA_SIG_SCALAR, IA_SIG_MISMATCH or IA_FAULT_CRYPTO */
ia_result ia_signature_verify(const ia_key *key, const void *message, apr_size_t message_len, const void *signature,
                              apr_size_t len);

/** Makes an hmac-sha256. */
void ia_signature_mint_mac(unsigned char out[IA_SHA256_LEN], const ia_mac_key *secret, const void *message,
                           apr_size_t message_len);

/** Verifies an hmac-sha256. @return IA_OK, IA_SIG_LENGTH or IA_SIG_MISMATCH */
ia_result ia_signature_verify_mac(const ia_mac_key *secret, const void *message, apr_size_t message_len,
                                  const void *signature, apr_size_t len);

#ifdef __cplusplus
}
#endif
#endif
