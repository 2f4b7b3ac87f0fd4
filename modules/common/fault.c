#include <apr_strings.h>
#include "fault.h"

#define KINDS 256 /* more than there are outcomes */
#define PAUSE apr_time_from_sec(10)

static int is_due(const ia_outcome *outcome, apr_time_t now, apr_uint32_t *suppressed)
{
    static struct {
        apr_int64_t said;
        apr_uint32_t suppressed;
    } faults[KINDS];
    unsigned count;
    apr_size_t kind = (apr_size_t)(outcome - ia_outcomes(&count)) % KINDS;
    apr_int64_t said = __atomic_load_n(&faults[kind].said, __ATOMIC_RELAXED);

    *suppressed = 0;
    if ((said && now >= said && now - said < PAUSE) ||
        !__atomic_compare_exchange_n(&faults[kind].said, &said, now, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
        __atomic_add_fetch(&faults[kind].suppressed, 1, __ATOMIC_RELAXED);
        return 0;
    }
    *suppressed = __atomic_exchange_n(&faults[kind].suppressed, 0, __ATOMIC_RELAXED);
    return 1;
}

const char *fault_due(request_rec *r, const ia_outcome *outcome)
{
    apr_uint32_t suppressed;

    if (outcome->severity != IA_SEVERITY_FAULT)
        return "";
    if (!is_due(outcome, apr_time_now(), &suppressed))
        return NULL;
    return suppressed ? apr_psprintf(r->pool, " suppressed=%u", suppressed) : "";
}
