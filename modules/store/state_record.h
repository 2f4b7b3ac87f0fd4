/** The contents of a state file. Used by state_file.c. */
#ifndef INTERAUTH_ST_STATE_RECORD_H
#define INTERAUTH_ST_STATE_RECORD_H

#include "state_file.h"

/** Appends bytes, at most a few hundred at a time. */
typedef void (*st_state_put)(void *sink, const void *data, apr_size_t len);

#define ST_STATE_SALT_LEN 16

/** Encrypts the nonce key in a clean file. */
typedef struct st_state_mask {
    const unsigned char *key;              /**< ST_STATE_KEY_LEN bytes */
    unsigned char salt[ST_STATE_SALT_LEN]; /**< random, for each file */
} st_state_mask;

void st_state_write(st_state_put put, void *sink, const st_state_mask *mask, const st_state *state,
                    const st_state_names *names, int clean, apr_time_t now);

/**
 * Loads authenticated data into new tables.
 * @return APR_SUCCESS, or APR_EGENERAL if version or kind are different; the tables are then unchanged
 */
apr_status_t st_state_read(st_state_report *report, const unsigned char *key, const unsigned char *data, apr_size_t len,
                           const st_state *state, const st_state_names *names, apr_time_t now);

#endif
