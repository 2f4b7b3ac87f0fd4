/** What this server is called from outside, by its configuration: nothing here is taken from a request's headers. */
#ifndef INTERAUTH_COMMON_EXTERNAL_H
#define INTERAUTH_COMMON_EXTERNAL_H

#include <httpd.h>

/** The scheme that ServerName gives, else that of the connection. */
const char *external_scheme(request_rec *r);

/** The port that ServerName gives, else the default port of its scheme, else that of the connection. */
apr_port_t external_port(request_rec *r);

/** Whether this server can be reached under this port: its external one, or that of the connection. */
int external_port_is_ours(request_rec *r, apr_port_t port);

#endif
