/** What `interauth check` looks for in the client's own files. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "files.h"
#include "findings.h"
#include "interauth/secret_quality.h"
#include "say.h"
#include "secret_source.h"
#include "state.h"
#include "state_format.h"

#define SECRET_GOOD    32 /* bytes; fewer are allowed but weaker than the HMAC */
#define STATE_FILE_MAX (4 * 1024 * 1024)

void check_weaknesses(findings *all, finding_weight weight, const char *path, const char *whose, unsigned weaknesses)
{
    if (weaknesses)
        finding_add(all, weaknesses == IA_SECRET_TEXT ? FINDING_WARNING : weight, "weak_secret", path,
                    "%s %s; make one with: interauth secret", whose, ia_secret_weakness_text(weaknesses));
}

static void check_secret_text(findings *all, const char *path, const char *text, apr_size_t text_len)
{
    unsigned char bytes[IA_SECRET_MAX];
    apr_size_t len = 0;
    unsigned weaknesses;
    ia_result rc = secret_decode(bytes, &len, text, text_len);

    if (rc == IA_SECRET_MISSING)
        finding_add(all, FINDING_ERROR, "short_secret", path, "shorter than %d bytes", IA_SECRET_MIN);
    else if (rc != IA_OK)
        finding_add(all, FINDING_ERROR, "syntax", path, "not base64url without padding, of at most %d bytes",
                    IA_SECRET_MAX);
    else if ((weaknesses = ia_secret_weaknesses(bytes, len)) != 0)
        check_weaknesses(all, FINDING_ERROR, path, "this secret", weaknesses);
    else if (len < SECRET_GOOD)
        finding_add(all, FINDING_WARNING, "short_secret", path, "shorter than the %d bytes that its HMAC can use",
                    SECRET_GOOD);
    ia_wipe(bytes, sizeof bytes);
}

/* False where the file is not there or not a file. */
static int check_exposure(findings *all, const char *path, const char *what)
{
    struct stat st;
    const char *exposure;

    if (stat(path, &st) != 0 || S_ISDIR(st.st_mode)) {
        finding_add(all, FINDING_FAULT, "unreadable", path, "cannot be read");
        return 0;
    }
    exposure = S_ISREG(st.st_mode) ? file_exposure(st.st_mode) : NULL;
    if (exposure)
        finding_add(all, st.st_mode & (S_IROTH | S_IWOTH) ? FINDING_ERROR : FINDING_WARNING, "permissions", path,
                    "%s %s; chmod 600", exposure, what);
    return 1;
}

void check_secret_file(findings *all, const char *path)
{
    apr_size_t len;
    char *text;

    if (!check_exposure(all, path, "this secret"))
        return;
    if (file_read(&text, &len, all->p, path, SECRET_FILE_MAX, FILE_PLAIN) == CL_OK)
        check_secret_text(all, path, text, len);
    else
        finding_add(all, FINDING_FAULT, "unreadable", path, "cannot be read");
    if (text)
        ia_wipe(text, len);
}

static void check_grants(findings *all, const char *path, const apr_array_header_t *grants)
{
    for (int i = 0; i < grants->nelts; i++) {
        const grant_record *record = APR_ARRAY_IDX(grants, i, const grant_record *);

        if (record_kind_of(record) == RECORD_LOGIN)
            continue; /* it logs in again by itself */
        if (record->token && record->expires <= apr_time_now())
            finding_add(all, FINDING_WARNING, "expired", path, "grant %s (%s) has expired", record->name, record->uid);
        if (record->hash == IA_HASH_SHA1)
            finding_add(all, FINDING_WARNING, "weak_hash", path, "grant %s (%s) uses HMAC-SHA-1", record->name,
                        record->uid);
    }
}

void check_state_file(findings *all, const char *path)
{
    apr_array_header_t *grants = apr_array_make(all->p, 4, sizeof(grant_record *));
    apr_size_t len;
    char *text;

    if (!check_exposure(all, path, "these tokens"))
        return;
    if (file_read(&text, &len, all->p, path, STATE_FILE_MAX, FILE_PLAIN) != CL_OK)
        finding_add(all, FINDING_FAULT, "unreadable", path, "cannot be read");
    else if (state_parse(grants, all->p, text, len) != 0)
        finding_add(all, FINDING_ERROR, "syntax", path, "not a state file of this version");
    else
        check_grants(all, path, grants);
}
