/**
 * The state file: keeps grants across a stop or power failure.
 *
 * The parent process writes a new file, syncs it and its directory, and renames it. The file is authenticated by an
 * HMAC with a key that only the user of the parent process can read. It contains SHA-256 hashes of tokens, no tokens,
 * and no key in clear.
 *
 * A file written at a clean stop is marked as clean, and contains everything: grants, used access requests, nonce key
 * and clock. Before the next start serves requests, it replaces the file by one marked as dirty. After an unclean
 * stop, only grants are loaded from it: a new nonce key makes all older nonces stale, and used access requests are
 * unknown.
 */
#ifndef INTERAUTH_ST_STATE_FILE_H
#define INTERAUTH_ST_STATE_FILE_H

#include <apr_pools.h>
#include "grant_table.h"
#include "replay_cache.h"

/** Kind of a file. A file of another kind is not read. */
enum { ST_STATE_GRANTS, ST_STATE_SIGNATURES };

/** Converts numbers of this process to names in the file and back. Each function gets `context`. */
typedef struct st_state_names {
    void *context;
    /** Copies the id of a participant to `id`; generation 0 is the current one. Returns 0 if that has ended. */
    int (*participant_id)(void *context, apr_uint32_t index, apr_uint64_t generation, char *id);
    /** Finds a participant. Returns 0 if it is unknown. */
    int (*participant_find)(void *context, const char *id, apr_uint32_t *index, apr_uint64_t *generation);
    /** Copies the name of a capability to `name`. Returns 0 if the number has none. */
    int (*capability_name)(void *context, int number, char *name);
    /** Returns the current number of a capability, or -1. */
    int (*capability_number)(void *context, const char *name);
    apr_uint32_t kind;
} st_state_names;

/** Tables that are saved and loaded. */
typedef struct st_state {
    st_grants *grants; /**< NULL: none */
    st_replay_cache *replays;
} st_state;

/** Numbers of loaded records. */
typedef struct st_state_report {
    int clean;
    apr_uint32_t grants;
    apr_uint32_t replays;
    apr_uint32_t dropped; /**< expired, or of removed participants */
} st_state_report;

/** Size of the file key in bytes. */
#define ST_STATE_KEY_LEN 32

/**
 * Checks that the directory of a state file exists and is private, and the key file, if there is one.
 * @return APR_SUCCESS; otherwise, `*error` is set
 */
apr_status_t st_state_check(const char *path, apr_pool_t *ptemp, const char **error);

/**
 * Checks mode, owner and size of a state file, and its key file.
 * @return APR_SUCCESS; APR_ENOENT if there is no file; otherwise, `*error` is set
 */
apr_status_t st_state_examine(const char *path, apr_pool_t *ptemp, const char **error);

/**
 * Reads the key file of a state file, or creates it with mode 0600.
 * @return APR_SUCCESS; otherwise, `*error` is set
 */
apr_status_t st_state_key(unsigned char key[ST_STATE_KEY_LEN], const char *path, apr_pool_t *ptemp, const char **error);

/**
 * Locks a state file until this process ends or closes `*fd`, because servers must not share one.
 * @return APR_SUCCESS; otherwise, `*fd` is -1 and `*error` is set
 */
apr_status_t st_state_lock(int *fd, const char *path, apr_pool_t *ptemp, const char **error);

/**
 * Writes the state durably.
 * @param clean the state cannot change any more before the process ends
 * @return APR_SUCCESS; otherwise, the old file is unchanged and `*error` is set
 */
apr_status_t st_state_save(const char *path, const unsigned char key[ST_STATE_KEY_LEN], const st_state *state,
                           const st_state_names *names, int clean, apr_time_t now, apr_pool_t *ptemp,
                           const char **error);

/**
 * Loads a state into new tables.
 * @return APR_SUCCESS; APR_ENOENT if there is no file; otherwise, the file is not trusted, the tables are unchanged,
 * and
 *         `*error` is set
 */
apr_status_t st_state_load(st_state_report *report, const char *path, const unsigned char key[ST_STATE_KEY_LEN],
                           const st_state *state, const st_state_names *names, apr_time_t now, apr_pool_t *ptemp,
                           const char **error);

#endif
