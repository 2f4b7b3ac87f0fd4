/** What stands in a state file: the bytes, apart from how they get to the disk. Used by state_file.c. */
#ifndef INTERAUTH_ST_STATE_RECORD_H
#define INTERAUTH_ST_STATE_RECORD_H

#include "state_file.h"

/** Takes bytes in their order; at most a few hundred at a time. */
typedef void (*st_state_put)(void *sink, const void *data, apr_size_t len);

#define ST_STATE_SALT_LEN 16

/** What hides the nonce key of the nonces in a clean file. */
typedef struct st_state_mask {
    const unsigned char *key;              /**< ST_STATE_KEY_LEN bytes */
    unsigned char salt[ST_STATE_SALT_LEN]; /**< random, of one file */
} st_state_mask;

void st_state_write(st_state_put put, void *sink, const st_state_mask *mask, const st_state *state,
                    const st_state_names *names, int clean, apr_time_t now);

/**
 * Reads authenticated bytes into fresh tables.
 * @return APR_SUCCESS, or APR_EGENERAL for another version or kind (nothing read)
 */
apr_status_t st_state_read(st_state_report *report, const unsigned char *key, const unsigned char *data, apr_size_t len,
                           const st_state *state, const st_state_names *names, apr_time_t now);

#endif
