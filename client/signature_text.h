/** A signature's parameters, and the bytes of its base, as people and scripts read them. */
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

#endif
