/** Header fields of a request as they are given with -H: lines for libcurl, fields for a signature. */
#ifndef CLIENT_REQUEST_HEAD_H
#define CLIENT_REQUEST_HEAD_H

#include <apr_tables.h>
#include "address.h"
#include "interauth/httpsig.h"

/** Whether it may stand as a method or a field's name. */
int head_is_token(const char *text, apr_size_t len);

/**
 * Adds a line "Name: value", in the form in which libcurl sends it even where the value is empty.
 * @param ours names of fields that cannot be given, ending in NULL
 * @return CL_OK, or CL_USAGE with what is wrong said
 */
int head_add(apr_array_header_t *lines, const char *line, const char *const *ours);

/** As head_add for all of `given`, which may be NULL; `*lines` is made. */
int head_read(apr_array_header_t **lines, apr_pool_t *p, const apr_array_header_t *given, const char *const *ours);

int head_has(const apr_array_header_t *lines, const char *name);

/** The request as a message that can be signed; its authority is that of a Host line, if there is one. */
void head_message(ia_httpsig_message *out, apr_pool_t *p, const char *method, const address *at,
                  const apr_array_header_t *lines);

/** The message with one field more, at its end. */
void head_append(ia_httpsig_message *message, apr_pool_t *p, const char *name, const char *value);

/** The first value of that field, or NULL. */
const char *head_value(const ia_httpsig_message *message, const char *name);

#endif
