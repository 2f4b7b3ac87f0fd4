/*
 * Children call every operation of the store, while every few milliseconds one of them is killed and replaced.
 * INTERAUTH_STORE_SECONDS: duration (default 3).
 */
#include <apr_time.h>
#include "store.h"

#define CHILDREN     6
#define THREADS      2
#define CAPACITY     512
#define PARTICIPANTS 60
#define KEPT         20 /* participants that are in every list */
#define PROOFS       60000
#define SEQUENCES    (1 << 22)
#define CHALLENGES   (1 << 22)
#define LIFETIME     APR_UINT64_C(300000000)
#define KILLS        60
#define SLOWEST      (2 * SEC) /* limit for one call; locks of dead owners are taken over earlier */

typedef struct board {
    apr_uint64_t proofs, numbers, loads, challenges;
    apr_uint64_t done[CHILDREN + 1]; /* completed work by child */
    unsigned char proof_wins[PROOFS];
    unsigned char next_wins[SEQUENCES];
    unsigned char challenge_wins[CHALLENGES];
} board;

static board *b;
static st_grants g;
static st_replay_cache replays;
static st_participants t;

static apr_uint64_t add(apr_uint64_t *where, apr_uint64_t n)
{
    return __atomic_fetch_add(where, n, __ATOMIC_ACQ_REL);
}

static void check_rc(st_result rc, apr_int64_t since)
{
    CHECK(rc >= 0); /* not a fault */
    CHECK(clock_micros() - since < SLOWEST);
}

static void check_result(st_result rc, apr_int64_t since)
{
    CHECK(rc != ST_FAULT);
    CHECK(clock_micros() - since < SLOWEST);
}

/* A permanent grant: none of its nonces is accepted twice. */
static void use_nonce(uint64_t *seed)
{
    apr_int64_t since = clock_micros();
    ia_nonce_claim claim = {IA_NONCE_NEXT, 0};
    unsigned char digest[32];
    apr_uint64_t next;
    st_grant copy;
    st_ref ref;
    st_result rc;

    digest_of(digest, 1);
    CHECK_EQ(st_grant_find(&g, digest, &copy, &ref), ST_OK);
    CHECK(copy.scope == 1 && !memcmp(copy.digest, digest, 32));
    claim.value = copy.nonces.state.issued - next_random(seed) % 8;
    if (next_random(seed) % 8 == 0)
        claim.value = copy.nonces.state.top - next_random(seed) % 250;
    if (claim.value < 1 || claim.value >= SEQUENCES)
        return;
    rc = st_grant_use(&g, ref, &claim, (apr_uint64_t)NOW, LIFETIME, &next);
    check_result(rc, since);
    if (rc == ST_OK)
        CHECK_EQ(__atomic_fetch_add(&b->next_wins[claim.value], 1, __ATOMIC_ACQ_REL), 0);
    if (next_random(seed) % 16 == 0) {
        apr_uint64_t more[4];

        check_result(st_grant_issue(&g, ref, more, 4), since);
    }
}

static void record_proof(uint64_t *seed)
{
    apr_int64_t since = clock_micros();
    apr_uint64_t number = add(&b->proofs, 1) / 8 + next_random(seed) % 4;
    unsigned char mac[32];
    st_result rc;

    if (number >= PROOFS)
        return;
    digest_of(mac, number);
    rc = st_replay_record(&replays, mac, (apr_uint32_t)(number % 4), PROOFS, NOW + 3600 * SEC, NOW);
    check_rc(ST_OK, since);
    CHECK(rc == ST_OK || rc == ST_EXISTS);
    if (rc == ST_OK)
        CHECK_EQ(__atomic_fetch_add(&b->proof_wins[number], 1, __ATOMIC_ACQ_REL), 0);
}

/* Challenges of one participant: none is accepted twice, or after a newer one. */
static void use_challenge(uint64_t *seed)
{
    apr_int64_t since = clock_micros();
    apr_uint64_t before = __atomic_load_n(&g.challenges[3], __ATOMIC_ACQUIRE), after;
    apr_uint64_t stamp = 1 + add(&b->challenges, 1) / 8 + next_random(seed) % 4;
    st_result rc;

    if (stamp >= CHALLENGES)
        return;
    rc = st_challenge_use(&g, 3, stamp);
    check_result(rc, since);
    after = __atomic_load_n(&g.challenges[3], __ATOMIC_ACQUIRE);
    CHECK(after >= before && after >= stamp);
    CHECK(rc == ST_OK ? stamp > before : rc == ST_EXISTS);
    if (rc == ST_OK)
        CHECK_EQ(__atomic_fetch_add(&b->challenge_wins[stamp], 1, __ATOMIC_ACQ_REL), 0);
}

/* Grants are created and ended; those of killed children expire. */
static void churn(uint64_t *seed)
{
    apr_int64_t since = clock_micros();
    apr_time_t now = apr_time_now();
    uint64_t number = 2 + add(&b->numbers, 1);
    unsigned char mac[32];
    st_refresh refresh = {now + SEC, now + 2 * SEC, number, mac, now};
    apr_uint64_t more[4];
    st_grant grant, copy;
    st_ref ref;
    st_result rc;

    grant_make(&grant, number, (apr_uint32_t)(number % 3), 4);
    rc = st_grant_create(&g, &grant, 150, now + (apr_time_t)(next_random(seed) % SEC) + SEC / 2, now);
    check_result(rc, since);
    CHECK(rc == ST_OK || rc == ST_QUOTA || rc == ST_FULL);
    if (rc)
        return;
    rc = st_grant_find(&g, grant.digest, &copy, &ref);
    check_result(rc, since);
    CHECK(rc || (copy.scope == number && !memcmp(copy.digest, grant.digest, 32)));
    CHECK(!rc || clock_micros() - since > SEC / 2);
    digest_of(mac, number);
    if (!rc && next_random(seed) % 2)
        check_result(st_grant_refresh(&g, ref, &refresh, more, 4), since);
    if (!rc && next_random(seed) % 16) {
        check_result(st_grant_end(&g, ref), since);
        CHECK_EQ(st_grant_find(&g, grant.digest, &copy, &ref), ST_NOT_FOUND);
    }
    if (next_random(seed) % 500 == 0)
        st_table_sweep(&g.grants, now);
}

static void read_participant(uint64_t *seed)
{
    apr_int64_t since = clock_micros();
    unsigned number = (unsigned)(next_random(seed) % PARTICIPANTS);
    st_participant copy, same;
    apr_uint32_t index;
    char id[16];
    st_result rc;

    snprintf(id, sizeof id, "p%u", number);
    rc = st_participant_find(&t, id, strlen(id), &copy, &index);
    check_rc(rc, since);
    CHECK(rc == ST_OK || number >= KEPT);
    if (rc)
        return;
    CHECK(participant_is_whole(&copy) && !strcmp(copy.id, id));
    rc = st_participant_get(&t, index, copy.generation, &same);
    check_rc(rc, since);
    CHECK(rc ? number >= KEPT : participant_is_whole(&same) && !strcmp(same.id, id));
}

typedef struct place {
    unsigned number;
    uint64_t seed;
} place;

static void *hammer(void *place_)
{
    place *p = place_;
    uint64_t seed = p->seed;

    for (;;) {
        use_nonce(&seed);
        record_proof(&seed);
        use_challenge(&seed);
        churn(&seed);
        read_participant(&seed);
        add(&b->done[p->number], 1);
    }
    return NULL;
}

static void hammer_threads(void *place_)
{
    place places[THREADS];
    pthread_t ids[THREADS];
    unsigned i;

    for (i = 0; i < THREADS; i++) {
        places[i] = *(place *)place_;
        places[i].seed += i;
        CHECK_EQ(pthread_create(&ids[i], NULL, hammer, &places[i]), 0);
    }
    for (i = 0; i < THREADS; i++)
        pthread_join(ids[i], NULL);
}

static void load_repeatedly(void *place_)
{
    uint64_t seed = ((place *)place_)->seed;
    apr_pool_t *p;

    CHECK_EQ(apr_pool_create(&p, NULL), APR_SUCCESS);
    for (;;) {
        ia_participants list;
        st_load_report report;

        participants_make(&list, p, 0, KEPT + (unsigned)(next_random(&seed) % (PARTICIPANTS - KEPT)),
                          next_random(&seed) % 200);
        CHECK_EQ(st_participants_load(&t, ST_SOURCE_FILE, &list, NOW, p, &report), ST_OK);
        CHECK_EQ(st_participants_count(&t), list.count);
        apr_pool_clear(p);
        add(&b->loads, 1);
        add(&b->done[CHILDREN], 1);
    }
}

static pid_t start(unsigned number, uint64_t seed)
{
    place p = {number, seed};

    return spawn(number == CHILDREN ? load_repeatedly : hammer_threads, &p, 60);
}

static void prepare(void)
{
    static const st_grants_config config = {CAPACITY, 4};
    ia_participants list;
    st_load_report report;
    st_grant grant;
    apr_pool_t *p;

    CHECK_EQ(apr_pool_create(&p, NULL), APR_SUCCESS);
    grants_open(&g, &config);
    replays_open(&replays, PROOFS + 100, 4);
    participants_open(&t, PARTICIPANTS);
    participants_make(&list, p, 0, PARTICIPANTS, 1);
    CHECK_EQ(st_participants_load(&t, ST_SOURCE_FILE, &list, NOW, p, &report), ST_OK);
    grant_make(&grant, 1, 3, 1);
    CHECK_EQ(st_grant_create(&g, &grant, 1, ST_NEVER, NOW), ST_OK);
    apr_pool_destroy(p);
}

/* Every child makes progress: one without progress in two periods is stuck, even on a busy machine. */
static void check_progress(void)
{
    static apr_uint64_t done[CHILDREN + 1];
    static unsigned idle[CHILDREN + 1];
    unsigned i;

    for (i = 0; i <= CHILDREN; i++) {
        apr_uint64_t now = __atomic_load_n(&b->done[i], __ATOMIC_ACQUIRE);

        idle[i] = now == done[i] ? idle[i] + 1 : 0;
        CHECK(idle[i] < 2);
        done[i] = now;
    }
}

static unsigned kill_and_replace(unsigned seconds)
{
    apr_int64_t until = clock_micros() + seconds * SEC, look = clock_micros();
    uint64_t seed = 31;
    pid_t pids[CHILDREN + 1];
    unsigned i, kills = 0;

    for (i = 0; i <= CHILDREN; i++)
        pids[i] = start(i, i + 1);
    while (clock_micros() < until || kills < KILLS) {
        int status;

        usleep(1000 + (useconds_t)(next_random(&seed) % 6000));
        i = (unsigned)(next_random(&seed) % (CHILDREN + 1));
        kill(pids[i], SIGKILL);
        status = reap(pids[i]);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL); /* it did not exit by itself */
        pids[i] = start(i, next_random(&seed));
        kills++;
        if (clock_micros() - look > SEC) { /* every child makes progress */
            check_progress();
            look = clock_micros();
        }
    }
    for (i = 0; i <= CHILDREN; i++) {
        kill(pids[i], SIGKILL);
        reap(pids[i]);
    }
    return kills;
}

/* Nothing leaked: after everything has expired, the tables have their full capacity. */
static void check_remaining(void)
{
    apr_time_t later = apr_time_now() + 3600 * SEC;
    apr_uint64_t newest = __atomic_load_n(&g.challenges[3], __ATOMIC_ACQUIRE);
    ia_participants list;
    st_load_report report;
    st_grant grant;
    unsigned i;
    apr_pool_t *p;

    CHECK(newest > 0);
    CHECK_EQ(st_challenge_use(&g, 3, newest), ST_EXISTS);
    CHECK_EQ(st_challenge_use(&g, 3, newest + 1), ST_OK);
    st_table_sweep(&g.grants, later);
    st_table_sweep(&replays.table, later);
    for (i = 0; i < 3; i++)
        CHECK(count_of(g.grants_of, i) == 0 && count_of(replays.counts, i) == 0);
    st_table_sweep(&g.grants, later + 10 * SEC);
    CHECK_EQ(st_grants_live(&g), 1);
    for (i = 0; i < CAPACITY - 1; i++) {
        grant_make(&grant, 1000000000 + i, 2, 1);
        CHECK_EQ(st_grant_create(&g, &grant, CAPACITY - 1, later + 3600 * SEC, later), ST_OK);
    }
    grant_make(&grant, 2000000000, 1, 1);
    CHECK_EQ(st_grant_create(&g, &grant, CAPACITY, later + 3600 * SEC, later), ST_FULL);
    CHECK_EQ(apr_pool_create(&p, NULL), APR_SUCCESS);
    participants_make(&list, p, 1000, PARTICIPANTS, 1);
    CHECK_EQ(st_participants_load(&t, ST_SOURCE_FILE, &list, NOW, p, &report), ST_OK);
    CHECK_EQ(report.added, PARTICIPANTS);
    CHECK_EQ(st_participants_count(&t), PARTICIPANTS);
    apr_pool_destroy(p);
}

int main(void)
{
    const char *seconds = getenv("INTERAUTH_STORE_SECONDS");
    apr_uint64_t done = 0;
    unsigned kills, i;

    CHECK_EQ(apr_initialize(), APR_SUCCESS);
    st_owner_init();
    b = shared_memory(sizeof *b);
    prepare();
    kills = kill_and_replace(seconds ? (unsigned)strtoul(seconds, NULL, 10) : 3);
    check_remaining();
    for (i = 0; i < CHILDREN; i++)
        done += b->done[i];
    printf("%u kills during %llu rounds and %llu loads: nothing stuck, nothing torn, nothing accepted twice, nothing "
           "leaked\n",
           kills, (unsigned long long)done, (unsigned long long)b->loads);
    fflush(stdout);
    CHECK(kills >= KILLS && done > 1000 && b->loads > 10);
    return 0;
}
