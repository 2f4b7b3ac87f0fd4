/*
 * Whatever a child writes to the segment, before or during a call, the functions of the store do not crash, access
 * other memory, or take long, because the parent process, which runs as root, calls them too. The memory is between
 * guard pages. Built with a short ST_LOCK_PATIENCE.
 */
#include "store.h"

#define SEGMENTS     3
#define PARTICIPANTS 300
#define GRANTS       200
#define LONGEST      (8 * SEC) /* limit for one call, on a busy machine */

typedef struct segment {
    unsigned char *at;
    apr_size_t size;
} segment;

static st_participants participants;
static st_grants grants;
static st_replay_cache replays;
static segment segments[SEGMENTS];
static apr_uint64_t live_word; /* owner word of another live process */
static apr_pool_t *pool;
static apr_int64_t longest;

static void timed(apr_int64_t since)
{
    apr_int64_t took = clock_micros() - since;

    if (took > longest)
        longest = took;
    CHECK(took < LONGEST);
}

static apr_uint64_t hostile_word(uint64_t *seed)
{
    uint64_t random = next_random(seed);

    switch (random % 12) {
    case 0:
        return 0;
    case 1:
        return 1;
    case 2:
        return APR_UINT64_MAX;
    case 3:
        return live_word;
    case 4:
        return st_owner_self();
    case 5:
        return random >> 8 & 0xff;
    case 6:
        return (random >> 8 & 0x1ff) << 32 | (random >> 20 & 0x1ff);
    case 7:
        return APR_UINT64_C(0xffffffff) << 32 | (random >> 8 & 0xff);
    case 8:
        return random >> 8 & APR_UINT64_C(0x00000001ffffffff);
    case 9:
        return ST_NEVER;
    case 10:
        return APR_UINT64_C(0x8000000100000000) | (random >> 8 & 0xffff);
    default:
        return next_random(seed);
    }
}

static void scribble(uint64_t *seed, unsigned words)
{
    while (words-- > 0) {
        const segment *s = &segments[next_random(seed) % SEGMENTS];
        /* Half of the changes affect the header and stripes. */
        apr_size_t reach = next_random(seed) % 2 ? s->size : s->size < 40000 ? s->size : 40000;
        apr_uint64_t *at = (apr_uint64_t *)(void *)s->at + next_random(seed) % (reach / 8);

        __atomic_store_n(at, hostile_word(seed), __ATOMIC_RELAXED);
    }
}

/* Changes the headers of records more often than payloads. */
static void scribble_heads(uint64_t *seed, const st_table *table, unsigned words)
{
    while (words-- > 0) {
        st_record *r = record_at(table, (apr_uint32_t)(next_random(seed) % table->capacity));

        switch (next_random(seed) % 6) {
        case 0:
            r->claim = hostile_word(seed);
            break;
        case 1:
            r->hash = hostile_word(seed);
            break;
        case 2:
            r->expires = (apr_int64_t)hostile_word(seed);
            break;
        case 3:
            r->next = (apr_uint32_t)hostile_word(seed);
            break;
        case 4:
            r->version ^= 1;
            break;
        default:
            table->buckets[next_random(seed) & table->bucket_mask] =
                (apr_uint32_t)(next_random(seed) % (table->capacity + 2));
        }
    }
}

static void use_participants(uint64_t *seed)
{
    apr_int64_t since = clock_micros();
    ia_participants list;
    st_load_report report;
    st_participant copy;
    char id[400];
    unsigned i;

    for (i = 0; i < 8; i++) {
        memset(id, 'x', sizeof id);
        snprintf(id, 16, "p%u", (unsigned)(next_random(seed) % PARTICIPANTS));
        st_participant_find(&participants, id, strlen(id), &copy, NULL);
        timed(since);
        since = clock_micros();
        st_participant_find(&participants, id, next_random(seed) % sizeof id, &copy, NULL);
        timed(since);
        since = clock_micros();
        st_participant_get(&participants, (apr_uint32_t)(next_random(seed) % (2 * PARTICIPANTS)), i, &copy);
        timed(since);
        since = clock_micros();
    }
    participants_make(&list, pool, (unsigned)(next_random(seed) % 50), PARTICIPANTS - 10, next_random(seed) % 5);
    st_participants_load(&participants, ST_SOURCE_FILE, &list, NOW, pool, &report);
    timed(since);
    CHECK(st_participants_count(&participants) <= PARTICIPANTS);
    for (i = 0; i < 2000; i++) {
        const char *name = st_names_get(&participants.capabilities, (int)i);

        CHECK(!name || strlen(name) <= IA_NAME_MAX);
    }
    apr_pool_clear(pool);
}

static void use_grants(uint64_t *seed)
{
    apr_int64_t since;
    apr_time_t forget, now = NOW + (apr_time_t)(next_random(seed) % (9000 * SEC));
    unsigned char mac[32];
    apr_uint32_t participant;
    unsigned i;

    for (i = 0; i < 15; i++) {
        ia_nonce_claim claim = {next_random(seed) % 2 ? IA_NONCE_NEXT : IA_NONCE_FRESH, next_random(seed) % 400};
        apr_uint64_t sequences[8];
        st_refresh refresh = {NOW, NOW + SEC, 1, mac, NOW};
        st_grant grant, copy;
        st_ref ref = {(apr_uint32_t)next_random(seed), (apr_uint32_t)next_random(seed)};

        grant_make(&grant, next_random(seed) % 300, (apr_uint32_t)(next_random(seed) % 6), 4);
        since = clock_micros();
        st_grant_create(&grants, &grant, 50, now + 100 * SEC, now);
        timed(since);
        since = clock_micros();
        st_grant_find(&grants, grant.digest, &copy, &ref);
        timed(since);
        since = clock_micros();
        if (next_random(seed) % 4)
            st_grant_use(&grants, ref, &claim, (apr_uint64_t)now, 300 * SEC, sequences);
        timed(since);
        since = clock_micros();
        st_grant_issue(&grants, ref, sequences, 8);
        digest_of(mac, next_random(seed) % 300);
        st_grant_refresh(&grants, ref, &refresh, sequences, 8);
        timed(since);
        since = clock_micros();
        if (next_random(seed) % 3 == 0)
            st_grant_end(&grants, ref);
        timed(since);
        since = clock_micros();
        st_replay_record(&replays, mac, (apr_uint32_t)(next_random(seed) % 6), 50, now + 100 * SEC, now);
        timed(since);
        st_grants_stamp(&grants, now);
        st_challenge_use(&grants, (apr_uint32_t)(next_random(seed) % 7), next_random(seed));
        CHECK_EQ(st_challenge_use(&grants, 5, next_random(seed)), ST_FAULT);
    }
    since = clock_micros();
    for (i = 0; i < st_grants_high_water(&grants); i++) {
        st_grant copy;

        st_grant_at(&grants, i, &copy, &forget);
    }
    for (i = 0; i < st_replays_high_water(&replays); i++)
        st_replay_at(&replays, i, mac, &participant, &forget);
    timed(since);
    since = clock_micros();
    st_table_sweep(&grants.grants, now + 50 * SEC);
    st_table_sweep(&replays.table, now + 50 * SEC);
    timed(since);
    CHECK(st_grants_live(&grants) <= GRANTS && st_replays_live(&replays) <= GRANTS);
}

static void open_all(void)
{
    static const st_grants_config config = {GRANTS, 5};
    ia_mac_key key;
    unsigned i;

    for (i = 0; i < SEGMENTS; i++)
        memset(segments[i].at, 0, segments[i].size);
    key_of(&key, "key");
    st_participants_attach(&participants, segments[0].at, PARTICIPANTS, &key);
    st_grants_attach(&grants, segments[1].at, &config, &key);
    st_replays_attach(&replays, segments[2].at, GRANTS, 5, &key, NOW);
}

static void scribble_before(unsigned rounds)
{
    uint64_t seed = 4711;
    unsigned round;

    for (round = 0; round < rounds; round++) {
        if (round % 10 == 0)
            open_all();
        use_participants(&seed);
        use_grants(&seed);
        scribble(&seed, 1u << next_random(&seed) % 10);
        scribble_heads(&seed, &participants.table, 20);
        scribble_heads(&seed, &grants.grants, 20);
        scribble_heads(&seed, &replays.table, 20);
        use_participants(&seed);
        use_grants(&seed);
    }
}

static void scribble_repeatedly(void *unused)
{
    uint64_t seed = 99;

    (void)unused;
    for (;;) {
        scribble(&seed, 40);
        scribble_heads(&seed, &participants.table, 4);
        scribble_heads(&seed, &grants.grants, 4);
        scribble_heads(&seed, &replays.table, 4);
        usleep(50);
    }
}

static void scribble_concurrently(unsigned rounds)
{
    uint64_t seed = 815;
    pid_t pid;
    unsigned round;

    open_all();
    pid = spawn(scribble_repeatedly, NULL, 300);
    for (round = 0; round < rounds; round++) {
        use_participants(&seed);
        use_grants(&seed);
    }
    kill(pid, SIGKILL);
    reap(pid);
}

/* A live process holds all stripes: a load and a sweep give up after one common budget, not one for each lock. */
static void all_locks_held(void)
{
    apr_int64_t since;
    ia_participants list;
    st_load_report report;
    unsigned i;

    open_all();
    participants_make(&list, pool, 0, PARTICIPANTS, 1);
    CHECK_EQ(st_participants_load(&participants, ST_SOURCE_FILE, &list, NOW, pool, &report), ST_OK);
    for (i = 0; i < ST_STRIPES; i++)
        participants.table.shared->stripes[i].lock = live_word;
    since = clock_micros();
    participants_make(&list, pool, 10, PARTICIPANTS, 2);
    CHECK_EQ(st_participants_load(&participants, ST_SOURCE_FILE, &list, NOW, pool, &report), ST_FAULT);
    CHECK(clock_micros() - since < 100 * ST_LOCK_PATIENCE + SEC);
    for (i = 0; i < GRANTS; i++) {
        st_grant grant;

        grant_make(&grant, i, 1, 1);
        CHECK_EQ(st_grant_create(&grants, &grant, GRANTS, NOW + SEC, NOW), ST_OK);
    }
    for (i = 0; i < ST_STRIPES; i++)
        grants.grants.shared->stripes[i].lock = live_word;
    since = clock_micros();
    st_table_sweep(&grants.grants, NOW + 2 * SEC);
    CHECK_EQ(st_grants_live(&grants), GRANTS);
    CHECK(clock_micros() - since < 2 * SEC);
    for (i = 0; i < ST_STRIPES; i++)
        grants.grants.shared->stripes[i].lock = 0;
    st_table_sweep(&grants.grants, NOW + 20 * SEC);
    CHECK_EQ(st_grants_live(&grants), 0);
}

/* Live processes claimed the whole table: every call fails after a short time. */
static void all_claimed_by_others(void)
{
    apr_int64_t since;
    st_grant grant;
    unsigned i;

    open_all();
    for (i = 0; i < GRANTS; i++)
        record_at(&grants.grants, i)->claim = live_word;
    grants.grants.shared->high_water = GRANTS;
    since = clock_micros();
    for (i = 0; i < 20; i++) {
        grant_make(&grant, i, 1, 1);
        CHECK_EQ(st_grant_create(&grants, &grant, GRANTS, NOW + SEC, NOW), ST_FULL);
    }
    CHECK(clock_micros() - since < 5 * SEC);
}

static void stay_alive(void *unused)
{
    (void)unused;
    for (;;)
        pause();
}

int main(void)
{
    static const st_grants_config config = {GRANTS, 5};
    pid_t alive;

    CHECK_EQ(apr_initialize(), APR_SUCCESS);
    CHECK_EQ(apr_pool_create(&pool, NULL), APR_SUCCESS);
    alarm(280);
    alive = spawn(stay_alive, NULL, 280);
    st_owner_init();
    live_word = APR_UINT64_C(0x80000000) << 32 | (apr_uint32_t)alive;
    CHECK_EQ(st_owner_is_dead(live_word), 0);
    segments[0].size = st_participants_size(PARTICIPANTS);
    segments[1].size = st_grants_size(&config);
    segments[2].size = st_replays_size(GRANTS, 5);
    segments[0].at = shared_memory(segments[0].size);
    segments[1].at = shared_memory(segments[1].size);
    segments[2].at = shared_memory(segments[2].size);
    all_locks_held();
    all_claimed_by_others();
    scribble_before(20);
    scribble_concurrently(10);
    printf("no crash, nothing touched outside, no call over %lld ms\n", (long long)longest / 1000);
    kill(alive, SIGKILL);
    reap(alive);
    return 0;
}
