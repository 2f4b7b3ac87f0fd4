/**
 * Verifies the signatures of the challenge protocol: the server's part.
 */
#ifndef INTERAUTH_CHALLENGE_VERIFY_H
#define INTERAUTH_CHALLENGE_VERIFY_H

#include "interauth/challenge.h"

#ifdef __cplusplus
extern "C" {
#endif

/** An attempt to exchange a challenge for a token, or to use a token. */
typedef struct ia_challenge_claim {
    const char *challenge; /**< auth.token: Token is computed from it; NULL if `token` is given */
    const char *token;
    const char *signature;               /**< as sent */
    const ia_challenge_message *message; /**< as for ia_challenge_sign */
} ia_challenge_claim;

/** The window in which a claim was right. */
typedef struct ia_challenge_match {
    apr_int64_t nonce; /**< the end of the window, Unix seconds */
    char token[IA_CHALLENGE_TEXT_SIZE];
    char signature[IA_CHALLENGE_TEXT_SIZE]; /**< as computed here: the key of the replay cache */
} ia_challenge_match;

/**
 * Verifies the claim's signature in each of the windows. A NULL `secret` or one of fingerprint 0 stands for an unknown user.
 * The same computations are then made with a dummy secret, so that the time does not tell who is known.
 * @return IA_OK, IA_MAC_MISMATCH (also for an unknown user) or IA_FAULT_CRYPTO
 */
ia_result ia_challenge_verify(ia_challenge_match *out, ia_challenge_profile profile, const char *separator,
                              const ia_challenge_secret *secret, const ia_challenge_claim *claim,
                              const apr_int64_t windows[IA_CHALLENGE_WINDOWS]);

#ifdef __cplusplus
}
#endif
#endif
