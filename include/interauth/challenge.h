/**
 * The computations of the challenge protocol (challenge, token, signature), independent of JSON, XML and HTTP.
 *
 *   Nonce     = ceil(time / lifetime) * lifetime, in Unix seconds: the end of the window that contains `time`
 *   Secret    = K(username, K(password), domain)
 *   Token     = K(challenge, Secret, Nonce)
 *   Signature = K(Token, Secret, Nonce)
 *
 * Profile md5: K is the lower-case hex MD5 of its arguments joined by a separator, which is empty by default.
 * Profile hmac-sha256 (our extension): K(password) = hex scrypt(password). Any other K is the lower-case hex HMAC-SHA-256
 * whose key is the secret argument, as text, over the other arguments joined by one NUL. Signatures of calls also cover, after
 * the Nonce: NUL method NUL nonce NUL timestamp NUL request, with the bytes of the request as sent. Signatures of responses
 * cover: NUL "response" NUL nonce of the call NUL hex SHA-256 of the response.
 *
 * The server keeps Secret, never the password. Whoever knows Secret can act as the user, so it is as secret as a key.
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
#define IA_CHALLENGE_TEXT_SIZE     65 /**< a buffer for either, with its NUL */
#define IA_CHALLENGE_SEPARATOR_MAX 8  /**< bytes */
#define IA_CHALLENGE_DOMAIN_MAX    255
#define IA_CHALLENGE_PASSWORD_MAX  1024
#define IA_CHALLENGE_NONCE_MIN     16 /**< characters of the nonce of a call */
#define IA_CHALLENGE_NONCE_MAX     64
#define IA_CHALLENGE_WINDOWS       3 /**< windows that are valid at one time: the last, this one, the next */

/** Parameters of scrypt in profile hmac-sha256: 32 MiB and a fraction of a second. Only clients compute it. */
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
/** The profile with this name, or IA_CHALLENGE_PROFILE_NONE. */
ia_challenge_profile ia_challenge_profile_named(const char *name);

/** Secret of a user in one profile, as text with its NUL, and its one-way fingerprint. Wipe copies. */
typedef struct ia_challenge_secret {
    apr_uint64_t fingerprint; /**< 0: the user has none in this profile; equal secrets have equal fingerprints */
    char text[IA_CHALLENGE_TEXT_SIZE];
} ia_challenge_secret;

/** Loads a Secret from a record. @return IA_OK, or IA_MALFORMED if it is not lower-case hex of the right length */
ia_result ia_challenge_secret_load(ia_challenge_secret *out, ia_challenge_profile profile, const char *text,
                                   apr_size_t len);

/**
 * Computes Secret = K(username, K(password), domain), as a client does.
 * The salt of scrypt is SHA-256(username "|" domain): libsodium accepts only salts of 32 bytes.
 * @param separator profile md5 only; never NULL
 * @return IA_OK, IA_MALFORMED (an argument is empty or too long), IA_FAULT_CRYPTO or IA_FAULT_MEMORY
 */
ia_result ia_challenge_secret_derive(ia_challenge_secret *out, ia_challenge_profile profile, const char *separator,
                                     const char *username, const void *password, apr_size_t password_len,
                                     const char *domain);

/* --- windows ---------------------------------------------------------------------------------------------------- */

/**
 * Nonce: the end of the window that contains `at` (microseconds), in Unix seconds. An exact multiple maps to itself.
 */
apr_int64_t ia_challenge_window(apr_time_t at, apr_int64_t lifetime);

/**
 * The windows that a client may use at `now` whose clock differs by at most `skew` (both in microseconds), nearest first.
 * Always fills all elements, repeating the first window, so that verifying each takes the same time however many there are.
 * `lifetime` is in seconds. A skew above the lifetime counts as the lifetime.
 */
void ia_challenge_windows(apr_int64_t out[IA_CHALLENGE_WINDOWS], apr_time_t now, apr_int64_t lifetime, apr_time_t skew);

/**
 * When a token of window `nonce` that is minted at `minted` expires, in microseconds: `skew` after the end of its window;
 * if it is minted within `skew` of that end, after the end of the next window.
 */
apr_time_t ia_challenge_token_expires(apr_int64_t nonce, apr_time_t minted, apr_int64_t lifetime, apr_time_t skew);

/* --- Token and Signature ---------------------------------------------------------------------------------------- */

/** The parameters of K. */
typedef struct ia_challenge_terms {
    ia_challenge_profile profile;
    const char *separator; /**< profile md5; never NULL */
    const char *secret;    /**< Secret as text */
} ia_challenge_terms;

/** What a signature covers besides Token and Nonce. Profile md5 ignores it. NULL members count as empty. */
typedef struct ia_challenge_message {
    const char *method;
    const char *nonce;
    const char *timestamp; /**< as sent: Unix seconds */
    const char *request;   /**< bytes as sent */
    apr_size_t request_len;
} ia_challenge_message;

/** Computes Token, with its NUL. @return IA_OK, or IA_FAULT_CRYPTO with `out` empty */
ia_result ia_challenge_token(char out[IA_CHALLENGE_TEXT_SIZE], const ia_challenge_terms *terms, const char *challenge,
                             apr_int64_t nonce);

/**
 * Computes Signature. With `message` NULL it is that of auth.token: K(Token, Secret, Nonce) in both profiles. Results as
 * above.
 */
ia_result ia_challenge_sign(char out[IA_CHALLENGE_TEXT_SIZE], const ia_challenge_terms *terms, const char *token,
                            apr_int64_t nonce, const ia_challenge_message *message);

/** Computes the Signature of a response in profile hmac-sha256. `digest` is SHA-256 of the unsigned response. */
ia_result ia_challenge_sign_response(char out[IA_CHALLENGE_TEXT_SIZE], const ia_challenge_terms *terms,
                                     const char *token, apr_int64_t nonce, const char *call_nonce,
                                     const unsigned char digest[IA_SHA256_LEN]);

#ifdef __cplusplus
}
#endif
#endif
