/** The JSON of the state file. */
#ifndef CLIENT_STATE_FORMAT_H
#define CLIENT_STATE_FORMAT_H

#include <apr_pools.h>
#include <apr_tables.h>

/** Parses the text of a state file and appends grant_record * to `grants`. @return 0, or -1 if it is invalid */
int state_parse(apr_array_header_t *grants, apr_pool_t *p, const char *text, apr_size_t len);

/** The text of a state file, or NULL if a text in it is not UTF-8. */
const char *state_format(const apr_array_header_t *grants, apr_pool_t *p, apr_size_t *len);

#endif
