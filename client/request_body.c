/* Reads the body of a request from an argument, a file, or standard input. */
#include "request_body.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_file_io.h>
#include <apr_strings.h>

#include "files.h"
#include "interauth/digest.h"
#include "say.h"

#define SPOOL_MAX ((apr_int64_t)1024 * 1024 * 1024)
#define PIECE     (64 * 1024)

static int temporary_open(int *out, apr_pool_t *p)
{
    const char *directory;
    char *path;

    if (apr_temp_dir_get(&directory, p) != APR_SUCCESS)
        return say_fault("no directory for temporary files was found");
    path = apr_pstrcat(p, directory, "/interauth.XXXXXX", NULL);
    if ((*out = mkostemp(path, O_CLOEXEC)) < 0)
        return say_fault("%s: %s", path, strerror(errno));
    unlink(path);
    return CL_OK;
}

static int spool_copy(int to, int from, apr_int64_t *len)
{
    char piece[PIECE];

    for (;;) {
        ssize_t got = read(from, piece, sizeof piece);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return say_fault("the body could not be read: %s", strerror(errno));
        if (got == 0)
            return CL_OK;
        *len += got;
        if (*len > SPOOL_MAX)
            return say_fault("the body is longer than 1 GiB; use a file");
        if (file_write_all(to, piece, (apr_size_t)got) != 0)
            return say_fault("the body could not be stored: %s", strerror(errno));
    }
}

/* A body may have to be sent twice, and its digest is sent first. */
static int body_spool(http_body *out, apr_pool_t *p, int from)
{
    int rc = temporary_open(&out->fd, p);

    if (rc == CL_OK)
        rc = spool_copy(out->fd, from, &out->len);
    return rc;
}

static int body_from_file(http_body *out, apr_pool_t *p, const char *path)
{
    struct stat st;
    int rc, fd;

    if (strcmp(path, "-") == 0)
        return body_spool(out, p, STDIN_FILENO);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        int saved = errno;

        if (fd >= 0)
            close(fd);
        return say_fault("%s: %s", path, strerror(saved));
    }
    if (S_ISREG(st.st_mode)) {
        out->fd = fd;
        out->len = st.st_size;
        return CL_OK;
    }
    rc = body_spool(out, p, fd);
    close(fd);
    return rc;
}

int request_body_open(http_body *out, apr_pool_t *p, const char *data, const char *upload)
{
    out->data = NULL;
    out->fd = -1;
    out->len = 0;
    if (upload)
        return body_from_file(out, p, upload);
    if (data && *data == '@')
        return body_from_file(out, p, data + 1);
    if (data) {
        out->data = data;
        out->len = (apr_int64_t)strlen(data);
    }
    return CL_OK;
}

static ia_result file_digest(ia_digest *digest, const http_body *body)
{
    unsigned char piece[PIECE];
    apr_int64_t at = 0;

    while (at < body->len) {
        apr_int64_t left = body->len - at;
        ssize_t got = pread(body->fd, piece, left < PIECE ? (size_t)left : PIECE, (off_t)at);
        ia_result rc;

        if (got <= 0)
            return IA_BODY_BROKEN;
        if ((rc = ia_digest_update(digest, piece, (apr_size_t)got)) != IA_OK)
            return rc;
        at += got;
    }
    return IA_OK;
}

int request_body_digest(const char **out, apr_pool_t *p, const http_body *body, unsigned algorithms)
{
    ia_digest_claim claim;
    ia_digest *digest;
    ia_result rc = ia_digest_create(&digest, p, algorithms);

    *out = NULL;
    if (rc == IA_OK)
        rc = body->data ? ia_digest_update(digest, body->data, (apr_size_t)body->len) : file_digest(digest, body);
    if (rc == IA_OK)
        rc = ia_digest_finish(&claim, digest);
    if (rc == IA_BODY_BROKEN)
        return say_fault("the file of the request body could not be read completely");
    if (rc != IA_OK)
        return say_fault("the digest of the body could not be computed");
    *out = ia_digest_format(p, &claim);
    return CL_OK;
}

int request_body_copy(char *out, const http_body *body)
{
    apr_int64_t at = 0;

    if (body->data) {
        memcpy(out, body->data, (apr_size_t)body->len);
        return CL_OK;
    }
    while (at < body->len) {
        ssize_t got = pread(body->fd, out + at, (size_t)(body->len - at), (off_t)at);

        if (got <= 0)
            return say_fault("the file of the request body could not be read completely");
        at += got;
    }
    return CL_OK;
}

void request_body_close(http_body *body)
{
    if (body->fd >= 0)
        close(body->fd);
    body->fd = -1;
}
