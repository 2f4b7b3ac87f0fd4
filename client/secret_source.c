/* Reads the shared secret from a file or from INTERAUTH_SECRET. */
#include "secret_source.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "interauth/encoding.h"
#include "say.h"

ia_result secret_decode(unsigned char *out, apr_size_t *len, const char *text, apr_size_t text_len)
{
    ia_result rc;

    while (text_len > 0 && isspace((unsigned char)text[text_len - 1]))
        text_len--;
    while (text_len > 0 && isspace((unsigned char)*text)) {
        text++;
        text_len--;
    }
    if ((rc = ia_base64url_decode(out, IA_SECRET_MAX, len, text, text_len)) != IA_OK)
        return rc;
    return *len < IA_SECRET_MIN ? IA_SECRET_MISSING : IA_OK;
}

static int key_from_text(ia_mac_key *key, const char *text, apr_size_t text_len, const char *source)
{
    unsigned char bytes[IA_SECRET_MAX];
    apr_size_t len = 0;
    ia_result rc = secret_decode(bytes, &len, text, text_len);

    if (rc == IA_OK)
        rc = ia_mac_key_load(key, bytes, len);
    ia_wipe(bytes, sizeof bytes);
    if (rc == IA_OK)
        return CL_OK;
    if (rc == IA_SECRET_MISSING)
        return say_refused("%s: the secret is shorter than %d bytes", source, IA_SECRET_MIN);
    return say_refused("%s: not a secret in base64url without padding, of %d to %d bytes", source, IA_SECRET_MIN,
                       IA_SECRET_MAX);
}

int secret_key_load(ia_mac_key *key, apr_pool_t *p, const char *path)
{
    const char *variable = getenv(SECRET_VARIABLE);
    apr_size_t len;
    char *text;
    int rc;

    ia_wipe(key, sizeof *key);
    if (!path && !variable)
        return say_usage("no secret: name its file with --secret-file, or set " SECRET_VARIABLE);
    if (!path)
        return key_from_text(key, variable, strlen(variable), SECRET_VARIABLE);
    rc = file_read(&text, &len, p, path, SECRET_FILE_MAX, FILE_SECRET);
    if (rc == CL_OK)
        rc = key_from_text(key, text, len, path);
    if (text)
        ia_wipe(text, len);
    return rc;
}
