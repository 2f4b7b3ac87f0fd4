/** The scheme and port of this server as clients use them, by its configuration. Request headers are not considered. */
#ifndef INTERAUTH_COMMON_EXTERNAL_H
#define INTERAUTH_COMMON_EXTERNAL_H

#include <httpd.h>

/** The scheme of ServerName, else that of the connection. */
const char *external_scheme(request_rec *r);

/** The port of ServerName, else the default port of its scheme, else that of the connection. */
apr_port_t external_port(request_rec *r);

/** Whether `port` is that of external_port or of the connection. */
int external_port_is_ours(request_rec *r, apr_port_t port);

#endif
