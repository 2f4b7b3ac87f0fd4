/* Provides the grant and the nonce for one call, and stores the nonces that come back. */
#include "session.h"

#include <string.h>

#include <apr_strings.h>

#include "capabilities.h"
#include "credentials.h"
#include "exchange.h"
#include "files.h"
#include "grant_text.h"
#include "say.h"

/* Finds the record that the options name, or adds one if they are enough to request a grant. */
static int record_find(grant_record **out, state *st, apr_pool_t *p, const session_options *options)
{
    grant_record *record = NULL;

    if (options->name || !options->endpoint || !options->uid || !options->capabilities)
        return state_select(out, st, RECORD_GRANT, options->name, options->endpoint, options->uid, options->origin);
    record = state_find(st, options->endpoint, options->uid);
    if (!record) {
        record = state_add(st, options->endpoint, options->uid);
        record->access_for = options->capabilities;
        record->hash = options->hash;
        record->secret_file = options->secret_file ? file_absolute(p, options->secret_file) : NULL;
        record->ca_file = options->ca_file ? file_absolute(p, options->ca_file) : NULL;
    }
    *out = record;
    return state_name(st, record, NULL);
}

static int is_valid(const grant_record *record, const char *rejected_token)
{
    return record->token && record->expires > apr_time_now() &&
           (!rejected_token || strcmp(record->token, rejected_token) != 0);
}

/*
 * If the grant lacks a capability that this call needs, a new grant is requested, with the old capabilities too, because
 * other calls rely on them. What was requested before and not granted is not requested again, or every call would request a
 * new grant from a service that grants less.
 */
static int widen(grant_record *record, apr_pool_t *p, const session_options *options)
{
    const apr_array_header_t *missing =
        capabilities_missing(p, options->capabilities, record->access_to, record->access_for);

    if (!record->token)
        return 0;
    if (missing->nelts == 0) {
        missing = capabilities_missing(p, options->capabilities, record->access_to, NULL);
        if (missing->nelts > 0)
            say_note("grant %s lacks %s, which was requested but not granted; to request it again: %s", record->name,
                     capabilities_text(p, missing), grant_command(p, record));
        return 0;
    }
    say_note("grant %s lacks %s", record->name, capabilities_text(p, missing));
    record->access_for =
        apr_array_append(p, capabilities_missing(p, record->access_to, record->access_for, NULL), record->access_for);
    apr_array_cat(record->access_for, missing);
    return 1;
}

/* Runs under the lock: of many calls that find no grant, one requests it and the others use it. */
static int grant_ensure(session *s, grant_record *record, apr_pool_t *p, const char *rejected_token)
{
    int rc;

    if (!widen(record, p, s->options) && is_valid(record, rejected_token))
        return CL_OK;
    if (record->access_for->nelts == 0)
        return say_refused("grant %s %s; request a new one with: %s", record->name,
                           rejected_token ? "is no longer accepted" : "has expired", grant_command(p, record));
    rc = exchange_grant(record, p, &s->key);
    if (rc == CL_REFUSED)
        say_note("a new grant was refused%s; if the secret or the capabilities have changed: %s",
                 rejected_token ? " too" : "", grant_command(p, record));
    if (rc != CL_OK)
        return rc;
    s->is_new = 1;
    if (s->options->secret_file)
        record->secret_file = file_absolute(p, s->options->secret_file);
    say_note("obtained a new grant from %s", record->endpoint);
    return CL_OK;
}

static int begin_locked(session *s, apr_pool_t *p, state *st, const char *rejected_token)
{
    const session_options *options = s->options;
    grant_record *record;
    const char *nonce;
    int rc = record_find(&record, st, p, options);

    if (rc != CL_OK)
        return rc;
    rc = secret_key_load(&s->key, p, options->secret_file ? options->secret_file : record->secret_file);
    if (rc == CL_USAGE)
        say_note("or request the grant again: %s", grant_command(p, record));
    if (rc != CL_OK || (rc = grant_ensure(s, record, p, rejected_token)) != CL_OK)
        return rc;
    nonce = record_take_nonce(record);
    if ((rc = state_save(st)) != CL_OK)
        return rc;
    s->record = record;
    s->nonce_was_stored = !!nonce;
    apr_cpystrn(s->nonce, nonce ? nonce : "", sizeof s->nonce);
    return CL_OK;
}

int session_begin(session *out, apr_pool_t *p, const session_options *options, const char *rejected_token)
{
    state *st;
    int rc;

    memset(out, 0, sizeof *out);
    out->options = options;
    if ((rc = state_open(&st, p, options->state)) != CL_OK)
        return rc;
    rc = begin_locked(out, p, st, rejected_token);
    state_close(st);
    if (rc != CL_OK) {
        session_close(out);
        return rc;
    }
    if (!*out->nonce)
        exchange_nonce(out->nonce, p, out->record);
    return CL_OK;
}

void session_keep(const session *s, apr_pool_t *p, const char *nonce, int drop)
{
    grant_record *record;
    state *st;

    if ((!nonce && !drop) || state_open(&st, p, s->options->state) != CL_OK)
        return;
    record = state_find(st, s->record->endpoint, s->record->uid);
    if (record && record->token && strcmp(record->token, s->record->token) == 0) {
        if (drop)
            apr_array_clear(record->nonces);
        if (nonce)
            record_add_nonce(record, p, nonce);
        state_save(st);
    }
    state_close(st);
}

static int names_file(apr_pool_t *p, const grant_record *record, const char *secret_file)
{
    return record->secret_file && strcmp(record->secret_file, file_absolute(p, secret_file)) == 0;
}

void session_keep_secret(const session *s, apr_pool_t *p)
{
    grant_record *record;
    state *st;

    if (!s->options->secret_file || names_file(p, s->record, s->options->secret_file) ||
        state_open(&st, p, s->options->state) != CL_OK)
        return;
    record = state_find(st, s->record->endpoint, s->record->uid);
    if (record && record->token && strcmp(record->token, s->record->token) == 0) {
        record->secret_file = file_absolute(p, s->options->secret_file);
        state_save(st);
    }
    state_close(st);
}

void session_close(session *s)
{
    ia_wipe(&s->key, sizeof s->key);
}
