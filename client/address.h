/** Addresses of endpoints and requests: http and https only, without credentials in them. */
#ifndef CLIENT_ADDRESS_H
#define CLIENT_ADDRESS_H

#include <apr_pools.h>

typedef struct address {
    const char *url;                         /**< canonical: lowercase host, no default port, no fragment */
    const char *origin;                      /**< scheme, host and port */
    const char *scheme, *authority, *target; /**< of `url`, as they are sent */
    int is_cleartext;                        /**< http to another host than this one */
} address;

/** Reads a URL. Says what is wrong with it, after `what`: the option or operand that it was given as. @return CL_OK or CL_USAGE */
int address_parse(address *out, apr_pool_t *p, const char *text, const char *what);

/** As address_parse, for the base of grant endpoints: no query, no '/' at its end, not an endpoint itself. */
int address_parse_endpoint(address *out, apr_pool_t *p, const char *text, const char *what);

#endif
