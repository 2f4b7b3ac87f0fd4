/**
 * The number of records that each participant has in a table: counts in shared memory, by participant index.
 *
 * A count is one word: the lower half of the participant's generation in the upper bits, the number in the lower bits.
 * A new participant at the same index therefore starts with 0, and removing records of its predecessor does not change
 * its count.
 *
 * `counted` in each record tells whether it is counted. It is set before the count is increased, and cleared after it
 * was decreased. If a process is killed in between, the count is too low by one, never too high, until all records of
 * the participant are removed.
 */
#ifndef INTERAUTH_ST_QUOTA_H
#define INTERAUTH_ST_QUOTA_H

#include <apr.h>

apr_size_t st_quota_size(apr_uint32_t participants);

/** Whether a participant may have one more record. False if the index is invalid. */
int st_quota_has_room(const apr_uint64_t *counts, apr_uint32_t size, apr_uint32_t index, apr_uint64_t generation,
                      apr_uint32_t quota);

/** Counts a record that no other process can free yet. Returns 0 if the quota is reached. */
int st_quota_take(apr_uint64_t *counts, apr_uint32_t size, apr_uint32_t index, apr_uint64_t generation,
                  apr_uint32_t quota, apr_uint32_t *counted);

/** Decreases the count if the record is counted. */
void st_quota_give_back(apr_uint64_t *counts, apr_uint32_t size, apr_uint32_t index, apr_uint64_t generation,
                        apr_uint32_t *counted);

#endif
