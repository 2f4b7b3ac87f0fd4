/*
 * The participants file. It is read and checked in check_config, which `httpd -t` runs too, and published to the
 * shared table in post_config. A first start refuses a bad file; a reload keeps what is in force and says so, because
 * an error there would end the whole server.
 */
#include <httpd.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include <fcntl.h>
#include <http_log.h>
#include "clock.h"
#include "log_field.h"
#include "mod_registry.h"
#include "registry_outcome.h"
#include "startup.h"

APLOG_USE_MODULE(registry);

static struct {
    apr_pool_t *pool; /* holds the checked list until it is published */
    ia_participants list;
} checked;

static const char *check_mode(apr_pool_t *p, const apr_finfo_t *info, int is_secret)
{
    if (info->filetype != APR_REG)
        return "is not a regular file";
    if (!is_secret)
        return info->protection & (APR_FPROT_WWRITE | APR_FPROT_GWRITE) ? "can be written by its group or others"
                                                                        : NULL;
    if (info->protection & (APR_FPROT_WREAD | APR_FPROT_WWRITE | APR_FPROT_GWRITE))
        return apr_psprintf(p,
                            "has mode %04x: it contains secrets, so only its owner may write it, and only its owner "
                            "and group may read it (chmod 640)",
                            (unsigned)info->protection & 0xfff);
    if (info->size > IA_PARTICIPANTS_FILE_MAX)
        return "is larger than 1 GiB";
    return NULL;
}

/* Opens the file, checks the mode of the open file, and reads it. @return what is wrong, or NULL */
static const char *read_file(apr_pool_t *p, const char *path, int is_secret, char **text, apr_size_t *len)
{
    apr_file_t *file;
    apr_finfo_t info;
    const char *error;
    char message[120];
    apr_status_t rv = apr_file_open(&file, path, APR_READ | APR_BINARY, APR_OS_DEFAULT, p);

    if (rv)
        return apr_psprintf(p, "cannot be opened: %s", apr_strerror(rv, message, sizeof message));
    if ((rv = apr_file_info_get(&info, APR_FINFO_TYPE | APR_FINFO_PROT | APR_FINFO_SIZE, file))) {
        error = apr_psprintf(p, "cannot be examined: %s", apr_strerror(rv, message, sizeof message));
    } else if (!(error = check_mode(p, &info, is_secret))) {
        *len = (apr_size_t)info.size;
        *text = apr_palloc(p, *len + 1);
        (*text)[*len] = '\0';
        rv = *len ? apr_file_read_full(file, *text, *len, len) : APR_SUCCESS;
        error = rv ? apr_psprintf(p, "cannot be read: %s", apr_strerror(rv, message, sizeof message)) : NULL;
    }
    apr_file_close(file);
    return error;
}

/* The key of a {"kid", "file"}: a PEM public key or certificate, beside the participants file unless absolute. */
static const char *read_key(apr_pool_t *p, const char *base, ia_participant_key *key)
{
    const char *path, *wrong;
    char *text = NULL;
    apr_size_t len = 0;
    ia_result rc;

    path = key->file[0] == '/' ? key->file : apr_pstrcat(p, ap_make_dirstr_parent(p, base), key->file, NULL);
    if ((wrong = read_file(p, path, 0, &text, &len)))
        return apr_psprintf(p, "key %s: %s %s", key->kid, path, wrong);
    rc = ia_key_from_pem(&key->raw, text, len, key->algorithm);
    return rc ? apr_psprintf(p, "key %s: %s is not a usable public key or certificate: %s", key->kid, path,
                             ia_outcome_of(rc)->tag)
              : NULL;
}

static const char *read_keys(apr_pool_t *p, const registry_config *conf, ia_participants *list)
{
    ia_participant_error error = {NULL};
    apr_int64_t count = 0;
    unsigned i, k;

    for (i = 0; i < list->count; i++) {
        for (k = 0; k < list->list[i].public_key_count; k++, count++) {
            const char *wrong = NULL;

            if (list->list[i].public_keys[k].file)
                wrong = read_key(p, conf->file, &list->list[i].public_keys[k]);
            if (wrong)
                return apr_psprintf(p, "participant %u (%s): %s", list->list[i].line, list->list[i].id, wrong);
        }
    }
    if (count > conf->key_capacity)
        return apr_psprintf(p, "lists %" APR_INT64_T_FMT " keys, more than RegistryKeyCapacity %" APR_INT64_T_FMT,
                            count, conf->key_capacity);
    return ia_participants_check_keys(list, p, &error) ? error.text : NULL;
}

static const char *read_participants(apr_pool_t *p, const registry_config *conf, ia_participants *list)
{
    ia_participant_error error;
    char *text = NULL;
    apr_size_t len = 0;
    const char *wrong = read_file(p, conf->file, 1, &text, &len);

    if (wrong)
        return wrong;
    if (ia_participants_parse(list, p, text, len, &error))
        wrong = error.text;
    else if (list->count > conf->capacity)
        wrong = apr_psprintf(p, "lists %u participants, more than RegistryCapacity %" APR_INT64_T_FMT, list->count,
                             conf->capacity);
    ia_wipe(text, len);
    return wrong ? wrong : read_keys(p, conf, list);
}

static apr_status_t forget_checked(void *unused)
{
    (void)unused;
    checked.pool = NULL;
    return APR_SUCCESS;
}

int registry_file_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    const registry_config *conf = registry_config_of(s);
    const char *wrong;

    (void)plog;
    registry.stale = NULL;
    if (!conf->file) {
        ap_log_error(APLOG_MARK, startup_log_level(APLOG_WARNING), 0, s,
                     "registry: no RegistryFile: there are no participants");
        return OK;
    }
    apr_pool_create(&checked.pool, pconf);
    apr_pool_cleanup_register(checked.pool, NULL, forget_checked, apr_pool_cleanup_null);
    wrong = read_participants(checked.pool, conf, &checked.list);
    if (!wrong)
        return OK;
    registry.stale = apr_pstrdup(pconf, wrong);
    apr_pool_destroy(checked.pool);
    if (startup_is_reload()) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     "registry: RegistryFile %s: %s; the previous participants stay in effect",
                     log_words(ptemp, conf->file), log_words(ptemp, registry.stale));
        return OK;
    }
    ap_log_error(APLOG_MARK, startup_log_level(APLOG_ERR), 0, s, "registry: RegistryFile %s: %s",
                 log_words(ptemp, conf->file), log_words(ptemp, registry.stale));
    return HTTP_INTERNAL_SERVER_ERROR;
}

static void wipe_list(ia_participants *list)
{
    unsigned i;

    for (i = 0; i < list->count; i++)
        ia_participant_wipe(&list->list[i]);
}

/* Participants first: keys and texts refer to them. */
static ia_result publish(const ia_participants *list, apr_time_t now, apr_pool_t *ptemp, st_load_report *report)
{
    ia_result rc = registry_load_outcome(st_participants_load(registry.table, ST_SOURCE_FILE, list, now, ptemp, report),
                                         IA_PARTICIPANTS_FULL);

    if (!rc)
        rc = registry_load_outcome(st_keys_load(registry.keys, registry.table, list, now, ptemp), IA_KEYS_FULL);
    if (!rc)
        rc = registry_load_outcome(st_texts_load(registry.texts, registry.table, list, now, ptemp),
                                   IA_PARTICIPANTS_FULL);
    return rc;
}

int registry_file_publish(apr_pool_t *ptemp, server_rec *s)
{
    const registry_config *conf = registry_config_of(s);
    ia_participants none = {NULL, 0};
    st_load_report report;
    ia_result rc;

    if (registry.stale)
        return OK;
    rc = publish(checked.pool ? &checked.list : &none, clock_now(), ptemp, &report);
    if (checked.pool) {
        wipe_list(&checked.list);
        apr_pool_destroy(checked.pool);
    }
    if (rc) {
        registry.stale = ia_outcome_of(rc)->tag;
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "registry: participants of %s could not be loaded reason=%s",
                     log_words(ptemp, conf->file), registry.stale);
        return startup_is_reload() ? OK : HTTP_INTERNAL_SERVER_ERROR;
    }
    if (conf->file)
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                     "registry: %u participants in effect (%u added, %u changed, %u "
                     "removed)",
                     st_participants_count(registry.table), report.added, report.changed, report.removed);
    return OK;
}
