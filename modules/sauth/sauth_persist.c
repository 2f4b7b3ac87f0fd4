/*
 * SAuthStateFile: grants outlive a stop. Only the parent writes: after a start or reload, every half minute, and, marked
 * clean, when it stops. Nothing of ours is registered on the process pool: this DSO is unmapped before its cleanups run.
 */
#include <httpd.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <mpm_common.h>
#include <string.h>
#include <unistd.h>
#include "mod_sauth.h"
#include "state_file.h"

APLOG_USE_MODULE(sauth);

#define SAVE_INTERVAL apr_time_from_sec(30)
#define CLAIM_KEY     "interauth.sauth.state"

/* Which file this process has claimed: kept across reloads, over which the claim must not be lost. */
typedef struct claim {
    const char *path; /* NULL: none */
    int fd;
} claim;

static struct {
    const char *path; /* NULL: nothing is kept */
    server_rec *s;
    pid_t parent;
    apr_time_t saved;
    unsigned char key[ST_STATE_KEY_LEN];
} persist;

static int participant_id(void *unused, apr_uint32_t index, apr_uint64_t incarnation, char *id)
{
    ia_registry_entry entry;
    ia_result rc = sauth.registry->get(&entry, index, incarnation);

    (void)unused;
    if (!rc)
        memcpy(id, entry.id, sizeof entry.id);
    ia_wipe(&entry, sizeof entry);
    return !rc;
}

static int participant_find(void *unused, const char *id, apr_uint32_t *index, apr_uint64_t *incarnation)
{
    ia_registry_entry entry;
    ia_result rc = sauth.registry->find(&entry, id);

    (void)unused;
    *index = entry.index;
    *incarnation = entry.incarnation;
    ia_wipe(&entry, sizeof entry);
    return !rc;
}

static int capability_name(void *unused, int number, char *name)
{
    const char *found = sauth.registry->capability_name(number);
    apr_size_t len;

    (void)unused;
    if (!found)
        return 0;
    len = strnlen(found, IA_NAME_MAX); /* it lies where children can write */
    memcpy(name, found, len);
    name[len] = '\0';
    return 1;
}

static int capability_number(void *unused, const char *name)
{
    (void)unused;
    return sauth.registry->capability_number(name);
}

static const st_state_names names = {NULL, participant_id, participant_find, capability_name, capability_number};

static int save(int clean)
{
    apr_pool_t *ptemp;
    const char *error = NULL;
    apr_status_t rv;

    apr_pool_create(&ptemp, NULL);
    persist.saved = apr_time_now();
    rv = st_state_save(persist.path, persist.key, sauth.grants, &names, clean, persist.saved, ptemp, &error);
    if (rv)
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, persist.s, "sauth: SAuthStateFile: %s; grants of now are lost if the "
                     "server ends", error ? error : persist.path);
    apr_pool_destroy(ptemp);
    return rv == APR_SUCCESS;
}

/* What cannot be trusted is kept for the administrator to look at, but not used. */
static void set_aside(apr_pool_t *ptemp, server_rec *s, const char *error)
{
    const char *aside = apr_psprintf(ptemp, "%s.aside-%" APR_TIME_T_FMT, persist.path, apr_time_sec(apr_time_now()));
    apr_status_t rv = apr_file_rename(persist.path, aside, ptemp);

    ap_log_error(APLOG_MARK, APLOG_ERR, rv, s, "sauth: SAuthStateFile: %s; %s %s, and all grants are gone", error,
                 rv ? "it could not be moved to" : "it is set aside as", aside);
}

static void restore(apr_pool_t *ptemp, server_rec *s)
{
    st_state_report report;
    const char *error = NULL;
    apr_status_t rv = st_state_load(&report, persist.path, persist.key, sauth.grants, &names, apr_time_now(), ptemp, &error);

    if (rv == APR_ENOENT)
        return;
    if (rv) {
        set_aside(ptemp, s, error);
        return;
    }
    ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s, "sauth: %u grants and %u used access requests from %s, which was written "
                 "at %s; %u grants were over", report.grants, report.replays, persist.path,
                 report.clean ? "a clean stop" : "no clean stop: nonces begin anew", report.dropped);
}

static apr_status_t on_stop(void *unused)
{
    (void)unused;
    if (persist.path && getpid() == persist.parent && ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_EXITING)
        save(1);
    persist.path = NULL;
    ia_wipe(persist.key, sizeof persist.key);
    return APR_SUCCESS;
}

static void release(claim *held)
{
    if (held->path)
        close(held->fd);
    held->path = NULL;
}

/* Claims the file of this configuration, instead of that of the one before. */
static apr_status_t claim_file(apr_pool_t *ptemp, server_rec *s, const char **error)
{
    claim *held = ap_retained_data_get(CLAIM_KEY);
    apr_status_t rv = APR_SUCCESS;

    if (!held)
        held = ap_retained_data_create(CLAIM_KEY, sizeof *held);
    if (held->path && persist.path && !strcmp(held->path, persist.path))
        return APR_SUCCESS;
    release(held);
    if (persist.path)
        rv = st_state_lock(&held->fd, persist.path, ptemp, error);
    if (persist.path && !rv)
        held->path = apr_pstrdup(s->process->pool, persist.path);
    return rv;
}

int sauth_persist_open(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s, int fresh)
{
    const char *error = NULL;
    apr_status_t rv;

    persist.path = sauth_server_of(s)->state_file;
    persist.s = s;
    persist.parent = getpid();
    rv = claim_file(ptemp, s, &error);
    if (!persist.path)
        return OK;
    if (rv || (rv = st_state_key(persist.key, persist.path, ptemp, &error))) {
        ap_log_error(APLOG_MARK, APLOG_ERR | (fresh ? APLOG_STARTUP : 0), rv, s, "sauth: SAuthStateFile: %s", error);
        persist.path = NULL;
        return fresh ? HTTP_INTERNAL_SERVER_ERROR : OK;
    }
    apr_pool_cleanup_register(pconf, NULL, on_stop, apr_pool_cleanup_null);
    if (fresh)
        restore(ptemp, s);
    return save(0) || !fresh ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

int sauth_persist_monitor(apr_pool_t *p, server_rec *s)
{
    (void)p, (void)s;
    if (persist.path && getpid() == persist.parent && apr_time_now() - persist.saved >= SAVE_INTERVAL)
        save(0);
    return DECLINED;
}
