/* Used proofs in shared memory: a table, and the number of records by participant. */
#include <apr_siphash.h>
#include <string.h>
#include "quota.h"
#include "replay_cache.h"
#include "shm_word.h"

#define ALIGN(n) (((n) + 63) & ~(apr_size_t)63)

struct st_replay_shared {
    apr_uint64_t ready;
    apr_time_t birth;
    apr_time_t tolerance; /* how long after its timestamp a used proof is stored */
    unsigned char hash_key[APR_SIPHASH_KSIZE];
};

typedef struct replay {
    unsigned char mac[IA_MAC_MAX];
    apr_uint32_t participant_index;
    apr_uint32_t counted;
} replay;

apr_size_t st_replays_size(apr_uint32_t capacity, apr_uint32_t participants)
{
    return st_size_sum(ALIGN(sizeof(struct st_replay_shared)) + ALIGN(st_quota_size(participants)),
                       st_table_size(capacity, sizeof(replay)));
}

static int admit(void *context, void *payload, apr_uint32_t limit)
{
    st_replay_cache *c = context;
    replay *r = payload;

    return r->participant_index == ST_NOBODY ||
           st_quota_take(c->counts, c->participants, r->participant_index, 0, limit, &r->counted);
}

static void on_free(void *context, void *payload)
{
    st_replay_cache *c = context;
    replay *r = payload;

    st_quota_give_back(c->counts, c->participants, r->participant_index, 0, &r->counted);
}

void st_replays_attach(st_replay_cache *c, void *memory, apr_uint32_t capacity, apr_uint32_t participants,
                       const ia_mac_key *hash_key, apr_time_t now)
{
    static const char label[] = "hash of used proofs";
    unsigned char random[IA_MAC_MAX];
    ia_bytes part = {label, sizeof label};
    char *at = memory;

    c->shared = memory;
    c->capacity = capacity;
    c->participants = participants;
    at += ALIGN(sizeof(struct st_replay_shared));
    c->counts = (apr_uint64_t *)at;
    at += ALIGN(st_quota_size(participants));
    st_table_attach(&c->table, at, capacity, sizeof(replay), admit, on_free, c);
    if (LOAD(c->shared->ready))
        return;
    ia_mac_compute(random, IA_HASH_SHA256, hash_key, &part, 1);
    memcpy(c->shared->hash_key, random, APR_SIPHASH_KSIZE);
    ia_wipe(random, sizeof random);
    c->shared->birth = now;
    STORE(c->shared->ready, 1);
}

apr_time_t st_replays_birth(const st_replay_cache *c)
{
    return c->shared->birth;
}

apr_time_t st_replays_tolerance(const st_replay_cache *c)
{
    return c->shared->tolerance;
}

void st_replays_resume(st_replay_cache *c, apr_time_t birth, apr_time_t tolerance)
{
    c->shared->birth = birth;
    c->shared->tolerance = tolerance;
}

void st_replays_tolerate(st_replay_cache *c, apr_time_t tolerance, apr_time_t now)
{
    apr_time_t old = c->shared->tolerance, wall = now - old - tolerance;

    if (old && tolerance > old && wall > c->shared->birth)
        STORE(c->shared->birth, wall);
    STORE(c->shared->tolerance, tolerance);
}

static int match_mac(const void *payload, const void *key)
{
    return ia_mac_equal(((const replay *)payload)->mac, key, IA_MAC_MAX);
}

st_result st_replay_record(st_replay_cache *c, const unsigned char mac[IA_MAC_MAX], apr_uint32_t participant_index,
                           apr_uint32_t quota, apr_time_t forget, apr_time_t now)
{
    replay record;
    st_insertion what = {apr_siphash24(mac, IA_MAC_MAX, c->shared->hash_key), match_mac, mac, &record, forget, quota};
    apr_status_t rv;

    if (st_table_read(&c->table, what.hash, match_mac, mac, &record, NULL) == APR_SUCCESS)
        return ST_EXISTS; /* regardless of the quota */
    memset(&record, 0, sizeof record);
    memcpy(record.mac, mac, IA_MAC_MAX);
    record.participant_index = participant_index;
    rv = st_table_insert(&c->table, &what, now, NULL);
    if (rv == APR_EACCES) { /* expired proofs count until their records are freed */
        st_table_sweep(&c->table, now);
        rv = st_table_insert(&c->table, &what, now, NULL);
    }
    if (rv == APR_EEXIST)
        return ST_EXISTS;
    if (rv == APR_EACCES || (rv == APR_ENOSPC && participant_index != ST_NOBODY &&
                             !st_quota_has_room(c->counts, c->participants, participant_index, 0, quota)))
        return ST_QUOTA;
    if (rv)
        return rv == APR_ENOSPC ? ST_FULL : ST_FAULT;
    return ST_OK;
}

apr_uint32_t st_replays_live(const st_replay_cache *c)
{
    return st_table_live(&c->table);
}

apr_uint32_t st_replays_high_water(const st_replay_cache *c)
{
    return st_table_high_water(&c->table);
}

int st_replay_at(st_replay_cache *c, apr_uint32_t place, unsigned char mac[IA_MAC_MAX], apr_uint32_t *participant_index,
                 apr_time_t *forget)
{
    replay copy;
    st_ref ref;

    if (st_table_read_at(&c->table, place, &copy, &ref))
        return 0;
    memcpy(mac, copy.mac, IA_MAC_MAX);
    *participant_index = copy.participant_index;
    *forget = st_table_expires(&c->table, ref);
    return 1;
}
