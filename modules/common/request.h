/** One external request can be many request_recs: sub-requests and internal redirects. This room finds the others. */
#ifndef INTERAUTH_COMMON_REQUEST_H
#define INTERAUTH_COMMON_REQUEST_H

#include <httpd.h>
#include <http_config.h>

/** The request that came over the wire: up through main and prev. */
request_rec *request_outermost(request_rec *r);

/** A note of this request or of the nearest request above it that has it; httpd gives each a fresh table. */
const char *request_note(request_rec *r, const char *name);

/** Whether this very request is for an endpoint of ours: the proof that it asks for is its protection. */
int request_is_for_endpoint(const request_rec *r);

/** The field that shows that the request came through a proxy: Forwarded, X-Forwarded-For or Via. NULL if none does. */
const char *request_proxy_field(request_rec *r);

/** The handler that SetHandler names for this URL, before any file or rewrite was looked at; NULL if none. */
const char *request_location_handler(request_rec *r);

/** Whether its headers announce a body of at least a byte, or of unknown length. */
int request_has_body(request_rec *r);

/**
 * Reads a request body of at most `max` bytes.
 * @return IA_OK, IA_BODY_TOO_LARGE, IA_BODY_BROKEN; `status` is httpd's own status for a broken body
 */
int request_read_body(request_rec *r, apr_size_t max, const char **text, apr_size_t *len, int *status);

#endif
