/**
 * The memory and disk that bodies take while they are read, over all processes: ISignSpoolTotal, of which each participant
 * gets a share, and everybody else together another.
 */
#ifndef ISIGN_BUDGET_H
#define ISIGN_BUDGET_H

#include <httpd.h>
#include "interauth/result.h"

/** One body's part; given back with its pool. */
typedef struct isign_budget isign_budget;

/** Bytes of shared memory, a multiple of 64. */
apr_size_t isign_budget_size(apr_uint32_t participants);
/** post_config: shared memory that was zeroed when it was made. @param total bytes that all bodies may take */
void isign_budget_attach(void *base, apr_uint32_t participants, apr_uint64_t total);
/** child_init: gives back what children held that were killed. */
void isign_budget_child_init(void);

/** @param participant who sends the body, or NULL @param is_stranger the body is read before it is known who sends it */
isign_budget *isign_budget_open(apr_pool_t *p, const char *participant, int is_stranger);
/**
 * Takes bytes for a body.
 * @return IA_OK, IA_SPOOL_QUOTA where this participant has its share, IA_SPOOL_FULL where all bodies, or all of
 * clients that are no participants, have theirs, IA_BODY_TOO_LARGE where this body alone is more than such a share
 */
ia_result isign_budget_take(isign_budget *budget, apr_size_t bytes);

#endif
