/* The client's state file: grants, logins, and unused nonces, locked while open. */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_file_io.h>
#include <apr_strings.h>

#include "address.h"
#include "files.h"
#include "interauth/encoding.h"
#include "say.h"
#include "state_format.h"

#define LOCK_SECONDS 180 /* longer than an access request that waits for a server to start */
#define NAME_BYTES   4

/* The XDG Base Directory Specification says that relative paths are ignored. */
static int default_path(const char **out, apr_pool_t *p)
{
    const char *base = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char *directory;

    if (base && *base == '/')
        directory = apr_pstrcat(p, base, "/interauth", NULL);
    else if (home && *home == '/')
        directory = apr_pstrcat(p, home, "/.local/state/interauth", NULL);
    else
        return say_fault("HOME is not set; use --state to name the state file");
    if (apr_dir_make_recursive(directory, APR_FPROT_UREAD | APR_FPROT_UWRITE | APR_FPROT_UEXECUTE, p) != APR_SUCCESS)
        return say_fault("%s: the directory could not be created", directory);
    *out = apr_pstrcat(p, directory, "/state.json", NULL);
    return CL_OK;
}

static int lock_take(int *out, const char *path)
{
    apr_time_t deadline = apr_time_now() + apr_time_from_sec(LOCK_SECONDS);
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return say_fault("%s: %s", path, strerror(errno));
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || apr_time_now() > deadline) {
            close(fd);
            return say_fault("%s: the state is in use by another process", path);
        }
        apr_sleep(apr_time_from_msec(5));
    }
    *out = fd;
    return CL_OK;
}

static int state_load(state *s)
{
    struct stat st;
    apr_size_t len;
    char *text;
    int rc;

    if (lstat(s->path, &st) != 0) {
        if (errno == ENOENT)
            return CL_OK;
        return say_fault("%s: %s", s->path, strerror(errno));
    }
    if (!S_ISREG(st.st_mode))
        return say_fault("%s: not a regular file", s->path);
    if ((rc = file_read(&text, &len, s->p, s->path, STATE_FILE_MAX, FILE_TOKENS)) != CL_OK)
        return rc;
    if (state_parse(s->grants, s->p, text, len) != 0)
        return say_fault("%s: not a state file of this version; move it away to start over", s->path);
    return CL_OK;
}

int state_open(state **out, apr_pool_t *p, const char *path)
{
    state *s = apr_pcalloc(p, sizeof *s);
    int rc;

    *out = NULL;
    s->p = p;
    s->lock = -1;
    s->path = path;
    s->grants = apr_array_make(p, 4, sizeof(grant_record *));
    if (!path && (rc = default_path(&s->path, p)) != CL_OK)
        return rc;
    if ((rc = lock_take(&s->lock, apr_pstrcat(p, s->path, ".lock", NULL))) != CL_OK)
        return rc;
    if ((rc = state_load(s)) != CL_OK) {
        state_close(s);
        return rc;
    }
    *out = s;
    return CL_OK;
}

int state_save(state *s)
{
    apr_size_t len;
    const char *text = state_format(s->grants, s->p, &len);

    if (!text)
        return say_fault("%s: the state could not be written as JSON", s->path);
    return file_replace(s->p, s->path, text, len);
}

void state_close(state *s)
{
    if (!s || s->lock < 0)
        return;
    close(s->lock); /* the lock file stays: removing it would let two processes hold two locks */
    s->lock = -1;
}

grant_record *state_find(const state *s, const char *endpoint, const char *uid)
{
    for (int i = 0; i < s->grants->nelts; i++) {
        grant_record *record = APR_ARRAY_IDX(s->grants, i, grant_record *);

        if (strcmp(record->endpoint, endpoint) == 0 && strcmp(record->uid, uid) == 0)
            return record;
    }
    return NULL;
}

grant_record *state_add(state *s, const char *endpoint, const char *uid)
{
    grant_record *record = state_find(s, endpoint, uid);

    if (record)
        return record;
    record = apr_pcalloc(s->p, sizeof *record);
    record->endpoint = endpoint;
    record->uid = uid;
    record->access_for = apr_array_make(s->p, 4, sizeof(const char *));
    record->access_to = apr_array_make(s->p, 4, sizeof(const char *));
    record->nonces = apr_array_make(s->p, 4, sizeof(const char *));
    APR_ARRAY_PUSH(s->grants, grant_record *) = record;
    return record;
}

/* Short, and always the same for the same endpoint and uid. */
static const char *name_make(apr_pool_t *p, const grant_record *record)
{
    const ia_bytes parts[] = {
        {record->endpoint, strlen(record->endpoint)}, {"\n", 1}, {record->uid, strlen(record->uid)}};
    unsigned char digest[IA_SHA256_LEN];
    char *name = apr_palloc(p, IA_HEX_SIZE(NAME_BYTES));

    ia_sha256(digest, parts, 3);
    ia_hex_encode(name, digest, NAME_BYTES);
    return name;
}

int state_name(state *s, grant_record *record, const char *name)
{
    if (!name) {
        if (!record->name)
            record->name = name_make(s->p, record);
        return CL_OK;
    }
    for (int i = 0; i < s->grants->nelts; i++) {
        const grant_record *other = APR_ARRAY_IDX(s->grants, i, grant_record *);

        if (other != record && other->name && strcmp(other->name, name) == 0)
            return say_usage("--grant %s: another grant has this name (%s at %s)", name, other->uid, other->endpoint);
    }
    record->name = name;
    return CL_OK;
}

record_kind record_kind_of(const grant_record *record)
{
    return record->login.profile ? RECORD_LOGIN : RECORD_GRANT;
}

static int record_matches(const grant_record *record, apr_pool_t *p, const char *name, const char *endpoint,
                          const char *uid, const char *origin)
{
    address at;

    if (name)
        return strcmp(record->name, name) == 0;
    if (endpoint && strcmp(record->endpoint, endpoint) != 0)
        return 0;
    if (uid && strcmp(record->uid, uid) != 0)
        return 0;
    if (endpoint || !origin)
        return 1;
    return address_parse(&at, p, record->endpoint, "the endpoint of the grant") == CL_OK &&
           strcmp(at.origin, origin) == 0;
}

static int nothing_found(record_kind kind, const char *name, const char *uid, const char *origin)
{
    static const char *const kinds[] = {"grant", "login"};
    static const char *const commands[] = {
        "request one with: interauth grant",
        "log in with: interauth invoke --endpoint BASE --uid ID --password-file FILE METHOD URL"};

    if (name)
        return say_refused("there is no %s named %s; %s", kinds[kind], name, commands[kind]);
    if (origin)
        return say_refused("there is no %s%s%s for %s; %s", kinds[kind], uid ? " of " : "", uid ? uid : "", origin,
                           commands[kind]);
    return say_refused("there is no such %s; %s", kinds[kind], commands[kind]);
}

int state_select(grant_record **out, state *s, record_kind kind, const char *name, const char *endpoint,
                 const char *uid, const char *origin)
{
    grant_record *found = NULL;

    *out = NULL;
    for (int i = 0; i < s->grants->nelts; i++) {
        grant_record *record = APR_ARRAY_IDX(s->grants, i, grant_record *);

        if (record_kind_of(record) != kind || !record_matches(record, s->p, name, endpoint, uid, origin))
            continue;
        if (found)
            return say_usage("more than one %s matches; choose one with --grant: %s (%s at %s), %s (%s at %s)",
                             kind == RECORD_LOGIN ? "login" : "grant", found->name, found->uid, found->endpoint,
                             record->name, record->uid, record->endpoint);
        found = record;
    }
    if (!found)
        return nothing_found(kind, name, uid, origin);
    *out = found;
    return CL_OK;
}

const char *record_take_nonce(grant_record *record)
{
    const char *nonce;

    if (record->nonces->nelts == 0)
        return NULL;
    nonce = APR_ARRAY_IDX(record->nonces, 0, const char *);
    record->nonces->nelts--;
    memmove(record->nonces->elts, record->nonces->elts + sizeof(const char *),
            (apr_size_t)record->nonces->nelts * sizeof(const char *));
    return nonce;
}

void record_add_nonce(grant_record *record, apr_pool_t *p, const char *nonce)
{
    while (record->nonces->nelts >= STATE_NONCES_MAX)
        record_take_nonce(record);
    APR_ARRAY_PUSH(record->nonces, const char *) = apr_pstrdup(p, nonce);
}
