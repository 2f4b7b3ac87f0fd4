/*
 * Presentation "signature": a message signature identifies the client. mod_isign verifies it and passes the
 * participant in a note. There is no grant; the client has all capabilities of the participant.
 */
#include <httpd.h>
#include <apr_optional.h>
#include <apr_strings.h>
#include <http_config.h>
#include <string.h>
#include "clock.h"
#include "interauth_isign.h"
#include "interauth_notes.h"
#include "mod_sauth.h"
#include "request.h"
#include "sauth_config_lint.h"
#include "sauth_state.h"
#include "section.h"
#include "signature.h"

static APR_OPTIONAL_FN_TYPE(isign_ask) * ask_for_signature; /* NULL without mod_isign */

static int is_shown(request_rec *r, const sauth_dir *conf)
{
    (void)conf;
    return request_note(r, IA_NOTE_ISIGN_PARTICIPANT) != NULL;
}

static ia_result check(request_rec *r, const sauth_dir *conf, sauth_state *state)
{
    ia_result rc = sauth.registry->find(&state->entry, request_note(r, IA_NOTE_ISIGN_PARTICIPANT));

    (void)conf;
    ia_wipe(state->entry.secrets, sizeof state->entry.secrets);
    if (rc)
        return rc;
    state->proven = 1;
    if ((rc = ia_entitlement_check(&state->entry.entitlement, clock_now())))
        return rc;
    state->capabilities = state->entry.entitlement.capabilities;
    return IA_OK;
}

/* Accept-Signature in the same response describes the required signature. */
static const char *challenge(request_rec *r, const char *realm, ia_result rc)
{
    (void)rc;
    if (ask_for_signature)
        ask_for_signature(r);
    return apr_pstrcat(r->pool, "Signature realm=\"", realm, "\"", NULL);
}

static int accepts_signature(apr_pool_t *p, const ap_directive_t *d)
{
    return section_has_word(p, d, "SAuthAccept", "signature");
}

/* mod_isign has better warnings of its own. */
static void lint(apr_pool_t *ptemp, server_rec *s)
{
    const ap_directive_t *accepts = section_find_below(ptemp, NULL, accepts_signature);

    if (accepts && !ap_find_linked_module("mod_isign.c"))
        sauth_lint_warn(ptemp, s, accepts, "signatures are not verified unless mod_isign is loaded");
}

static void find_isign(void)
{
    ask_for_signature = APR_RETRIEVE_OPTIONAL_FN(isign_ask);
}

static void register_hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_optional_fn_retrieve(find_isign, NULL, NULL, APR_HOOK_MIDDLE);
}

static const sauth_presentation signature_presentation = {
    .word = "signature",
    .name = "signature",
    .bit = 8,
    .is_shown = is_shown,
    .check = check,
    .challenge = challenge,
};

static const sauth_presentation *const presentations[] = {&signature_presentation, NULL};

const sauth_dialect signature_dialect = {
    .name = "signature",
    .presentations = presentations,
    .lint = lint,
    .register_hooks = register_hooks,
};
