#include "participants.h"

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
