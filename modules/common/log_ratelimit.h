/** Limits the rate of log lines that any client can cause with each request, so that they do not fill the disk. */
#ifndef INTERAUTH_COMMON_LOG_RATELIMIT_H
#define INTERAUTH_COMMON_LOG_RATELIMIT_H

#include <httpd.h>
#include "interauth/result.h"

/** Whether to log a line that this process last logged at `*said` (0: never), if `pause` has passed; sets `*said`. */
int log_ratelimit_due(apr_int64_t *said, apr_time_t pause);

/**
 * Of each fault one line in ten seconds in each process; always one for what is no fault.
 * @return NULL where nothing is to be logged; else "", or " suppressed=N" with how many lines were not
 */
const char *log_ratelimit_fault(request_rec *r, const ia_outcome *outcome);

#endif
