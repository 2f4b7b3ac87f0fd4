#include <string.h>
#include "crash_point.h"
#include "grant_table.h"

#define LOAD(where)         __atomic_load_n(&(where), __ATOMIC_ACQUIRE)
#define STORE(where, value) (__atomic_store_n(&(where), (value), __ATOMIC_RELEASE))
#define ALIGN(n)            (((n) + 63) & ~(apr_size_t)63)

struct st_grants_shared {
    apr_uint64_t last_stamp;
    apr_uint64_t ready;
    apr_time_t birth;
    ia_mac_key epoch;
};

typedef struct replay {
    unsigned char mac[IA_MAC_MAX];
    apr_uint32_t participant_index;
    apr_uint32_t counted;
} replay;

static apr_size_t counts_size(const st_grants_config *config)
{
    return ALIGN((apr_size_t)config->participants * sizeof(apr_uint32_t));
}

apr_size_t st_grants_size(const st_grants_config *config)
{
    return ALIGN(sizeof(struct st_grants_shared)) + 2 * counts_size(config) +
           st_table_size(config->grants, sizeof(st_grant)) + st_table_size(config->replays, sizeof(replay));
}

/* Saturates: a process killed between counting and recording must not wrap a count round to a full quota. */
static void uncount(apr_uint32_t *counts, apr_uint32_t size, apr_uint32_t index)
{
    apr_uint32_t seen;

    if (index >= size)
        return;
    seen = LOAD(counts[index]);
    while (seen && !__atomic_compare_exchange_n(&counts[index], &seen, seen - 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        ;
}

static void on_grant_free(void *context, void *payload)
{
    st_grants *g = context;
    st_grant *grant = payload;

    if (grant->counted)
        uncount(g->grants_of, g->config.participants, grant->participant_index);
    grant->counted = 0;
}

static void on_replay_free(void *context, void *payload)
{
    st_grants *g = context;
    replay *r = payload;

    if (r->counted)
        uncount(g->replays_of, g->config.participants, r->participant_index);
    r->counted = 0;
}

void st_grants_attach(st_grants *g, void *memory, const st_grants_config *config, const ia_mac_key *epoch,
                      apr_time_t now)
{
    char *at = memory;

    g->shared = memory;
    g->config = *config;
    at += ALIGN(sizeof(struct st_grants_shared));
    g->grants_of = (apr_uint32_t *)at;
    at += counts_size(config);
    g->replays_of = (apr_uint32_t *)at;
    at += counts_size(config);
    st_table_attach(&g->grants, at, config->grants, sizeof(st_grant), on_grant_free, g);
    at += st_table_size(config->grants, sizeof(st_grant));
    st_table_attach(&g->replays, at, config->replays, sizeof(replay), on_replay_free, g);
    if (!LOAD(g->shared->ready)) {
        g->shared->epoch = *epoch;
        g->shared->birth = now;
        STORE(g->shared->ready, 1);
    }
}

const ia_mac_key *st_grants_epoch(const st_grants *g)
{
    return &g->shared->epoch;
}

apr_time_t st_grants_birth(const st_grants *g)
{
    return g->shared->birth;
}

void st_grants_resume(st_grants *g, apr_uint64_t last_stamp, const ia_mac_key *epoch, apr_time_t birth)
{
    if (last_stamp > g->shared->last_stamp)
        STORE(g->shared->last_stamp, last_stamp);
    if (!epoch)
        return;
    g->shared->epoch = *epoch;
    g->shared->birth = birth;
}

apr_uint64_t st_grants_stamp(st_grants *g, apr_time_t now)
{
    apr_uint64_t last = LOAD(g->shared->last_stamp), stamp;

    do {
        stamp = (apr_uint64_t)now > last ? (apr_uint64_t)now : last + 1;
    } while (!__atomic_compare_exchange_n(&g->shared->last_stamp, &last, stamp, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    return stamp;
}

apr_uint64_t st_grants_clock(const st_grants *g, apr_time_t now)
{
    apr_uint64_t last = LOAD(g->shared->last_stamp);

    return (apr_uint64_t)now > last ? (apr_uint64_t)now : last;
}

static apr_uint64_t hash_of(const unsigned char *random)
{
    apr_uint64_t hash;

    memcpy(&hash, random, sizeof hash);
    return hash;
}

static int match_digest(const void *payload, const void *key)
{
    return ia_mac_equal(((const st_grant *)payload)->digest, key, IA_SHA256_LEN);
}

static int match_mac(const void *payload, const void *key)
{
    return ia_mac_equal(((const replay *)payload)->mac, key, IA_MAC_MAX);
}

static ia_result from_status(apr_status_t rv, ia_result gone)
{
    if (rv == APR_SUCCESS)
        return IA_OK;
    return rv == APR_NOTFOUND ? gone : IA_FAULT_STORE;
}

/* What expired still counts until its record is freed: before saying no, free it. */
static int is_over_quota(st_table *table, const apr_uint32_t *counts, apr_uint32_t size, apr_uint32_t index,
                         apr_uint32_t quota, apr_time_t now)
{
    if (index >= size)
        return 1;
    if (LOAD(counts[index]) < quota)
        return 0;
    st_table_sweep(table, now);
    return LOAD(counts[index]) >= quota;
}

ia_result st_grant_create(st_grants *g, const st_grant *grant, apr_uint32_t quota, apr_time_t forget, apr_time_t now)
{
    st_grant record = *grant;
    apr_status_t rv;

    if (is_over_quota(&g->grants, g->grants_of, g->config.participants, grant->participant_index, quota, now))
        return IA_GRANT_QUOTA;
    record.counted = 1;
    rv = st_table_insert(&g->grants, hash_of(record.digest), match_digest, record.digest, &record, forget, now, NULL);
    if (rv)
        return rv == APR_ENOSPC ? IA_GRANTS_FULL : IA_FAULT_STORE;
    ST_CRASH_POINT();
    __atomic_add_fetch(&g->grants_of[grant->participant_index], 1, __ATOMIC_ACQ_REL);
    return IA_OK;
}

ia_result st_grant_find(st_grants *g, const unsigned char digest[IA_SHA256_LEN], st_grant *copy, st_ref *ref)
{
    return from_status(st_table_read(&g->grants, hash_of(digest), match_digest, digest, copy, ref), IA_TOKEN_UNKNOWN);
}

static ia_result hold(st_grants *g, st_ref ref, st_grant **grant)
{
    void *payload;
    ia_result rc = from_status(st_table_hold(&g->grants, ref, &payload), IA_GRANT_ENDED);

    *grant = payload;
    return rc;
}

ia_result st_grant_use(st_grants *g, st_ref ref, const ia_nonce_claim *claim, apr_uint64_t now, apr_uint64_t lifetime,
                       apr_uint64_t *next)
{
    st_grant *grant;
    ia_result rc = hold(g, ref, &grant);

    *next = 0;
    if (rc)
        return rc;
    rc = ia_nonce_use(&grant->nonces, claim, now, lifetime);
    ST_CRASH_POINT();
    if (!rc)
        *next = ia_nonce_issue(&grant->nonces);
    ST_CRASH_POINT();
    st_table_release(&g->grants, ref);
    return rc;
}

ia_result st_grant_issue(st_grants *g, st_ref ref, apr_uint64_t *sequences, unsigned count)
{
    st_grant *grant;
    ia_result rc = hold(g, ref, &grant);
    unsigned i;

    if (rc)
        return rc;
    for (i = 0; i < count; i++)
        sequences[i] = ia_nonce_issue(&grant->nonces);
    st_table_release(&g->grants, ref);
    return IA_OK;
}

/* Readable again only once all of it stands there: the count comes last. */
static void keep_answer(st_grant *grant, const st_refresh *refresh, const apr_uint64_t *sequences, unsigned count)
{
    if (sequences[count - 1] - sequences[0] != count - 1)
        return; /* the window was full: the answer is no run of sequences */
    memcpy(grant->refresh_mac, refresh->mac, sizeof grant->refresh_mac);
    STORE(grant->refresh_first, sequences[0]);
    STORE(grant->refreshed, refresh->now);
    ST_CRASH_POINT();
    STORE(grant->refresh_count, count);
}

ia_result st_grant_refresh(st_grants *g, st_ref ref, const st_refresh *refresh, apr_uint64_t *sequences, unsigned count)
{
    st_grant *grant;
    ia_result rc = hold(g, ref, &grant);
    unsigned i;

    if (rc)
        return rc;
    STORE(grant->refresh_count, 0);
    st_table_set_expires(&g->grants, ref, refresh->forget);
    ST_CRASH_POINT();
    STORE(grant->secret_generation, refresh->secret_generation);
    ST_CRASH_POINT();
    STORE(grant->expires, refresh->expires);
    for (i = 0; i < count; i++)
        sequences[i] = ia_nonce_issue(&grant->nonces);
    ST_CRASH_POINT();
    keep_answer(grant, refresh, sequences, count);
    st_table_release(&g->grants, ref);
    return IA_OK;
}

ia_result st_grant_end(st_grants *g, st_ref ref)
{
    st_grant *grant;
    ia_result rc = hold(g, ref, &grant);

    if (!rc)
        st_table_remove(&g->grants, ref);
    return rc;
}

apr_uint32_t st_grants_live(const st_grants *g)
{
    return st_table_live(&g->grants);
}

apr_uint32_t st_replays_live(const st_grants *g)
{
    return st_table_live(&g->replays);
}

apr_uint32_t st_grants_high_water(const st_grants *g)
{
    return st_table_high_water(&g->grants);
}

ia_result st_grant_at(st_grants *g, apr_uint32_t place, st_grant *copy, apr_time_t *forget)
{
    st_ref ref;
    ia_result rc = from_status(st_table_read_at(&g->grants, place, copy, &ref), IA_TOKEN_UNKNOWN);

    *forget = rc ? 0 : st_table_expires(&g->grants, ref);
    return rc;
}

apr_uint32_t st_replays_high_water(const st_grants *g)
{
    return st_table_high_water(&g->replays);
}

ia_result st_replay_at(st_grants *g, apr_uint32_t place, unsigned char mac[IA_MAC_MAX], apr_uint32_t *participant_index,
                       apr_time_t *forget)
{
    replay copy;
    st_ref ref;
    ia_result rc = from_status(st_table_read_at(&g->replays, place, &copy, &ref), IA_TOKEN_UNKNOWN);

    if (rc)
        return rc;
    memcpy(mac, copy.mac, IA_MAC_MAX);
    *participant_index = copy.participant_index;
    *forget = st_table_expires(&g->replays, ref);
    return IA_OK;
}

ia_result st_replay_record(st_grants *g, const unsigned char mac[IA_MAC_MAX], apr_uint32_t participant_index,
                           apr_uint32_t quota, apr_time_t forget, apr_time_t now)
{
    replay record;
    apr_status_t rv;

    if (participant_index != ST_NOBODY &&
        is_over_quota(&g->replays, g->replays_of, g->config.participants, participant_index, quota, now))
        return IA_REPLAY_QUOTA;
    memset(&record, 0, sizeof record);
    memcpy(record.mac, mac, IA_MAC_MAX);
    record.participant_index = participant_index;
    record.counted = participant_index != ST_NOBODY;
    rv = st_table_insert(&g->replays, hash_of(mac), match_mac, mac, &record, forget, now, NULL);
    if (rv == APR_EEXIST)
        return IA_ACCESS_REPLAYED;
    if (rv)
        return rv == APR_ENOSPC ? IA_REPLAYS_FULL : IA_FAULT_STORE;
    if (record.counted)
        __atomic_add_fetch(&g->replays_of[participant_index], 1, __ATOMIC_ACQ_REL);
    return IA_OK;
}
