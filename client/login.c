/* Finds a login in the state, refreshes it, or makes a new one. */
#include "login.h"

#include <string.h>

#include "address.h"
#include "credentials.h"
#include "files.h"
#include "login_exchange.h"
#include "say.h"

#define PROFILE_DEFAULT "hmac-sha256"

ia_challenge_terms login_terms_of(const login *l)
{
    const char *separator = l->held->login.separator;
    ia_challenge_terms terms = {l->profile, separator ? separator : "", l->secret.text};

    return terms;
}

apr_int64_t login_window(const login *l)
{
    return ia_challenge_window(apr_time_now(), l->held->login.lifetime);
}

/* The record the options names. It is new where the options says enough to log in. */
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
 * What is told now counts. It is kept once a login with it has succeeded, which another file, profile or separator than
 * before needs: one that was mistyped must not outlive its call.
 */
static int record_adopt(grant_record *record, apr_pool_t *p, const login_options *options)
{
    login_terms *terms = &record->login, before = *terms;
    const char *file_before = record->secret_file ? record->secret_file : PASSWORD_STDIN; /* which is not kept */

    if (options->password_file)
        record->secret_file = strcmp(options->password_file, PASSWORD_STDIN) == 0
                                  ? PASSWORD_STDIN
                                  : file_absolute(p, options->password_file);
    if (!record->secret_file)
        return say_usage("no password: name its file with --password-file");
    if (options->profile)
        terms->profile = options->profile;
    if (options->separator)
        terms->separator = options->separator;
    if (ia_challenge_profile_named(terms->profile) != IA_CHALLENGE_PROFILE_MD5) {
        if (options->separator)
            return say_usage("--separator belongs to the profile md5");
        terms->separator = NULL;
    }
    if (!is_same(before.profile, terms->profile) || !is_same(before.separator, terms->separator) ||
        !is_same(file_before, record->secret_file))
        record->token = NULL;
    return CL_OK;
}

/* Whoever sees token and signature of profile md5 can call. */
static int cleartext_check(const login *l)
{
    address endpoint;
    int rc = address_parse(&endpoint, l->p, l->held->endpoint, "the endpoint of the grant");

    if (rc != CL_OK || (!endpoint.is_cleartext && !l->options->is_cleartext))
        return rc;
    if (l->profile == IA_CHALLENGE_PROFILE_MD5)
        return say_refused("profile md5 goes over TLS only: everybody on the way could call with what is sent");
    say_warning("%s: without TLS everybody on the way can read what is asked and answered", l->held->endpoint);
    return CL_OK;
}

/* Under the lock, so that of many calls that find no token one logs in and the others use what it got. */
static int token_ensure(login *l, const char *dead_token)
{
    grant_record *record = l->held;
    apr_time_t now = apr_time_now();
    int is_dead = dead_token && record->token && strcmp(record->token, dead_token) == 0, rc;

    if (record->token && !is_dead) {
        if (now <= record->expires)
            return CL_OK;
        /* After another window it cannot be good any more. */
        if (record->can_refresh && now <= record->expires + apr_time_from_sec(record->login.lifetime)) {
            int refreshed = 0;

            if ((rc = login_refresh(l, &refreshed)) != CL_OK || refreshed)
                return rc;
        }
    }
    if ((rc = login_ask(l)) != CL_OK)
        return rc;
    l->asked = 1;
    return CL_OK;
}

static int begin_locked(login *l, state *st, const char *dead_token)
{
    int rc = record_find(&l->held, st, l->p, l->options);

    if (rc != CL_OK || (rc = record_adopt(l->held, l->p, l->options)) != CL_OK)
        return rc;
    l->profile = ia_challenge_profile_named(l->held->login.profile);
    if ((rc = cleartext_check(l)) != CL_OK || (rc = token_ensure(l, dead_token)) != CL_OK)
        return rc;
    return state_save(st);
}

int login_begin(login *out, apr_pool_t *p, const login_options *options, const char *dead_token)
{
    state *st;
    int rc;

    memset(out, 0, sizeof *out);
    out->p = p;
    out->options = options;
    if ((rc = state_open(&st, p, options->state)) != CL_OK)
        return rc;
    rc = begin_locked(out, st, dead_token);
    state_close(st);
    if (rc == CL_OK)
        rc = login_secret(out);
    if (rc != CL_OK)
        login_close(out);
    return rc;
}

void login_close(login *l)
{
    ia_wipe(&l->secret, sizeof l->secret);
}
