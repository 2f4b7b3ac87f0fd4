#include <sched.h>
#include <string.h>
#include "crash_point.h"
#include "shm_table.h"

#define CLAIM_FREE 0
#define CLAIM_LIVE 1 /* any other value: the owner word of the process that builds the record */

#define CHAIN_MAX    4096 /* a longer chain is damage */
#define READ_TRIES   2000
#define FULL_REST    apr_time_from_sec(1) /* after a fruitless lap, refuse at once for this long */
#define ALIGN(n)     (((n) + 63) & ~(apr_size_t)63)

#define LOAD(where)         __atomic_load_n(&(where), __ATOMIC_ACQUIRE)
#define STORE(where, value) (__atomic_store_n(&(where), (value), __ATOMIC_RELEASE))

typedef struct stripe {
    st_lock_word lock;
    apr_uint32_t unlinks; /* tells a reader that a chain changed under it */
    char pad[64 - sizeof(st_lock_word) - sizeof(apr_uint32_t)];
} stripe;

struct st_table_shared {
    apr_uint32_t hand;       /* where the search for a free record goes on */
    apr_uint32_t high_water;
    apr_uint32_t live;
    apr_uint32_t pad;
    apr_int64_t full_until;
    apr_int64_t swept_at;
    char align[64 - 4 * sizeof(apr_uint32_t) - 2 * sizeof(apr_int64_t)];
    stripe stripes[ST_STRIPES];
};

typedef struct record {
    apr_uint64_t claim;
    apr_uint64_t hash;
    apr_int64_t expires;
    apr_uint32_t next;    /* index + 1; 0 ends the chain */
    apr_uint32_t version; /* odd while the payload is overwritten in place; a new life adds 2 */
} record;

static apr_uint32_t bucket_count(apr_uint32_t capacity)
{
    apr_uint32_t count = ST_STRIPES;

    while (count < capacity && count < 1u << 31)
        count *= 2;
    return count;
}

apr_size_t st_table_size(apr_uint32_t capacity, apr_size_t payload_size)
{
    apr_size_t record_size = (sizeof(record) + payload_size + 15) & ~(apr_size_t)15;

    return sizeof(struct st_table_shared) + ALIGN(bucket_count(capacity) * sizeof(apr_uint32_t)) +
           ALIGN(capacity * record_size);
}

void st_table_attach(st_table *table, void *memory, apr_uint32_t capacity, apr_size_t payload_size,
                     st_on_free on_free, void *context)
{
    apr_uint32_t buckets = bucket_count(capacity);

    table->shared = memory;
    table->buckets = (apr_uint32_t *)((char *)memory + sizeof(struct st_table_shared));
    table->records = (char *)table->buckets + ALIGN(buckets * sizeof(apr_uint32_t));
    table->capacity = capacity;
    table->bucket_mask = buckets - 1;
    table->payload_size = payload_size;
    table->record_size = (sizeof(record) + payload_size + 15) & ~(apr_size_t)15;
    table->on_free = on_free;
    table->context = context;
}

static record *record_at(const st_table *table, apr_uint32_t index)
{
    return index < table->capacity ? (record *)(table->records + index * table->record_size) : NULL;
}

static void *payload_of(record *r)
{
    return r + 1;
}

static apr_uint32_t *bucket_of(const st_table *table, apr_uint64_t hash)
{
    return &table->buckets[hash & table->bucket_mask];
}

static stripe *stripe_of(const st_table *table, apr_uint64_t hash)
{
    return &table->shared->stripes[hash % ST_STRIPES];
}

/* Copies a payload that held still meanwhile. 1 done, 0 it moved. */
static int copy_still(const st_table *table, record *r, void *copy, apr_uint32_t *version)
{
    apr_uint32_t before = LOAD(r->version);

    if (before & 1)
        return 0;
    memcpy(copy, payload_of(r), table->payload_size);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    *version = before;
    return LOAD(r->version) == before;
}

/* One walk along a chain: APR_SUCCESS, APR_NOTFOUND, or APR_EAGAIN where it changed underfoot. */
static apr_status_t walk(const st_table *table, apr_uint64_t hash, st_match match, const void *key, void *copy,
                         st_ref *ref)
{
    stripe *s = stripe_of(table, hash);
    apr_uint32_t unlinks = LOAD(s->unlinks), link = LOAD(*bucket_of(table, hash)), steps;

    for (steps = 0; link && steps < CHAIN_MAX; steps++) {
        record *r = record_at(table, link - 1);

        if (!r)
            return APR_EAGAIN;
        if (LOAD(r->hash) == hash) {
            apr_uint32_t version;

            if (!copy_still(table, r, copy, &version))
                return APR_EAGAIN;
            if (match(copy, key)) {
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
        apr_status_t rv = walk(table, hash, match, key, copy, ref);

        if (rv != APR_EAGAIN)
            return rv;
        if (tries > 100)
            sched_yield();
    }
    return APR_TIMEUP;
}

apr_status_t st_table_read_at(const st_table *table, apr_uint32_t index, void *copy, st_ref *ref)
{
    record *r = record_at(table, index);
    apr_uint32_t version;
    unsigned tries;

    if (!r)
        return APR_NOTFOUND;
    for (tries = 0; tries < READ_TRIES; tries++) {
        if (LOAD(r->claim) == CLAIM_FREE)
            return APR_NOTFOUND;
        if (copy_still(table, r, copy, &version)) {
            if (ref) {
                ref->index = index;
                ref->version = version;
            }
            return APR_SUCCESS;
        }
        if (tries > 100)
            sched_yield();
    }
    return APR_TIMEUP;
}

/* The link that leads to a record, with the stripe locked; NULL where the record is not in its chain. */
static apr_uint32_t *link_to(const st_table *table, apr_uint64_t hash, apr_uint32_t index)
{
    apr_uint32_t *link = bucket_of(table, hash), steps;

    for (steps = 0; *link && steps < CHAIN_MAX; steps++) {
        record *r = record_at(table, *link - 1);

        if (!r)
            return NULL;
        if (*link - 1 == index)
            return link;
        link = &r->next;
    }
    return NULL;
}

/*
 * Takes a record out of its chain and frees it, with the stripe locked. Killed after the unlink, the record is
 * neither in a chain nor free: its `expires` of 0 lets the next lap of an insert find it.
 */
static void free_locked(st_table *table, record *r, apr_uint32_t index, apr_uint64_t next_claim)
{
    apr_uint32_t *link = link_to(table, r->hash, index);

    STORE(r->expires, 0);
    ST_CRASH_POINT();
    if (link) {
        __atomic_add_fetch(&stripe_of(table, r->hash)->unlinks, 1, __ATOMIC_ACQ_REL);
        STORE(*link, r->next);
    }
    ST_CRASH_POINT();
    if (table->on_free)
        table->on_free(table->context, payload_of(r));
    ST_CRASH_POINT();
    STORE(r->version, (r->version | 1) + 1);
    __atomic_sub_fetch(&table->shared->live, 1, __ATOMIC_RELAXED);
    STORE(r->claim, next_claim);
}

/* A record whose time is over, or whose builder died, becomes ours. */
static int reclaim(st_table *table, record *r, apr_uint32_t index, apr_time_t now)
{
    apr_uint64_t claim = LOAD(r->claim), hash = LOAD(r->hash);
    int dead = claim > CLAIM_LIVE && st_owner_is_dead(claim), taken = 0;

    if (!dead && (claim != CLAIM_LIVE || LOAD(r->expires) > now))
        return 0;
    if (st_lock(&stripe_of(table, hash)->lock))
        return 0;
    if (LOAD(r->claim) == claim && LOAD(r->hash) == hash && (dead || LOAD(r->expires) <= now)) {
        if (dead && r->expires > now && link_to(table, hash, index)) {
            STORE(r->claim, CLAIM_LIVE); /* it died just before saying so */
        } else {
            free_locked(table, r, index, st_owner_self());
            taken = 1;
        }
    }
    st_unlock(&stripe_of(table, hash)->lock);
    return taken;
}

static void raise_high_water(st_table *table, apr_uint32_t index)
{
    apr_uint32_t seen = LOAD(table->shared->high_water);

    while (seen <= index && !__atomic_compare_exchange_n(&table->shared->high_water, &seen, index + 1, 0,
                                                         __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        ;
}

/* Claims a record: a free one, or one that may be reused. Goes round at most once. */
static record *claim_record(st_table *table, apr_time_t now, apr_uint32_t *index)
{
    apr_uint32_t step;

    if (LOAD(table->shared->full_until) > now && LOAD(table->shared->full_until) <= now + FULL_REST)
        return NULL;
    for (step = 0; step < table->capacity; step++) {
        record *r;
        apr_uint64_t from = CLAIM_FREE;

        *index = __atomic_fetch_add(&table->shared->hand, 1, __ATOMIC_RELAXED) % table->capacity;
        r = record_at(table, *index);
        raise_high_water(table, *index);
        if (__atomic_compare_exchange_n(&r->claim, &from, st_owner_self(), 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED) ||
            reclaim(table, r, *index, now)) {
            __atomic_add_fetch(&table->shared->live, 1, __ATOMIC_RELAXED);
            return r;
        }
    }
    STORE(table->shared->full_until, now + FULL_REST);
    return NULL;
}

void st_table_sweep(st_table *table, apr_time_t now)
{
    apr_int64_t last = LOAD(table->shared->swept_at);
    apr_uint32_t index, high = st_table_high_water(table);

    if (last <= now && last > now - FULL_REST)
        return;
    if (!__atomic_compare_exchange_n(&table->shared->swept_at, &last, now, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        return;
    for (index = 0; index < high; index++) {
        record *r = record_at(table, index);

        if (reclaim(table, r, index, now))
            STORE(r->claim, CLAIM_FREE);
    }
}

static int exists_locked(const st_table *table, apr_uint64_t hash, st_match match, const void *key)
{
    apr_uint32_t link = *bucket_of(table, hash), steps;

    for (steps = 0; link && steps < CHAIN_MAX; steps++) {
        record *r = record_at(table, link - 1);

        if (!r)
            return 1;
        if (r->hash == hash && match(payload_of(r), key))
            return 1;
        link = r->next;
    }
    return link != 0;
}

static void abandon(st_table *table, record *r)
{
    if (table->on_free)
        table->on_free(table->context, payload_of(r));
    STORE(r->version, (r->version | 1) + 1);
    __atomic_sub_fetch(&table->shared->live, 1, __ATOMIC_RELAXED);
    STORE(r->claim, CLAIM_FREE);
}

apr_status_t st_table_insert(st_table *table, apr_uint64_t hash, st_match match, const void *key, const void *payload,
                             apr_time_t expires, apr_time_t now, st_ref *ref)
{
    apr_uint32_t index, *bucket = bucket_of(table, hash);
    record *r = claim_record(table, now, &index);

    if (!r)
        return APR_ENOSPC;
    ST_CRASH_POINT();
    STORE(r->version, r->version | 1); /* a reader that came along an old link must not trust what it copies */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    STORE(r->expires, expires);
    STORE(r->hash, hash);
    memcpy(payload_of(r), payload, table->payload_size);
    STORE(r->version, r->version + 1);
    ST_CRASH_POINT();
    if (st_lock(&stripe_of(table, hash)->lock)) {
        abandon(table, r);
        return APR_TIMEUP;
    }
    if (exists_locked(table, hash, match, key)) {
        abandon(table, r);
        st_unlock(&stripe_of(table, hash)->lock);
        return APR_EEXIST;
    }
    STORE(r->next, *bucket);
    ST_CRASH_POINT();
    STORE(*bucket, index + 1);
    ST_CRASH_POINT();
    STORE(r->claim, CLAIM_LIVE);
    ST_CRASH_POINT();
    if (ref) {
        ref->index = index;
        ref->version = r->version;
    }
    st_unlock(&stripe_of(table, hash)->lock);
    return APR_SUCCESS;
}

apr_status_t st_table_hold(st_table *table, st_ref ref, void **payload)
{
    record *r = record_at(table, ref.index);
    apr_uint64_t hash;

    *payload = NULL;
    if (!r || LOAD(r->version) != ref.version)
        return APR_NOTFOUND;
    hash = LOAD(r->hash);
    if (st_lock(&stripe_of(table, hash)->lock))
        return APR_TIMEUP;
    if (LOAD(r->version) != ref.version || r->hash != hash || LOAD(r->claim) == CLAIM_FREE) {
        st_unlock(&stripe_of(table, hash)->lock);
        return APR_NOTFOUND;
    }
    *payload = payload_of(r);
    return APR_SUCCESS;
}

void st_table_release(st_table *table, st_ref ref)
{
    st_unlock(&stripe_of(table, record_at(table, ref.index)->hash)->lock);
}

apr_time_t st_table_expires(const st_table *table, st_ref ref)
{
    return record_at(table, ref.index)->expires;
}

void st_table_set_expires(st_table *table, st_ref ref, apr_time_t expires)
{
    STORE(record_at(table, ref.index)->expires, expires);
}

void st_table_remove(st_table *table, st_ref ref)
{
    record *r = record_at(table, ref.index);
    stripe *s = stripe_of(table, r->hash);

    free_locked(table, r, ref.index, CLAIM_FREE);
    st_unlock(&s->lock);
}

apr_status_t st_table_overwrite(st_table *table, apr_uint32_t index, const void *payload)
{
    record *r = record_at(table, index);

    if (!r || LOAD(r->claim) == CLAIM_FREE)
        return APR_NOTFOUND;
    STORE(r->version, r->version | 1);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    ST_CRASH_POINT();
    memcpy(payload_of(r), payload, table->payload_size);
    ST_CRASH_POINT();
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
