/**
 * Grants on disk, so that they survive a stop and a power cut.
 *
 * One file, written whole by the parent process beside its target and renamed over it, fsynced with its directory, and
 * authenticated by an HMAC under a key that only the parent's user can read. It holds SHA-256 of tokens, never tokens,
 * and no key in clear.
 *
 * A file written at a clean stop is marked clean and carries everything: grants, used access requests, nonce key of the
 * nonces, clock. Before serving, the next start replaces it by one marked dirty, which after an unclean end brings back
 * grants only: a new nonce key makes every older nonce stale, and the memory of used access requests begins anew.
 */
#ifndef INTERAUTH_ST_STATE_FILE_H
#define INTERAUTH_ST_STATE_FILE_H

#include <apr_pools.h>
#include "grant_table.h"
#include "replay_cache.h"

/** What a file is of: one of another kind is not read. */
enum { ST_STATE_GRANTS, ST_STATE_SIGNATURES };

/** How numbers of this process are named on disk; each function gets `context`. */
typedef struct st_state_names {
    void *context;
    /** The id of a participant into `id` (generation 0: whoever has the place); 0 when that generation is gone. */
    int (*participant_id)(void *context, apr_uint32_t index, apr_uint64_t generation, char *id);
    /** Where a participant is now; 0 when it is not known. */
    int (*participant_find)(void *context, const char *id, apr_uint32_t *index, apr_uint64_t *generation);
    /** A capability's name into `name`; 0 when the number has none. */
    int (*capability_name)(void *context, int number, char *name);
    /** Its number now, or -1. */
    int (*capability_number)(void *context, const char *name);
    apr_uint32_t kind;
} st_state_names;

/** What a file holds. */
typedef struct st_state {
    st_grants *grants; /**< NULL: none */
    st_replay_cache *replays;
} st_state;

/** What a load brought back. */
typedef struct st_state_report {
    int clean;
    apr_uint32_t grants;
    apr_uint32_t replays;
    apr_uint32_t dropped; /**< expired, or of participants that are gone */
} st_state_report;

/** Bytes of the file key. */
#define ST_STATE_KEY_LEN 32

/**
 * Whether the directory of a state file is there and safe, and its key good where there is one.
 * @return APR_SUCCESS; else `*error` says what is wrong
 */
apr_status_t st_state_check(const char *path, apr_pool_t *ptemp, const char **error);

/**
 * Whether a load would read the file, as far as its mode, owner, size and key file tell.
 * @return APR_SUCCESS; APR_ENOENT where there is no file; else `*error` says what is wrong
 */
apr_status_t st_state_examine(const char *path, apr_pool_t *ptemp, const char **error);

/**
 * Reads the key file beside a state file, or makes it (0600) where there is none.
 * @return APR_SUCCESS; else `*error` says what and where
 */
apr_status_t st_state_key(unsigned char key[ST_STATE_KEY_LEN], const char *path, apr_pool_t *ptemp, const char **error);

/**
 * Claims a state file for this process until it ends or closes `*fd`: two servers must not share one.
 * @return APR_SUCCESS; else `*fd` is -1 and `*error` says what and where
 */
apr_status_t st_state_lock(int *fd, const char *path, apr_pool_t *ptemp, const char **error);

/**
 * Writes the state durably.
 * @param clean whether nothing can change it any more before the process ends
 * @return APR_SUCCESS; else the old file is untouched and `*error` says what and where
 */
apr_status_t st_state_save(const char *path, const unsigned char key[ST_STATE_KEY_LEN], const st_state *state,
                           const st_state_names *names, int clean, apr_time_t now, apr_pool_t *ptemp,
                           const char **error);

/**
 * Reads a state into fresh tables.
 * @return APR_SUCCESS; APR_ENOENT where there is no file; anything else: the file is not to be trusted, nothing was
 *         read into the tables, and `*error` says why
 */
apr_status_t st_state_load(st_state_report *report, const char *path, const unsigned char key[ST_STATE_KEY_LEN],
                           const st_state *state, const st_state_names *names, apr_time_t now, apr_pool_t *ptemp,
                           const char **error);

#endif
