/*
 * Checks the digest of the body. This happens in fixups, after authorization: a client without access cannot make the server
 * read, hash or store anything. The result is kept per external request, because a body can be read only once.
 */
#include <httpd.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <string.h>
#include "mod_isign.h"
#include "isign_spool.h"
#include "interauth_notes.h"
#include "intake.h"
#include "problem.h"
#include "request.h"
#include "snapshot.h"

APLOG_USE_MODULE(isign);

static ia_result hash_piece(void *digest, const void *data, apr_size_t len)
{
    return ia_digest_update(digest, data, len);
}

/* The participant whose share of ISignSpoolTotal the body takes. */
static const char *sender_of(request_rec *r, const isign_state *state)
{
    return state->proof ? state->proof->participant : request_note(r, IA_NOTE_SAUTH_PARTICIPANT);
}

/* Reads the body, unless it was read before the client was known. Either way each byte is hashed once. */
static ia_result hash_body(request_rec *r, const isign_dir *conf, ia_digest *digest, isign_state *state)
{
    isign_spool_limits limits = {conf->spool_memory, conf->spool_max, sender_of(r, state), 0};
    const char *text;
    apr_size_t len;
    ia_result rc;

    if (!state->spool)
        return isign_spool_read(&state->spool, r, &limits, hash_piece, digest, &state->body_status);
    rc = isign_spool_text(state->spool, (apr_size_t)conf->spool_max, &text, &len);
    return rc ? rc : ia_digest_update(digest, text, len);
}

static ia_result check_spooled(request_rec *r, const isign_dir *conf, const ia_digest_claim *claim, ia_digest *digest,
                               isign_state *state)
{
    ia_digest_claim computed;
    ia_result rc;

    if (request_has_body(r) && (rc = hash_body(r, conf, digest, state)))
        return rc;
    if ((rc = ia_digest_finish(&computed, digest)) || (rc = ia_digest_compare(claim, &computed)))
        return rc;
    state->algorithms = claim->algorithms;
    return IA_OK;
}

/* Whether the body has a byte: 1, 0, or -1 with *rc set. */
static int find_content(request_rec *r, isign_state *state, ia_result *rc)
{
    int found;

    if (state->spool)
        return isign_spool_length(state->spool) > 0;
    if ((found = intake_has_content(r, &state->body_status)) < 0)
        *rc = state->body_status == HTTP_REQUEST_ENTITY_TOO_LARGE ? IA_BODY_TOO_LARGE : IA_BODY_BROKEN;
    return found;
}

/* Whether a digest is required depends on the location: see judge. */
static ia_result check_digest(request_rec *r, const isign_dir *conf, isign_state *state, int has_content)
{
    const char *field = apr_table_get(isign_fields_of(r), "Content-Digest");
    ia_digest_claim claim = {0};
    ia_digest *digest;
    ia_result rc;

    if (!field)
        return IA_OK;
    if ((rc = ia_digest_parse(&claim, r->pool, field, strlen(field))) ||
        (rc = ia_digest_create(&digest, r->pool, claim.algorithms)))
        return rc;
    if (has_content && !state->spool && intake_of(r)->taken)
        return IA_FAULT_BODY_TAKEN;
    if (conf->body == ISIGN_BODY_SPOOL || !has_content || state->spool)
        return check_spooled(r, conf, &claim, digest, state);
    state->stream = isign_stream_create(r, &claim, digest);
    return IA_OK;
}

static ia_result check(request_rec *r, const isign_dir *conf, isign_state *state)
{
    int was_open = !intake_must_have_content(r), has_content;
    ia_result rc = IA_OK;

    if ((has_content = find_content(r, state, &rc)) < 0)
        return rc;
    state->has_content = has_content;
    if (has_content && was_open && state->proof && (rc = isign_judge(r, conf, state)))
        return rc;
    return check_digest(r, conf, state, has_content);
}

/* A later location of the request may require a digest although the one that checked the body did not. */
static ia_result judge(const isign_dir *conf, const isign_state *state)
{
    if (state->body_rc)
        return state->body_rc;
    return state->has_content && !state->algorithms && !state->stream && conf->level >= ISIGN_DIGEST ? IA_DIGEST_MISSING
                                                                                                     : IA_OK;
}

/*
 * The handler of an earlier pass has read the body, and httpd continues with a page that gets none: the local redirect of a
 * CGI program, or the error page of a failed one.
 */
static int is_left_over(request_rec *r, const isign_state *state)
{
    return r->prev && !state->body_checked && intake_of(r)->taken &&
           (!request_has_body(r) || strcmp(r->method, snapshot_of(r)->method));
}

static void pass_on(request_rec *r, const isign_state *state)
{
    if (state->spool)
        isign_spool_replay(state->spool, r);
    if (state->stream)
        isign_stream_insert(state->stream, r);
}

/* Observe mode tolerates wrong digests and coverage, but a body that was not read to its end cannot be passed on. */
static int is_tolerated(ia_result rc)
{
    if (rc == IA_SIG_DIGEST_UNCOVERED || rc == IA_SIG_COMPONENT_MISSING)
        return 1;
    return rc == IA_DIGEST_MISSING || rc == IA_DIGEST_MALFORMED || rc == IA_DIGEST_UNSUPPORTED ||
           rc == IA_DIGEST_MISMATCH || rc == IA_DIGEST_DEPRECATED;
}

static void write_notes(request_rec *r, const isign_state *state, ia_result rc)
{
    if (state->signature_rc)
        rc = state->signature_rc;
    apr_table_unset(r->notes, IA_NOTE_ISIGN_DIGEST);
    if (state->algorithms)
        apr_table_setn(r->notes, IA_NOTE_ISIGN_DIGEST, ia_digest_names(state->algorithms));
    apr_table_setn(r->notes, IA_NOTE_ISIGN_RESULT,
                   rc                                                          ? ia_outcome_of(rc)->tag
                   : state->stream && !isign_stream_is_verified(state->stream) ? "pending"
                   : state->proof || state->algorithms                         ? "verified"
                                                                               : "none");
}

int isign_check_body(request_rec *r)
{
    isign_dir conf = isign_dir_effective(r);
    int refused = isign_refused(r);
    isign_state *state;
    ia_result rc;

    if (refused || (refused = isign_check_late(r)) > OK)
        return refused;
    if (r->main)
        return DECLINED;
    state = isign_state_of(r);
    if (intake_of(r)->dropped) /* this is the error page */
        return DECLINED;
    if (state->read_rc)
        return isign_refuse(r, state->read_rc, state->read_status); /* the body is incomplete */
    pass_on(r, state);
    if (conf.level == ISIGN_OFF)
        return DECLINED;
    problem_clear(r);
    if (is_left_over(r, state)) {
        intake_drop(r);
        return DECLINED;
    }
    if (!state->body_checked) {
        state->body_checked = 1;
        intake_keep_fields(r);
        state->body_rc = check(r, &conf, state);
        pass_on(r, state);
    }
    rc = judge(&conf, state);
    if (rc && (conf.mode == ISIGN_MODE_ENFORCE || !is_tolerated(rc)))
        return isign_refuse(r, rc, state->body_status);
    if (rc && (state->observed != rc || state->observed_in != r)) /* this hook runs first and last */
        isign_log(r, "would refuse", rc);
    state->observed = rc;
    state->observed_in = r;
    write_notes(r, state, rc);
    return OK;
}
