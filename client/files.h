/**
 * Reads files up to a limit, creates private ones, and replaces them atomically. Functions that return an exit status
 * report what is wrong.
 */
#ifndef CLIENT_FILES_H
#define CLIENT_FILES_H

#include <sys/types.h>

#include <apr_pools.h>

/** The check of a file's permissions before it is read. */
typedef enum file_care {
    FILE_PLAIN,
    FILE_SECRET, /**< refused if everyone can read or write it; a warning if the group can */
    FILE_TOKENS  /**< the same */
} file_care;

/**
 * Reads a whole file into memory from `p`, NUL-terminated; of anything but a regular file at most 1 MiB. The caller must
 * wipe a secret: `len` bytes at `text`, also after a failure unless `text` is NULL.
 */
int file_read(char **text, apr_size_t *len, apr_pool_t *p, const char *path, apr_size_t max, file_care care);

/**
 * As file_read, for standard input; a second call returns the same text. CL_USAGE on a terminal, which would echo it.
 * @param option the option that names it, for the message
 */
int file_read_stdin(char **text, apr_size_t *len, apr_pool_t *p, const char *option, apr_size_t max, file_care care);

/** Checks the permissions of a file that was read as FILE_PLAIN. @return an exit status */
int file_care_check(const char *path, file_care care);

/** Writes a new file of mode 0600 and syncs it. CL_REFUSED if it exists. */
int file_create(apr_pool_t *p, const char *path, const void *data, apr_size_t len);

/** Replaces or creates a file: renames a synced temporary file of mode 0600 in the same directory. */
int file_replace(apr_pool_t *p, const char *path, const void *data, apr_size_t len);

/** The absolute form of a path, from `p`. */
const char *file_absolute(apr_pool_t *p, const char *path);

/** Writes all of it. @return 0, or -1 with errno set */
int file_write_all(int fd, const void *data, apr_size_t len);

/** The worst permission of others, such as "everyone can read" or "the group can write"; NULL if there is none. */
const char *file_exposure(mode_t mode);

#endif
