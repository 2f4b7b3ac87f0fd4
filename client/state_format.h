/** The JSON of the state file. */
#ifndef CLIENT_STATE_FORMAT_H
#define CLIENT_STATE_FORMAT_H

#include <apr_pools.h>
#include <apr_tables.h>

/** Reads the file's text; appends grant_record * to `grants`. @return 0, or -1 where it is no state file of
 * ours */
int state_parse(apr_array_header_t *grants, apr_pool_t *p, const char *text, apr_size_t len);

/** The file's text from `p`, or NULL where a text in it is not UTF-8. */
const char *state_format(const apr_array_header_t *grants, apr_pool_t *p, apr_size_t *len);

#endif
