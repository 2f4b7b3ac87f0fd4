/* The files of bodies, in ISignSpoolDirectory or in the temporary directory of the system. */
#include <httpd.h>
#include <apr_strings.h>
#include <errno.h>
#include <grp.h>
#include <http_config.h>
#include <http_log.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unixd.h>
#include "log_field.h"
#include "mod_isign.h"
#include "isign_tempfile.h"
#include "log_ratelimit.h"
#include "startup.h"

APLOG_USE_MODULE(isign);

#define NAME  "/interauth-body-XXXXXX"
#define PAUSE apr_time_from_sec(10)

static const char *directory; /* of this child; NULL: there is none */

/* Becomes what a child of the server is: its root directory, group and user. */
static int become_child(void)
{
    const unixd_config_rec *conf = &ap_unixd_config;

    if (geteuid())
        return 0;
    if (conf->chroot_dir && (chdir(conf->chroot_dir) || chroot(conf->chroot_dir)))
        return errno;
    if (setgid(conf->group_id) || (conf->user_name && initgroups(conf->user_name, conf->group_id)) ||
        setuid(conf->user_id))
        return errno;
    return 0;
}

static int try_file(char *name)
{
    int error = become_child(), fd;

    if (error)
        return error;
    if ((fd = mkstemp(name)) < 0)
        return errno;
    close(fd);
    unlink(name);
    return 0;
}

/* In a process with the rights of a child: permissions, ACLs and mounts are not guessed. */
static apr_status_t try_as_child(apr_pool_t *p, const char *path)
{
    char *name = apr_pstrcat(p, path, NAME, NULL);
    int status;
    pid_t pid = fork();

    if (!pid)
        _exit(try_file(name));
    if (pid < 0)
        return errno;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : APR_EGENERAL;
}

int isign_tempfile_check(apr_pool_t *ptemp, server_rec *s)
{
    const char *path = isign_server_of(s)->spool_directory;
    apr_status_t rv = path ? try_as_child(ptemp, path) : APR_SUCCESS;

    if (!rv)
        return OK;
    ap_log_error(APLOG_MARK, startup_log_level(APLOG_ERR), rv, s,
                 "isign: ISignSpoolDirectory: no file can be created in %s as "
                 "user %s",
                 log_words(ptemp, path),
                 geteuid() || !ap_unixd_config.user_name ? "of this process" : ap_unixd_config.user_name);
    return startup_is_reload() ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

void isign_tempfile_child_init(apr_pool_t *p, server_rec *s)
{
    directory = isign_server_of(s)->spool_directory;
    if (!directory && apr_temp_dir_get(&directory, p)) /* once: this writes a file */
        directory = NULL;
}

ia_result isign_tempfile_failed(request_rec *r, apr_status_t rv)
{
    static apr_int64_t logged;

    if (log_ratelimit_due(&logged, PAUSE))
        ap_log_rerror(APLOG_MARK, APLOG_ERR, rv, r, "isign: a body cannot be stored%s%s",
                      directory ? " in a file in " : ": there is no temporary directory",
                      directory ? log_words(r->pool, directory) : "");
    return IA_FAULT_SPOOL;
}

ia_result isign_tempfile_open(apr_file_t **out, request_rec *r)
{
    apr_status_t rv;
    char *name;

    if (!directory)
        return isign_tempfile_failed(r, APR_ENOENT);
    name = apr_pstrcat(r->pool, directory, NAME, NULL);
    if ((rv = apr_file_mktemp(out, name, APR_CREATE | APR_READ | APR_WRITE | APR_EXCL | APR_BINARY, r->pool)))
        return isign_tempfile_failed(r, rv);
    apr_file_remove(name, r->pool); /* freed with the last handle, even if the process is killed */
    return IA_OK;
}
