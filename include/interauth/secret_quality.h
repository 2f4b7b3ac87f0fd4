/**
 * Finds secrets that others can guess, because they are not random.
 */
#ifndef INTERAUTH_SECRET_QUALITY_H
#define INTERAUTH_SECRET_QUALITY_H

#include <apr.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Bits of the result of ia_secret_weaknesses. */
#define IA_SECRET_FEW_BYTES 1u /**< few different bytes */
#define IA_SECRET_PATTERN   2u /**< counts up or down, or repeats a short piece */
#define IA_SECRET_TEXT      4u /**< printable text that looks like words */

/**
 * Looks for weaknesses of a secret of at least IA_SECRET_MIN bytes. Of random secrets of that length, about one in a
 * million has one by chance. Random letters or hexadecimal digits are not a weakness. Keeps nothing of the secret.
 * @return bits, 0 for none
 */
unsigned ia_secret_weaknesses(const void *secret, apr_size_t len);

/** Describes the worst of the weaknesses, such as "has few different bytes"; static, NULL for none. */
const char *ia_secret_weakness_text(unsigned weaknesses);

#ifdef __cplusplus
}
#endif
#endif
