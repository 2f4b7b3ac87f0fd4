/**
 * Used proofs, in shared memory: each MAC is accepted once, and stored until its proof has expired. Records are
 * counted per participant, because they are never evicted, and one participant could fill the table otherwise. `now`
 * is passed by the caller.
 */
#ifndef INTERAUTH_ST_REPLAY_CACHE_H
#define INTERAUTH_ST_REPLAY_CACHE_H

#include "interauth/mac.h"
#include "shm_table.h"
#include "st_result.h"

typedef struct st_replay_cache {
    struct st_replay_shared *shared;
    apr_uint32_t capacity;
    apr_uint32_t participants; /**< number of participant indexes */
    apr_uint64_t *counts;      /**< by participant index */
    st_table table;
} st_replay_cache;

/** Bytes of zeroed memory, aligned to words. */
apr_size_t st_replays_size(apr_uint32_t capacity, apr_uint32_t participants);

/**
 * @param hash_key secret, because clients can choose MACs. Stored if the memory is new
 * @param now the birth of new memory: earlier uses are unknown
 */
void st_replays_attach(st_replay_cache *c, void *memory, apr_uint32_t capacity, apr_uint32_t participants,
                       const ia_mac_key *hash_key, apr_time_t now);

apr_time_t st_replays_birth(const st_replay_cache *c);
apr_time_t st_replays_tolerance(const st_replay_cache *c);

/** Continues from a saved state. Uses before `birth` are unknown. Only before requests are served. */
void st_replays_resume(st_replay_cache *c, apr_time_t birth, apr_time_t tolerance);

/**
 * Sets how long after its timestamp a used proof is stored: the largest clock skew of any location. If it increases,
 * proofs that were already removed would be accepted again; `birth` is then moved so that birth + tolerance is after
 * them.
 */
void st_replays_tolerate(st_replay_cache *c, apr_time_t tolerance, apr_time_t now);

/** The index for a proof whose participant was removed: it counts for no quota. */
#define ST_NOBODY 0xffffffffu

/**
 * Records the MAC of a used proof until `forget`. `quota` is the maximum number of records of one participant.
 * @return ST_OK, ST_EXISTS, ST_FULL, ST_QUOTA, ST_FAULT
 */
st_result st_replay_record(st_replay_cache *c, const unsigned char mac[IA_MAC_MAX], apr_uint32_t participant_index,
                           apr_uint32_t quota, apr_time_t forget, apr_time_t now);

/** Returns the number of records, including expired ones that were not removed yet. */
apr_uint32_t st_replays_live(const st_replay_cache *c);

/** For iteration: the highest index ever used plus one, and the record at an index. @return 0 if there is none */
apr_uint32_t st_replays_high_water(const st_replay_cache *c);
int st_replay_at(st_replay_cache *c, apr_uint32_t place, unsigned char mac[IA_MAC_MAX], apr_uint32_t *participant_index,
                 apr_time_t *forget);

#endif
