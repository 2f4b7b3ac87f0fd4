/* The scheme and port of this server as clients use them: those of ServerName, else those of the connection. */
#include <httpd.h>
#include <apr_uri.h>
#include <http_protocol.h>
#include "external.h"

const char *external_scheme(request_rec *r)
{
    return ap_run_http_scheme(r);
}

apr_port_t external_port(request_rec *r)
{
    if (r->server->port)
        return r->server->port;
    if (r->server->server_scheme)
        return apr_uri_port_of_scheme(r->server->server_scheme);
    return r->connection->local_addr->port;
}

int external_port_is_ours(request_rec *r, apr_port_t port)
{
    return port && (port == r->connection->local_addr->port || port == external_port(r));
}
