/**
 * Files: read within bounds, created private, replaced in one step. Every function says what is wrong itself
 * and returns an exit status.
 */
#ifndef CLIENT_FILES_H
#define CLIENT_FILES_H

#include <sys/types.h>

#include <apr_pools.h>

/** How a file is looked upon before it is read. */
typedef enum file_care {
    FILE_PLAIN,
    FILE_SECRET, /**< refused where everybody may read or write it, warned about where the group may */
    FILE_TOKENS  /**< the same */
} file_care;

/**
 * Reads a whole file into `p`, NUL-terminated; anything but a regular file up to 1 MiB. A secret is the
 * caller's to wipe: `len` bytes at `text`.
 */
int file_read(char **text, apr_size_t *len, apr_pool_t *p, const char *path, apr_size_t max, file_care care);

/**
 * Reads standard input as file_read reads a file; what was read is read again by the next call. CL_USAGE on a terminal,
 * which would show what is typed. @param option what it is for, in what is said
 */
int file_read_stdin(char **text, apr_size_t *len, apr_pool_t *p, const char *option, apr_size_t max, file_care care);

/** Whether a file that was read as FILE_PLAIN is private enough after all. Says what is wrong. @return an exit status */
int file_care_check(const char *path, file_care care);

/** Writes a new file of mode 0600 and syncs it. CL_REFUSED where there is one already. */
int file_create(apr_pool_t *p, const char *path, const void *data, apr_size_t len);

/** Replaces a file, or makes it, by a synced temporary one of mode 0600 beside it. */
int file_replace(apr_pool_t *p, const char *path, const void *data, apr_size_t len);

/** The absolute form of a path, from `p`. */
const char *file_absolute(apr_pool_t *p, const char *path);

/** Writes all of it. @return 0, or -1 with errno set */
int file_write_all(int fd, const void *data, apr_size_t len);

/** Who else may do what, in words, or NULL: "everybody may read", "the group may write", .. The worst one
 * only. */
const char *file_exposure(mode_t mode);

#endif
