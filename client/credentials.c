/* Loads shared secrets, and derives secrets of the challenge protocol from passwords. */
#include "credentials.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "interauth/encoding.h"
#include "interauth/name.h"
#include "say.h"

/* --- shared secrets --- */

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
    return say_refused("%s: a shared secret of %d to %d bytes in base64url without padding expected; create one with: "
                       "interauth secret",
                       source, IA_SECRET_MIN, IA_SECRET_MAX);
}

int secret_key_load(ia_mac_key *key, apr_pool_t *p, const char *path)
{
    const char *variable = getenv(SECRET_VARIABLE);
    apr_size_t len;
    char *text;
    int rc;

    ia_wipe(key, sizeof *key);
    if (!path && !variable)
        return say_usage("no secret: use --secret-file, or set " SECRET_VARIABLE);
    if (!path)
        return key_from_text(key, variable, strlen(variable), SECRET_VARIABLE);
    rc = file_read(&text, &len, p, path, SECRET_FILE_MAX, FILE_SECRET);
    if (rc == CL_OK)
        rc = key_from_text(key, text, len, path);
    if (text)
        ia_wipe(text, len);
    return rc;
}

/* --- passwords --- */

static int is_separator(const char *text)
{
    for (const char *c = text; *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            return 0;
    return strlen(text) <= IA_CHALLENGE_SEPARATOR_MAX;
}

int password_terms_check(const password_terms *terms)
{
    if (terms->separator && !is_separator(terms->separator))
        return say_usage("--separator: at most %d printable ASCII characters", IA_CHALLENGE_SEPARATOR_MAX);
    if (terms->separator && terms->profile != IA_CHALLENGE_PROFILE_MD5)
        return say_usage("--separator requires the profile md5");
    if (terms->domain && !ia_name_is_domain(terms->domain, strlen(terms->domain)))
        return say_usage("--domain takes the server's SAuthChallengeDomain, such as api.example.org, not a URL: "
                         "letters, digits, '.', '-' and '_'");
    return CL_OK;
}

static apr_size_t line_end_strip(const char *text, apr_size_t len)
{
    if (len > 0 && text[len - 1] == '\n')
        len--;
    if (len > 0 && text[len - 1] == '\r')
        len--;
    return len;
}

int password_secret(ia_challenge_secret *out, apr_pool_t *p, const char *path, const password_terms *terms)
{
    apr_size_t len, file_len;
    char *text;
    ia_result result;
    int rc;

    ia_wipe(out, sizeof *out);
    text = NULL;
    rc = strcmp(path, PASSWORD_STDIN) == 0
             ? file_read_stdin(&text, &file_len, p, "--password-file", IA_CHALLENGE_PASSWORD_MAX + 2, FILE_SECRET)
             : file_read(&text, &file_len, p, path, IA_CHALLENGE_PASSWORD_MAX + 2, FILE_SECRET);
    if (rc != CL_OK) {
        if (text)
            ia_wipe(text, file_len);
        return rc;
    }
    len = line_end_strip(text, file_len);
    result = len == 0 || len > IA_CHALLENGE_PASSWORD_MAX
                 ? IA_MALFORMED
                 : ia_challenge_secret_derive(out, terms->profile, terms->separator ? terms->separator : "",
                                              terms->username, text, len, terms->domain);
    ia_wipe(text, file_len);
    if (result == IA_OK)
        return CL_OK;
    ia_wipe(out, sizeof *out);
    if (result < 0)
        return say_fault("%s: the secret could not be derived (%s)", path, ia_outcome_of(result)->tag);
    return say_refused("%s: the password must be 1 to %d bytes long", path, IA_CHALLENGE_PASSWORD_MAX);
}
