/** Two signature bases, and where they first differ. */
#ifndef CLIENT_BASE_COMPARE_H
#define CLIENT_BASE_COMPARE_H

#include "interauth/sfv.h"

typedef struct base_difference {
    int is_there;
    unsigned line, byte;      /**< from 1; the byte counts within the line */
    const char *here, *there; /**< the lines in printable ASCII; NULL where a side has ended */
    unsigned mark;            /**< place of the byte in `here` and `there` as printed, from 0 */
    const char *hint;         /**< what is often the cause; static, or NULL */
} base_difference;

void base_compare(base_difference *out, apr_pool_t *p, const ia_sfv_text *here, const ia_sfv_text *there);

/**
 * Reads what another side says that its base is: the bytes themselves, where one line end at the end does not
 * count, or a JSON object with a member `base`, as sign and explain print it. @return an exit status
 */
int base_load(ia_sfv_text *out, apr_pool_t *p, const char *path);

#endif
