/** The header of a request: lines for libcurl, and fields for a signature. */
#ifndef CLIENT_REQUEST_HEAD_H
#define CLIENT_REQUEST_HEAD_H

#include <apr_tables.h>
#include "address.h"
#include "interauth/httpsig.h"

/** Whether a text is a token (RFC 9110), as method and field names are. */
int head_is_token(const char *text, apr_size_t len);

/**
 * Creates `*lines` from the lines "Name: value" in `given`, which may be NULL, in the form that libcurl requires.
 * @param reserved names of fields that the user must not set, ending with NULL
 * @return CL_OK or CL_USAGE, reported
 */
int head_read(apr_array_header_t **lines, apr_pool_t *p, const apr_array_header_t *given, const char *const *reserved);

int head_has(const apr_array_header_t *lines, const char *name);

/** The request as a message to sign. A Host line overrides the authority. */
void head_message(ia_httpsig_message *out, apr_pool_t *p, const char *method, const address *at,
                  const apr_array_header_t *lines);

/** Appends a field to the message. */
void head_append(ia_httpsig_message *message, apr_pool_t *p, const char *name, const char *value);

/** The first value of that field, or NULL. */
const char *head_value(const ia_httpsig_message *message, const char *name);

#endif
