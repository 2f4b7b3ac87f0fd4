/**
 * Whether a secret is one that others can guess, because it was not made at random.
 */
#ifndef INTERAUTH_SECRET_QUALITY_H
#define INTERAUTH_SECRET_QUALITY_H

#include <apr.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Bits of what ia_secret_weaknesses finds. */
#define IA_SECRET_FEW_BYTES 1u /**< few different bytes */
#define IA_SECRET_PATTERN   2u /**< counts up or down, or repeats a short piece */
#define IA_SECRET_TEXT      4u /**< printable text that looks like words */

/**
 * Judges the bytes of a secret, of at least IA_SECRET_MIN bytes. Random bytes of that length have a weakness about once
 * in a million times. Text of random letters or hexadecimal digits is none. Keeps nothing of the secret.
 * @return bits, 0 for none
 */
unsigned ia_secret_weaknesses(const void *secret, apr_size_t len);

/** In words, of the worst of the weaknesses: "has few different bytes", ..; NULL for none. */
const char *ia_secret_weakness_text(unsigned weaknesses);

#ifdef __cplusplus
}
#endif
#endif
