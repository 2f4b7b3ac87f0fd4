/** A request in a file, as it goes over the wire (HTTP/1.1): request line, header lines, an empty line, the
 * body. */
#ifndef CLIENT_WIRE_H
#define CLIENT_WIRE_H

#include "http.h"
#include "interauth/httpsig.h"

#define WIRE_MAX (64 * 1024 * 1024) /**< bytes of such a file */

typedef struct wire_request {
    ia_httpsig_message message;
    const char *body;
    apr_size_t body_len;
} wire_request;

/**
 * Reads a saved request. Lines may end in CR LF or LF.
 * @param scheme of the connection; a target that is a whole URL has its own
 * @return an exit status; what is wrong is said
 */
int wire_read(wire_request *out, apr_pool_t *p, const char *path, const char *scheme);

/** Writes a message with its Host and Content-Length to a new private file. `body` may be NULL. */
int wire_save(apr_pool_t *p, const char *path, const ia_httpsig_message *message, const http_body *body);

#endif
