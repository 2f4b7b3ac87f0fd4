/** The body of a request, from an argument, a file, or standard input. */
#ifndef CLIENT_REQUEST_BODY_H
#define CLIENT_REQUEST_BODY_H

#include "http.h"

/** The default Content-Type of a body given with -d. */
#define REQUEST_BODY_TYPE "application/x-www-form-urlencoded"

/**
 * Opens what -d (`data`: a text, "@FILE" or "@-") or -T (`upload`: FILE or "-") names; no body if both are NULL.
 * Input that cannot be read twice is copied to an unlinked temporary file. @return an exit status
 */
int request_body_open(http_body *out, apr_pool_t *p, const char *data, const char *upload);

/** The value of a Content-Digest for the body with these algorithms (IA_DIGEST_*), from `p`. */
int request_body_digest(const char **out, apr_pool_t *p, const http_body *body, unsigned algorithms);

/** Copies the body to `out`, which has room for `body->len` bytes. @return an exit status */
int request_body_copy(char *out, const http_body *body);

void request_body_close(http_body *body);

#endif
