/*
 * Presentation "signature": the message itself shows who sent it. mod_isign verified it and left the participant in a
 * note; there is no token and no grant, the participant's capabilities are what it may do.
 */
#include <httpd.h>
#include <string.h>
#include "clock.h"
#include "mod_sauth.h"
#include "sauth_presentation.h"
#include "interauth_notes.h"
#include "request.h"

ia_result sauth_present_signature(request_rec *r, const sauth_dir *conf, sauth_state *state)
{
    ia_result rc = sauth.registry->find(&state->entry, request_note(r, IA_NOTE_ISIGN_PARTICIPANT));

    ia_wipe(state->entry.secrets, sizeof state->entry.secrets);
    if (rc)
        return rc;
    state->proven = 1;
    if ((rc = ia_entitlement_check(&state->entry.entitlement, clock_now())))
        return rc;
    state->grant.presentation = IA_PRESENT_SIGNATURE;
    state->grant.scope = conf->scope;
    state->capabilities = state->entry.entitlement.capabilities;
    return IA_OK;
}
