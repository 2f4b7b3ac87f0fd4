/** Signatures and signature bases as text, and the first difference between two bases. */
#ifndef CLIENT_SIGNATURE_TEXT_H
#define CLIENT_SIGNATURE_TEXT_H

#include "interauth/httpsig.h"
#include "interauth/json.h"

/** The covered components in order, as in Signature-Input without their parentheses. */
const char *signature_covered(apr_pool_t *p, const ia_httpsig *signature);

/** Members label, keyid, created, expires, nonce, tag (where there) and covered of the open object. */
void signature_write(ia_json_writer *w, apr_pool_t *p, const ia_httpsig *signature);

/** The same on standard output, a line each. */
void signature_print(apr_pool_t *p, const ia_httpsig *signature);

/** NUL-terminated copy. */
const char *signature_string(apr_pool_t *p, const ia_sfv_text *text);

/** A copy in printable ASCII: other bytes become \t, \r, \n or \xNN, a backslash is doubled. */
const char *signature_escape(apr_pool_t *p, const char *data, apr_size_t len);

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
