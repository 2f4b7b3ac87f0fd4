/* Loads and saves a module's state file over stops and starts. */
#include <httpd.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <mpm_common.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "log_field.h"
#include "persist.h"
#include "clock.h"
#include "startup.h"

#define SAVE_INTERVAL apr_time_from_sec(30)
#define FILES_KEY     "interauth.state.files" /* in the configuration pool: which directive has which file */

/* The file that this process has locked. Retained, because the lock must not be lost at a reload. */
typedef struct claim {
    const char *path; /* NULL: none */
    int fd;
} claim;

/* --- how what a table holds is named on disk --- */

static int participant_id(void *persist_, apr_uint32_t index, apr_uint64_t generation, char *id)
{
    const ia_registry *registry = ((const persist *)persist_)->registry;
    ia_registry_entry entry;
    ia_result rc;

    if (!registry)
        return 0;
    rc = registry->get(&entry, index, generation);
    if (!rc)
        memcpy(id, entry.id, sizeof entry.id);
    ia_wipe(&entry, sizeof entry);
    return !rc;
}

static int participant_find(void *persist_, const char *id, apr_uint32_t *index, apr_uint64_t *generation)
{
    const ia_registry *registry = ((const persist *)persist_)->registry;
    ia_registry_entry entry;
    ia_result rc;

    *index = 0;
    *generation = 0;
    if (!registry)
        return 0;
    rc = registry->find(&entry, id);
    *index = entry.index;
    *generation = entry.generation;
    ia_wipe(&entry, sizeof entry);
    return !rc;
}

static int capability_name(void *persist_, int number, char *name)
{
    const ia_registry *registry = ((const persist *)persist_)->registry;
    const char *found = registry ? registry->capability_name(number) : NULL;
    apr_size_t len;

    if (!found)
        return 0;
    len = strnlen(found, IA_NAME_MAX); /* it is in memory that children can write */
    memcpy(name, found, len);
    name[len] = '\0';
    return 1;
}

static int capability_number(void *persist_, const char *name)
{
    const ia_registry *registry = ((const persist *)persist_)->registry;

    return registry ? registry->capability_number(name) : -1;
}

static st_state_names names_of(persist *f)
{
    st_state_names names = {f, participant_id, participant_find, capability_name, capability_number, f->kind};

    return names;
}

/* --- saving and reading --- */

static int save(persist *f, int clean)
{
    st_state_names names = names_of(f);
    apr_pool_t *ptemp;
    const char *error = NULL;
    apr_status_t rv;

    apr_pool_create(&ptemp, NULL);
    f->saved = clock_now();
    rv = st_state_save(f->path, f->key, &f->state, &names, clean, f->saved, ptemp, &error);
    if (rv)
        ap_log_error(__FILE__, __LINE__, f->module_index, APLOG_ERR, rv, f->s, "%s: %s: %s; %s%s", f->log_prefix,
                     f->directive, log_words(ptemp, error ? error : f->path),
                     clean ? "nothing was saved at this stop: " : "", f->at_risk);
    apr_pool_destroy(ptemp);
    return rv == APR_SUCCESS;
}

/* An untrusted file is not used, but kept for the administrator. */
static void set_aside(const persist *f, apr_pool_t *ptemp, const char *error)
{
    const char *aside = apr_psprintf(ptemp, "%s.aside-%" APR_TIME_T_FMT, f->path, apr_time_sec(clock_now()));
    apr_status_t rv = apr_file_rename(f->path, aside, ptemp);

    ap_log_error(__FILE__, __LINE__, f->module_index, APLOG_ERR, rv, f->s, "%s: %s: %s; %s %s, and %s", f->log_prefix,
                 f->directive, log_words(ptemp, error), rv ? "it could not be moved to" : "it is set aside as",
                 log_words(ptemp, aside), f->gone);
}

static void restore(persist *f, apr_pool_t *ptemp)
{
    st_state_names names = names_of(f);
    const char *error = NULL;
    apr_status_t rv = st_state_load(&f->report, f->path, f->key, &f->state, &names, clock_now(), ptemp, &error);

    if (rv && rv != APR_ENOENT)
        set_aside(f, ptemp, error);
    f->restored = rv == APR_SUCCESS;
}

static apr_status_t on_stop(void *persist_)
{
    persist *f = persist_;

    if (getpid() == f->parent && ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_EXITING) {
        if (f->path)
            save(f, 1);
        else
            ap_log_error(__FILE__, __LINE__, f->module_index, APLOG_ERR, 0, f->s,
                         "%s: %s: %s; nothing was saved at this "
                         "stop: %s",
                         f->log_prefix, f->directive, f->unusable, f->at_risk);
    }
    f->path = NULL;
    ia_wipe(f->key, sizeof f->key);
    return APR_SUCCESS;
}

/* --- whose file it is --- */

/* Refuses one file for two directives, also if the paths to its directory differ. */
static const char *note_owner(const persist *f, const char *path, apr_pool_t *ptemp, server_rec *s)
{
    apr_pool_t *pconf = s->process->pconf;
    const char *slash = strrchr(path, '/'), *name, *owner;
    struct stat st;
    void *files = NULL;

    if (!slash || stat(apr_pstrmemdup(ptemp, path, (apr_size_t)(slash - path) + 1), &st))
        return NULL; /* reported elsewhere */
    name = apr_psprintf(pconf, "%lx:%lx%s", (unsigned long)st.st_dev, (unsigned long)st.st_ino, slash);
    apr_pool_userdata_get(&files, FILES_KEY, pconf);
    if (!files) {
        files = apr_table_make(pconf, 2);
        apr_pool_userdata_setn(files, FILES_KEY, NULL, pconf);
    }
    owner = apr_table_get(files, name);
    if (owner && strcmp(owner, f->directive))
        return apr_psprintf(ptemp, "%s is already the file of %s", path, owner);
    apr_table_setn(files, name, apr_pstrdup(pconf, f->directive));
    return NULL;
}

/* Warns in the dry run of a file that the start will set aside, while the administrator can still repair it. */
static void announce_aside(const persist *f, const char *path, apr_pool_t *ptemp, server_rec *s)
{
    const module *m = ap_find_linked_module(apr_pstrcat(ptemp, "mod_", f->log_prefix, ".c", NULL));
    const char *error = NULL;
    apr_status_t rv = st_state_examine(path, ptemp, &error);

    if (rv && rv != APR_ENOENT)
        ap_log_error(__FILE__, __LINE__, m ? m->module_index : APLOG_NO_MODULE, startup_log_level(APLOG_WARNING), 0, s,
                     "%s: %s: %s; the next start will set it aside, and %s", f->log_prefix, f->directive,
                     log_words(ptemp, error), f->gone);
}

const char *persist_check(const persist *f, const char *path, apr_pool_t *ptemp, server_rec *s)
{
    const char *error = NULL;

    if (!path)
        return NULL;
    if (st_state_check(path, ptemp, &error) || (error = note_owner(f, path, ptemp, s)))
        return error;
    if (startup_is_dry_run())
        announce_aside(f, path, ptemp, s);
    return NULL;
}

static void release(claim *held)
{
    if (held->path)
        close(held->fd);
    held->path = NULL;
}

/* Locks the file of this configuration, and unlocks that of the previous one. */
static apr_status_t claim_file(const persist *f, apr_pool_t *ptemp, const char **error)
{
    const char *key = apr_pstrcat(ptemp, "interauth.state.", f->directive, NULL);
    claim *held = ap_retained_data_get(key);
    apr_status_t rv = APR_SUCCESS;

    if (!held)
        held = ap_retained_data_create(key, sizeof *held);
    if (held->path && f->path && !strcmp(held->path, f->path))
        return APR_SUCCESS;
    release(held);
    if (f->path)
        rv = st_state_lock(&held->fd, f->path, ptemp, error);
    if (f->path && !rv)
        held->path = apr_pstrdup(f->s->process->pool, f->path);
    return rv;
}

/* Locks the file and reads its key. */
static apr_status_t take_file(persist *f, apr_pool_t *ptemp, const char **error)
{
    apr_status_t rv;

    if (f->path && (*error = note_owner(f, f->path, ptemp, f->s)))
        return APR_EACCES;
    rv = claim_file(f, ptemp, error);
    if (rv || !f->path)
        return rv;
    return st_state_key(f->key, f->path, ptemp, error);
}

int persist_open(persist *f, const char *path, apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s, int fresh)
{
    const char *error = NULL;
    apr_status_t rv;

    f->path = path;
    f->s = s;
    f->parent = getpid();
    f->restored = 0;
    rv = take_file(f, ptemp, &error);
    if (!f->path)
        return OK;
    if (rv) {
        ap_log_error(__FILE__, __LINE__, f->module_index, startup_log_level(APLOG_ERR), rv, s, "%s: %s: %s",
                     f->log_prefix, f->directive, log_words(ptemp, error));
        f->path = NULL;
        if (fresh)
            return HTTP_INTERNAL_SERVER_ERROR;
        f->unusable = log_words(pconf, error);
        apr_pool_cleanup_register(pconf, f, on_stop, apr_pool_cleanup_null);
        return OK;
    }
    apr_pool_cleanup_register(pconf, f, on_stop, apr_pool_cleanup_null);
    if (fresh)
        restore(f, ptemp);
    return save(f, 0) || !fresh ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

void persist_monitor(persist *f)
{
    if (f->path && getpid() == f->parent && clock_now() - f->saved >= SAVE_INTERVAL)
        save(f, 0);
}
