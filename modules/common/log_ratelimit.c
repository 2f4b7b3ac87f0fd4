/* Limits how often a log line is written. */
#include <apr_strings.h>
#include "log_ratelimit.h"
#include "clock.h"

#define KINDS 256 /* more than the outcomes */
#define PAUSE apr_time_from_sec(10)

int log_ratelimit_due(apr_int64_t *said, apr_time_t pause)
{
    apr_time_t now = clock_now();
    apr_int64_t last = __atomic_load_n(said, __ATOMIC_RELAXED);

    return (!last || now < last || now - last >= pause) &&
           __atomic_compare_exchange_n(said, &last, now, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

const char *log_ratelimit_fault(request_rec *r, const ia_outcome *outcome)
{
    static struct {
        apr_int64_t said;
        apr_uint32_t suppressed;
    } faults[KINDS];
    unsigned count;
    apr_size_t kind = (apr_size_t)(outcome - ia_outcomes(&count)) % KINDS;
    apr_uint32_t suppressed;

    if (outcome->severity != IA_SEVERITY_FAULT)
        return "";
    if (!log_ratelimit_due(&faults[kind].said, PAUSE)) {
        __atomic_add_fetch(&faults[kind].suppressed, 1, __ATOMIC_RELAXED);
        return NULL;
    }
    suppressed = __atomic_exchange_n(&faults[kind].suppressed, 0, __ATOMIC_RELAXED);
    return suppressed ? apr_psprintf(r->pool, " suppressed=%u", suppressed) : "";
}
