/** A saved request or response, or a part of one: header lines alone, or a body alone. */
#ifndef CLIENT_SAVED_MESSAGE_H
#define CLIENT_SAVED_MESSAGE_H

#include "interauth/httpsig.h"

#define SAVED_MAX (4 * 1024 * 1024) /**< bytes of such a file */

typedef enum saved_kind { SAVED_REQUEST, SAVED_RESPONSE, SAVED_HEADER, SAVED_BODY } saved_kind;

typedef struct saved_message {
    saved_kind kind;
    ia_httpsig_message message; /**< method and target of a request, status of a response, and fields */
    const char *body;           /**< NUL-terminated */
    apr_size_t body_len;
} saved_message;

/** Reads it. Lines end in CR LF or LF. @return an exit status; what is wrong is said */
int saved_message_read(saved_message *out, apr_pool_t *p, const char *path);

#endif
