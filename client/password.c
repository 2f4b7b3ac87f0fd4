/* Computes a secret of the challenge protocol from a password. */
#include "password.h"

#include <string.h>

#include "files.h"
#include "interauth/name.h"
#include "say.h"

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
        return say_usage("--separator belongs to the profile md5");
    if (terms->domain && !ia_name_is_domain(terms->domain, strlen(terms->domain)))
        return say_usage("--domain takes the server's SAuthChallengeDomain, such as api.example.org: no URL, only "
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
        return say_fault("%s: Secret could not be computed (%s)", path, ia_outcome_of(result)->tag);
    return say_refused("%s: a password of 1 to %d bytes is expected", path, IA_CHALLENGE_PASSWORD_MAX);
}
