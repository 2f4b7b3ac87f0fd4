/* Hooks of mod_isign. */
#include <httpd.h>
#include <http_protocol.h>
#include <http_request.h>
#include "mod_isign.h"
#include "isign_spool.h"
#include "isign_tempfile.h"
#include "sanitize.h"
#include "intake.h"
#include "private.h"
#include "problem.h"
#include "snapshot.h"
#include "startup.h"

static int pre_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    (void)pconf, (void)plog, (void)ptemp;
    isign_config_reset();
    return OK;
}

static int check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    (void)pconf, (void)plog;
    int status = isign_tempfile_check(ptemp, s);

    isign_guard_check(ptemp, s);
    return status ? status : isign_persist_check(ptemp, s);
}

static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    (void)plog;
    return startup_is_dry_run() ? OK : isign_store_open(pconf, ptemp, s);
}

static void child_init(apr_pool_t *p, server_rec *s)
{
    isign_store_child_init(p);
    isign_tempfile_child_init(p, s);
}

/* Whether access was denied, by us or by another module, before the body was checked. */
static int is_unchecked(request_rec *r, const isign_state *state)
{
    isign_dir conf = isign_dir_effective(r);

    return state->denied || (conf.level != ISIGN_OFF && conf.mode == ISIGN_MODE_ENFORCE && !state->body_checked);
}

static int post_read_request(request_rec *r)
{
    snapshot_take(r);
    sanitize_inbound(r);
    isign_keep_fields(r);
    if (r->prev && ap_is_HTTP_ERROR(r->prev->status) && is_unchecked(r->prev, isign_state_of(r)))
        intake_drop(r);
    return DECLINED;
}

static void register_hooks(apr_pool_t *p)
{
    /* DirectoryIndex and FallbackResource replace this request by another, with its own rules and filters. */
    static const char *const body_after[] = {"mod_dir.c", NULL};
    /* It reads the body in its fixups, and returns it from a filter above ours. */
    static const char *const body_before[] = {"mod_security2.c", NULL};

    ap_hook_pre_config(pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_read_request(post_read_request, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_check_access(isign_check_early, NULL, NULL, APR_HOOK_FIRST, AP_AUTH_INTERNAL_PER_URI);
    ap_hook_check_authz(isign_check_late, NULL, NULL, APR_HOOK_FIRST, AP_AUTH_INTERNAL_PER_URI);
    ap_hook_fixups(isign_check_body, NULL, body_before, APR_HOOK_REALLY_FIRST);
    ap_hook_fixups(isign_check_body, body_after, NULL, APR_HOOK_LAST);
    ap_hook_fixups(isign_export, NULL, NULL, APR_HOOK_REALLY_LAST);
    ap_hook_log_transaction(isign_log_denial, NULL, NULL, APR_HOOK_MIDDLE);
    problem_register(p, "ISIGN_PROBLEM");
    private_register(p, "ISIGN_PRIVATE", isign_is_private);
    intake_register(p, "ISIGN_INTAKE", "ISIGN_DROPPED");
    isign_stream_register(p);
    isign_require_register(p);
    APR_REGISTER_OPTIONAL_FN(isign_ask);
    APR_REGISTER_OPTIONAL_FN(isign_read_body);
}

AP_DECLARE_MODULE(isign) = {STANDARD20_MODULE_STUFF,
                            isign_dir_create,
                            isign_dir_merge,
                            isign_server_create,
                            NULL,
                            isign_directives,
                            register_hooks,
                            0};
