/**
 * How many records each participant has in a table: counts in shared memory, by the participant's index.
 *
 * A count is a word: the generation it is for (its low half) above, the number below. So whoever comes to a place
 * after another participant begins with nothing, and what the other one left is not counted off its own.
 *
 * A record that counts says so in a word of its own, `counted`, set before the count rises and cleared after it
 * fell. A process killed in between makes a count too low by one, never too high: a count can lose a participant
 * nothing, and is right again whenever its records are gone.
 */
#ifndef INTERAUTH_ST_QUOTA_H
#define INTERAUTH_ST_QUOTA_H

#include <apr.h>

apr_size_t st_quota_size(apr_uint32_t participants);

/** Whether a participant may have one more. Nobody outside the table may. */
int st_quota_has_room(const apr_uint64_t *counts, apr_uint32_t size, apr_uint32_t index, apr_uint64_t generation,
                      apr_uint32_t quota);

/** Counts a record that nobody else can free yet. 0 where there is no room. */
int st_quota_take(apr_uint64_t *counts, apr_uint32_t size, apr_uint32_t index, apr_uint64_t generation,
                  apr_uint32_t quota, apr_uint32_t *counted);

/** Counts a record off, if it counted. */
void st_quota_give_back(apr_uint64_t *counts, apr_uint32_t size, apr_uint32_t index, apr_uint64_t generation,
                        apr_uint32_t *counted);

#endif
