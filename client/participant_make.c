/* Runs `interauth participant make`. */
#include "participant_make.h"

#include <string.h>

#include "capabilities.h"
#include "credentials.h"
#include "interauth/json.h"
#include "interauth/name.h"
#include "say.h"

#define PROFILES 2

static int profile_add(ia_challenge_profile *profiles, unsigned *count, const char *name)
{
    ia_challenge_profile profile = ia_challenge_profile_named(name);

    if (profile == IA_CHALLENGE_PROFILE_NONE)
        return say_usage("--profile takes hmac-sha256 or md5");
    for (unsigned i = 0; i < *count; i++)
        if (profiles[i] == profile)
            return say_usage("--profile %s is given twice", name);
    profiles[(*count)++] = profile;
    return CL_OK;
}

static int profiles_read(ia_challenge_profile profiles[PROFILES], unsigned *count, const apr_array_header_t *names)
{
    int rc = CL_OK;

    *count = 0;
    if (!names)
        profiles[(*count)++] = IA_CHALLENGE_PROFILE_HMAC;
    for (int i = 0; names && i < names->nelts && rc == CL_OK; i++)
        rc = profile_add(profiles, count, APR_ARRAY_IDX(names, i, const char *));
    return rc;
}

static void head_write(ia_json_writer *w, const char *id, const participant_options *options,
                       const apr_array_header_t *capabilities)
{
    ia_json_write_member(w, "id", id);
    ia_json_write_member(w, "status", "approved");
    ia_json_write_name(w, "capabilities");
    ia_json_write_array(w);
    for (int i = 0; capabilities && i < capabilities->nelts; i++)
        ia_json_write_string(w, APR_ARRAY_IDX(capabilities, i, const char *));
    ia_json_write_end(w);
    if (options->allow_refresh) {
        ia_json_write_name(w, "allow_refresh");
        ia_json_write_bool(w, 1);
    }
}

/* The separator matters only for md5. */
static int secrets_write(ia_json_writer *w, apr_pool_t *p, const char *id, const participant_options *options,
                         const ia_challenge_profile *profiles, unsigned count)
{
    ia_challenge_secret secret;
    int rc = CL_OK;

    ia_json_write_name(w, "challenge_secret");
    ia_json_write_object(w);
    for (unsigned i = 0; i < count && rc == CL_OK; i++) {
        const password_terms terms = {profiles[i], options->separator, id, options->domain};

        rc = password_secret(&secret, p, options->password_file, &terms);
        if (rc == CL_OK)
            ia_json_write_member(w, ia_challenge_profile_name(profiles[i]), secret.text);
    }
    ia_json_write_end(w);
    ia_wipe(&secret, sizeof secret);
    return rc;
}

int participant_make(const char **out, apr_pool_t *p, const char *id, const participant_options *options, int compact)
{
    ia_json_writer *w = compact ? ia_json_writer_create(p) : ia_json_writer_create_pretty(p);
    ia_challenge_profile profiles[PROFILES];
    password_terms terms = {IA_CHALLENGE_PROFILE_HMAC, options->separator, id, options->domain};
    apr_array_header_t *capabilities;
    unsigned count;
    int rc;

    *out = NULL;
    if (!options->password_file || !options->domain)
        return say_usage("make requires --%s", options->password_file ? "domain" : "password-file");
    if ((rc = profiles_read(profiles, &count, options->profiles)) != CL_OK ||
        (rc = capabilities_read(&capabilities, p, options->capabilities, 0)) != CL_OK)
        return rc;
    if (!ia_name_is_id(id, strlen(id)))
        return say_usage("ID: 1 to %d printable ASCII characters without space, quote or backslash", IA_NAME_MAX);
    for (unsigned i = 0; i < count; i++)
        if (profiles[i] == IA_CHALLENGE_PROFILE_MD5)
            terms.profile = IA_CHALLENGE_PROFILE_MD5;
    if ((rc = password_terms_check(&terms)) != CL_OK)
        return rc;
    if (terms.profile == IA_CHALLENGE_PROFILE_MD5)
        say_warning("md5 is only for clients without hmac-sha256: anyone who sees their calls can make others");
    ia_json_write_object(w);
    head_write(w, id, options, capabilities);
    if ((rc = secrets_write(w, p, id, options, profiles, count)) != CL_OK)
        return rc;
    ia_json_write_end(w);
    *out = ia_json_writer_text(w, NULL);
    return CL_OK;
}
