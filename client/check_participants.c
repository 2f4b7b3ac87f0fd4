/* Checks a participants file. */
#include "check_participants.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <apr_strings.h>

#include "files.h"
#include "interauth/timestamp.h"
#include "participants.h"
#include "say.h"

#define SECRETS_MAX   (IA_PARTICIPANT_SECRETS + 2) /* of one participant: shared ones, and one for each profile */
#define SOON          (14 * APR_INT64_C(86400))    /* seconds ahead in which an expiry is worth a warning */
#define LIFESPAN_LONG (30 * APR_INT64_C(86400))    /* seconds */

/* A participant, with the values by which participants are compared. */
typedef struct entry {
    const ia_participant *one;
    const char *folded;       /* id without its trailing slashes, in lower case */
    apr_uint64_t fingerprint; /* of one secret */
} entry;

static void check_mode(findings *all, const char *path)
{
    struct stat st;
    const char *exposure;

    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || !(exposure = file_exposure(st.st_mode)))
        return;
    if (st.st_mode & (S_IWOTH | S_IROTH | S_IWGRP))
        finding_add(all, FINDING_ERROR, "permissions", path,
                    "%s this file, which contains secrets; make it private: chmod 600", exposure);
    else
        finding_add(all, FINDING_WARNING, "permissions", path,
                    "%s this file, which contains secrets; make it private: chmod 600", exposure);
}

static void check_time(findings *all, const char *path, const ia_participant *one, apr_time_t when, const char *what)
{
    apr_time_t now = apr_time_now();
    char text[IA_RFC3339_SIZE];

    if (!when)
        return;
    ia_timestamp_format(text, when);
    if (when <= now)
        finding_add(all, FINDING_WARNING, "expired", path, "%s: %s expired on %s", one->id, what, text);
    else if (when <= now + apr_time_from_sec(SOON))
        finding_add(all, FINDING_WARNING, "expires_soon", path, "%s: %s expires on %s", one->id, what, text);
}

static void check_secrets(findings *all, const char *path, const ia_participant *one)
{
    apr_time_t now = apr_time_now();
    unsigned usable = 0;

    for (unsigned i = 0; i < one->secret_count; i++) {
        usable += !one->secrets[i].not_after || one->secrets[i].not_after > now;
        check_time(all, path, one, one->secrets[i].not_after, "a shared secret");
    }
    check_weaknesses(all, FINDING_WARNING, path, apr_psprintf(all->p, "%s: a shared secret", one->id),
                     one->secret_weaknesses);
    if (one->secret_count > 0 && usable == 0)
        finding_add(all, FINDING_WARNING, "no_usable_secret", path, "%s: every shared secret has expired", one->id);
    if (one->secret_count == 0 && one->public_key_count == 0 && !one->challenge_md5.fingerprint &&
        !one->challenge_hmac.fingerprint)
        finding_add(all, FINDING_WARNING, "no_credentials", path, "%s: has no shared secret, challenge secret or key",
                    one->id);
}

/* With md5, anyone who sees a call can make others until its window ends. */
static void check_challenge(findings *all, const char *path, const ia_participant *one)
{
    if (!one->challenge_md5.fingerprint)
        return;
    if (one->challenge_hmac.fingerprint)
        finding_add(all, FINDING_WARNING, "weak_challenge", path,
                    "%s: can log in with md5 as well as hmac-sha256; remove md5 once no client needs it", one->id);
    else
        finding_add(all, FINDING_WARNING, "weak_challenge", path,
                    "%s: can log in by challenge only with md5, which does not prevent replayed calls", one->id);
}

static void check_keys(findings *all, const char *path, const ia_participant *one)
{
    for (unsigned i = 0; i < one->public_key_count; i++)
        check_time(all, path, one, one->public_keys[i].not_after, "a key");
}

static void check_settings(findings *all, const char *path, const ia_participant *one)
{
    if (one->token_max_lifespan > LIFESPAN_LONG)
        finding_add(all, FINDING_WARNING, "long_lifespan", path,
                    "%s: tokens may be valid for %" APR_INT64_T_FMT " days", one->id, one->token_max_lifespan / 86400);
    if (one->status == IA_STATUS_APPROVED && one->capability_count == 0)
        finding_add(all, FINDING_WARNING, "no_capabilities", path, "%s: approved, but has no capabilities", one->id);
    if (strchr(one->id, '#'))
        finding_add(all, FINDING_WARNING, "ambiguous_id", path,
                    "%s: '#' in an id is ambiguous: in a keyid it separates the id from the name of the key", one->id);
    for (unsigned i = 0; i < one->endpoint_count; i++)
        if (strncasecmp(one->endpoints[i].url, "http://", 7) == 0)
            finding_add(all, FINDING_WARNING, "cleartext", path, "%s: has an endpoint without TLS", one->id);
}

static const char *id_fold(apr_pool_t *p, const char *id)
{
    char *folded = apr_pstrdup(p, id);
    apr_size_t len = strlen(folded);

    while (len > 0 && folded[len - 1] == '/')
        folded[--len] = '\0';
    for (char *c = folded; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return folded;
}

static int order_by_id(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->folded, ((const entry *)b)->folded);
}

static int order_by_fingerprint(const void *a, const void *b)
{
    apr_uint64_t left = ((const entry *)a)->fingerprint, right = ((const entry *)b)->fingerprint;

    return (left > right) - (left < right);
}

static void check_ids(findings *all, const char *path, const ia_participants *list)
{
    entry *entries = apr_palloc(all->p, (list->count + 1) * sizeof *entries);

    for (unsigned i = 0; i < list->count; i++) {
        entries[i].one = &list->list[i];
        entries[i].folded = id_fold(all->p, list->list[i].id);
    }
    qsort(entries, list->count, sizeof *entries, order_by_id);
    for (unsigned i = 1; i < list->count; i++)
        if (strcmp(entries[i - 1].folded, entries[i].folded) == 0)
            finding_add(all, FINDING_WARNING, "overlapping_ids", path, "%s and %s are easily confused",
                        entries[i - 1].one->id, entries[i].one->id);
}

static void entry_add(entry *entries, unsigned *count, const ia_participant *one, apr_uint64_t fingerprint)
{
    if (!fingerprint)
        return;
    entries[*count].one = one;
    entries[(*count)++].fingerprint = fingerprint;
}

/* Equal secrets have equal fingerprints. The parser has already refused equal secrets of one participant. */
static void check_shared(findings *all, const char *path, const ia_participants *list)
{
    entry *entries = apr_palloc(all->p, ((apr_size_t)list->count * SECRETS_MAX + 1) * sizeof *entries);
    unsigned count = 0;

    for (unsigned i = 0; i < list->count; i++) {
        const ia_participant *one = &list->list[i];

        for (unsigned k = 0; k < one->secret_count; k++)
            entry_add(entries, &count, one, one->secrets[k].fingerprint);
        entry_add(entries, &count, one, one->challenge_md5.fingerprint);
        entry_add(entries, &count, one, one->challenge_hmac.fingerprint);
    }
    qsort(entries, count, sizeof *entries, order_by_fingerprint);
    for (unsigned i = 1; i < count; i++)
        if (entries[i - 1].fingerprint == entries[i].fingerprint)
            finding_add(all, FINDING_ERROR, "secret_shared", path, "%s and %s have the same secret",
                        entries[i - 1].one->id, entries[i].one->id);
}

void check_participants_file(findings *all, const char *path)
{
    ia_participants list;
    const char *wrong;
    int rc;

    check_mode(all, path);
    rc = participants_load(&list, all->p, path, &wrong);
    if (rc == CL_REFUSED)
        finding_add(all, FINDING_ERROR, "syntax", path, "%s", wrong);
    else if (rc != CL_OK)
        finding_add(all, FINDING_FAULT, "unreadable", path, "cannot be read");
    if (rc != CL_OK)
        return;
    if (list.count == 0)
        finding_add(all, FINDING_WARNING, "empty", path, "lists no participants");
    for (unsigned i = 0; i < list.count; i++) {
        const ia_participant *one = &list.list[i];

        check_time(all, path, one, one->expires, "the participant");
        check_secrets(all, path, one);
        check_challenge(all, path, one);
        check_keys(all, path, one);
        check_settings(all, path, one);
    }
    rc = participants_load_keys(&list, all->p, path, &wrong);
    if (rc != CL_OK)
        finding_add(all, rc == CL_REFUSED ? FINDING_ERROR : FINDING_FAULT, "keys", path, "%s",
                    wrong ? wrong : "a key file cannot be read");
    check_ids(all, path, &list);
    check_shared(all, path, &list);
}
