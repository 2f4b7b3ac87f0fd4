/** URLs of endpoints and requests: http and https only, without credentials. */
#ifndef CLIENT_ADDRESS_H
#define CLIENT_ADDRESS_H

#include <apr_pools.h>

typedef struct address {
    const char *url;                         /**< canonical: lowercase host, no default port, no fragment */
    const char *origin;                      /**< scheme, host and port */
    const char *scheme, *authority, *target; /**< of `url`, as they are sent */
    int is_cleartext;                        /**< http, and not to this host */
} address;

/**
 * Parses a URL and reports what is wrong with it.
 * @param what the option or operand that holds it, for the message
 * @return CL_OK or CL_USAGE
 */
int address_parse(address *out, apr_pool_t *p, const char *text, const char *what);

/** As address_parse, for the base URL of grant endpoints: no query, and not an endpoint. Removes trailing slashes. */
int address_parse_endpoint(address *out, apr_pool_t *p, const char *text, const char *what);

#endif
