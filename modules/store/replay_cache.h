/**
 * Which proofs were used, in shared memory: the MAC of each is good once, until it may be forgotten. Records are counted
 * per participant, so that one key cannot fill a table that never evicts. `now` is an apr_time_t given by the caller.
 */
#ifndef INTERAUTH_ST_REPLAY_CACHE_H
#define INTERAUTH_ST_REPLAY_CACHE_H

#include "interauth/mac.h"
#include "shm_table.h"
#include "st_result.h"

typedef struct st_replay_cache {
    struct st_replay_shared *shared;
    apr_uint32_t capacity;
    apr_uint32_t participants; /**< indexes that participants can have */
    apr_uint64_t *counts;      /**< by participant index */
    st_table table;
} st_replay_cache;

/** Bytes of zeroed memory, aligned to words. */
apr_size_t st_replays_size(apr_uint32_t capacity, apr_uint32_t participants);

/**
 * @param hash_key secret: clients try many MACs. Kept when the memory is new
 * @param now becomes the birth of new memory: what was used before is not known
 */
void st_replays_attach(st_replay_cache *c, void *memory, apr_uint32_t capacity, apr_uint32_t participants,
                       const ia_mac_key *hash_key, apr_time_t now);

apr_time_t st_replays_birth(const st_replay_cache *c);
apr_time_t st_replays_tolerance(const st_replay_cache *c);

/** Goes on where a saved state ended, or forgets: what was used before `birth` is not known. Before serving. */
void st_replays_resume(st_replay_cache *c, apr_time_t birth, apr_time_t tolerance);

/**
 * How long after its stamp a used proof is remembered from now on: the widest that any location trusts a stamp. Where it
 * grows, proofs were forgotten that would be accepted again: birth + tolerance then lies behind them.
 */
void st_replays_tolerate(st_replay_cache *c, apr_time_t tolerance, apr_time_t now);

/** The participant of a proof whose participant is gone: it counts against nobody's quota. */
#define ST_NOBODY 0xffffffffu

/**
 * Records a proof that was used: its MAC, good once until `forget`. `quota` bounds the records of one participant.
 * @return ST_OK, ST_EXISTS, ST_FULL, ST_QUOTA, ST_FAULT
 */
st_result st_replay_record(st_replay_cache *c, const unsigned char mac[IA_MAC_MAX], apr_uint32_t participant_index,
                           apr_uint32_t quota, apr_time_t forget, apr_time_t now);

/** Records held, expired ones that were not swept yet included. */
apr_uint32_t st_replays_live(const st_replay_cache *c);

/** One past the highest place a record ever had, and the record at a place. @return 0 where there is none */
apr_uint32_t st_replays_high_water(const st_replay_cache *c);
int st_replay_at(st_replay_cache *c, apr_uint32_t place, unsigned char mac[IA_MAC_MAX], apr_uint32_t *participant_index,
                 apr_time_t *forget);

#endif
