/**
 * Used challenges: for each participant, by its index, the stamp of the newest one, in shared memory.
 *
 * A challenge becomes invalid when it or a newer one is used. The stamp is one word that only increases and is changed
 * atomically: only one of several concurrent uses succeeds, and a killed process leaves no partial change.
 *
 * A word is not reset when its participant is removed, because the challenges of its successor are newer.
 */
#ifndef INTERAUTH_ST_CHALLENGE_TABLE_H
#define INTERAUTH_ST_CHALLENGE_TABLE_H

#include <apr.h>
#include "st_result.h"

/** Bytes of zeroed memory, aligned to words. */
apr_size_t st_challenges_size(apr_uint32_t participants);

/** Treats every challenge with this or an older stamp as used, because it is unknown which were. */
void st_challenges_forget(apr_uint64_t *words, apr_uint32_t participants, apr_uint64_t stamp);

/** @return ST_OK; ST_EXISTS; ST_FAULT for a participant outside the table */
st_result st_challenges_use(apr_uint64_t *words, apr_uint32_t participants, apr_uint32_t index, apr_uint64_t stamp);

#endif
