/* Passes attributes of the client to the application as notes, environment and REMOTE_USER, and removes headers. */
#include <httpd.h>
#include <apr_strings.h>
#include <http_core.h>
#include <string.h>
#include "mod_sauth.h"
#include "environment.h"
#include "interauth/encoding.h"
#include "interauth/timestamp.h"
#include "interauth_notes.h"
#include "problem.h"
#include "request.h"
#include "sanitize.h"
#include "sauth_export.h"
#include "sauth_guard.h"
#include "sauth_refuse.h"
#include "snapshot.h"

static const environment_row rows[] = {{IA_NOTE_SAUTH_PARTICIPANT, "SAUTH_PARTICIPANT", "SAuth-Participant"},
                                       {IA_NOTE_SAUTH_CAPABILITIES, "SAUTH_CAPABILITIES", "SAuth-Capabilities"},
                                       {IA_NOTE_SAUTH_SCHEME, "SAUTH_SCHEME", "SAuth-Scheme"},
                                       {IA_NOTE_SAUTH_GRANT, "SAUTH_GRANT", "SAuth-Grant"},
                                       {IA_NOTE_SAUTH_EXPIRES, "SAUTH_EXPIRES", "SAuth-Expires"},
                                       {NULL, NULL, NULL}};

const char *sauth_capability_names(apr_pool_t *p, const ia_capset *set)
{
    apr_array_header_t *names = apr_array_make(p, 8, sizeof(const char *));
    int number = -1;

    while ((number = ia_capset_next(set, number)) >= 0) {
        const char *name = sauth.registry->capability_name(number);

        if (name)
            APR_ARRAY_PUSH(names, const char *) = name;
    }
    return apr_array_pstrcat(p, names, ' ');
}

void sauth_attribute_add(sauth_state *state, const environment_row *row, const char *value)
{
    if (state->attribute_count == SAUTH_ATTRIBUTES)
        return;
    state->attributes[state->attribute_count].row = row;
    state->attributes[state->attribute_count++].value = value;
}

/* Called once for each external request; the attributes are kept in its state. */
static void describe(sauth_state *state)
{
    char *text;

    sauth_attribute_add(state, &rows[0], state->entry.id);
    sauth_attribute_add(state, &rows[1], sauth_capability_names(state->pool, &state->capabilities));
    sauth_attribute_add(state, &rows[2], state->presentation->name);
    if (state->presentation->has_grant) {
        text = apr_palloc(state->pool, IA_BASE64URL_SIZE(IA_GRANT_ID_LEN));
        ia_base64url_encode(text, state->grant_id, IA_GRANT_ID_LEN);
        sauth_attribute_add(state, &rows[3], text);
        text = apr_palloc(state->pool, IA_RFC3339_SIZE);
        ia_timestamp_format(text, state->grant.expires);
        sauth_attribute_add(state, &rows[4], text);
    }
    if (state->presentation->describe)
        state->presentation->describe(state);
}

void sauth_notes_write(request_rec *r, sauth_state *state)
{
    int i;

    if (!state->attribute_count)
        describe(state);
    for (i = 0; i < state->attribute_count; i++)
        apr_table_addn(r->notes, state->attributes[i].row->note, state->attributes[i].value);
}

static void clear(request_rec *r, const environment_row *row)
{
    for (; row && row->note; row++)
        apr_table_unset(r->notes, row->note);
}

void sauth_notes_clear(request_rec *r)
{
    const sauth_presentation **each, *p;

    clear(r, rows);
    for (each = sauth_presentations; (p = *each); each++)
        clear(r, p->attributes);
}

static void export(request_rec *r, const sauth_state *state, environment_way way)
{
    int i;

    for (i = 0; i < state->attribute_count; i++)
        environment_set(r, state->attributes[i].row, state->attributes[i].value, way);
}

/* Whether the Authorization header is for this module: it was verified here, or its scheme and location are ours. */
static int is_own_authorization(request_rec *r, const sauth_state *state)
{
    if (state && state->decided && !state->rc)
        return 1;
    return ((state && state->decided) || sauth_is_ours(r)) && sauth_presentation_reads(snapshot_of(r)->authorization);
}

/*
 * The last hook before the handler, so that no other hook restores what is removed here. It runs for sub-requests and
 * internal redirects too, because they may lead to the application at a location that is not protected itself.
 */
int sauth_fixups(request_rec *r)
{
    sauth_state *state = sauth_state_find(r);
    sauth_dir conf;

    sanitize_environment(r, "SAUTH_");
    sanitize_inbound(r); /* again: trailers may have been merged into the headers */
    conf = sauth_dir_effective(r);
    if (!sauth_guard_passes(r, &conf, state))
        return sauth_refuse(r, IA_LOCATION_UNGUARDED, NULL, 60);
    if (!conf.pass_authorization && is_own_authorization(r, state))
        sanitize_authorization(r, snapshot_of(r)->authorization, state && state->proven);
    if (state)
        state->passed = r;
    if (!state || !state->decided)
        return DECLINED;
    if (state->rc || state->denied)
        problem_clear(r);
    if (state->denied_in == r)
        state->denied = IA_OK;
    if (r->user && !*r->user)
        r->user = NULL; /* observe mode: the client is anonymous */
    if (state->rc || !state->attribute_count)
        return OK;
    if (!r->user)
        r->user = apr_pstrdup(r->pool, state->entry.id);
    if (!r->ap_auth_type)
        r->ap_auth_type = SAUTH_AUTH_TYPE;
    export(r, state, conf.pass == SAUTH_PASS_HEADERS ? ENVIRONMENT_HEADERS : ENVIRONMENT_VARIABLES);
    return OK;
}

int sauth_is_private(request_rec *r)
{
    sauth_state *state = sauth_state_find(r);

    if (!state || !state->decided || !state->proven)
        return 0;
    if (state->presentation && state->presentation->complete) /* a login has verified a client without one */
        state->presentation->complete(r, state);
    return 1;
}
