/* Distinguishes the dry run of a start, a start, and a restart. */
#include <httpd.h>
#include <http_core.h>
#include <http_log.h>
#include <ap_mpm.h>
#include <mpm_common.h>
#include "startup.h"

int startup_is_dry_run(void)
{
    return ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG;
}

int startup_log_level(int level)
{
    return startup_is_dry_run() ? level | APLOG_STARTUP : level;
}

/* The dry run is generation 0, the start 1. */
int startup_is_reload(void)
{
    return ap_state_query(AP_SQ_CONFIG_GEN) > 1;
}
