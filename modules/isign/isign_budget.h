/**
 * The memory and disk space that bodies of all processes take while they are read. Each participant has a share of
 * ISignSpoolTotal, and all other clients together have another.
 */
#ifndef ISIGN_BUDGET_H
#define ISIGN_BUDGET_H

#include <httpd.h>
#include "interauth/result.h"

/** What one body takes; given back when its pool is cleared. */
typedef struct isign_budget isign_budget;

/** Bytes of shared memory, a multiple of 64. */
apr_size_t isign_budget_size(apr_uint32_t participants);
/** post_config. @param base shared memory, zeroed when it was created @param total bytes that all bodies may take */
void isign_budget_attach(void *base, apr_uint32_t participants, apr_uint64_t total);
/** child_init: gives back what killed children held. */
void isign_budget_child_init(void);

/** @param participant the sender, or NULL @param is_unidentified the body is read before its sender is known */
isign_budget *isign_budget_open(apr_pool_t *p, const char *participant, int is_unidentified);
/**
 * Takes bytes for a body.
 * @return IA_OK, IA_SPOOL_QUOTA if the share of this participant is used up, IA_SPOOL_FULL if the total or the share of the
 *         other clients is, IA_BODY_TOO_LARGE if this body alone exceeds its share
 */
ia_result isign_budget_take(isign_budget *budget, apr_size_t bytes);

#endif
