/**
 * Limits of the tokens and nonces of SAuth.
 */
#ifndef INTERAUTH_TOKEN_H
#define INTERAUTH_TOKEN_H

#define IA_TOKEN_BYTES    24            /**< random bytes of a token; its text is base64url of them */
#define IA_TOKEN_TEXT_MAX 255           /**< characters of the longest token that is accepted */
#define IA_NONCE_LEN      16            /**< bytes of a nonce */
#define IA_NONCE_TEXT_LEN 22            /**< characters of a nonce: base64url */
#define IA_LIFESPAN_MAX   (366 * 86400) /**< seconds; the longest life of a token that can be asked for */

#endif
