/* Reads files within limits, creates private ones, and replaces them atomically. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_file_info.h>
#include <apr_strings.h>

#include "interauth/mac.h"
#include "say.h"

#define PIPE_MAX (1024 * 1024)

const char *file_exposure(mode_t mode)
{
    if (mode & S_IWOTH)
        return "everyone can write";
    if (mode & S_IROTH)
        return "everyone can read";
    if (mode & S_IWGRP)
        return "the group can write";
    if (mode & S_IRGRP)
        return "the group can read";
    return NULL;
}

static int care_check(const char *path, const struct stat *st, file_care care)
{
    const char *what = care == FILE_TOKENS ? "these tokens" : "this secret";
    const char *exposure = S_ISREG(st->st_mode) ? file_exposure(st->st_mode) : NULL;

    if (!exposure)
        return CL_OK;
    if (st->st_mode & (S_IROTH | S_IWOTH))
        return say_refused("%s: %s %s; make it private: chmod 600", path, exposure, what);
    say_warning("%s: %s %s; make it private: chmod 600", path, exposure, what);
    return CL_OK;
}

int file_care_check(const char *path, file_care care)
{
    struct stat st;

    return stat(path, &st) == 0 ? care_check(path, &st, care) : say_fault("%s: %s", path, strerror(errno));
}

/* Reads the whole file, which must not exceed `capacity` bytes. */
static int read_all(int fd, char *out, apr_size_t capacity, apr_size_t *len, const char *path)
{
    *len = 0;
    for (;;) {
        ssize_t got = read(fd, out + *len, capacity + 1 - *len);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return say_fault("%s: %s", path, strerror(errno));
        if (got == 0)
            return CL_OK;
        *len += (apr_size_t)got;
        if (*len > capacity)
            return say_fault("%s: longer than %lu bytes", path, (unsigned long)capacity);
    }
}

static int open_read(char **text, apr_size_t *len, apr_pool_t *p, const char *path, apr_size_t max, file_care care,
                     int fd)
{
    struct stat st;
    apr_size_t capacity;
    int rc;

    if (fstat(fd, &st) != 0)
        return say_fault("%s: %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return say_fault("%s: is a directory", path);
    if (care != FILE_PLAIN && (rc = care_check(path, &st, care)) != CL_OK)
        return rc;
    if (S_ISREG(st.st_mode)) {
        if ((apr_uint64_t)st.st_size > max)
            return say_fault("%s: longer than %lu bytes", path, (unsigned long)max);
        capacity = (apr_size_t)st.st_size;
    } else {
        capacity = max < PIPE_MAX ? max : PIPE_MAX;
    }
    *text = apr_palloc(p, capacity + 2);
    if ((rc = read_all(fd, *text, capacity, len, path)) != CL_OK)
        return rc;
    (*text)[*len] = '\0';
    return CL_OK;
}

int file_read(char **text, apr_size_t *len, apr_pool_t *p, const char *path, apr_size_t max, file_care care)
{
    int rc, fd = open(path, O_RDONLY | O_CLOEXEC);

    *text = NULL;
    *len = 0;
    if (fd < 0)
        return say_fault("%s: %s", path, strerror(errno));
    rc = open_read(text, len, p, path, max, care, fd);
    close(fd);
    return rc;
}

static struct {
    char *text;
    apr_size_t len;
} from_stdin;

static apr_status_t wipe_stdin(void *unused)
{
    (void)unused;
    ia_wipe(from_stdin.text, from_stdin.len);
    from_stdin.text = NULL;
    return APR_SUCCESS;
}

int file_read_stdin(char **text, apr_size_t *len, apr_pool_t *p, const char *option, apr_size_t max, file_care care)
{
    int rc;

    if (isatty(STDIN_FILENO))
        return say_usage("%s -: standard input is a terminal, which echoes what you type; use a file or a pipe",
                         option);
    if (!from_stdin.text) {
        apr_pool_cleanup_register(p, NULL, wipe_stdin, apr_pool_cleanup_null);
        if ((rc = open_read(&from_stdin.text, &from_stdin.len, p, "standard input", max, care, STDIN_FILENO)) != CL_OK)
            return rc;
    }
    *len = from_stdin.len;
    *text = apr_pmemdup(p, from_stdin.text, *len + 1);
    return CL_OK;
}

int file_write_all(int fd, const void *data, apr_size_t len)
{
    const char *at = data;

    while (len > 0) {
        ssize_t put = write(fd, at, len);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        at += put;
        len -= (apr_size_t)put;
    }
    return 0;
}

static int directory_sync(apr_pool_t *p, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *directory = !slash ? "." : slash == path ? "/" : apr_pstrmemdup(p, path, (apr_size_t)(slash - path));
    int failed, fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return -1;
    failed = fsync(fd);
    close(fd);
    return failed;
}

/* Writes, syncs and closes a new file. @return 0, or -1 with errno set */
static int write_and_close(int fd, const void *data, apr_size_t len)
{
    int failed = file_write_all(fd, data, len) != 0 || fsync(fd) != 0;
    int saved = errno;

    if (close(fd) != 0 && !failed)
        return -1;
    errno = saved;
    return failed ? -1 : 0;
}

int file_create(apr_pool_t *p, const char *path, const void *data, apr_size_t len)
{
    int saved, fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0 && errno == EEXIST)
        return say_refused("%s already exists and is not overwritten", path);
    if (fd < 0)
        return say_fault("%s: %s", path, strerror(errno));
    if (write_and_close(fd, data, len) == 0 && directory_sync(p, path) == 0)
        return CL_OK;
    saved = errno;
    unlink(path);
    return say_fault("%s: %s", path, strerror(saved));
}

int file_replace(apr_pool_t *p, const char *path, const void *data, apr_size_t len)
{
    char *temporary = apr_pstrcat(p, path, ".XXXXXX", NULL);
    int saved, fd = mkostemp(temporary, O_CLOEXEC); /* O_EXCL and mode 0600 */

    if (fd < 0)
        return say_fault("%s: %s", temporary, strerror(errno));
    if (write_and_close(fd, data, len) == 0 && rename(temporary, path) == 0 && directory_sync(p, path) == 0)
        return CL_OK;
    saved = errno;
    unlink(temporary);
    return say_fault("%s: %s", path, strerror(saved));
}

const char *file_absolute(apr_pool_t *p, const char *path)
{
    char *merged;

    if (*path == '/' || apr_filepath_merge(&merged, NULL, path, APR_FILEPATH_NATIVE, p) != APR_SUCCESS)
        return path;
    if (*merged != '/') {
        char *directory;

        if (apr_filepath_get(&directory, APR_FILEPATH_NATIVE, p) == APR_SUCCESS)
            return apr_pstrcat(p, directory, "/", merged, NULL);
    }
    return merged;
}
