/** What stands in a state file: the bytes, apart from how they get to the disk. Used by state_file.c. */
#ifndef INTERAUTH_ST_STATE_RECORD_H
#define INTERAUTH_ST_STATE_RECORD_H

#include "state_file.h"

/** Takes bytes in their order; at most a few hundred at a time. */
typedef void (*st_state_put)(void *sink, const void *data, apr_size_t len);

void st_state_write(st_state_put put, void *sink, st_grants *grants, const st_state_names *names, int clean,
                    apr_time_t now);

/** Reads authenticated bytes into fresh tables. @return APR_SUCCESS, or APR_EGENERAL for another version (nothing read) */
apr_status_t st_state_read(st_state_report *report, const unsigned char *data, apr_size_t len, st_grants *grants,
                           const st_state_names *names, apr_time_t now);

#endif
