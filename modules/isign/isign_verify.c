/* The signature of a request: verified once per external request, then judged at each location that the request reaches. */
#include <httpd.h>
#include <http_core.h>
#include <http_log.h>
#include <string.h>
#include "intake.h"
#include "interauth_notes.h"
#include "log_field.h"
#include "mod_isign.h"
#include "request.h"

APLOG_USE_MODULE(isign);

#define JUDGED_NOTE "isign-judged" /* not its address: a later sub-request may have that of one that was destroyed */

static void verify_once(request_rec *r, const isign_dir *conf, isign_state *state)
{
    request_rec *top = request_outermost(r);
    isign_proof *proof;

    if (state->signature_checked || !state->scheme)
        return;
    state->signature_checked = 1;
    if (!isign.registry || !isign.replays) {
        state->signature_rc = IA_FAULT_REGISTRY;
        return;
    }
    proof = apr_pcalloc(top->pool, sizeof *proof);
    if ((state->signature_rc = state->scheme->verify(r, conf, proof)))
        return;
    state->proof = proof;
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "isign: verified%s%s",
                  log_field(r->pool, "participant", proof->participant), log_field(r->pool, "location", r->uri));
}

ia_result isign_judge(request_rec *r, const isign_dir *conf, const isign_state *state)
{
    if (state->signature_rc)
        return state->signature_rc;
    if (!state->proof)
        return conf->level == ISIGN_REQUIRE ? IA_SIG_ABSENT : IA_OK;
    return state->proof->how->judge(r, conf, state->proof);
}

/* Where no authentication is configured, there is nothing to wait for. */
static int is_late(request_rec *r, const isign_state *state)
{
    return state->scheme && state->scheme->phase == ISIGN_AFTER_AUTHENTICATION && ap_auth_type(r);
}

/* A signature that was verified before authentication is compared with the client by mod_sauth. */
static ia_result check_client(request_rec *r, const isign_state *state)
{
    const char *client = request_note(r, IA_NOTE_SAUTH_PARTICIPANT);

    return !client || !state->proof || !strcmp(client, state->proof->participant) ? IA_OK : IA_SIGNER_MISMATCH;
}

static int check(request_rec *r, const isign_dir *conf, isign_state *state)
{
    ia_result rc;

    verify_once(r, conf, state);
    if (!(rc = isign_judge(r, conf, state)) && is_late(r, state))
        rc = check_client(r, state);
    isign_proof_write_notes(r, rc ? NULL : state->proof); /* what this location refuses proves nothing here */
    if (!rc)
        return DECLINED;
    if (conf->mode == ISIGN_MODE_OBSERVE && rc > 0) {
        isign_log(r, "would refuse", rc);
        return DECLINED;
    }
    return isign_refuse(r, rc, 0);
}

/* The error page of a refused request is not checked. */
static int is_checked(request_rec *r, const isign_dir *conf)
{
    return conf->level != ISIGN_OFF && (!intake_of(r)->dropped || r->main);
}

int isign_check_early(request_rec *r)
{
    isign_dir conf = isign_dir_effective(r);
    isign_state *state;

    if (!is_checked(r, &conf))
        return DECLINED;
    state = isign_state_of(r);
    if (!state->scheme) /* the late check must not miss a signature whose field is removed in between */
        state->scheme = isign_scheme_find(r);
    return is_late(r, state) ? DECLINED : check(r, &conf, state);
}

int isign_check_late(request_rec *r)
{
    isign_state *state = isign_state_of(r);
    isign_dir conf;

    if (!is_late(r, state))
        return DECLINED;
    conf = isign_dir_effective(r);
    if (!is_checked(r, &conf) || apr_table_get(r->notes, JUDGED_NOTE))
        return DECLINED;
    apr_table_setn(r->notes, JUDGED_NOTE, "");
    return check(r, &conf, state);
}
