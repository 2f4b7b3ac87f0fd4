/* Hooks of mod_sauth. */
#include <httpd.h>
#include <apr_optional_hooks.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_status.h>
#include <mpm_common.h>
#include "mod_sauth.h"
#include "sauth_config_lint.h"
#include "sauth_guard.h"
#include "sauth_dialect.h"
#include "sauth_export.h"
#include "sauth_refuse.h"
#include "sauth_require.h"
#include "sauth_state.h"
#include "sauth_store.h"
#include "sanitize.h"
#include "intake.h"
#include "private.h"
#include "problem.h"
#include "request.h"
#include "snapshot.h"
#include "startup.h"

sauth_shared sauth;

static int pre_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    unsigned i;

    (void)pconf, (void)plog, (void)ptemp;
    sauth_config_reset();
    for (i = 0; sauth_dialects[i]; i++)
        if (sauth_dialects[i]->reset)
            sauth_dialects[i]->reset();
    sauth.grants = NULL;
    APR_OPTIONAL_HOOK(ap, status_hook, sauth_status_report, NULL, NULL, APR_HOOK_MIDDLE);
    return OK;
}

/* Detects configuration errors before the server starts. `httpd -t` runs it too. */
static int check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    int status = sauth_store_check(ptemp, s);
    unsigned i;

    if (status || (status = sauth_guard_check(pconf, plog, ptemp, s)))
        return status;
    sauth_config_lint(ptemp, s);
    for (i = 0; sauth_dialects[i]; i++)
        if (sauth_dialects[i]->lint)
            sauth_dialects[i]->lint(ptemp, s);
    return OK;
}

static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    (void)plog;
    return startup_is_dry_run() ? OK : sauth_store_open(pconf, ptemp, s);
}

static void child_init(apr_pool_t *p, server_rec *s)
{
    (void)p, (void)s;
    st_owner_init();
}

/* Whether a rule of this or another module refused the request before its handler ran. */
static int is_refused(request_rec *r, const sauth_state *state)
{
    return (state && state->denied) ||
           (sauth_is_ours(r) && sauth_dir_effective(r).mode == SAUTH_MODE_ENFORCE && (!state || state->passed != r));
}

static int post_read_request(request_rec *r)
{
    snapshot_take(r);
    sanitize_inbound(r);
    if (r->prev)
        sauth_note_foreign_denial(r->prev); /* this request is its ErrorDocument */
    if (r->prev && ap_is_HTTP_ERROR(r->prev->status) && is_refused(r->prev, sauth_state_find(r)))
        intake_drop(r);
    return DECLINED;
}

static void register_hooks(apr_pool_t *p)
{
    unsigned i;

    ap_hook_pre_config(pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_monitor(sauth_persist_monitor, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_read_request(post_read_request, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_map_to_storage(sauth_map_to_storage, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_check_access(sauth_guard_access, NULL, NULL, APR_HOOK_FIRST, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_check_authn(sauth_authenticate, NULL, NULL, APR_HOOK_MIDDLE, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_force_authn(sauth_force_authn, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_note_auth_failure(sauth_note_auth_failure, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_fixups(sauth_fixups, NULL, NULL, APR_HOOK_REALLY_LAST);
    ap_hook_log_transaction(sauth_log_denial, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(sauth_handler, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_insert_error_filter(sauth_note_foreign_denial, NULL, NULL, APR_HOOK_FIRST);
    problem_register(p, "SAUTH_PROBLEM");
    private_register(p, "SAUTH_PRIVATE", sauth_is_private);
    intake_register(p, "SAUTH_INTAKE", "SAUTH_DROPPED");
    sauth_require_register(p);
    for (i = 0; sauth_dialects[i]; i++)
        if (sauth_dialects[i]->register_hooks)
            sauth_dialects[i]->register_hooks(p);
}

AP_DECLARE_MODULE(sauth) = {STANDARD20_MODULE_STUFF,
                            sauth_dir_create,
                            sauth_dir_merge,
                            sauth_server_create,
                            NULL,
                            sauth_directives,
                            register_hooks,
                            0};
