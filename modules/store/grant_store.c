/* Calls the functions of a store, and implements the store in shared memory. */
#include "grant_store.h"

st_result st_store_create(const st_grant_store *store, const st_grant *grant, apr_uint32_t quota, apr_time_t forget,
                          apr_time_t now)
{
    return store->functions->create(store->self, grant, quota, forget, now);
}

st_result st_store_find(const st_grant_store *store, const unsigned char digest[IA_SHA256_LEN], st_grant *copy,
                        st_grant_ref *ref)
{
    return store->functions->find(store->self, digest, copy, ref);
}

st_result st_store_use_nonce(const st_grant_store *store, const st_grant_ref *ref, const ia_nonce_claim *claim,
                             apr_time_t now, apr_time_t lifetime, apr_uint64_t *next)
{
    return store->functions->use_nonce(store->self, ref, claim, now, lifetime, next);
}

st_result st_store_issue(const st_grant_store *store, const st_grant_ref *ref, apr_uint64_t *sequences, unsigned count)
{
    return store->functions->issue(store->self, ref, sequences, count);
}

st_result st_store_refresh(const st_grant_store *store, const st_grant_ref *ref, const st_refresh *refresh,
                           apr_uint64_t *sequences, unsigned count)
{
    return store->functions->refresh(store->self, ref, refresh, sequences, count);
}

st_result st_store_end(const st_grant_store *store, const st_grant_ref *ref)
{
    return store->functions->end(store->self, ref);
}

st_result st_store_use_stamp(const st_grant_store *store, apr_uint32_t participant_index, apr_uint64_t stamp)
{
    return store->functions->use_stamp(store->self, participant_index, stamp);
}

apr_uint64_t st_store_stamp(const st_grant_store *store, apr_time_t now)
{
    return store->functions->stamp(store->self, now);
}

apr_uint64_t st_store_clock(const st_grant_store *store, apr_time_t now)
{
    return store->functions->clock(store->self, now);
}

static const ia_mac_key *key_of(const st_grant_store *store)
{
    return store->functions->nonce_key(store->self);
}

void st_store_nonce_key(const st_grant_store *store, ia_mac_key *copy)
{
    *copy = *key_of(store);
}

void st_store_fresh_nonce(const st_grant_store *store, unsigned char nonce[IA_NONCE_LEN], apr_time_t now)
{
    ia_nonce_mint_fresh(nonce, key_of(store), st_store_stamp(store, now));
}

void st_store_next_nonce(const st_grant_store *store, unsigned char nonce[IA_NONCE_LEN],
                         const unsigned char grant_id[IA_GRANT_ID_LEN], apr_uint64_t sequence)
{
    ia_nonce_mint_next(nonce, key_of(store), grant_id, sequence);
}

ia_result st_store_verify_nonce(const st_grant_store *store, ia_nonce_claim *claim,
                                const unsigned char nonce[IA_NONCE_LEN], const unsigned char grant_id[IA_GRANT_ID_LEN])
{
    return ia_nonce_verify(claim, nonce, key_of(store), grant_id);
}

st_grant_count st_store_count(const st_grant_store *store)
{
    st_grant_count count;

    store->functions->count(store->self, &count);
    return count;
}

/* --- shared memory ------------------------------------------------------------------------------------------------ */

static st_ref from_opaque(const st_grant_ref *ref)
{
    st_ref at = {(apr_uint32_t)ref->words[0], (apr_uint32_t)ref->words[1]};

    return at;
}

static st_result create(void *self, const st_grant *grant, apr_uint32_t quota, apr_time_t forget, apr_time_t now)
{
    return st_grant_create(self, grant, quota, forget, now);
}

static st_result find(void *self, const unsigned char digest[IA_SHA256_LEN], st_grant *copy, st_grant_ref *ref)
{
    st_ref at = {0, 0};
    st_result result = st_grant_find(self, digest, copy, &at);

    ref->words[0] = at.index;
    ref->words[1] = at.version;
    return result;
}

static st_result use_nonce(void *self, const st_grant_ref *ref, const ia_nonce_claim *claim, apr_time_t now,
                           apr_time_t lifetime, apr_uint64_t *next)
{
    return st_grant_use(self, from_opaque(ref), claim, st_grants_clock(self, now), (apr_uint64_t)lifetime, next);
}

static st_result issue(void *self, const st_grant_ref *ref, apr_uint64_t *sequences, unsigned count)
{
    return st_grant_issue(self, from_opaque(ref), sequences, count);
}

static st_result refresh(void *self, const st_grant_ref *ref, const st_refresh *what, apr_uint64_t *sequences,
                         unsigned count)
{
    return st_grant_refresh(self, from_opaque(ref), what, sequences, count);
}

static st_result end(void *self, const st_grant_ref *ref)
{
    return st_grant_end(self, from_opaque(ref));
}

static st_result use_stamp(void *self, apr_uint32_t participant_index, apr_uint64_t stamp)
{
    return st_challenge_use(self, participant_index, stamp);
}

static apr_uint64_t make_stamp(void *self, apr_time_t now)
{
    return st_grants_stamp(self, now);
}

static apr_uint64_t read_clock(void *self, apr_time_t now)
{
    return st_grants_clock(self, now);
}

static const ia_mac_key *nonce_key(void *self)
{
    return st_grants_nonce_key(self);
}

static void count(void *self, st_grant_count *out)
{
    const st_grants *grants = self;

    out->live = st_grants_live(grants);
    out->capacity = grants->config.grants;
}

static const st_grant_store_functions shared_memory = {create,    find,       use_nonce,  issue,     refresh, end,
                                                       use_stamp, make_stamp, read_clock, nonce_key, count};

void st_grants_store(st_grant_store *store, st_grants *grants)
{
    store->functions = &shared_memory;
    store->self = grants;
}
