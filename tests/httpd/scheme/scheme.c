/*
 * A signature scheme that exists only in tests: the whole of a scheme that needs the access token to know the owner of its
 * key. "X-Test-Signature: KID COMPONENT.." is valid if KID begins with "good". A KID with an "@" names another owner.
 */
#include <httpd.h>
#include <apr_strings.h>
#include <string.h>
#include "interauth_notes.h"
#include "isign_httpsig.h"
#include "mod_isign.h"
#include "request.h"

#define FIELD "X-Test-Signature"

static const isign_scheme test_scheme;

static int is_present(request_rec *top)
{
    return apr_table_get(top->headers_in, FIELD) != NULL;
}

static ia_result verify(request_rec *r, const isign_dir *conf, isign_proof *out)
{
    request_rec *top = request_outermost(r);
    const char *owner = request_note(r, IA_NOTE_SAUTH_PARTICIPANT), *text = apr_table_get(isign_fields_of(r), FIELD);
    isign_proof claim = {.how = &test_scheme, .participant = owner ? owner : ""};
    ia_result rc = IA_OK;

    (void)conf;
    claim.keyid = ap_getword_white(top->pool, &text);
    claim.covered = apr_pstrdup(top->pool, text);
    if (strchr(claim.keyid, '@'))
        claim.participant = strchr(claim.keyid, '@') + 1;
    if (!owner)
        rc = IA_SIG_KEY_UNKNOWN;
    else if (strncmp(claim.keyid, "good", 4) != 0)
        rc = IA_SIG_MISMATCH;
    else
        claim.alg = "test";
    isign_log_detail(r, rc, &claim, "");
    claim.participant = apr_pstrdup(top->pool, claim.participant);
    if (!rc)
        *out = claim;
    return rc;
}

static int covers(const isign_proof *proof, const char *component)
{
    const char *at = strstr(proof->covered, component);

    return at && (at == proof->covered || at[-1] == ' ') && strcspn(at, " ") == strlen(component);
}

static ia_result judge(request_rec *r, const isign_dir *conf, const isign_proof *proof)
{
    int i;

    for (i = 0; conf->cover && i < conf->cover->nelts; i++) {
        const char *name = APR_ARRAY_IDX(conf->cover, i, const char *);

        if (!covers(proof, name)) {
            isign_log_detail(r, IA_SIG_COMPONENT_MISSING, proof, isign_log_missing(r->pool, proof, &name, 1));
            return IA_SIG_COMPONENT_MISSING;
        }
    }
    return IA_OK;
}

static const isign_scheme test_scheme = {ISIGN_AFTER_AUTHENTICATION, is_present, verify, judge, covers, NULL};

const isign_scheme *const isign_schemes[] = {&isign_httpsig, &test_scheme, NULL};
