/**
 * An external request can have several request_recs: sub-requests and internal redirects. These functions find the
 * others.
 */
#ifndef INTERAUTH_COMMON_REQUEST_H
#define INTERAUTH_COMMON_REQUEST_H

#include <httpd.h>
#include <http_config.h>

/** The request as received from the client: up through main and prev. */
request_rec *request_outermost(request_rec *r);

/** A note of this request, or of the nearest request above it that has it. Each request_rec has a table of its own. */
const char *request_note(request_rec *r, const char *name);

/** Whether this request_rec is for one of our endpoints, which authenticate clients themselves. */
int request_is_for_endpoint(const request_rec *r);

/**
 * The header that shows that the request came through a proxy: Forwarded, X-Forwarded-For or Via. NULL if there is
 * none.
 */
const char *request_proxy_field(request_rec *r);

/** The handler that SetHandler sets for this URL, before files and rewrites are considered; NULL if none. */
const char *request_location_handler(request_rec *r);

/** Whether the headers announce a body of at least one byte, or of unknown length. */
int request_has_body(request_rec *r);

#endif
