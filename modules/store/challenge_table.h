/**
 * Which challenges were used: for each participant the stamp of the newest one, in shared memory, by its index.
 *
 * A challenge dies when it or a newer one is used. Each use is one word that only grows, changed in one step: of many
 * callers with one challenge exactly one succeeds, and no process that is killed leaves anything half done.
 *
 * A word outlives its participant: who comes to the place later gets newer challenges anyway.
 */
#ifndef INTERAUTH_ST_CHALLENGE_TABLE_H
#define INTERAUTH_ST_CHALLENGE_TABLE_H

#include <apr.h>
#include "st_result.h"

/** Bytes of zeroed memory, aligned to words. */
apr_size_t st_challenges_size(apr_uint32_t participants);

/** Every challenge stamped at or before `stamp` counts as used: what was used of these is not known. */
void st_challenges_forget(apr_uint64_t *words, apr_uint32_t participants, apr_uint64_t stamp);

/** @return ST_OK; ST_EXISTS; ST_FAULT for a participant outside the table */
st_result st_challenges_use(apr_uint64_t *words, apr_uint32_t participants, apr_uint32_t index, apr_uint64_t stamp);

#endif
