/*
 * Threads of several processes access the same records.
 *
 *   INTERAUTH_STORE_ROUNDS   number of nonces (20000)
 *   INTERAUTH_STORE_THREADS  threads in each of the 4 processes (16)
 *
 * The long run is 100000 nonces with 64 threads: each is tried 256 times.
 *
 * With -DPROCESSES=1, all threads are in this process, for ThreadSanitizer.
 */
#include "store.h"

#ifndef PROCESSES
#define PROCESSES 4
#endif
#define LIFETIME APR_UINT64_C(300000000)
#define LIMIT    600 /* time limit of a child in seconds */

static unsigned threads = 16, rounds = 20000;

typedef struct board {
    apr_uint64_t ready, current, attempts, faults, stop, total;
    apr_uint64_t clock;
    unsigned char wins[]; /* number of successes by round */
} board;

static board *b;

static apr_uint64_t add(apr_uint64_t *where, apr_uint64_t n)
{
    return __atomic_add_fetch(where, n, __ATOMIC_ACQ_REL);
}

static apr_uint64_t look(const apr_uint64_t *where)
{
    return __atomic_load_n(where, __ATOMIC_ACQUIRE);
}

static void board_clear(unsigned most)
{
    memset(b, 0, sizeof *b + most);
}

/* --- the same work in every thread of every process -------------------------------------------------------------- */

typedef struct job {
    void (*work)(unsigned number, void *argument);
    void *argument;
    unsigned number;
} job;

static void *job_run(void *job_)
{
    job *j = job_;

    add(&b->ready, 1);
    while (look(&b->ready) < threads * PROCESSES)
        sched_yield();
    j->work(j->number, j->argument);
    return NULL;
}

static void run_threads(void *job_)
{
    const job *base = job_;
    job *jobs = calloc(threads, sizeof *jobs);
    pthread_t *ids = calloc(threads, sizeof *ids);
    unsigned i;

    for (i = 0; i < threads; i++) {
        jobs[i] = *base;
        jobs[i].number = base->number * threads + i;
        CHECK_EQ(pthread_create(&ids[i], NULL, job_run, &jobs[i]), 0);
    }
    for (i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    free(jobs);
    free(ids);
}

static void run_everywhere(void (*work)(unsigned, void *), void *argument)
{
    job base[PROCESSES];
    pid_t pids[PROCESSES];
    unsigned i;

    b->ready = 0;
    for (i = 0; i < PROCESSES; i++) {
        base[i].work = work;
        base[i].argument = argument;
        base[i].number = i;
        if (PROCESSES == 1)
            run_threads(&base[i]);
        else
            pids[i] = spawn(run_threads, &base[i], LIMIT);
    }
    for (i = 0; i < PROCESSES && PROCESSES > 1; i++)
        reap_well(pids[i]);
}

/* --- a nonce is accepted once ------------------------------------------------------------------------------------ */

typedef struct race {
    st_grants g;
    st_ref ref;
    ia_nonce_kind kind;
} race;

/* Every thread tries every nonce, in order, as soon as it is issued. */
static void try_each(unsigned number, void *race_)
{
    race *r = race_;
    unsigned i;

    (void)number;
    for (i = 1; i <= rounds; i++) {
        ia_nonce_claim claim = {r->kind, r->kind == IA_NONCE_NEXT ? i : NOW + i};
        apr_uint64_t next;
        st_result rc;

        while (look(&b->current) + 1 < i)
            sched_yield();
        rc = st_grant_use(&r->g, r->ref, &claim, NOW + rounds, LIFETIME, &next);
        if (rc == ST_OK) {
            __atomic_add_fetch(&b->wins[i], 1, __ATOMIC_ACQ_REL);
            add(&b->current, 1);
        } else if (rc != ST_EXISTS && rc != ST_STALE) {
            add(&b->faults, 1);
        }
        add(&b->attempts, 1);
    }
}

static void grant_open(race *r, uint64_t number, unsigned nonces)
{
    st_grant grant, copy;

    grant_make(&grant, number, 1, nonces);
    CHECK_EQ(st_grant_create(&r->g, &grant, 1000, NOW + 3600 * SEC, NOW), ST_OK);
    CHECK_EQ(st_grant_find(&r->g, grant.digest, &copy, &r->ref), ST_OK);
}

static void one_winner(ia_nonce_kind kind)
{
    static const st_grants_config config = {8, 2};
    race r;
    unsigned i;

    board_clear(rounds + 1);
    r.kind = kind;
    grants_open(&r.g, &config);
    grant_open(&r, 1, 1);
    run_everywhere(try_each, &r);
    CHECK_EQ(b->faults, 0);
    CHECK_EQ(b->attempts, (apr_uint64_t)rounds * threads * PROCESSES);
    for (i = 1; i <= rounds; i++)
        CHECK_EQ(b->wins[i], 1);
    printf("%s nonces: %u, tried %llu times, one winner each\n", kind == IA_NONCE_NEXT ? "next" : "fresh", rounds,
           (unsigned long long)b->attempts);
}

/* --- issued nonces in any order ---------------------------------------------------------------------------------- */

typedef struct shuffle {
    race r;
    unsigned count;
    apr_uint64_t order[ST_NONCE_WINDOW];
} shuffle;

static void use_own_share(unsigned number, void *shuffle_)
{
    shuffle *s = shuffle_;
    unsigned i;

    for (i = number; i < s->count; i += threads * PROCESSES) {
        ia_nonce_claim claim = {IA_NONCE_NEXT, s->order[i]};
        apr_uint64_t next;

        CHECK_EQ(st_grant_use(&s->r.g, s->r.ref, &claim, NOW, LIFETIME, &next), ST_OK);
        CHECK(next > s->count || s->count == ST_NONCE_WINDOW);
    }
}

static void all_shuffled_succeed(unsigned count, unsigned grants)
{
    static const st_grants_config config = {64, 2};
    uint64_t seed = count;
    shuffle s;
    unsigned round, i;

    board_clear(0);
    s.count = count;
    grants_open(&s.r.g, &config);
    for (round = 0; round < grants; round++) {
        grant_open(&s.r, round, count);
        for (i = 0; i < count; i++)
            s.order[i] = i + 1;
        for (i = count - 1; i > 0; i--) {
            unsigned other = (unsigned)(next_random(&seed) % (i + 1));
            apr_uint64_t held = s.order[i];

            s.order[i] = s.order[other];
            s.order[other] = held;
        }
        run_everywhere(use_own_share, &s);
        for (i = 0; i < count; i++) {
            ia_nonce_claim claim = {IA_NONCE_NEXT, s.order[i]};
            apr_uint64_t next;

            CHECK_EQ(st_grant_use(&s.r.g, s.r.ref, &claim, NOW, LIFETIME, &next), ST_EXISTS);
        }
    }
    printf("%u held nonces, shuffled, in parallel: all succeed once (%u grants)\n", count, grants);
}

/* --- a proof is accepted once ------------------------------------------------------------------------------------ */

static void record_each(unsigned number, void *replays)
{
    st_replay_cache *c = replays;
    unsigned char mac[32];
    unsigned i;

    for (i = 0; i < rounds; i++) {
        st_result rc;

        digest_of(mac, i);
        rc = st_replay_record(c, mac, number % 4, APR_UINT32_MAX, NOW + 600 * SEC, NOW);
        if (rc == ST_OK)
            __atomic_add_fetch(&b->wins[i], 1, __ATOMIC_ACQ_REL);
        else if (rc != ST_EXISTS)
            add(&b->faults, 1);
    }
}

static void one_record(void)
{
    st_replay_cache c;
    unsigned i;

    board_clear(rounds);
    /* Each thread claims one more record while it checks whether its proof exists. */
    replays_open(&c, rounds + threads * PROCESSES, 4);
    run_everywhere(record_each, &c);
    CHECK_EQ(b->faults, 0);
    for (i = 0; i < rounds; i++)
        CHECK_EQ(b->wins[i], 1);
    CHECK_EQ(st_replays_live(&c), rounds);
    CHECK_EQ(count_of(c.counts, 0) + count_of(c.counts, 1) + count_of(c.counts, 2) + count_of(c.counts, 3), rounds);
    printf("used proofs: %u, recorded %u times, one winner each\n", rounds, rounds * threads * PROCESSES);
}

/* --- a challenge is accepted once -------------------------------------------------------------------------------- */

static void use_each(unsigned number, void *grants)
{
    st_grants *g = grants;
    unsigned i;

    (void)number;
    for (i = 1; i <= rounds; i++) {
        st_result rc;

        while (look(&b->current) + 1 < i)
            sched_yield();
        rc = st_challenge_use(g, 1, (apr_uint64_t)NOW + i);
        if (rc == ST_OK) {
            __atomic_add_fetch(&b->wins[i], 1, __ATOMIC_ACQ_REL);
            add(&b->current, 1);
        } else if (rc != ST_EXISTS) {
            add(&b->faults, 1);
        }
    }
}

static void one_use(void)
{
    static const st_grants_config config = {8, 2};
    st_grants g;
    unsigned i;

    board_clear(rounds + 1);
    grants_open(&g, &config);
    run_everywhere(use_each, &g);
    CHECK_EQ(b->faults, 0);
    for (i = 1; i <= rounds; i++)
        CHECK_EQ(b->wins[i], 1);
    CHECK_EQ(look(&g.challenges[0]), 0);
    printf("challenges: %u, used %u times, one winner each\n", rounds, rounds * threads * PROCESSES);
}

/* In any order: each success has the newest stamp, and used challenges are never accepted again. */
static void use_any(unsigned number, void *grants)
{
    st_grants *g = grants;
    uint64_t seed = number + 1;
    unsigned i;

    for (i = 0; i < rounds; i++) {
        apr_uint64_t before = look(&g->challenges[1]), after, stamp = 1 + i + next_random(&seed) % rounds;
        st_result rc = st_challenge_use(g, 1, stamp);

        after = look(&g->challenges[1]);
        CHECK(rc == ST_OK ? stamp > before : rc == ST_EXISTS);
        CHECK(after >= stamp && after >= before);
        if (rc == ST_OK) {
            CHECK_EQ(__atomic_fetch_add(&b->wins[stamp], 1, __ATOMIC_ACQ_REL), 0);
            add(&b->total, 1);
        }
    }
}

static void uses_in_any_order(void)
{
    static const st_grants_config config = {8, 2};
    st_grants g;
    unsigned newest;

    board_clear(2 * rounds);
    grants_open(&g, &config);
    run_everywhere(use_any, &g);
    for (newest = 2 * rounds - 1; !b->wins[newest]; newest--)
        CHECK(newest > 1);
    CHECK_EQ(look(&g.challenges[1]), newest);
    printf("challenges in any order: %llu used, none twice, none after a newer one\n", (unsigned long long)b->total);
}

/* --- stamps ------------------------------------------------------------------------------------------------------ */

#define STAMPS 50000

static void generate_stamps(unsigned number, void *grants)
{
    st_grants *g = grants;
    apr_uint64_t last = 0;
    unsigned i;

    for (i = 0; i < STAMPS; i++) {
        /* The clocks differ, and one goes back. */
        apr_uint64_t stamp = st_grants_stamp(g, NOW - (apr_time_t)number * 10 - (i > STAMPS / 2 ? SEC : 0));

        CHECK(stamp > last && stamp - NOW < STAMPS * (apr_uint64_t)threads * PROCESSES);
        last = stamp;
        __atomic_add_fetch(&b->wins[stamp - NOW], 1, __ATOMIC_ACQ_REL);
    }
}

static void stamps_differ(void)
{
    static const st_grants_config config = {8, 2};
    unsigned i, all = STAMPS * threads * PROCESSES;
    st_grants g;

    board_clear(all);
    grants_open(&g, &config);
    st_grants_stamp(&g, NOW - 1);
    run_everywhere(generate_stamps, &g);
    for (i = 0; i < all; i++)
        CHECK_EQ(b->wins[i], 1);
    printf("stamps: %u, all different\n", all);
}

/* --- participants while they are loaded -------------------------------------------------------------------------- */

#define RELOADS 400

static void read_participants(st_participants *t, uint64_t seed)
{
    apr_uint64_t found = 0;
    apr_uint32_t index = 0;
    st_participant p, same;

    while (!look(&b->stop)) {
        char id[16];
        st_result rc;

        snprintf(id, sizeof id, "p%u", (unsigned)(next_random(&seed) % 300));
        rc = st_participant_find(t, id, strlen(id), &p, &index);
        CHECK(rc == ST_OK || rc == ST_NOT_FOUND);
        /* These are in every list. */
        CHECK(!rc || atoi(id + 1) < 100 || atoi(id + 1) >= 200);
        if (rc)
            continue;
        CHECK(participant_is_whole(&p) && !strcmp(p.id, id));
        rc = st_participant_get(t, index, p.generation, &same);
        CHECK(rc == ST_OK || rc == ST_GONE);
        CHECK(rc || (participant_is_whole(&same) && !strcmp(same.id, id)));
        found++;
    }
    add(&b->total, found);
}

static void load_or_read(unsigned number, void *participants)
{
    st_participants *t = participants;
    apr_pool_t *p;
    unsigned i;

    if (number) {
        read_participants(t, number);
        return;
    }
    CHECK_EQ(apr_pool_create(&p, NULL), APR_SUCCESS);
    for (i = 2; i < RELOADS; i++) {
        ia_participants list;
        st_load_report report;

        participants_make(&list, p, i % 3 == 0 ? 100 : 0, i % 3 == 0 ? 200 : 300, i / 2);
        CHECK_EQ(st_participants_load(t, ST_SOURCE_FILE, &list, NOW, p, &report), ST_OK);
        CHECK_EQ(st_participants_count(t), list.count);
        apr_pool_clear(p);
        add(&b->current, 1);
    }
    __atomic_store_n(&b->stop, 1, __ATOMIC_RELEASE);
}

/* Alternates between lists of 300 and of the last 200: the last 200 always exist. */
static void readers_see_whole_records(void)
{
    st_participants t;
    ia_participants list;
    st_load_report report;
    apr_pool_t *p;
    unsigned kept = threads;

    threads = kept > 4 ? 4 : kept;
    board_clear(0);
    CHECK_EQ(apr_pool_create(&p, NULL), APR_SUCCESS);
    participants_open(&t, 330);
    participants_make(&list, p, 0, 300, 1);
    CHECK_EQ(st_participants_load(&t, ST_SOURCE_FILE, &list, NOW, p, &report), ST_OK);
    run_everywhere(load_or_read, &t);
    CHECK_EQ(b->current, RELOADS - 2);
    CHECK(b->total > 1000);
    printf("participants: %llu read whole during %d loads\n", (unsigned long long)b->total, RELOADS);
    apr_pool_destroy(p);
    threads = kept;
}

/* --- records behind others in a chain ---------------------------------------------------------------------------- */

#define CHURNS 300000

/* Two buckets. Records of the first thread move between them, in front of permanent records. */
static void crowd(st_grant *grant, uint64_t number, unsigned bucket)
{
    grant_make(grant, number, 1, 1);
    grant->digest[0] = (unsigned char)bucket;
}

static void churn_or_find(unsigned number, void *grants)
{
    st_grants *g = grants;
    uint64_t i;

    for (i = 0; number ? !look(&b->stop) : i < CHURNS; i++) {
        st_grant grant, copy;
        st_ref ref;

        crowd(&grant, number ? i % 4 : 100 + i, number ? 0 : i % 2);
        if (!number)
            CHECK_EQ(st_grant_create(g, &grant, 100, NOW + SEC, NOW), ST_OK);
        CHECK_EQ(st_grant_find(g, grant.digest, &copy, &ref), ST_OK);
        CHECK(copy.scope == grant.scope);
        if (!number)
            CHECK_EQ(st_grant_end(g, ref), ST_OK);
        else
            add(&b->total, 1);
    }
    __atomic_store_n(&b->stop, 1, __ATOMIC_RELEASE);
}

static void readers_miss_nothing(void)
{
    static const st_grants_config config = {5, 2};
    unsigned kept = threads, i;
    st_grants g;

    threads = kept > 2 ? 2 : kept;
    board_clear(0);
    grants_open(&g, &config);
    for (i = 0; i < 4; i++) {
        st_grant grant;

        crowd(&grant, i, 0);
        CHECK_EQ(st_grant_create(&g, &grant, 100, NOW + SEC, NOW), ST_OK);
    }
    run_everywhere(churn_or_find, &g);
    printf("a chain that changes: %llu look-ups, none missed\n", (unsigned long long)b->total);
    threads = kept;
}

/* --- grants that are created, ended and swept -------------------------------------------------------------------- */

#define STEPS 4000
#define OWN   24 /* maximum number of grants of a thread */

typedef struct own {
    uint64_t number;
    apr_time_t forget; /* 0: none */
} own;

static void create_and_end(unsigned number, void *grants)
{
    st_grants *g = grants;
    own mine[OWN];
    uint64_t seed = number + 1, made = (uint64_t)number << 32;
    unsigned step;

    memset(mine, 0, sizeof mine);
    for (step = 0; step < STEPS; step++) {
        own *o = &mine[next_random(&seed) % OWN];
        apr_time_t now = NOW + (apr_time_t)add(&b->clock, 200);
        unsigned char digest[32];
        st_grant grant, copy;
        ia_nonce_claim claim = {IA_NONCE_NEXT, 1};
        apr_uint64_t next;
        st_ref ref;
        st_result rc;

        if (!o->forget) {
            o->number = ++made;
            o->forget = now + (apr_time_t)(next_random(&seed) % (4 * SEC)) + 1;
            grant_make(&grant, o->number, number % 4, 1);
            CHECK_EQ(st_grant_create(g, &grant, 100000, o->forget, now), ST_OK);
            continue;
        }
        digest_of(digest, o->number);
        rc = st_grant_find(g, digest, &copy, &ref);
        /* It may be removed only after it has expired. Other threads may have read a later time. */
        CHECK(rc == ST_OK || (rc == ST_NOT_FOUND && o->forget <= NOW + (apr_time_t)look(&b->clock)));
        if (rc) {
            o->forget = 0;
        } else {
            CHECK(!memcmp(copy.digest, digest, 32) && copy.scope == o->number && copy.secret_fingerprint == o->number);
            rc = st_grant_use(g, ref, &claim, NOW, LIFETIME, &next);
            CHECK(rc == ST_OK || rc == ST_EXISTS || rc == ST_GONE);
            if (next_random(&seed) % 2) {
                rc = st_grant_end(g, ref);
                CHECK(rc == ST_OK || rc == ST_GONE);
                CHECK_EQ(st_grant_find(g, digest, &copy, &ref), ST_NOT_FOUND);
                o->forget = 0;
            }
        }
        if (step % 200 == 0)
            st_table_sweep(&g->grants, now);
    }
    for (step = 0; step < OWN; step++)
        add(&b->total, mine[step].forget != 0);
}

static void insert_and_sweep(void)
{
    st_grants_config config = {0, 4};
    st_grants g;
    st_grant grant;
    unsigned i;

    config.grants = (OWN + 4) * threads * PROCESSES;
    board_clear(0);
    grants_open(&g, &config);
    run_everywhere(create_and_end, &g);
    st_table_sweep(&g.grants, NOW + (apr_time_t)b->clock + 100 * SEC);
    CHECK_EQ(st_grants_live(&g), 0);
    for (i = 0; i < 4; i++)
        CHECK_EQ(count_of(g.grants_of, i), 0);
    for (i = 0; i < config.grants; i++) {
        grant_make(&grant, i, i % 4, 1);
        CHECK_EQ(st_grant_create(&g, &grant, config.grants, NOW + 9000 * SEC, NOW + 200 * SEC), ST_OK);
    }
    printf("grants: %u made, used, ended and swept in parallel, none lost, none left behind\n",
           STEPS * threads * PROCESSES);
}

static unsigned number_from(const char *name, unsigned otherwise)
{
    const char *text = getenv(name);

    return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

int main(void)
{
    apr_size_t most;

    rounds = number_from("INTERAUTH_STORE_ROUNDS", rounds);
    threads = number_from("INTERAUTH_STORE_THREADS", threads);
    CHECK(rounds > 0 && threads > 0);
    CHECK_EQ(apr_initialize(), APR_SUCCESS);
    st_owner_init();
    most = STAMPS * (apr_size_t)threads * PROCESSES > rounds ? STAMPS * (apr_size_t)threads * PROCESSES : rounds;
    b = shared_memory(sizeof *b + most + 1);
    one_winner(IA_NONCE_NEXT);
    one_winner(IA_NONCE_FRESH);
    one_record();
    one_use();
    uses_in_any_order();
    stamps_differ();
    readers_see_whole_records();
    readers_miss_nothing();
    insert_and_sweep();
    all_shuffled_succeed(16, 20);
    all_shuffled_succeed(ST_NONCE_WINDOW, 10);
    return 0;
}
