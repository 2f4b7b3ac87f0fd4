/* A hash table of fixed-size records in shared memory. */
#include <sched.h>
#include <string.h>
#include "shm_layout.h"

#define READ_TRIES 300
#define READ_SPINS 100 /* attempts before sched_yield() */

#define SIZE_LIMIT ((apr_uint64_t)APR_SIZE_MAX / 2) /* more than can be mapped; sums do not overflow */
#define ALIGN(n)   (((n) + 63) & ~(apr_uint64_t)63)

static apr_uint32_t bucket_count(apr_uint32_t capacity)
{
    apr_uint32_t count = ST_STRIPES;

    while (count / 2 < capacity && count < 1u << 31) /* a bucket costs less than a cache miss */
        count *= 2;
    return count;
}

static apr_size_t record_size_of(apr_size_t payload_size)
{
    return (sizeof(st_record) + payload_size + 15) & ~(apr_size_t)15;
}

apr_size_t st_size_sum(apr_uint64_t a, apr_uint64_t b)
{
    return (apr_size_t)(a > SIZE_LIMIT || b > SIZE_LIMIT - a ? SIZE_LIMIT : a + b);
}

apr_size_t st_table_size(apr_uint32_t capacity, apr_size_t payload_size)
{
    apr_uint64_t buckets = ALIGN(bucket_count(capacity) * (apr_uint64_t)sizeof(apr_uint32_t));
    apr_uint64_t records = ALIGN(capacity * (apr_uint64_t)record_size_of(payload_size));

    return st_size_sum(st_size_sum(sizeof(struct st_table_shared), buckets), records);
}

void st_table_attach(st_table *table, void *memory, apr_uint32_t capacity, apr_size_t payload_size, st_admit admit,
                     st_on_free on_free, void *context)
{
    apr_uint32_t buckets = bucket_count(capacity);

    table->shared = memory;
    table->buckets = (apr_uint32_t *)((char *)memory + sizeof(struct st_table_shared));
    table->records = (char *)table->buckets + ALIGN(buckets * sizeof(apr_uint32_t));
    table->capacity = capacity;
    table->bucket_mask = buckets - 1;
    table->payload_size = payload_size;
    table->record_size = record_size_of(payload_size);
    table->admit = admit;
    table->on_free = on_free;
    table->context = context;
    table->patience = NULL;
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

/* Copies a payload. APR_NOTFOUND if the record's life has ended, APR_EAGAIN if it changed meanwhile. */
static apr_status_t copy_unchanged(const st_table *table, st_record *r, void *copy, apr_uint32_t *version)
{
    *version = LOAD(r->version);
    if (!LOAD(r->expires))
        return APR_NOTFOUND;
    if (*version & 1)
        return APR_EAGAIN;
    st_words_load(copy, payload_of(r), table->payload_size);
    FENCE_AFTER_WORDS();
    return LOAD(r->version) == *version ? APR_SUCCESS : APR_EAGAIN;
}

/* Searches a chain once. APR_EAGAIN if it changed meanwhile. */
static apr_status_t search_chain(const st_table *table, apr_uint64_t hash, st_match match, const void *key, void *copy,
                                 st_ref *ref)
{
    st_stripe *s = stripe_of(table, hash);
    apr_uint32_t unlinks = LOAD(s->unlinks), link = LOAD(*bucket_of(table, hash)), steps;

    for (steps = 0; link && steps < CHAIN_MAX; steps++) {
        st_record *r = record_at(table, link - 1);

        if (!r)
            return APR_EAGAIN;
        if (LOAD(r->hash) == hash) {
            apr_uint32_t version;
            apr_status_t rv = copy_unchanged(table, r, copy, &version);

            if (rv == APR_EAGAIN)
                return rv;
            if (!rv && match(copy, key)) {
                if (ref) {
                    ref->index = link - 1;
                    ref->version = version;
                }
                return APR_SUCCESS;
            }
        }
        link = LOAD(r->next);
    }
    return LOAD(s->unlinks) == unlinks ? APR_NOTFOUND : APR_EAGAIN;
}

apr_status_t st_table_read(const st_table *table, apr_uint64_t hash, st_match match, const void *key, void *copy,
                           st_ref *ref)
{
    unsigned tries;

    for (tries = 0; tries < READ_TRIES; tries++) {
        apr_status_t rv = search_chain(table, hash, match, key, copy, ref);

        if (rv != APR_EAGAIN)
            return rv;
        if (tries > READ_SPINS)
            sched_yield();
    }
    return APR_TIMEUP;
}

/* If the version is the same before and after the claim was read, the claim belongs to that life. */
apr_status_t st_table_read_at(const st_table *table, apr_uint32_t index, void *copy, st_ref *ref)
{
    st_record *r = record_at(table, index);
    unsigned tries;

    for (tries = 0; r && tries < READ_TRIES; tries++) {
        apr_uint32_t before = LOAD(r->version), version;
        apr_status_t rv = LOAD(r->claim) == CLAIM_LIVE ? copy_unchanged(table, r, copy, &version) : APR_NOTFOUND;

        if (rv == APR_NOTFOUND)
            return rv;
        if (!rv && version == before) {
            if (ref) {
                ref->index = index;
                ref->version = version;
            }
            return APR_SUCCESS;
        }
        if (tries > READ_SPINS)
            sched_yield();
    }
    return r ? APR_TIMEUP : APR_NOTFOUND;
}

/* --- with the stripe locked -------------------------------------------------------------------------------------- */

static apr_status_t lock_stripe(const st_table *table, apr_uint64_t hash)
{
    st_lock_word *word = &stripe_of(table, hash)->lock;

    return table->patience ? st_lock_within(word, table->patience) : st_lock(word);
}

static void unlock_stripe(const st_table *table, apr_uint64_t hash)
{
    st_unlock(&stripe_of(table, hash)->lock);
}

apr_uint32_t *st_link_to(const st_table *table, apr_uint64_t hash, apr_uint32_t index)
{
    apr_uint32_t *link = bucket_of(table, hash), steps;

    for (steps = 0; steps < CHAIN_MAX; steps++) {
        apr_uint32_t to = LOAD(*link);
        st_record *r = to ? record_at(table, to - 1) : NULL;

        if (!r)
            return NULL;
        if (to - 1 == index)
            return link;
        link = &r->next;
    }
    return NULL;
}

/* Returns APR_SUCCESS and the index, APR_NOTFOUND, or APR_EGENERAL if the chain is damaged. */
static apr_status_t find_locked(const st_table *table, apr_uint64_t hash, st_match match, const void *key,
                                apr_uint32_t *index)
{
    apr_uint32_t link = LOAD(*bucket_of(table, hash)), steps;

    for (steps = 0; link && steps < CHAIN_MAX; steps++) {
        st_record *r = record_at(table, link - 1);

        if (!r)
            return APR_EGENERAL;
        *index = link - 1;
        if (LOAD(r->hash) == hash && LOAD(r->expires) && match(payload_of(r), key))
            return APR_SUCCESS;
        link = LOAD(r->next);
    }
    return steps < CHAIN_MAX ? APR_NOTFOUND : APR_EGENERAL;
}

/* Whether a record is live. If its builder died after it linked the record, CLAIM_LIVE is set here. */
static int is_live_locked(const st_table *table, st_record *r, apr_uint32_t index, apr_uint64_t hash)
{
    if (!LOAD(r->expires))
        return 0;
    if (LOAD(r->claim) == CLAIM_LIVE)
        return 1;
    if (!st_link_to(table, hash, index))
        return 0;
    STORE(r->claim, CLAIM_LIVE);
    return 1;
}

static void build(const st_table *table, st_record *r, const st_insertion *what)
{
    STORE(r->version, r->version | 1); /* invalidates copies of readers that followed an old link */
    FENCE_BEFORE_WORDS();
    STORE(r->expires, what->expires);
    STORE(r->hash, what->hash);
    st_words_store(payload_of(r), what->payload, table->payload_size);
    STORE(r->version, r->version + 1);
}

static apr_status_t link_locked(st_table *table, st_record *r, apr_uint32_t index, const st_insertion *what)
{
    apr_uint32_t other, *bucket = bucket_of(table, what->hash);
    apr_status_t rv = find_locked(table, what->hash, what->match, what->key, &other);

    if (rv != APR_NOTFOUND)
        return rv ? rv : APR_EEXIST;
    if (table->admit && !table->admit(table->context, payload_of(r), what->limit))
        return APR_EACCES;
    STORE(r->next, LOAD(*bucket));
    STORE(*bucket, index + 1);
    STORE(r->claim, CLAIM_LIVE);
    return APR_SUCCESS;
}

apr_status_t st_table_insert(st_table *table, const st_insertion *what, apr_time_t now, st_ref *ref)
{
    apr_uint32_t index;
    st_record *r = st_record_claim(table, now, &index);
    apr_status_t rv;

    if (!r)
        return APR_ENOSPC;
    build(table, r, what);
    if ((rv = lock_stripe(table, what->hash))) {
        st_record_free(table, r, CLAIM_FREE);
        return rv;
    }
    rv = link_locked(table, r, index, what);
    if (!rv && ref) {
        ref->index = index;
        ref->version = LOAD(r->version);
    }
    unlock_stripe(table, what->hash);
    if (rv)
        st_record_free(table, r, CLAIM_FREE);
    return rv;
}

apr_status_t st_table_hold(st_table *table, st_ref ref, st_held *held)
{
    st_record *r = record_at(table, ref.index);

    memset(held, 0, sizeof *held);
    if (!r || LOAD(r->version) != ref.version)
        return APR_NOTFOUND;
    held->hash = LOAD(r->hash);
    if (lock_stripe(table, held->hash))
        return APR_TIMEUP;
    if (LOAD(r->version) != ref.version || LOAD(r->hash) != held->hash ||
        !is_live_locked(table, r, ref.index, held->hash)) {
        unlock_stripe(table, held->hash);
        return APR_NOTFOUND;
    }
    held->payload = payload_of(r);
    held->ref = ref;
    return APR_SUCCESS;
}

apr_status_t st_table_hold_key(st_table *table, apr_uint64_t hash, st_match match, const void *key, st_held *held)
{
    apr_uint32_t index;
    apr_status_t rv;
    st_record *r;

    memset(held, 0, sizeof *held);
    if ((rv = lock_stripe(table, hash)))
        return rv;
    if ((rv = find_locked(table, hash, match, key, &index))) {
        unlock_stripe(table, hash);
        return rv;
    }
    r = record_at(table, index);
    if (LOAD(r->claim) != CLAIM_LIVE)
        STORE(r->claim, CLAIM_LIVE);
    held->payload = payload_of(r);
    held->hash = hash;
    held->ref.index = index;
    held->ref.version = LOAD(r->version);
    return APR_SUCCESS;
}

void st_table_release(st_table *table, const st_held *held)
{
    unlock_stripe(table, held->hash);
}

void st_table_remove(st_table *table, const st_held *held)
{
    st_record *r = record_at(table, held->ref.index);

    st_record_unlink(table, r, held->ref.index, held->hash);
    st_record_free(table, r, CLAIM_FREE);
    unlock_stripe(table, held->hash);
}

/* --- single words ------------------------------------------------------------------------------------------------ */

apr_time_t st_table_expires(const st_table *table, st_ref ref)
{
    st_record *r = record_at(table, ref.index);

    return r ? LOAD(r->expires) : 0;
}

void st_table_set_expires(st_table *table, const st_held *held, apr_time_t expires)
{
    STORE(record_at(table, held->ref.index)->expires, expires);
}

int st_table_ref_at(const st_table *table, apr_uint32_t index, st_ref *ref)
{
    st_record *r = record_at(table, index);

    if (!r || LOAD(r->claim) == CLAIM_FREE)
        return 0;
    ref->index = index;
    ref->version = LOAD(r->version);
    return 1;
}

apr_status_t st_table_overwrite(st_table *table, apr_uint32_t index, const void *payload)
{
    st_record *r = record_at(table, index);

    if (!r || LOAD(r->claim) == CLAIM_FREE)
        return APR_NOTFOUND;
    STORE(r->version, r->version | 1);
    FENCE_BEFORE_WORDS();
    st_words_store(payload_of(r), payload, table->payload_size);
    STORE(r->version, r->version + 1);
    return APR_SUCCESS;
}

apr_uint32_t st_table_live(const st_table *table)
{
    apr_uint32_t live = LOAD(table->shared->live);

    return live <= table->capacity ? live : table->capacity;
}

apr_uint32_t st_table_high_water(const st_table *table)
{
    apr_uint32_t high = LOAD(table->shared->high_water);

    return high <= table->capacity ? high : table->capacity;
}
