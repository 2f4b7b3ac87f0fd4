/*
 * ISignStateFile keeps used nonces over a clean stop. It is not saved while the server runs: after a crash it would lack the
 * latest nonces, and an incomplete file is no better than none.
 */
#include <httpd.h>
#include <http_config.h>
#include <http_log.h>
#include "log_field.h"
#include "mod_isign.h"
#include "persist.h"
#include "startup.h"

APLOG_USE_MODULE(isign);

static persist state = {.directive = "ISignStateFile",
                        .log_prefix = "isign",
                        .at_risk =
                            "after the next start, signatures will be refused for the duration of ISignClockSkew",
                        .gone = "earlier signatures are refused",
                        .kind = ST_STATE_SIGNATURES};

int isign_persist_check(apr_pool_t *ptemp, server_rec *s)
{
    const char *error = persist_check(&state, isign_server_of(s)->state_file, ptemp, s);

    if (!error || startup_is_reload())
        return OK;
    ap_log_error(APLOG_MARK, startup_log_level(APLOG_ERR), 0, s, "isign: ISignStateFile: %s", log_words(ptemp, error));
    return HTTP_INTERNAL_SERVER_ERROR;
}

int isign_persist_open(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s, int fresh)
{
    const char *path = isign_server_of(s)->state_file;
    int status;

    state.module_index = APLOG_MODULE_INDEX;
    state.state.replays = isign.replays;
    state.registry = isign.registry;
    status = persist_open(&state, path, pconf, ptemp, s, fresh);
    if (state.restored && state.report.clean)
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                     "isign: %u used signatures from %s, which was written at a clean stop", state.report.replays,
                     log_words(ptemp, path));
    else if (state.restored)
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                     "isign: %s was not written at a clean stop: earlier signatures are refused",
                     log_words(ptemp, path));
    return status;
}
