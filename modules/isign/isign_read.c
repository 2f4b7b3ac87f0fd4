/*
 * A body that is read before its client is known, for a protocol that names the client in it. Who comes later, the digest
 * and the app, finds it in the spool: a body can be read only once.
 */
#include <httpd.h>
#include <apr_strings.h>
#include "mod_isign.h"
#include "isign_spool.h"
#include "intake.h"
#include "request.h"

static ia_result pass_over(void *context, const void *data, apr_size_t len)
{
    (void)context, (void)data, (void)len;
    return IA_OK;
}

/* A sub-request has no body of its own. */
static request_rec *owner_of(request_rec *r)
{
    while (r->main)
        r = r->main;
    return r;
}

static ia_result read_whole(request_rec *r, apr_size_t max, isign_state *state)
{
    isign_spool_limits limits = {(apr_off_t)max, (apr_off_t)max, NULL, 1};
    ia_result rc = isign_spool_read(&state->spool, r, &limits, pass_over, NULL, &state->read_status);

    if (!rc)
        isign_spool_replay(state->spool, r);
    return rc;
}

int isign_read_body(request_rec *r, apr_size_t max, const char **text, apr_size_t *len, int *status)
{
    isign_state *state = isign_state_of(r);
    request_rec *owner = owner_of(r);

    *text = "";
    *len = 0;
    *status = 0;
    if (!state->spool && !state->read_rc && !intake_may_have_content(owner))
        return IA_OK;
    if (!state->spool && !state->read_rc) {
        if (isign_announces_more(owner, (apr_off_t)max))
            return IA_BODY_TOO_LARGE; /* nothing of it was read */
        state->read_rc = read_whole(owner, max, state);
    }
    *status = state->read_status;
    return state->read_rc ? state->read_rc : isign_spool_text(state->spool, max, text, len);
}
