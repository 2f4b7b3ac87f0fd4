/** Limits how much time a child spends on signatures that do not verify. */
#ifndef ISIGN_LIMIT_H
#define ISIGN_LIMIT_H

#include <apr_pools.h>
#include <apr_time.h>
#include "interauth/result.h"
#include "interauth/sfv.h"

/** One verification. */
typedef struct isign_limit {
    apr_uint64_t who; /**< the client and its keyid */
    int entered;      /**< it counts as under way */
} isign_limit;

void isign_limit_child_init(apr_pool_t *p);

/**
 * Begins a verification; waits a bounded time for others to end.
 * @return IA_OK, or IA_VERIFICATIONS_FULL if too many are under way, or too many with this keyid from this address failed
 */
ia_result isign_limit_enter(isign_limit *out, const char *address, const ia_sfv_text *keyid, apr_time_t now);

/** Ends a verification with its result. Does nothing if isign_limit_enter refused it. */
void isign_limit_leave(isign_limit *limit, ia_result rc, apr_time_t now);

#endif
