/*
 * The body's digest. It runs in fixups, after authorization: a caller that may not come in cannot make the server read,
 * hash or store anything. What was found stays on the outermost request, because a body can be read only once.
 */
#include <httpd.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <string.h>
#include "mod_isign.h"
#include "environment.h"
#include "hygiene.h"
#include "interauth_notes.h"
#include "problem.h"
#include "request.h"

APLOG_USE_MODULE(isign);

/* What is known about the body of one external request. */
typedef struct body_state {
    isign_spool *spool; /* NULL where the request has no body */
    ia_result rc;
    int status;         /* httpd's own, where it is better than the outcome's */
    unsigned algorithms; /* verified */
} body_state;

static const environment_row rows[] = {{IA_NOTE_ISIGN_RESULT, "ISIGN_RESULT", "ISign-Result"},
                                       {IA_NOTE_ISIGN_DIGEST, "ISIGN_DIGEST", "ISign-Digest"},
                                       {NULL, NULL, NULL}};

static body_state *state_find(request_rec *r)
{
    return ap_get_module_config(request_outermost(r)->request_config, &isign_module);
}

static int has_body(request_rec *r)
{
    const char *length = apr_table_get(r->headers_in, "Content-Length");

    return apr_table_get(r->headers_in, "Transfer-Encoding") || (length && strcmp(length, "0"));
}

static ia_result hash_piece(void *digest, const void *data, apr_size_t len)
{
    return digest ? ia_digest_update(digest, data, len) : IA_OK;
}

/* Reads the body, if there is one, and holds it against the claim. */
static ia_result verify(request_rec *r, const isign_dir *conf, const ia_digest_claim *claim, body_state *state)
{
    ia_digest_claim computed;
    ia_digest *digest = NULL;
    ia_result rc;

    if (claim->algorithms && (rc = ia_digest_create(&digest, r->pool, claim->algorithms)))
        return rc;
    if (has_body(r) && (rc = isign_spool_read(&state->spool, r, conf->spool_memory, conf->spool_max, hash_piece, digest,
                                              &state->status)))
        return rc;
    if (!digest)
        return IA_OK;
    if ((rc = ia_digest_finish(&computed, digest)) || (rc = ia_digest_compare(claim, &computed)))
        return rc;
    state->algorithms = claim->algorithms;
    return IA_OK;
}

static ia_result check(request_rec *r, const isign_dir *conf, body_state *state)
{
    const char *field = apr_table_get(r->headers_in, "Content-Digest");
    ia_digest_claim claim = {0};
    ia_result rc = IA_OK;

    if (field)
        rc = ia_digest_parse(&claim, r->pool, field, strlen(field));
    else if (has_body(r))
        rc = IA_DIGEST_MISSING;
    if (rc)
        return rc;
    return claim.algorithms ? verify(r, conf, &claim, state) : IA_OK;
}

static void log_outcome(request_rec *r, const char *what, ia_result rc)
{
    const ia_outcome *outcome = ia_outcome_of(rc);
    const char *participant = request_note(r, IA_NOTE_SAUTH_PARTICIPANT);

    ap_log_rerror(APLOG_MARK, outcome->severity == IA_SEVERITY_FAULT ? APLOG_ERR : APLOG_WARNING, 0, r,
                  "isign: %s reason=%s%s%s%s location=\"%s\"", what, outcome->tag,
                  participant ? " participant=\"" : "", participant ? participant : "", participant ? "\"" : "", r->uri);
}

static int refuse(request_rec *r, const body_state *state)
{
    log_outcome(r, "refused", state->rc);
    if (state->rc == IA_DIGEST_MISSING || state->rc == IA_DIGEST_UNSUPPORTED || state->rc == IA_DIGEST_DEPRECATED)
        apr_table_setn(r->err_headers_out, "Want-Content-Digest", IA_WANT_CONTENT_DIGEST);
    if (state->rc == IA_BODY_BROKEN && state->status && state->status != HTTP_BAD_REQUEST)
        return state->status;
    return problem_set(r, state->rc, NULL, 0);
}

/* In observe mode only what the digest says is forgiven: a body that could not be read whole cannot be passed on. */
static int is_forgivable(ia_result rc)
{
    return rc == IA_DIGEST_MISSING || rc == IA_DIGEST_MALFORMED || rc == IA_DIGEST_UNSUPPORTED ||
           rc == IA_DIGEST_MISMATCH || rc == IA_DIGEST_DEPRECATED;
}

static void write_notes(request_rec *r, const body_state *state)
{
    apr_table_unset(r->notes, IA_NOTE_ISIGN_DIGEST);
    if (state->algorithms)
        apr_table_setn(r->notes, IA_NOTE_ISIGN_DIGEST, ia_digest_names(state->algorithms));
    apr_table_setn(r->notes, IA_NOTE_ISIGN_RESULT,
                   state->rc ? ia_outcome_of(state->rc)->tag : state->algorithms ? "verified" : "none");
}

int isign_check_body(request_rec *r)
{
    isign_dir conf = isign_dir_effective(r);
    body_state *state = state_find(r);

    if (state && state->spool && !r->main)
        isign_spool_replay(state->spool, r);
    if (conf.mode == ISIGN_OFF || r->main)
        return DECLINED;
    if (!state) {
        state = apr_pcalloc(r->pool, sizeof *state);
        ap_set_module_config(request_outermost(r)->request_config, &isign_module, state);
        state->rc = check(r, &conf, state);
        if (state->spool)
            isign_spool_replay(state->spool, r);
    }
    if (state->rc && (conf.mode == ISIGN_REQUIRE || !is_forgivable(state->rc)))
        return refuse(r, state);
    if (state->rc)
        log_outcome(r, "would refuse", state->rc);
    write_notes(r, state);
    return OK;
}

int isign_export(request_rec *r)
{
    hygiene_strip_environment(r, "ISIGN_");
    environment_export(r, rows, ENVIRONMENT_VARIABLES);
    return OK;
}
