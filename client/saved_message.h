/** Files that hold an HTTP/1.1 message: the start line, header fields, an empty line, the body. Lines end in CR LF or LF. */
#ifndef CLIENT_SAVED_MESSAGE_H
#define CLIENT_SAVED_MESSAGE_H

#include "http.h"
#include "interauth/httpsig.h"

#define SAVED_MESSAGE_MAX (4 * 1024 * 1024)  /**< bytes of a message to explain */
#define SAVED_REQUEST_MAX (64 * 1024 * 1024) /**< bytes of a request to verify or save */

typedef enum saved_kind { SAVED_REQUEST, SAVED_RESPONSE, SAVED_HEADER, SAVED_BODY } saved_kind;

typedef struct saved_message {
    saved_kind kind;
    ia_httpsig_message message; /**< method and target of a request, status of a response, and fields */
    const char *body;           /**< NUL-terminated */
    apr_size_t body_len;
} saved_message;

/**
 * Reads a request, a response, header fields alone, or a body alone.
 * @return an exit status; what is wrong is reported
 */
int saved_message_read(saved_message *out, apr_pool_t *p, const char *path);

/**
 * Reads a complete request, as strictly as a server does, and sets its scheme and authority.
 * @param scheme of the connection; an absolute target has its own
 * @return an exit status; what is wrong is reported
 */
int saved_request_read(saved_message *out, apr_pool_t *p, const char *path, const char *scheme);

/** Writes a request with its Host and Content-Length to a new private file. `body` may be NULL. @return an exit status */
int saved_request_write(apr_pool_t *p, const char *path, const ia_httpsig_message *message, const http_body *body);

#endif
