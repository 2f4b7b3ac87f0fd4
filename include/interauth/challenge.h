/**
 * The challenge/token/signature protocol: its arithmetic. Nothing here knows JSON, XML or HTTP.
 *
 *   Nonce     = ceil(time / lifetime) * lifetime, in Unix seconds: the end of the window that `time` lies in
 *   Secret    = K(username, K(password), domain)
 *   Token     = K(challenge, Secret, Nonce)
 *   Signature = K(Token, Secret, Nonce)
 *
 * Profile md5: K is the lower-case hex MD5 of its arguments joined by a separator, which is empty by default.
 * Profile hmac-sha256 (ours): K(password) = hex scrypt(password); any other K is the lower-case hex HMAC-SHA-256 whose
 * key is the argument that is secret, as text, over the other arguments joined by one NUL. Its signatures of calls go on
 * after the Nonce: NUL method NUL nonce NUL timestamp NUL request, the request byte for byte as it was sent; those of
 * answers: NUL "response" NUL nonce of the call NUL hex SHA-256 of the response.
 *
 * The server keeps Secret, never the password. Whoever has Secret can act as the user: it is as secret as a key.
 */
#ifndef INTERAUTH_CHALLENGE_H
#define INTERAUTH_CHALLENGE_H

#include <apr_pools.h>
#include <apr_time.h>
#include "interauth/mac.h"

#ifdef __cplusplus
extern "C" {
#endif

#define IA_CHALLENGE_LEN           32 /**< characters of a challenge: hex */
#define IA_CHALLENGE_MD5_LEN       32 /**< characters of Secret, Token, Signature in profile md5 */
#define IA_CHALLENGE_HMAC_LEN      64 /**< in profile hmac-sha256 */
#define IA_CHALLENGE_TEXT_SIZE     65 /**< room for either, with its NUL */
#define IA_CHALLENGE_SEPARATOR_MAX 8  /**< bytes */
#define IA_CHALLENGE_DOMAIN_MAX    255
#define IA_CHALLENGE_PASSWORD_MAX  1024
#define IA_CHALLENGE_NONCE_MIN     16 /**< characters of the nonce of a call */
#define IA_CHALLENGE_NONCE_MAX     64
#define IA_CHALLENGE_WINDOWS       3 /**< windows that may be meant at one moment: before, now, after */

/** scrypt of profile hmac-sha256: 32 MiB, a fraction of a second, on the client's side only. */
#define IA_CHALLENGE_SCRYPT_N 32768
#define IA_CHALLENGE_SCRYPT_R 8
#define IA_CHALLENGE_SCRYPT_P 3

typedef enum ia_challenge_profile {
    IA_CHALLENGE_PROFILE_NONE = 0,
    IA_CHALLENGE_PROFILE_MD5 = 1,
    IA_CHALLENGE_PROFILE_HMAC = 2
} ia_challenge_profile;

/** "md5", "hmac-sha256"; "none" for anything else. */
const char *ia_challenge_profile_name(ia_challenge_profile profile);
/** IA_CHALLENGE_PROFILE_NONE where no profile has this name. */
ia_challenge_profile ia_challenge_profile_named(const char *name);

/** Secret of one user in one profile, as text with its NUL, and a one-way fingerprint of it. Wipe copies. */
typedef struct ia_challenge_secret {
    apr_uint64_t fingerprint; /**< 0: the user has none in this profile; equal secrets have equal fingerprints */
    char text[IA_CHALLENGE_TEXT_SIZE];
} ia_challenge_secret;

/** Takes a Secret as a record holds it. @return IA_OK; IA_MALFORMED where it is not lower-case hex of the right length */
ia_result ia_challenge_secret_load(ia_challenge_secret *out, ia_challenge_profile profile, const char *text,
                                   apr_size_t len);

/**
 * Secret = K(username, K(password), domain): what the record of a user holds, and what a client computes.
 * The salt of scrypt is SHA-256(username "|" domain): 32 bytes, the one length that libsodium takes.
 * @param separator profile md5 only; never NULL
 * @return IA_OK, IA_MALFORMED (empty or too long), IA_FAULT_CRYPTO, IA_FAULT_MEMORY
 */
ia_result ia_challenge_secret_derive(ia_challenge_secret *out, ia_challenge_profile profile, const char *separator,
                                     const char *username, const void *password, apr_size_t password_len,
                                     const char *domain);

/* --- windows ---------------------------------------------------------------------------------------------------- */

/** Nonce: the end of the window that `at` (microseconds) lies in, Unix seconds. An exact multiple maps to itself. */
apr_int64_t ia_challenge_window(apr_time_t at, apr_int64_t lifetime);

/**
 * The windows that a client whose clock is at most `skew` (microseconds) off may mean now, nearest first. Always fills
 * IA_CHALLENGE_WINDOWS places, repeating the first one, so that work done for each does not tell how many there are.
 * A skew above the lifetime counts as the lifetime.
 */
void ia_challenge_windows(apr_int64_t out[IA_CHALLENGE_WINDOWS], apr_time_t now, apr_int64_t lifetime, apr_time_t skew);

/**
 * Until when a token of window `nonce` minted at `minted` is good, in microseconds: its window's end and the skew; one
 * minted within skew of that end, through the next window as well.
 */
apr_time_t ia_challenge_token_expires(apr_int64_t nonce, apr_time_t minted, apr_int64_t lifetime, apr_time_t skew);

/* --- Token and Signature ---------------------------------------------------------------------------------------- */

/** What K needs beside its arguments. */
typedef struct ia_challenge_terms {
    ia_challenge_profile profile;
    const char *separator; /**< profile md5; never NULL */
    const char *secret;    /**< Secret as text */
} ia_challenge_terms;

/** What a signature is over beside Token and Nonce; profile md5 ignores it. NULL members count as empty. */
typedef struct ia_challenge_message {
    const char *method;
    const char *nonce;
    const char *timestamp; /**< as sent: Unix seconds */
    const char *request;   /**< bytes as sent */
    apr_size_t request_len;
} ia_challenge_message;

/** Token, with its NUL. @return IA_OK or IA_FAULT_CRYPTO (`out` empty then) */
ia_result ia_challenge_token(char out[IA_CHALLENGE_TEXT_SIZE], const ia_challenge_terms *terms, const char *challenge,
                             apr_int64_t nonce);

/** Signature; `message` NULL for that of auth.token, which is K(Token, Secret, Nonce) in both profiles. Errors as above. */
ia_result ia_challenge_sign(char out[IA_CHALLENGE_TEXT_SIZE], const ia_challenge_terms *terms, const char *token,
                            apr_int64_t nonce, const ia_challenge_message *message);

/** Signature of a response, profile hmac-sha256. `digest` is SHA-256 of the response as it was before it was signed. */
ia_result ia_challenge_sign_response(char out[IA_CHALLENGE_TEXT_SIZE], const ia_challenge_terms *terms,
                                     const char *token, apr_int64_t nonce, const char *call_nonce,
                                     const unsigned char digest[IA_SHA256_LEN]);

#ifdef __cplusplus
}
#endif
#endif
