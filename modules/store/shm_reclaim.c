/*
 * Finds free records: records that were never used, have expired, or whose builder was killed. Each pass has a budget,
 * so that it takes bounded time even if locks are held or a hostile child changed the memory.
 */
#include "shm_layout.h"

#define PAUSE      apr_time_from_sec(1) /* pause after an unsuccessful pass or a sweep */
#define PAUSE_EACH 5                    /* additional microseconds for each record: about 1 % of a processor */
#define CHECKS_MAX 1000                 /* checked owners in one pass */
#define WAITS_MAX  20000                /* microseconds spent waiting for locks in one pass */

typedef struct budget {
    unsigned checks;
    apr_time_t patience;
    int skipped; /* a record was skipped because it was in use */
} budget;

void st_record_unlink(st_table *table, st_record *r, apr_uint32_t index, apr_uint64_t hash)
{
    apr_uint32_t *link = st_link_to(table, hash, index);

    STORE(r->expires, 0);
    if (link)
        STORE(*link, LOAD(r->next));
    /*
     * Must be after the record left its chain and before it enters another: a reader that has the new number cannot
     * find the record in this chain, and a reader that followed it into another chain detects the change. Repeat it
     * even if a killed process already unlinked the record.
     */
    ADD(stripe_of(table, hash)->unlinks, 1);
}

/* The count must not wrap around if a process was killed between claiming and counting. */
static void uncount_live(st_table *table)
{
    apr_uint32_t seen = LOAD(table->shared->live);

    while (seen && !SWAP(table->shared->live, seen, seen - 1))
        ;
}

void st_record_free(st_table *table, st_record *r, apr_uint64_t next_claim)
{
    STORE(r->expires, 0);
    if (table->on_free)
        table->on_free(table->context, payload_of(r));
    STORE(r->version, r->version | 1);
    FENCE_BEFORE_WORDS();
    st_words_clear(payload_of(r), table->payload_size);
    STORE(r->version, r->version + 1);
    uncount_live(table);
    STORE(r->claim, next_claim);
    ADD(table->shared->frees, 1);
}

static int is_abandoned(apr_uint64_t claim, budget *left)
{
    if (claim == CLAIM_FREE || claim == st_owner_self())
        return 0;
    if (left->checks) {
        left->checks--;
        if (st_owner_is_dead(claim))
            return 1;
    }
    left->skipped = 1;
    return 0;
}

/* The stripe is locked. If a builder died after it linked a record, the record is live. */
static int reclaim_locked(st_table *table, st_record *r, apr_uint32_t index, apr_uint64_t hash, apr_time_t now,
                          apr_uint64_t next_claim)
{
    if (LOAD(r->expires) > now) {
        if (LOAD(r->claim) == CLAIM_LIVE)
            return 0;
        if (st_link_to(table, hash, index)) {
            STORE(r->claim, CLAIM_LIVE);
            return 0;
        }
    }
    st_record_unlink(table, r, index, hash);
    st_record_free(table, r, next_claim);
    return 1;
}

/* Sets the claim of a record that has expired, or whose builder died, to `next_claim`. */
static int reclaim(st_table *table, apr_uint32_t index, apr_time_t now, apr_uint64_t next_claim, budget *left)
{
    st_record *r = record_at(table, index);
    apr_uint64_t claim = LOAD(r->claim), hash = LOAD(r->hash);
    st_lock_word *lock = &stripe_of(table, hash)->lock;
    int reclaimed = 0;

    if (claim == CLAIM_LIVE ? LOAD(r->expires) > now : !is_abandoned(claim, left))
        return 0;
    if (st_lock_within(lock, &left->patience)) {
        left->skipped = 1;
        return 0;
    }
    if (LOAD(r->claim) == claim && LOAD(r->hash) == hash)
        reclaimed = reclaim_locked(table, r, index, hash, now, next_claim);
    st_unlock(lock);
    return reclaimed;
}

static void raise_high_water(st_table *table, apr_uint32_t index)
{
    apr_uint32_t seen = LOAD(table->shared->high_water);

    while (seen <= index && !SWAP(table->shared->high_water, seen, index + 1))
        ;
}

static apr_time_t pause_of(apr_uint32_t records)
{
    return PAUSE + (apr_time_t)records * PAUSE_EACH;
}

/* Must not overflow: one of the times was read from shared memory. */
static apr_uint64_t difference(apr_time_t a, apr_time_t b)
{
    return a > b ? (apr_uint64_t)a - (apr_uint64_t)b : (apr_uint64_t)b - (apr_uint64_t)a;
}

/* Whether the table was recently full, and no record was freed since. The callers' clocks may differ or go back. */
static int is_known_full(const st_table *table, apr_time_t now)
{
    apr_time_t until = LOAD(table->shared->full_until);

    return until > now && difference(until, now) <= 2 * (apr_uint64_t)pause_of(table->capacity) &&
           LOAD(table->shared->full_frees) == LOAD(table->shared->frees);
}

/* Concurrent searches share one pass over the table while no record is freed. */
st_record *st_record_claim(st_table *table, apr_time_t now, apr_uint32_t *index)
{
    budget left = {CHECKS_MAX, WAITS_MAX, 0};
    apr_uint32_t step, frees = LOAD(table->shared->frees);
    apr_uint64_t self = st_owner_self(), first = 0;

    for (step = 0; step < table->capacity; step++) {
        apr_uint64_t at, from = CLAIM_FREE;
        st_record *r;

        if (is_known_full(table, now))
            return NULL;
        at = ADD(table->shared->hand, 1);
        first = step ? first : at;
        if (at - first >= table->capacity && LOAD(table->shared->frees) == frees)
            break;
        *index = (apr_uint32_t)(at % table->capacity);
        r = record_at(table, *index);
        raise_high_water(table, *index);
        if ((LOAD(r->claim) == CLAIM_FREE && SWAP(r->claim, from, self)) || reclaim(table, *index, now, self, &left)) {
            ADD(table->shared->live, 1);
            return r;
        }
    }
    if (!left.skipped) {
        STORE(table->shared->full_frees, frees);
        STORE(table->shared->full_until, now + pause_of(table->capacity));
    }
    return NULL;
}

/* Whether a sweep is due. If so, the calling process must do it. */
static int is_sweep_due(st_table *table, apr_time_t now)
{
    apr_int64_t last = LOAD(table->shared->swept_at);
    apr_time_t interval = pause_of(st_table_high_water(table));

    if (last && difference(last, now) < (apr_uint64_t)interval)
        return 0;
    return SWAP(table->shared->swept_at, last, now);
}

void st_table_sweep(st_table *table, apr_time_t now)
{
    budget left = {CHECKS_MAX, WAITS_MAX, 0};
    apr_uint32_t index, high = st_table_high_water(table), frees, live, used = 0, freed = 0;

    if (!is_sweep_due(table, now))
        return;
    frees = LOAD(table->shared->frees);
    live = LOAD(table->shared->live);
    for (index = 0; index < high; index++) {
        if (reclaim(table, index, now, CLAIM_FREE, &left))
            freed++;
        else
            used += LOAD(record_at(table, index)->claim) != CLAIM_FREE;
    }
    live -= freed;
    if (LOAD(table->shared->frees) == frees + freed) /* no concurrent changes, so the count can be corrected */
        SWAP(table->shared->live, live, used);
}

void st_table_recount(st_table *table)
{
    apr_uint32_t index, high = st_table_high_water(table), used = 0;

    for (index = 0; index < high; index++) {
        const st_record *r = record_at(table, index);

        used += LOAD(r->claim) == CLAIM_LIVE && LOAD(r->expires);
    }
    STORE(table->shared->live, used);
}
