#include <httpd.h>
#include <http_protocol.h>
#include <http_request.h>
#include "mod_isign.h"
#include "hygiene.h"
#include "problem.h"
#include "snapshot.h"

static int post_read_request(request_rec *r)
{
    snapshot_take(r);
    hygiene_strip_inbound(r);
    return DECLINED;
}

static void register_hooks(apr_pool_t *p)
{
    ap_hook_post_read_request(post_read_request, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_fixups(isign_check_body, NULL, NULL, APR_HOOK_LAST);
    ap_hook_fixups(isign_export, NULL, NULL, APR_HOOK_REALLY_LAST);
    problem_register(p, "ISIGN_PROBLEM");
    isign_spool_register(p);
}

AP_DECLARE_MODULE(isign) = {STANDARD20_MODULE_STUFF, isign_dir_create, isign_dir_merge, NULL, NULL, isign_directives,
                            register_hooks, 0};
