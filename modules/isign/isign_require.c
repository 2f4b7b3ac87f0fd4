/* Require signed [COMPONENT..]: requires a verified signature that covers these components. */
#include <httpd.h>
#include <ap_provider.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_request.h>
#include <mod_auth.h>
#include <string.h>
#include "mod_isign.h"
#include "directive.h"
#include "request.h"

/* A parsed Require line. */
typedef struct requirement {
    const char *const *components;
    unsigned count;
} requirement;

static const char *parse(cmd_parms *cmd, const char *line, const void **parsed)
{
    apr_array_header_t *names = apr_array_make(cmd->pool, 4, sizeof(const char *));
    requirement *d = apr_palloc(cmd->pool, sizeof *d);
    const char *name;

    while (*line && *(name = ap_getword_white(cmd->pool, &line))) {
        if (strspn(name, "@abcdefghijklmnopqrstuvwxyz0123456789-_") != strlen(name))
            return apr_psprintf(cmd->pool, "Require signed: \"%s\" is not a component name", name);
        APR_ARRAY_PUSH(names, const char *) = name;
    }
    d->components = (const char *const *)names->elts;
    d->count = (unsigned)names->nelts;
    *parsed = d;
    return directive_send_forbidden(cmd);
}

static ia_result match(const isign_state *state, const requirement *d)
{
    unsigned i;

    if (!state->proof)
        return IA_SIGNATURE_REQUIRED;
    for (i = 0; i < d->count; i++)
        if (!isign_proof_covers(state->proof, d->components[i]))
            return IA_INSUFFICIENT_COVERAGE;
    return IA_OK;
}

/*
 * With an AuthType, "no user" makes httpd authenticate the client; the signature may be its credentials, or be verified after
 * it. Without one, there is no authentication: the response is 403, and its Accept-Signature describes the signature.
 */
static authz_status check(request_rec *r, const char *line, const void *parsed)
{
    const isign_state *state = isign_state_of(r);
    const requirement *d = parsed;
    ia_result rc;

    (void)line;
    if (request_is_for_endpoint(r) || !(rc = match(state, d)))
        return AUTHZ_GRANTED;
    if (rc == IA_INSUFFICIENT_COVERAGE)
        isign_log_detail(r, rc, NULL, isign_log_missing(r->pool, state->proof, d->components, d->count));
    else if (!isign_is_enabled(r))
        isign_guard_warn(r);
    if (!r->user && ap_auth_type(r) && rc == IA_SIGNATURE_REQUIRED) {
        isign_ask(r);
        return AUTHZ_DENIED_NO_USER;
    }
    if (isign_dir_effective(r).mode == ISIGN_MODE_OBSERVE) {
        isign_log(r, "would refuse", rc);
        return AUTHZ_GRANTED;
    }
    isign_deny(r, rc);
    return AUTHZ_DENIED;
}

static const authz_provider signed_provider = {check, parse};

void isign_require_register(apr_pool_t *p)
{
    ap_register_auth_provider(p, AUTHZ_PROVIDER_GROUP, "signed", AUTHZ_PROVIDER_VERSION, &signed_provider,
                              AP_AUTH_INTERNAL_PER_CONF);
}
