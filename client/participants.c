/* Reads a participants file. */
#include "participants.h"

#include <string.h>

#include <apr_strings.h>

#include "advice.h"
#include "files.h"
#include "say.h"

int participants_load(ia_participants *out, apr_pool_t *p, const char *path, const char **wrong)
{
    ia_participant_error error = {NULL};
    apr_size_t len;
    char *text;
    ia_result result;
    int rc = file_read(&text, &len, p, path, IA_PARTICIPANTS_FILE_MAX, FILE_PLAIN);

    *wrong = NULL;
    if (rc != CL_OK)
        return rc;
    result = ia_participants_parse(out, p, text, len, &error);
    ia_wipe(text, len);
    if (result == IA_OK)
        return CL_OK;
    *wrong = error.text ? error.text : ia_outcome_of(result)->title;
    return CL_REFUSED;
}

/* A relative path starts at the directory of the participants file. */
static int key_load(ia_participant_key *key, apr_pool_t *p, const char *base, const char **wrong)
{
    const char *slash = strrchr(base, '/'), *path = key->file;
    apr_size_t len;
    char *text;
    ia_result result;
    int rc;

    if (*path != '/' && slash)
        path = apr_pstrcat(p, apr_pstrmemdup(p, base, (apr_size_t)(slash - base + 1)), path, NULL);
    if ((rc = file_read(&text, &len, p, path, IA_KEY_TEXT_MAX, FILE_PLAIN)) != CL_OK)
        return rc;
    result = ia_key_from_pem(&key->raw, text, len, key->algorithm);
    if (result == IA_OK)
        return CL_OK;
    *wrong = apr_psprintf(p, "key %s: %s: %s: %s", key->kid, path, ia_outcome_of(result)->tag, advice_meaning(result));
    return CL_REFUSED;
}

int participants_load_keys(ia_participants *list, apr_pool_t *p, const char *path, const char **wrong)
{
    ia_participant_error error = {NULL};
    int rc = CL_OK;

    *wrong = NULL;
    for (unsigned i = 0; i < list->count; i++)
        for (unsigned k = 0; k < list->list[i].public_key_count && rc == CL_OK; k++)
            if (list->list[i].public_keys[k].file)
                rc = key_load(&list->list[i].public_keys[k], p, path, wrong);
    if (rc != CL_OK || ia_participants_check_keys(list, p, &error) == IA_OK)
        return rc;
    *wrong = error.text;
    return CL_REFUSED;
}
