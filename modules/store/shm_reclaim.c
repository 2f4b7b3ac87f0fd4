/*
 * Where free records come from: those never used, those whose time is over, and those whose builder was killed.
 * Nothing here waits for long, whoever holds a lock and whatever a hostile child wrote: a lap has a budget.
 */
#include "shm_layout.h"

#define REST      apr_time_from_sec(1) /* after a fruitless lap or a sweep */
#define REST_EACH 5                    /* more microseconds of it for each record: about 1 % of a processor */
#define LOOKS_MAX 1000                 /* at owners in one lap */
#define WAITS_MAX 20000                /* microseconds for locks in one lap */

typedef struct budget {
    unsigned looks;
    apr_time_t patience;
    int skipped; /* something that was in use for a moment */
} budget;

void st_record_unlink(st_table *table, st_record *r, apr_uint32_t index, apr_uint64_t hash)
{
    apr_uint32_t *link = st_link_to(table, hash, index);

    STORE(r->expires, 0);
    if (link)
        STORE(*link, LOAD(r->next));
    /*
     * After the record left its chain and before it enters another: a reader that saw the new number cannot meet it here,
     * and one that it led into another chain sees the number change. Also where a killed process had unlinked it.
     */
    ADD(stripe_of(table, hash)->unlinks, 1);
}

/* A process killed between claiming and counting must not wrap the count round. */
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
    if (left->looks) {
        left->looks--;
        if (st_owner_is_dead(claim))
            return 1;
    }
    left->skipped = 1;
    return 0;
}

/* With the stripe locked. One that its builder linked lives: it died just before saying so. */
static int take_locked(st_table *table, st_record *r, apr_uint32_t index, apr_uint64_t hash, apr_time_t now,
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

/* Gives a record whose time is over, or whose builder died, to `next_claim`. */
static int reclaim(st_table *table, apr_uint32_t index, apr_time_t now, apr_uint64_t next_claim, budget *left)
{
    st_record *r = record_at(table, index);
    apr_uint64_t claim = LOAD(r->claim), hash = LOAD(r->hash);
    st_lock_word *lock = &stripe_of(table, hash)->lock;
    int taken = 0;

    if (claim == CLAIM_LIVE ? LOAD(r->expires) > now : !is_abandoned(claim, left))
        return 0;
    if (st_lock_within(lock, &left->patience)) {
        left->skipped = 1;
        return 0;
    }
    if (LOAD(r->claim) == claim && LOAD(r->hash) == hash)
        taken = take_locked(table, r, index, hash, now, next_claim);
    st_unlock(lock);
    return taken;
}

static void raise_high_water(st_table *table, apr_uint32_t index)
{
    apr_uint32_t seen = LOAD(table->shared->high_water);

    while (seen <= index && !SWAP(table->shared->high_water, seen, index + 1))
        ;
}

static apr_time_t rest_of(apr_uint32_t records)
{
    return REST + (apr_time_t)records * REST_EACH;
}

/* Whatever the times are: one of them was read from the memory. */
static apr_uint64_t between(apr_time_t a, apr_time_t b)
{
    return a > b ? (apr_uint64_t)a - (apr_uint64_t)b : (apr_uint64_t)b - (apr_uint64_t)a;
}

/* Found full not long ago, and nothing was freed since. Clocks of callers differ a little, and may go back. */
static int is_known_full(const st_table *table, apr_time_t now)
{
    apr_time_t until = LOAD(table->shared->full_until);

    return until > now && between(until, now) <= 2 * (apr_uint64_t)rest_of(table->capacity) &&
           LOAD(table->shared->full_frees) == LOAD(table->shared->frees);
}

/* Goes round at most once, together with everybody else who searches while nothing is freed. */
st_record *st_record_claim(st_table *table, apr_time_t now, apr_uint32_t *index)
{
    budget left = {LOOKS_MAX, WAITS_MAX, 0};
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
        STORE(table->shared->full_until, now + rest_of(table->capacity));
    }
    return NULL;
}

/* Is it time again? Who asks takes the turn. */
static int take_turn(st_table *table, apr_time_t now)
{
    apr_int64_t last = LOAD(table->shared->swept_at);
    apr_time_t rest = rest_of(st_table_high_water(table));

    if (last && between(last, now) < (apr_uint64_t)rest)
        return 0;
    return SWAP(table->shared->swept_at, last, now);
}

void st_table_sweep(st_table *table, apr_time_t now)
{
    budget left = {LOOKS_MAX, WAITS_MAX, 0};
    apr_uint32_t index, high = st_table_high_water(table), frees, live, used = 0, freed = 0;

    if (!take_turn(table, now))
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
    if (LOAD(table->shared->frees) == frees + freed) /* nobody else: a good moment to set the count right */
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
