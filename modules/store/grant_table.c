/* Grants in shared memory: a table, the number of grants and the newest used challenge by participant. */
#include <apr_siphash.h>
#include <string.h>
#include "challenge_table.h"
#include "grant_table.h"
#include "quota.h"
#include "shm_word.h"

#define ALIGN(n) (((n) + 63) & ~(apr_size_t)63)

struct st_grants_shared {
    apr_uint64_t last_stamp;
    apr_uint64_t ready;
    ia_mac_key nonce_key;
    unsigned char hash_key[APR_SIPHASH_KSIZE];
};

apr_size_t st_grants_size(const st_grants_config *config)
{
    apr_size_t counts = ALIGN(st_quota_size(config->participants)) + ALIGN(st_challenges_size(config->participants));

    return st_size_sum(ALIGN(sizeof(struct st_grants_shared)) + counts,
                       st_table_size(config->grants, sizeof(st_grant)));
}

static int admit_grant(void *context, void *payload, apr_uint32_t limit)
{
    st_grants *g = context;
    st_grant *grant = payload;

    return st_quota_take(g->grants_of, g->config.participants, grant->participant_index, grant->participant_generation,
                         limit, &grant->counted);
}

static void on_grant_free(void *context, void *payload)
{
    st_grants *g = context;
    st_grant *grant = payload;

    st_quota_give_back(g->grants_of, g->config.participants, grant->participant_index, grant->participant_generation,
                       &grant->counted);
}

/*
 * Clients can generate many tokens of the challenge protocol, and present only those whose digests belong to one
 * bucket. Buckets are therefore selected by a hash with a secret key.
 */
static void derive_hash_key(unsigned char out[APR_SIPHASH_KSIZE], const ia_mac_key *nonce_key)
{
    static const char label[] = "hash of grants";
    unsigned char random[IA_MAC_MAX];
    ia_bytes part = {label, sizeof label};

    ia_mac_compute(random, IA_HASH_SHA256, nonce_key, &part, 1);
    memcpy(out, random, APR_SIPHASH_KSIZE);
    ia_wipe(random, sizeof random);
}

void st_grants_attach(st_grants *g, void *memory, const st_grants_config *config, const ia_mac_key *nonce_key)
{
    char *at = memory;

    g->shared = memory;
    g->config = *config;
    at += ALIGN(sizeof(struct st_grants_shared));
    g->grants_of = (apr_uint64_t *)at;
    at += ALIGN(st_quota_size(config->participants));
    g->challenges = (apr_uint64_t *)at;
    at += ALIGN(st_challenges_size(config->participants));
    st_table_attach(&g->grants, at, config->grants, sizeof(st_grant), admit_grant, on_grant_free, g);
    if (!LOAD(g->shared->ready)) {
        g->shared->nonce_key = *nonce_key;
        derive_hash_key(g->shared->hash_key, nonce_key);
        STORE(g->shared->ready, 1);
    }
}

const ia_mac_key *st_grants_nonce_key(const st_grants *g)
{
    return &g->shared->nonce_key;
}

void st_grants_resume(st_grants *g, apr_uint64_t last_stamp, const ia_mac_key *nonce_key)
{
    if (last_stamp > g->shared->last_stamp)
        STORE(g->shared->last_stamp, last_stamp);
    st_challenges_forget(g->challenges, g->config.participants, last_stamp);
    if (nonce_key)
        g->shared->nonce_key = *nonce_key;
}

apr_uint64_t st_grants_stamp(st_grants *g, apr_time_t now)
{
    apr_uint64_t last = LOAD(g->shared->last_stamp), stamp;

    do {
        stamp = (apr_uint64_t)now > last ? (apr_uint64_t)now : last + 1;
    } while (!SWAP(g->shared->last_stamp, last, stamp));
    return stamp;
}

apr_uint64_t st_grants_clock(const st_grants *g, apr_time_t now)
{
    apr_uint64_t last = LOAD(g->shared->last_stamp);

    return (apr_uint64_t)now > last ? (apr_uint64_t)now : last;
}

static apr_uint64_t hash_of(const st_grants *g, const unsigned char key[IA_SHA256_LEN])
{
    return apr_siphash24(key, IA_SHA256_LEN, g->shared->hash_key);
}

static int match_digest(const void *payload, const void *key)
{
    return ia_mac_equal(((const st_grant *)payload)->digest, key, IA_SHA256_LEN);
}

static st_result from_status(apr_status_t rv, st_result gone)
{
    if (rv == APR_SUCCESS)
        return ST_OK;
    return rv == APR_NOTFOUND ? gone : ST_FAULT;
}

st_result st_grant_create(st_grants *g, const st_grant *grant, apr_uint32_t quota, apr_time_t forget, apr_time_t now)
{
    st_grant record = *grant;
    st_insertion what = {hash_of(g, record.digest), match_digest, record.digest, &record, forget, quota};
    apr_status_t rv;

    /* Expired grants count until their records are freed. */
    if (!st_quota_has_room(g->grants_of, g->config.participants, record.participant_index,
                           record.participant_generation, quota))
        st_table_sweep(&g->grants, now);
    if (!st_quota_has_room(g->grants_of, g->config.participants, record.participant_index,
                           record.participant_generation, quota))
        return ST_QUOTA;
    record.counted = 0;
    ia_grant_id(record.id, record.digest);
    rv = st_table_insert(&g->grants, &what, now, NULL);
    if (rv == APR_EACCES)
        return ST_QUOTA;
    if (rv)
        return rv == APR_ENOSPC ? ST_FULL : ST_FAULT;
    return ST_OK;
}

st_result st_grant_find(st_grants *g, const unsigned char digest[IA_SHA256_LEN], st_grant *copy, st_ref *ref)
{
    return from_status(st_table_read(&g->grants, hash_of(g, digest), match_digest, digest, copy, ref), ST_NOT_FOUND);
}

static st_result hold(st_grants *g, st_ref ref, st_held *held, st_grant **grant)
{
    st_result rc = from_status(st_table_hold(&g->grants, ref, held), ST_GONE);

    *grant = held->payload;
    return rc;
}

static st_result hold_with_nonces(st_grants *g, st_ref ref, st_held *held, st_grant **grant)
{
    st_result rc = hold(g, ref, held, grant);

    if (rc || (*grant)->part == ST_GRANT_WITH_NONCES)
        return rc;
    st_table_release(&g->grants, held);
    return ST_FAULT;
}

st_result st_grant_use(st_grants *g, st_ref ref, const ia_nonce_claim *claim, apr_uint64_t now, apr_uint64_t lifetime,
                       apr_uint64_t *next)
{
    st_held held;
    st_grant *grant;
    st_result rc = hold_with_nonces(g, ref, &held, &grant);

    *next = 0;
    if (rc)
        return rc;
    rc = st_nonces_use(&grant->nonces.state, claim, now, lifetime);
    if (!rc)
        *next = st_nonces_issue(&grant->nonces.state);
    st_table_release(&g->grants, &held);
    return rc;
}

st_result st_grant_issue(st_grants *g, st_ref ref, apr_uint64_t *sequences, unsigned count)
{
    st_held held;
    st_grant *grant;
    st_result rc = hold_with_nonces(g, ref, &held, &grant);
    unsigned i;

    if (rc)
        return rc;
    for (i = 0; i < count; i++)
        sequences[i] = st_nonces_issue(&grant->nonces.state);
    st_table_release(&g->grants, &held);
    return ST_OK;
}

/* Sets refresh_count last: the response is valid if it is not 0. */
static void store_response(st_grant *grant, const st_refresh *refresh, const apr_uint64_t *sequences, unsigned count)
{
    apr_uint64_t mac[2];

    if (!count || sequences[count - 1] - sequences[0] != count - 1)
        return; /* the window was full, and the sequence numbers are not consecutive */
    memcpy(mac, refresh->mac, sizeof mac);
    st_words_store(grant->nonces.refresh_mac, mac, sizeof grant->nonces.refresh_mac);
    STORE(grant->nonces.refresh_first, sequences[0]);
    STORE(grant->nonces.refreshed, refresh->now);
    STORE(grant->nonces.refresh_count, count);
}

st_result st_grant_refresh(st_grants *g, st_ref ref, const st_refresh *refresh, apr_uint64_t *sequences, unsigned count)
{
    st_held held;
    st_grant *grant;
    st_result rc = count ? hold_with_nonces(g, ref, &held, &grant) : hold(g, ref, &held, &grant);
    unsigned i;

    if (rc)
        return rc;
    if (count)
        STORE(grant->nonces.refresh_count, 0);
    st_table_set_expires(&g->grants, &held, refresh->forget);
    STORE(grant->secret_fingerprint, refresh->secret_fingerprint);
    STORE(grant->expires, refresh->expires);
    for (i = 0; i < count; i++)
        sequences[i] = st_nonces_issue(&grant->nonces.state);
    store_response(grant, refresh, sequences, count);
    st_table_release(&g->grants, &held);
    return ST_OK;
}

st_result st_challenge_use(st_grants *g, apr_uint32_t participant_index, apr_uint64_t stamp)
{
    return st_challenges_use(g->challenges, g->config.participants, participant_index, stamp);
}

st_result st_grant_end(st_grants *g, st_ref ref)
{
    st_held held;
    st_grant *grant;
    st_result rc = hold(g, ref, &held, &grant);

    if (!rc)
        st_table_remove(&g->grants, &held);
    return rc;
}

apr_uint32_t st_grants_live(const st_grants *g)
{
    return st_table_live(&g->grants);
}

apr_uint32_t st_grants_high_water(const st_grants *g)
{
    return st_table_high_water(&g->grants);
}

st_result st_grant_at(st_grants *g, apr_uint32_t place, st_grant *copy, apr_time_t *forget)
{
    st_ref ref;
    st_result rc = from_status(st_table_read_at(&g->grants, place, copy, &ref), ST_NOT_FOUND);

    *forget = rc ? 0 : st_table_expires(&g->grants, ref);
    return rc;
}
