/*
 * The ways in which a request shows who calls, and what holds for the grant behind each of them. A new presentation is a
 * row here and a file of its own.
 */
#include <httpd.h>
#include <string.h>
#include "mod_sauth.h"
#include "sauth_presentation.h"
#include "interauth_notes.h"
#include "request.h"
#include "snapshot.h"

static int is_signed(request_rec *r, const sauth_dir *conf)
{
    (void)conf;
    return request_note(r, IA_NOTE_ISIGN_PARTICIPANT) != NULL;
}

static const sauth_presentation presentations[] = {
    {"sauth", IA_PRESENT_SAUTH, NULL, sauth_present_sauth, NULL},
    {"signature", IA_PRESENT_SIGNATURE, is_signed, sauth_present_signature, NULL},
    {"challenge", IA_PRESENT_CHALLENGE, sauth_challenge_is_shown, sauth_present_challenge, sauth_challenge_login},
    {NULL, 0, NULL, NULL, NULL}};

const sauth_presentation *sauth_presentation_named(const char *word)
{
    const sauth_presentation *p;

    for (p = presentations; p->word; p++)
        if (!strcasecmp(p->word, word))
            return p;
    return NULL;
}

/* An Authorization that is there decides alone: no other way is looked at, whatever becomes of it. */
const sauth_presentation *sauth_presentation_shown(request_rec *r, const sauth_dir *conf)
{
    int by_header = snapshot_of(r)->authorization != NULL;
    const sauth_presentation *p;

    for (p = presentations; p->word; p++)
        if (conf->accept & p->bit && (by_header ? !p->is_shown : p->is_shown && p->is_shown(r, conf)))
            return p;
    return NULL;
}

ia_result sauth_grant_find(sauth_state *state, const char *token, apr_size_t len)
{
    unsigned char digest[IA_SHA256_LEN];
    ia_bytes part = {token, len};
    ia_result rc;

    ia_sha256(digest, &part, 1);
    rc = st_grant_find(sauth.grants, digest, &state->grant, &state->ref);
    if (!rc)
        rc = sauth.registry->get(&state->entry, state->grant.participant_index, state->grant.participant_generation);
    if (!rc)
        memcpy(state->grant_id, state->grant.id, IA_GRANT_ID_LEN);
    return rc;
}

ia_result sauth_grant_check(const sauth_state *state, ia_presentation shown_as, int still_has_secret, apr_time_t now)
{
    if (state->grant.presentation != (apr_uint32_t)shown_as)
        return IA_PRESENTATION_MISMATCH;
    if (state->grant.expires <= now)
        return IA_GRANT_EXPIRED;
    return still_has_secret ? IA_OK : IA_SECRET_ROTATED;
}

ia_result sauth_grant_open(sauth_state *state, apr_time_t now)
{
    ia_result rc = ia_entitlement_check(&state->entry.entitlement, now);

    if (!rc)
        ia_capset_intersect(&state->capabilities, &state->grant.capabilities, &state->entry.entitlement.capabilities);
    return rc;
}
