/**
 * application/x-www-form-urlencoded bodies (WHATWG URL section 5.1), read strictly: an invalid percent escape, a
 * NUL byte, an empty name, a repeated name or too many fields are refused. '+' is a space.
 */
#ifndef INTERAUTH_FORM_H
#define INTERAUTH_FORM_H

#include <apr_pools.h>
#include "interauth/result.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ia_form_field {
    const char *name;  /**< NUL-terminated, decoded */
    const char *value; /**< NUL-terminated, decoded; holds no other NUL */
    apr_size_t value_len;
} ia_form_field;

typedef struct ia_form {
    const ia_form_field *fields;
    unsigned count;
} ia_form;

/**
 * Parses `text` into memory of `p`. The result does not point into `text`.
 * @return IA_OK, IA_FORM_MALFORMED, IA_FIELD_REPEATED, or IA_TOO_LONG for more than
 *         `max_fields` fields.
 */
ia_result ia_form_parse(ia_form *out, apr_pool_t *p, const char *text, apr_size_t len, unsigned max_fields);

/** The field with this name, or NULL. */
const ia_form_field *ia_form_field_get(const ia_form *form, const char *name);

/** Escapes `text` as one form value, in `p`: all but ALPHA, DIGIT and "*-._"; a space becomes "+". */
char *ia_form_escape(apr_pool_t *p, const char *text, apr_size_t len);

#ifdef __cplusplus
}
#endif
#endif
