/*
 * What the log says about a refused signature in addition to the reason: the signer, proven or claimed, the key, and what
 * the signature lacks. Never a signature or a secret. Text of a client is escaped and cut.
 */
#include <httpd.h>
#include <apr_strings.h>
#include <string.h>
#include "log_field.h"
#include "mod_isign.h"
#include "request.h"

#define SHOWN_MAX 300 /* bytes of a client's text */

const char *isign_log_text(apr_pool_t *p, const char *name, const char *text)
{
    return log_field_cut(p, name, text, strlen(text), SHOWN_MAX);
}

const char *isign_log_missing(apr_pool_t *p, const isign_proof *proof, const char *const *components, unsigned count)
{
    apr_array_header_t *missing = apr_array_make(p, 4, sizeof(const char *));
    unsigned i;

    for (i = 0; i < count; i++)
        if (!isign_proof_covers(proof, components[i]))
            APR_ARRAY_PUSH(missing, const char *) = components[i];
    return isign_log_text(p, "missing", apr_array_pstrcat(p, missing, ','));
}

/* The participant that the keyid names. If there is none, the part of the keyid where its id would be. */
static const char *name_claimed(apr_pool_t *p, const isign_proof *claim)
{
    const char *hash = strrchr(claim->keyid, '#');

    if (*claim->participant)
        return isign_log_text(p, "claimed", claim->participant);
    return log_field_cut(p, "claimed", claim->keyid, hash ? (apr_size_t)(hash - claim->keyid) : strlen(claim->keyid),
                         SHOWN_MAX);
}

static const char *name_signer(apr_pool_t *p, const isign_proof *claim)
{
    if (!claim->keyid)
        return "";
    return apr_pstrcat(p, claim->alg ? "" : name_claimed(p, claim), isign_log_text(p, "keyid", claim->keyid), NULL);
}

void isign_log_detail(request_rec *r, ia_result rc, const isign_proof *claim, const char *lack)
{
    apr_pool_t *p = request_outermost(r)->pool;
    isign_state *state = isign_state_of(r);

    state->log_detail_rc = rc;
    state->log_detail = NULL;
    state->log_participant = NULL;
    if (!rc)
        return;
    state->log_detail = apr_pstrcat(p, claim ? name_signer(p, claim) : "", lack, NULL);
    if (claim && claim->alg)
        state->log_participant = claim->participant;
}
