/** The values of --capability: names separated by spaces or commas, in one option or in several. */
#ifndef CLIENT_CAPABILITIES_H
#define CLIENT_CAPABILITIES_H

#include <apr_pools.h>
#include <apr_tables.h>

/**
 * Splits the values of --capability into names and checks each. If `given` is NULL, `*out` is NULL.
 * @param max the maximum number of names, 0 for no limit
 * @return CL_OK, or CL_USAGE, reported
 */
int capabilities_read(apr_array_header_t **out, apr_pool_t *p, const apr_array_header_t *given, int max);

/** The names as one word that --capability accepts: "read,write". */
const char *capabilities_text(apr_pool_t *p, const apr_array_header_t *names);

int capabilities_has(const apr_array_header_t *names, const char *name);

/** The names that are in neither of the other lists. */
apr_array_header_t *capabilities_missing(apr_pool_t *p, const apr_array_header_t *names, const apr_array_header_t *one,
                                         const apr_array_header_t *other);

#endif
