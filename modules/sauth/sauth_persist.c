/* SAuthStateFile: saves grants, so that they are kept when the server stops. */
#include <httpd.h>
#include <http_config.h>
#include <http_log.h>
#include "mod_sauth.h"
#include "sauth_store.h"
#include "log_field.h"
#include "persist.h"

APLOG_USE_MODULE(sauth);

static persist state = {.directive = "SAuthStateFile",
                        .log_prefix = "sauth",
                        .at_risk = "current grants will be lost when the server stops",
                        .gone = "all grants are lost",
                        .kind = ST_STATE_GRANTS};

const char *sauth_persist_check(apr_pool_t *ptemp, server_rec *s)
{
    return persist_check(&state, sauth_server_of(s)->state_file, ptemp, s);
}

int sauth_persist_open(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s, st_grants *grants, int fresh)
{
    const st_state_report *report = &state.report;
    int status;

    state.module_index = APLOG_MODULE_INDEX;
    state.state.grants = grants;
    state.state.replays = sauth.replays;
    state.registry = sauth.registry;
    status = persist_open(&state, sauth_server_of(s)->state_file, pconf, ptemp, s, fresh);
    if (state.restored)
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                     "sauth: loaded %u grants and %u used access requests from %s, written %s; dropped %u grants",
                     report->grants, report->replays, log_words(ptemp, sauth_server_of(s)->state_file),
                     report->clean ? "at a clean stop" : "before an unclean stop, so older nonces are stale",
                     report->dropped);
    return status;
}

int sauth_persist_monitor(apr_pool_t *p, server_rec *s)
{
    (void)p, (void)s;
    persist_monitor(&state);
    return DECLINED;
}
