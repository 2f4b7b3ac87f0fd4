/* Writes and reads the state file, which is authenticated and replaced atomically. */
#include <apr_file_io.h>
#include <apr_strings.h>
#include <fcntl.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/core_names.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "state_file.h"
#include "state_record.h"

#define FILE_MAX    ((apr_off_t)1 << 31)
#define BUFFER      65536
#define KEY_SUFFIX  ".key"
#define LOCK_SUFFIX ".lock"

/* --- the directory and the files in it ------------------------------------------------------------------------- */

static apr_status_t set_error(const char **error, apr_pool_t *p, apr_status_t rv, const char *path, const char *what)
{
    char message[120];

    *error = apr_psprintf(p, "%s %s: %s", path, what, apr_strerror(rv, message, sizeof message));
    return rv;
}

static const char *directory_of(apr_pool_t *p, const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash && slash != path ? apr_pstrmemdup(p, path, (apr_size_t)(slash - path)) : slash ? "/" : ".";
}

/* The directory must be private: a user who can write to it could replace the file. */
static apr_status_t check_directory(const char *path, apr_pool_t *p, const char **error)
{
    const char *dir = directory_of(p, path);
    struct stat st;

    if (stat(dir, &st))
        return set_error(error, p, errno, dir, "cannot be examined");
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IRWXG | S_IRWXO))) {
        *error =
            apr_psprintf(p, "%s must be a directory that only user %ld can access (chmod 700)", dir, (long)geteuid());
        return APR_EACCES;
    }
    return APR_SUCCESS;
}

/* Opens a file for reading. It must be a regular file that only this user can access. */
static apr_status_t open_private(int *fd, const char *path, apr_off_t *size, apr_pool_t *p, const char **error)
{
    struct stat st;

    *fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK); /* do not wait for the writer of a FIFO */
    if (*fd < 0)
        return errno == ENOENT ? APR_ENOENT : set_error(error, p, errno, path, "cannot be opened");
    if (fstat(*fd, &st) || !S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077)) {
        *error = apr_psprintf(
            p,
            "%s belongs to user %ld and has mode %04o; it must be a regular file that only user %ld can access "
            "(chmod 600)",
            path, (long)st.st_uid, (unsigned)st.st_mode & 07777, (long)geteuid());
        close(*fd);
        return APR_EACCES;
    }
    *size = (apr_off_t)st.st_size;
    return APR_SUCCESS;
}

/* Opens the key file. Returns APR_ENOENT if there is none. */
static apr_status_t open_key(int *fd, const char *file, apr_pool_t *p, const char **error)
{
    apr_off_t size;
    apr_status_t rv = open_private(fd, file, &size, p, error);

    if (rv || size == ST_STATE_KEY_LEN)
        return rv;
    close(*fd);
    *error = apr_psprintf(p, "%s is not a key of %d bytes", file, ST_STATE_KEY_LEN);
    return APR_EGENERAL;
}

apr_status_t st_state_check(const char *path, apr_pool_t *ptemp, const char **error)
{
    apr_status_t rv = check_directory(path, ptemp, error);
    int fd;

    if (rv)
        return rv;
    rv = open_key(&fd, apr_pstrcat(ptemp, path, KEY_SUFFIX, NULL), ptemp, error);
    if (!rv)
        close(fd);
    return rv == APR_ENOENT ? APR_SUCCESS : rv;
}

apr_status_t st_state_examine(const char *path, apr_pool_t *ptemp, const char **error)
{
    const char *file = apr_pstrcat(ptemp, path, KEY_SUFFIX, NULL);
    apr_off_t size;
    apr_status_t rv;
    int fd;

    if ((rv = open_private(&fd, path, &size, ptemp, error)))
        return rv;
    close(fd);
    if (size < IA_SHA256_LEN || size > FILE_MAX) {
        *error = apr_psprintf(ptemp, "%s is truncated or too large", path);
        return APR_EGENERAL;
    }
    if ((rv = open_key(&fd, file, ptemp, error)) == APR_ENOENT) {
        *error = apr_psprintf(ptemp, "%s exists, but its key %s does not", path, file);
        return APR_EGENERAL;
    }
    if (!rv)
        close(fd);
    return rv;
}

static apr_status_t read_all(int fd, unsigned char *out, apr_size_t len)
{
    while (len) {
        ssize_t n = read(fd, out, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n ? errno : APR_EOF;
        out += n;
        len -= (apr_size_t)n;
    }
    return APR_SUCCESS;
}

static apr_status_t write_all(int fd, const unsigned char *data, apr_size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        data += n;
        len -= (apr_size_t)n;
    }
    return APR_SUCCESS;
}

static apr_status_t sync_directory(const char *path, apr_pool_t *p)
{
    int fd = open(directory_of(p, path), O_RDONLY | O_DIRECTORY | O_CLOEXEC), rv;

    if (fd < 0)
        return errno;
    rv = fsync(fd) ? errno : APR_SUCCESS;
    close(fd);
    return rv;
}

static apr_status_t create_key(unsigned char key[ST_STATE_KEY_LEN], const char *path, apr_pool_t *p, const char **error)
{
    apr_status_t rv;
    int fd;

    if (RAND_bytes(key, ST_STATE_KEY_LEN) != 1) {
        *error = "cannot generate random bytes";
        return APR_EGENERAL;
    }
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return set_error(error, p, errno, path, "cannot be created");
    rv = write_all(fd, key, ST_STATE_KEY_LEN);
    if (!rv && fsync(fd))
        rv = errno;
    close(fd);
    if (!rv)
        rv = sync_directory(path, p);
    return rv ? set_error(error, p, rv, path, "cannot be written") : APR_SUCCESS;
}

apr_status_t st_state_key(unsigned char key[ST_STATE_KEY_LEN], const char *path, apr_pool_t *ptemp, const char **error)
{
    const char *file = apr_pstrcat(ptemp, path, KEY_SUFFIX, NULL);
    apr_status_t rv = check_directory(path, ptemp, error);
    int fd;

    memset(key, 0, ST_STATE_KEY_LEN);
    if (rv)
        return rv;
    rv = open_key(&fd, file, ptemp, error);
    if (rv == APR_ENOENT)
        return create_key(key, file, ptemp, error);
    if (rv)
        return rv;
    rv = read_all(fd, key, ST_STATE_KEY_LEN);
    close(fd);
    return rv ? set_error(error, ptemp, rv, file, "cannot be read") : APR_SUCCESS;
}

/* Uses fcntl: children do not inherit the lock, and it is released when the process ends. */
apr_status_t st_state_lock(int *fd, const char *path, apr_pool_t *ptemp, const char **error)
{
    const char *file = apr_pstrcat(ptemp, path, LOCK_SUFFIX, NULL);
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    apr_status_t rv = check_directory(path, ptemp, error);

    *fd = -1;
    if (rv)
        return rv;
    *fd = open(file, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    if (*fd < 0)
        return set_error(error, ptemp, errno, file, "cannot be opened");
    if (!fcntl(*fd, F_SETLK, &whole))
        return APR_SUCCESS;
    rv = errno;
    close(*fd);
    *fd = -1;
    if (rv != EACCES && rv != EAGAIN)
        return set_error(error, ptemp, rv, file, "cannot be locked");
    *error = apr_psprintf(ptemp, "%s is used by another running server", path);
    return rv;
}

/* --- authentication -------------------------------------------------------------------------------------------- */

/* Creates a context for one key and one file. NULL if OpenSSL fails. */
static EVP_MAC_CTX *mac_begin(const unsigned char key[ST_STATE_KEY_LEN])
{
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                           OSSL_PARAM_construct_end()};

    EVP_MAC_free(hmac);
    if (ctx && EVP_MAC_init(ctx, key, ST_STATE_KEY_LEN, params) == 1)
        return ctx;
    EVP_MAC_CTX_free(ctx);
    return NULL;
}

static int mac_end(EVP_MAC_CTX *ctx, unsigned char out[IA_SHA256_LEN])
{
    size_t len;
    int done = EVP_MAC_final(ctx, out, &len, IA_SHA256_LEN) == 1 && len == IA_SHA256_LEN;

    EVP_MAC_CTX_free(ctx);
    return done;
}

/* --- saving ---------------------------------------------------------------------------------------------------- */

/* Buffered output to the file, which also updates the HMAC. */
typedef struct sink {
    int fd;
    EVP_MAC_CTX *mac;
    apr_size_t used;
    apr_status_t rv;
    unsigned char buffer[BUFFER];
} sink;

static void flush(sink *s)
{
    if (!s->rv && EVP_MAC_update(s->mac, s->buffer, s->used) != 1)
        s->rv = APR_EGENERAL;
    if (!s->rv)
        s->rv = write_all(s->fd, s->buffer, s->used);
    s->used = 0;
}

static void put(void *sink_, const void *data, apr_size_t len)
{
    sink *s = sink_;

    if (s->used + len > BUFFER)
        flush(s);
    memcpy(s->buffer + s->used, data, len);
    s->used += len;
}

static apr_status_t write_state(int fd, const unsigned char *key, const st_state *state, const st_state_names *names,
                                int clean, apr_time_t now, apr_pool_t *ptemp)
{
    unsigned char mac[IA_SHA256_LEN];
    st_state_mask mask = {key, {0}};
    sink *s = apr_pcalloc(ptemp, sizeof *s);

    s->fd = fd;
    if (RAND_bytes(mask.salt, sizeof mask.salt) != 1 || !(s->mac = mac_begin(key)))
        return APR_EGENERAL;
    st_state_write(put, s, &mask, state, names, clean, now);
    flush(s);
    if (!mac_end(s->mac, mac) && !s->rv)
        s->rv = APR_EGENERAL;
    if (!s->rv)
        s->rv = write_all(fd, mac, sizeof mac);
    ia_wipe(s->buffer, BUFFER);
    if (!s->rv && fsync(fd))
        s->rv = errno;
    return s->rv;
}

apr_status_t st_state_save(const char *path, const unsigned char key[ST_STATE_KEY_LEN], const st_state *state,
                           const st_state_names *names, int clean, apr_time_t now, apr_pool_t *ptemp,
                           const char **error)
{
    const char *next = apr_pstrcat(ptemp, path, ".new", NULL);
    apr_status_t rv = check_directory(path, ptemp, error);
    int fd;

    if (rv)
        return rv;
    unlink(next); /* an interrupted save may have left it */
    fd = open(next, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return set_error(error, ptemp, errno, next, "cannot be created");
    rv = write_state(fd, key, state, names, clean, now, ptemp);
    close(fd);
    if (!rv && rename(next, path))
        rv = errno;
    if (rv)
        unlink(next);
    else
        rv = sync_directory(path, ptemp);
    return rv ? set_error(error, ptemp, rv, path, "cannot be written") : APR_SUCCESS;
}

/* --- loading --------------------------------------------------------------------------------------------------- */

static apr_status_t read_file(const char *path, unsigned char **data, apr_size_t *len, apr_pool_t *ptemp,
                              const char **error)
{
    apr_off_t size;
    apr_status_t rv;
    int fd;

    if ((rv = check_directory(path, ptemp, error)) || (rv = open_private(&fd, path, &size, ptemp, error)))
        return rv;
    if (size < IA_SHA256_LEN || size > FILE_MAX) {
        close(fd);
        *error = apr_psprintf(ptemp, "%s is truncated or too large", path);
        return APR_EGENERAL;
    }
    *len = (apr_size_t)size;
    *data = apr_palloc(ptemp, *len);
    rv = read_all(fd, *data, *len);
    close(fd);
    return rv ? set_error(error, ptemp, rv, path, "cannot be read") : APR_SUCCESS;
}

static int is_authentic(const unsigned char *key, const unsigned char *data, apr_size_t len)
{
    unsigned char mac[IA_SHA256_LEN];
    EVP_MAC_CTX *ctx = mac_begin(key);

    if (!ctx)
        return 0;
    if (EVP_MAC_update(ctx, data, len) != 1) {
        EVP_MAC_CTX_free(ctx);
        return 0;
    }
    return mac_end(ctx, mac) && ia_mac_equal(mac, data + len, IA_SHA256_LEN);
}

apr_status_t st_state_load(st_state_report *report, const char *path, const unsigned char key[ST_STATE_KEY_LEN],
                           const st_state *state, const st_state_names *names, apr_time_t now, apr_pool_t *ptemp,
                           const char **error)
{
    unsigned char *data = NULL;
    apr_size_t len = 0;
    apr_status_t rv;

    memset(report, 0, sizeof *report);
    if ((rv = read_file(path, &data, &len, ptemp, error)))
        return rv;
    len -= IA_SHA256_LEN;
    if (!is_authentic(key, data, len)) {
        *error = apr_psprintf(ptemp, "%s is damaged, or was written with another key", path);
        rv = APR_EGENERAL;
    } else if (st_state_read(report, key, data, len, state, names, now)) {
        *error = apr_psprintf(ptemp, "%s is for another version or another directive", path);
        rv = APR_EGENERAL;
    }
    ia_wipe(data, len);
    return rv;
}
