/* Finds a login in the state and renews it if necessary. */
#include "login.h"

#include <string.h>

#include "address.h"
#include "credentials.h"
#include "files.h"
#include "say.h"

#define PROFILE_DEFAULT "hmac-sha256"

/* Finds the record that the options name, or adds one if they are enough to log in. */
static int record_find(grant_record **out, state *st, apr_pool_t *p, const login_options *options)
{
    grant_record *record;

    if (options->name || !options->endpoint || !options->uid || !options->password_file)
        return state_select(out, st, RECORD_LOGIN, options->name, options->endpoint, options->uid, options->origin);
    if (!(record = state_find(st, options->endpoint, options->uid))) {
        record = state_add(st, options->endpoint, options->uid);
        record->login.profile = PROFILE_DEFAULT;
        record->ca_file = options->ca_file ? file_absolute(p, options->ca_file) : NULL;
    }
    *out = record;
    return state_name(st, record, NULL);
}

static int is_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/*
 * Options given now override the record. Another password file, profile or separator needs a new login, and the state is
 * saved only after it has succeeded: a mistyped option must not stay.
 */
static int record_update(grant_record *record, apr_pool_t *p, const login_options *options)
{
    login_terms *terms = &record->login, before = *terms;
    const char *file_before = record->secret_file ? record->secret_file : PASSWORD_STDIN; /* not saved */

    if (options->password_file)
        record->secret_file = strcmp(options->password_file, PASSWORD_STDIN) == 0
                                  ? PASSWORD_STDIN
                                  : file_absolute(p, options->password_file);
    if (!record->secret_file)
        return say_usage("no password: use --password-file");
    if (options->profile)
        terms->profile = options->profile;
    if (options->separator)
        terms->separator = options->separator;
    if (ia_challenge_profile_named(terms->profile) != IA_CHALLENGE_PROFILE_MD5) {
        if (options->separator)
            return say_usage("--separator requires the profile md5");
        terms->separator = NULL;
    }
    if (!is_same(before.profile, terms->profile) || !is_same(before.separator, terms->separator) ||
        !is_same(file_before, record->secret_file))
        record->token = NULL;
    return CL_OK;
}

/* With md5, anyone who sees token and signature can make calls of their own. */
static int cleartext_check(const login *l, const login_options *options)
{
    address endpoint;
    int rc = address_parse(&endpoint, l->p, l->record->endpoint, "the endpoint of the grant");

    if (rc != CL_OK || (!endpoint.is_cleartext && !options->is_cleartext))
        return rc;
    if (l->profile == IA_CHALLENGE_PROFILE_MD5)
        return say_refused(
            "profile md5 requires TLS: anyone on the network path could make calls with the token and signature");
    say_warning("%s: without TLS, anyone on the network path can read requests and responses", l->record->endpoint);
    return CL_OK;
}

/* Runs under the lock: of many calls that find no token, one logs in and the others use its token. */
static int token_ensure(login *l, const char *rejected_token)
{
    grant_record *record = l->record;
    apr_time_t now = apr_time_now();
    int is_rejected = rejected_token && record->token && strcmp(record->token, rejected_token) == 0, rc;

    if (record->token && !is_rejected) {
        if (now <= record->expires)
            return CL_OK;
        /* A token cannot be refreshed later than one window after its own. */
        if (record->can_refresh && now <= record->expires + apr_time_from_sec(record->login.lifetime)) {
            int refreshed = 0;

            if ((rc = login_refresh(l, &refreshed)) != CL_OK || refreshed)
                return rc;
        }
    }
    if ((rc = login_authenticate(l)) != CL_OK)
        return rc;
    l->is_new = 1;
    return CL_OK;
}

static int begin_locked(login *l, state *st, const login_options *options, const char *rejected_token)
{
    int rc = record_find(&l->record, st, l->p, options);

    if (rc != CL_OK || (rc = record_update(l->record, l->p, options)) != CL_OK)
        return rc;
    l->profile = ia_challenge_profile_named(l->record->login.profile);
    if ((rc = cleartext_check(l, options)) != CL_OK || (rc = token_ensure(l, rejected_token)) != CL_OK)
        return rc;
    return state_save(st);
}

int login_begin(login *out, apr_pool_t *p, const login_options *options, const char *rejected_token)
{
    state *st;
    int rc;

    memset(out, 0, sizeof *out);
    out->p = p;
    out->ca_file = options->ca_file;
    if ((rc = state_open(&st, p, options->state)) != CL_OK)
        return rc;
    rc = begin_locked(out, st, options, rejected_token);
    state_close(st);
    if (rc == CL_OK)
        rc = login_derive_secret(out);
    if (rc != CL_OK)
        login_end(out);
    return rc;
}

void login_end(login *l)
{
    ia_wipe(&l->secret, sizeof l->secret);
}
