/** Signatures and signature bases as text, and the first difference between two bases. */
#ifndef CLIENT_SIGNATURE_TEXT_H
#define CLIENT_SIGNATURE_TEXT_H

#include "interauth/httpsig.h"
#include "interauth/json.h"

/** The covered components in order, as in Signature-Input without their parentheses. */
const char *signature_covered(apr_pool_t *p, const ia_httpsig *signature);

/** Writes label, keyid, created, expires, nonce, tag, if present, and covered into the open object. */
void signature_write(ia_json_writer *w, apr_pool_t *p, const ia_httpsig *signature);

/** Prints the same on standard output, one per line. */
void signature_print(apr_pool_t *p, const ia_httpsig *signature);

/** NUL-terminated copy. */
const char *signature_string(apr_pool_t *p, const ia_sfv_text *text);

/** A copy in printable ASCII: other bytes become \t, \r, \n or \xNN, a backslash is doubled. */
const char *signature_escape(apr_pool_t *p, const char *data, apr_size_t len);

typedef struct base_difference {
    int exists;
    unsigned line, byte;      /**< from 1; `byte` within the line */
    const char *here, *there; /**< the lines in printable ASCII; NULL if the base has ended */
    unsigned mark;            /**< column of the byte in `here` and `there`, from 0 */
    const char *hint;         /**< a likely cause, or NULL; static */
} base_difference;

void base_compare(base_difference *out, apr_pool_t *p, const ia_sfv_text *here, const ia_sfv_text *there);

/**
 * Reads the base of the other side: its bytes, in which one line end at the end is ignored, or a JSON object with a member
 * `base`, as sign and explain print it. @return an exit status
 */
int base_load(ia_sfv_text *out, apr_pool_t *p, const char *path);

#endif
