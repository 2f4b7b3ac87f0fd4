/*
 * Kills a process at every store. With ST_CRASH_TEST, each store to shared memory is preceded by a crash point. A
 * child runs a mutation and kills itself at the Nth crash point; the parent then checks the tables. This is repeated
 * for every N until the mutation completes. In a second run, the next process is killed too, at a random store.
 */
#include <openssl/evp.h>
#include "store.h"
#include "key_table.h"

static apr_int64_t armed; /* number of stores until this process kills itself; 0: never */
static apr_int64_t passed;

void st_crash_point(const char *file, int line)
{
    (void)file, (void)line;
    passed++;
    if (armed && passed == armed) {
        kill(getpid(), SIGKILL);
        pause();
    }
}

#define CAPACITY  6
#define HOUR      (3600 * SEC)
#define LIFETIME  APR_UINT64_C(300000000)
#define MAC_FIRST 1000

/* The initial state of a test, in new shared memory for each kill. */
static const st_grants_config CONFIG = {CAPACITY, 4};
static void *grants_memory, *replays_memory, *participants_memory, *keys_memory;
static apr_size_t grants_size, replays_size, participants_size, keys_size;
static st_grants g;
static st_replay_cache replays;
static st_participants t;
static st_keys keys;
static apr_pool_t *pool;

/* --- helpers ----------------------------------------------------------------------------------------------------- */

/* All in one bucket, so that the chain has a first, a middle and a last record. */
static void crowd(unsigned char digest[32], uint64_t number)
{
    digest_of(digest, number);
    digest[0] = 0;
}

static st_result create(uint64_t number, apr_uint32_t participant, apr_time_t forget, apr_time_t now)
{
    st_grant grant;

    grant_make(&grant, number, participant, 2);
    crowd(grant.digest, number);
    return st_grant_create(&g, &grant, CAPACITY, forget, now);
}

/* Finds a grant and checks that it is complete. */
static int find(uint64_t number, st_grant *copy, st_ref *ref)
{
    unsigned char digest[32];
    st_result rc;

    crowd(digest, number);
    rc = st_grant_find(&g, digest, copy, ref);
    CHECK(rc == ST_OK || rc == ST_NOT_FOUND);
    if (rc)
        return 0;
    CHECK(!memcmp(copy->digest, digest, 32) && copy->scope == number && copy->participant_index < 4);
    CHECK_EQ(copy->participant_generation, copy->participant_index + 1);
    return 1;
}

static st_result use(uint64_t number, ia_nonce_kind kind, apr_uint64_t value, apr_uint64_t *next)
{
    ia_nonce_claim claim = {kind, value};
    st_grant copy;
    st_ref ref;

    if (!find(number, &copy, &ref))
        return ST_NOT_FOUND;
    return st_grant_use(&g, ref, &claim, NOW + HOUR, LIFETIME * 100, next);
}

static int is_used_up(st_result rc)
{
    return rc == ST_EXISTS || rc == ST_STALE;
}

static void end(uint64_t number)
{
    st_grant copy;
    st_ref ref;

    if (find(number, &copy, &ref))
        CHECK_EQ(st_grant_end(&g, ref), ST_OK);
}

static st_result record(uint64_t number, apr_uint32_t participant, apr_uint32_t quota, apr_time_t forget,
                        apr_time_t now)
{
    unsigned char mac[32];

    digest_of(mac, MAC_FIRST + number);
    return st_replay_record(&replays, mac, participant, quota, forget, now);
}

/* --- invariants after every kill --------------------------------------------------------------------------------- */

/* Counts equal the number of records, or are too low by one for each kill. If too high, quota would be lost forever. */
static void check_counts(unsigned kills)
{
    apr_uint32_t real[4] = {0}, sum = 0, i;
    apr_time_t forget;
    st_grant copy;

    for (i = 0; i < CAPACITY; i++) {
        if (st_grant_at(&g, i, &copy, &forget) == ST_OK) {
            CHECK(copy.participant_index < 4);
            real[copy.participant_index]++;
        }
    }
    for (i = 0; i < 4; i++) {
        /* A record that is being removed may still be counted, until the next sweep. */
        CHECK(count_of(g.grants_of, i) <= real[i] + kills && real[i] <= count_of(g.grants_of, i) + kills);
        sum += real[i];
    }
    CHECK(sum <= CAPACITY && st_grants_live(&g) <= CAPACITY);
}

/* After everything has expired, one participant can fill the tables completely. */
static void check_fills(void)
{
    apr_time_t now = NOW + 1000 * HOUR;
    st_grant copy;
    st_ref ref;
    uint64_t i;

    for (i = 0; i < CAPACITY; i++)
        CHECK_EQ(create(500 + i, 1, now + HOUR, now), ST_OK);
    CHECK_EQ(count_of(g.grants_of, 1), CAPACITY);
    for (i = 0; i < CAPACITY; i++)
        CHECK(find(500 + i, &copy, &ref));
    CHECK(create(900, 2, now + HOUR, now) == ST_FULL);
    for (i = 0; i < CAPACITY; i++)
        CHECK_EQ(record(500 + i, 1, CAPACITY, now + HOUR, now), ST_OK);
    CHECK(record(900, 2, CAPACITY, now + HOUR, now) == ST_FULL);
    CHECK_EQ(count_of(replays.counts, 1), CAPACITY);
    st_table_sweep(&g.grants, now + 2 * HOUR);
    st_table_sweep(&replays.table, now + 2 * HOUR);
    st_table_sweep(&g.grants, now + 3 * HOUR);
    st_table_sweep(&replays.table, now + 3 * HOUR);
    for (i = 0; i < 4; i++)
        CHECK(count_of(g.grants_of, (apr_uint32_t)i) == 0 && count_of(replays.counts, (apr_uint32_t)i) == 0);
    CHECK(st_grants_live(&g) == 0 && st_replays_live(&replays) == 0);
}

/* --- the mutations ----------------------------------------------------------------------------------------------- */

typedef struct mutation {
    const char *name;
    void (*prepare)(void);
    void (*run)(void);
    /* done: it completed without a kill. The check continues as a client would. */
    void (*check)(int done);
} mutation;

/* Three grants that the mutations do not change. Nonce 1 of each is used. */
static void create_others(void)
{
    apr_uint64_t next;
    uint64_t i;

    for (i = 1; i <= 3; i++) {
        CHECK_EQ(create(i, 1, NOW + HOUR, NOW), ST_OK);
        CHECK_EQ(use(i, IA_NONCE_NEXT, 1, &next), ST_OK);
    }
    CHECK_EQ(record(1, 1, CAPACITY, NOW + HOUR, NOW), ST_OK);
}

static void check_others(void)
{
    apr_uint64_t next;
    uint64_t i;

    for (i = 1; i <= 3; i++) {
        CHECK(is_used_up(use(i, IA_NONCE_NEXT, 1, &next)));
        CHECK_EQ(use(i, IA_NONCE_NEXT, 2, &next), ST_OK);
        CHECK(is_used_up(use(i, IA_NONCE_NEXT, 2, &next)));
        CHECK(is_used_up(use(i, IA_NONCE_NEXT, 1, &next)));
        CHECK_EQ(next, 0);
    }
    CHECK_EQ(record(1, 1, CAPACITY, NOW + HOUR, NOW), ST_EXISTS);
}

static void create_run(void)
{
    CHECK_EQ(create(10, 2, NOW + HOUR, NOW), ST_OK);
}

static void create_check(int done)
{
    st_grant copy;
    st_ref ref;
    int there = find(10, &copy, &ref);

    CHECK(there || !done);
    if (!there)
        CHECK_EQ(create(10, 2, NOW + HOUR, NOW), ST_OK);
    CHECK(find(10, &copy, &ref));
    CHECK_EQ(st_grant_end(&g, ref), ST_OK);
    CHECK(!find(10, &copy, &ref));
    CHECK_EQ(create(10, 2, NOW + HOUR, NOW), ST_OK);
}

/* All records were used before, so that an expired one must be reused. */
static void reuse_prepare(void)
{
    uint64_t i;

    create_others();
    for (i = 4; i <= CAPACITY; i++)
        CHECK_EQ(create(i, 2, NOW + SEC, NOW), ST_OK);
}

static void reuse_run(void)
{
    CHECK_EQ(create(10, 3, NOW + HOUR, NOW + 2 * SEC), ST_OK);
}

static void reuse_check(int done)
{
    st_grant copy;
    st_ref ref;

    CHECK(find(10, &copy, &ref) || !done);
    if (!find(10, &copy, &ref))
        CHECK_EQ(create(10, 3, NOW + HOUR, NOW + 4 * SEC), ST_OK);
    CHECK(find(10, &copy, &ref));
}

static void quota_prepare(void)
{
    uint64_t i;

    create_others();
    for (i = 20; i < 22; i++)
        CHECK_EQ(record(i, 2, 2, NOW + HOUR, NOW), ST_OK);
}

/* Refused in the last step of the insertion. */
static void quota_run(void)
{
    CHECK_EQ(record(22, 2, 2, NOW + HOUR, NOW), ST_QUOTA);
}

static void quota_check(int done)
{
    (void)done;
    CHECK_EQ(record(22, 2, 2, NOW + HOUR, NOW), ST_QUOTA);
    CHECK_EQ(record(23, 2, 2, NOW + HOUR, NOW), ST_QUOTA);
    CHECK_EQ(record(22, 2, 2, NOW + HOUR, NOW), ST_QUOTA);
    CHECK_EQ(record(20, 2, 2, NOW + HOUR, NOW), ST_EXISTS);
}

static void replay_run(void)
{
    CHECK_EQ(record(30, 2, 3, NOW + HOUR, NOW), ST_OK);
}

/* After a kill, the client got no response, and the proof may be accepted once more. */
static void replay_check(int done)
{
    st_result rc = record(30, 2, 3, NOW + HOUR, NOW);

    CHECK(rc == ST_EXISTS || (!done && rc == ST_OK));
    CHECK_EQ(record(30, 2, 3, NOW + HOUR, NOW), ST_EXISTS);
}

/* A grant with used nonces: 1 to 8 of each kind, except 5. */
static void used_prepare(void)
{
    apr_uint64_t i, next;

    create_others();
    CHECK_EQ(create(10, 2, NOW + HOUR, NOW), ST_OK);
    for (i = 1; i <= 8; i++) {
        if (i != 5) {
            CHECK_EQ(use(10, IA_NONCE_NEXT, i, &next), ST_OK);
            CHECK_EQ(use(10, IA_NONCE_FRESH, NOW + i, &next), ST_OK);
        }
    }
}

/* Nonces that were used before are refused; the current one is accepted at most once. */
static void check_used(ia_nonce_kind kind, apr_uint64_t in_hand, int done)
{
    apr_uint64_t i, next;
    st_result rc;
    int round;

    for (round = 0; round < 2; round++) {
        for (i = 1; i <= 8; i++) {
            if (i != 5) {
                CHECK(is_used_up(use(10, IA_NONCE_NEXT, i, &next)));
                CHECK(is_used_up(use(10, IA_NONCE_FRESH, NOW + i, &next)));
            }
        }
        rc = use(10, kind, in_hand, &next);
        CHECK(is_used_up(rc) || (rc == ST_OK && !round && !done));
    }
    /* The grant still works: nonces that it issues are accepted once. */
    for (round = 0; round < 3; round++) {
        st_grant copy;
        st_ref ref;
        apr_uint64_t fresh = next;

        CHECK(find(10, &copy, &ref));
        CHECK_EQ(st_grant_issue(&g, ref, &fresh, 1), ST_OK);
        CHECK_EQ(use(10, IA_NONCE_NEXT, fresh, &next), ST_OK);
        CHECK(is_used_up(use(10, IA_NONCE_NEXT, fresh, &next)));
    }
}

static void use_next_run(void)
{
    apr_uint64_t next;

    CHECK_EQ(use(10, IA_NONCE_NEXT, 9, &next), ST_OK);
}

static void use_next_check(int done)
{
    check_used(IA_NONCE_NEXT, 9, done);
}

static void use_late_run(void)
{
    apr_uint64_t next;

    CHECK_EQ(use(10, IA_NONCE_NEXT, 5, &next), ST_OK);
}

static void use_late_check(int done)
{
    check_used(IA_NONCE_NEXT, 5, done);
}

/* Skips the whole window. */
static void jump_prepare(void)
{
    apr_uint64_t sequences[ST_NONCE_WINDOW];
    st_grant copy;
    st_ref ref;

    used_prepare();
    CHECK(find(10, &copy, &ref));
    CHECK_EQ(st_grant_issue(&g, ref, sequences, 250), ST_OK);
}

static void jump_run(void)
{
    apr_uint64_t next;

    CHECK_EQ(use(10, IA_NONCE_NEXT, 257, &next), ST_OK);
}

static void jump_check(int done)
{
    check_used(IA_NONCE_NEXT, 257, done);
}

static void use_fresh_run(void)
{
    apr_uint64_t next;

    CHECK_EQ(use(10, IA_NONCE_FRESH, NOW + 9, &next), ST_OK);
}

static void use_fresh_check(int done)
{
    check_used(IA_NONCE_FRESH, NOW + 9, done);
}

/* All sixteen stamps are used, so the floor must rise. */
static void floor_prepare(void)
{
    apr_uint64_t i, next;

    used_prepare();
    for (i = 100; i < 112; i++)
        CHECK_EQ(use(10, IA_NONCE_FRESH, NOW + i, &next), ST_OK);
}

static void floor_run(void)
{
    apr_uint64_t next;

    CHECK_EQ(use(10, IA_NONCE_FRESH, NOW + 200, &next), ST_OK);
}

static void floor_check(int done)
{
    apr_uint64_t i, next;

    for (i = 100; i < 112; i++)
        CHECK(is_used_up(use(10, IA_NONCE_FRESH, NOW + i, &next)));
    check_used(IA_NONCE_FRESH, NOW + 200, done);
}

static void issue_run(void)
{
    apr_uint64_t sequences[3];
    st_grant copy;
    st_ref ref;

    CHECK(find(10, &copy, &ref));
    CHECK_EQ(st_grant_issue(&g, ref, sequences, 3), ST_OK);
}

static void issue_check(int done)
{
    (void)done;
    check_used(IA_NONCE_NEXT, 8, 1);
}

static st_result refresh(uint64_t mac_number, apr_time_t expires, apr_uint64_t fingerprint, unsigned count)
{
    unsigned char mac[32];
    st_refresh what = {expires, expires + HOUR, fingerprint, mac, NOW + SEC};
    apr_uint64_t sequences[4];
    st_grant copy;
    st_ref ref;

    digest_of(mac, mac_number);
    CHECK(find(10, &copy, &ref));
    return st_grant_refresh(&g, ref, &what, sequences, count);
}

static void refresh_prepare(void)
{
    used_prepare();
    CHECK_EQ(refresh(2, NOW + HOUR, 66, 2), ST_OK);
}

static void refresh_run(void)
{
    CHECK_EQ(refresh(3, NOW + 2 * HOUR, 77, 4), ST_OK);
}

/* The grant is either old or new: it never expires after its record, and a partial refresh has no response. */
static void refresh_check(int done)
{
    unsigned char old[32], new[32];
    st_grant copy;
    st_ref ref;

    digest_of(old, 2);
    digest_of(new, 3);
    CHECK(find(10, &copy, &ref));
    CHECK(copy.expires == NOW + 2 * HOUR || (!done && copy.expires == NOW + HOUR));
    CHECK(copy.secret_fingerprint == 77 || (!done && copy.secret_fingerprint == 66 && copy.expires == NOW + HOUR));
    CHECK(copy.expires <= st_table_expires(&g.grants, ref));
    if (copy.nonces.refresh_count == 2)
        CHECK(!done && !memcmp(copy.nonces.refresh_mac, old, 16) && copy.expires == NOW + HOUR);
    else
        CHECK(copy.nonces.refresh_count == 4 ? !memcmp(copy.nonces.refresh_mac, new, 16)
                                             : !done && !copy.nonces.refresh_count);
    refresh_run();
    CHECK(find(10, &copy, &ref) && copy.expires == NOW + 2 * HOUR && copy.nonces.refresh_count == 4);
    check_used(IA_NONCE_NEXT, 8, 1);
}

/* Chains grow at their head: of the six records in one bucket, these are the last, a middle one and the first. */
static uint64_t leaver;

static void end_prepare(void)
{
    uint64_t i;

    for (i = 10; i < 13; i++)
        CHECK_EQ(create(i, 2, NOW + HOUR, NOW), ST_OK);
    create_others();
}

static void end_run(void)
{
    st_grant copy;
    st_ref ref;

    CHECK(find(leaver, &copy, &ref));
    CHECK_EQ(st_grant_end(&g, ref), ST_OK);
}

/* After a reader did not find it, it is never found again, neither by token nor by index. */
static void end_check(int done)
{
    apr_time_t forget;
    st_grant copy;
    apr_uint32_t place;
    st_ref ref;
    uint64_t i;
    int there = find(leaver, &copy, &ref);

    CHECK(!there || !done);
    for (place = 0; !there && place < CAPACITY; place++)
        CHECK(st_grant_at(&g, place, &copy, &forget) != ST_OK || copy.scope != leaver);
    for (i = 10; i < 13; i++)
        CHECK(i == leaver || find(i, &copy, &ref));
    if (there)
        end(leaver);
    CHECK(!find(leaver, &copy, &ref));
    CHECK_EQ(create(leaver, 2, NOW + HOUR, NOW), ST_OK);
    CHECK(find(leaver, &copy, &ref));
    CHECK_EQ(create(50, 2, NOW + HOUR, NOW), ST_FULL);
}

static void end_last_prepare(void)
{
    leaver = 10;
    end_prepare();
}

static void end_middle_prepare(void)
{
    leaver = 11;
    end_prepare();
}

static void end_first_prepare(void)
{
    create_others();
    for (leaver = 10; leaver < 12; leaver++)
        CHECK_EQ(create(leaver, 2, NOW + HOUR, NOW), ST_OK);
    CHECK_EQ(create(leaver, 2, NOW + HOUR, NOW), ST_OK);
}

static void sweep_run(void)
{
    st_table_sweep(&g.grants, NOW + 2 * SEC);
    st_table_sweep(&replays.table, NOW + 2 * SEC);
}

static void sweep_check(int done)
{
    st_grant copy;
    st_ref ref;
    uint64_t i;

    for (i = 4; i <= CAPACITY; i++)
        CHECK(!find(i, &copy, &ref) || !done);
    st_table_sweep(&g.grants, NOW + 10 * SEC);
    for (i = 4; i <= CAPACITY; i++)
        CHECK(!find(i, &copy, &ref));
    for (i = 4; i <= CAPACITY; i++)
        CHECK_EQ(create(40 + i, 2, NOW + HOUR, NOW + 10 * SEC), ST_OK);
}

static void stamp_run(void)
{
    st_grants_stamp(&g, NOW + 100);
}

static void stamp_check(int done)
{
    apr_uint64_t stamp = st_grants_stamp(&g, NOW);

    CHECK(stamp > (apr_uint64_t)NOW + 100 || (!done && stamp >= (apr_uint64_t)NOW));
    CHECK(st_grants_stamp(&g, NOW) > stamp);
}

static void prepare_others(void)
{
    create_others();
}

/* --- participants ------------------------------------------------------------------------------------------------ */

static void load_list(unsigned from, unsigned count, apr_uint64_t version)
{
    const char *names[] = {"one", "two"};
    ia_participants list;
    st_load_report report;

    participants_make(&list, pool, from, count, version);
    list.list[count - 1].capabilities = names;
    list.list[count - 1].capability_count = version > 1 ? 2 : 0;
    CHECK_EQ(st_participants_load(&t, ST_SOURCE_FILE, &list, NOW, pool, &report), ST_OK);
    CHECK_EQ(report.added + report.changed + report.kept, count);
    apr_pool_clear(pool);
}

static apr_uint64_t generations[5];
static apr_uint32_t places[5];

static st_result look_up(unsigned number, st_participant *copy, apr_uint32_t *index)
{
    char id[16];

    snprintf(id, sizeof id, "p%u", number);
    return st_participant_find(&t, id, strlen(id), copy, index);
}

static void remember(void)
{
    st_participant copy;
    unsigned i;

    load_list(0, 4, 1);
    for (i = 0; i < 4; i++) {
        CHECK_EQ(look_up(i, &copy, &places[i]), ST_OK);
        generations[i] = copy.generation;
    }
}

/* p0 and p1 are removed, p2 is unchanged, p3 is changed, p4 is added. */
static void load_run(void)
{
    ia_participants list, old;
    st_load_report report;

    participants_make(&list, pool, 2, 3, 2);
    participants_make(&old, pool, 2, 1, 1);
    list.list[0] = old.list[0];
    CHECK_EQ(st_participants_load(&t, ST_SOURCE_FILE, &list, NOW, pool, &report), ST_OK);
}

static void load_check(int done)
{
    ia_participants list;
    st_load_report report;
    st_participant copy, same;
    apr_uint32_t index, i;
    st_result rc;

    for (i = 0; i < 5; i++) {
        rc = look_up(i, &copy, &index);
        CHECK(rc == ST_OK || rc == ST_NOT_FOUND);
        CHECK(rc == ST_OK ? i > 1 || !done : i < 2 || (i == 4 && !done));
        if (i < 4 && rc) {
            CHECK_EQ(st_participant_get(&t, places[i], generations[i], &same), ST_GONE);
        } else if (rc == ST_OK) {
            CHECK(participant_is_whole(&copy));
            CHECK(i == 4 || (index == places[i] && copy.generation == generations[i]));
            CHECK_EQ(copy.entitlement.expires, i == 4 || (i == 3 && (done || copy.entitlement.expires == 2)) ? 2 : 1);
            rc = st_participant_get(&t, index, copy.generation, &same);
            CHECK(i == 4 ? rc == ST_OK || rc == ST_GONE : rc == ST_OK);
        }
    }
    /* The next load repairs everything. */
    load_run();
    CHECK_EQ(st_participants_count(&t), 3);
    for (i = 0; i < 5; i++) {
        rc = look_up(i, &copy, &index);
        CHECK_EQ(rc, i < 2 ? ST_NOT_FOUND : ST_OK);
        if (rc)
            continue;
        CHECK_EQ(copy.entitlement.expires, i == 2 ? 1 : 2);
        CHECK_EQ(st_participant_get(&t, index, copy.generation, &same), ST_OK);
        CHECK(!memcmp(&copy, &same, sizeof copy));
    }
    /* No record is lost: the table has the same capacity. */
    participants_make(&list, pool, 10, CAPACITY, 3);
    CHECK_EQ(st_participants_load(&t, ST_SOURCE_FILE, &list, NOW, pool, &report), ST_OK);
    CHECK_EQ(report.added, CAPACITY);
    CHECK_EQ(st_participants_count(&t), CAPACITY);
    for (i = 10; i < 10 + CAPACITY; i++)
        CHECK_EQ(look_up(i, &copy, &index), ST_OK);
    apr_pool_clear(pool);
}

/* One at a time: p3 is changed, p4 added, p0 removed. */
static void put_run(void)
{
    ia_participants list;
    st_load_report report;
    unsigned i;

    participants_make(&list, pool, 3, 2, 2);
    for (i = 0; i < 2; i++)
        CHECK_EQ(st_participant_put(&t, ST_SOURCE_FILE, &list.list[i], NOW, pool, &report), ST_OK);
    st_participant_drop(&t, ST_SOURCE_FILE, "p0");
}

static void put_check(int done)
{
    st_participant copy;
    apr_uint32_t index;
    unsigned i;

    for (i = 0; i < 5; i++) {
        st_result rc = look_up(i, &copy, &index);

        CHECK(rc == ST_OK || rc == ST_NOT_FOUND);
        CHECK(rc || participant_is_whole(&copy));
        CHECK(i == 0 || i == 4 || (rc == ST_OK && index == places[i] && copy.generation == generations[i]));
        CHECK(!done || (rc == ST_OK) == (i != 0));
    }
    put_run();
    load_check(0);
}

static void no_participants(void)
{
}

static void first_load_run(void)
{
    load_list(0, 2, 2);
}

static void first_load_check(int done)
{
    st_participant copy, same;
    apr_uint32_t index, i;
    const char *name;

    for (i = 0; i < 2; i++) {
        st_result rc = look_up(i, &copy, &index);

        CHECK(rc == ST_OK || (!done && rc == ST_NOT_FOUND));
        CHECK(rc || participant_is_whole(&copy));
    }
    for (i = 0; i < st_names_count(&t.capabilities); i++) {
        name = st_names_get(&t.capabilities, (int)i);
        CHECK(name && !strcmp(name, i ? "two" : "one"));
    }
    first_load_run();
    for (i = 0; i < 2; i++) {
        CHECK_EQ(look_up(i, &copy, &index), ST_OK);
        CHECK_EQ(st_participant_get(&t, index, copy.generation, &same), ST_OK);
    }
    CHECK_EQ(ia_capset_has(&copy.entitlement.capabilities, st_names_find(&t.capabilities, "two")), 1);
    CHECK_EQ(st_participants_count(&t), 2);
    load_list(10, CAPACITY, 3);
    CHECK_EQ(st_participants_count(&t), CAPACITY);
}

/* --- public keys ------------------------------------------------------------------------------------------------- */

static ia_participant_key some_keys[5 + CAPACITY];

static void make_keys(void)
{
    unsigned i;

    for (i = 0; i < sizeof some_keys / sizeof *some_keys; i++) {
        EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        size_t len = 32;

        some_keys[i].kid = "k";
        some_keys[i].raw.type = IA_KEY_ED25519;
        some_keys[i].raw.algorithm = IA_ALGORITHM_ED25519;
        some_keys[i].raw.len = 32;
        CHECK_EQ(EVP_PKEY_get_raw_public_key(pkey, some_keys[i].raw.bytes, &len), 1);
        EVP_PKEY_free(pkey);
    }
}

/* The participants p<first>.. with one key each, given by `numbers`. */
static void load_keys(unsigned first, unsigned count, const unsigned *numbers)
{
    ia_participants list;
    st_load_report report;
    unsigned i;

    participants_make(&list, pool, first, count, 1);
    for (i = 0; i < count; i++) {
        list.list[i].public_keys = &some_keys[numbers[i]];
        list.list[i].public_key_count = 1;
    }
    CHECK_EQ(st_participants_load(&t, ST_SOURCE_FILE, &list, NOW, pool, &report), ST_OK);
    CHECK_EQ(st_keys_load(&keys, &t, &list, NOW, pool), ST_OK);
    apr_pool_clear(pool);
}

/* Returns the number of a participant's key, or -1. If `loaded`, checks that the thumbprint refers to the same key. */
static int key_number(unsigned participant, int loaded)
{
    st_participant owner;
    st_key key, same;
    st_owner of = {0};
    int number;

    CHECK_EQ(look_up(participant, &owner, &of.index), ST_OK);
    of.generation = owner.generation;
    if (st_key_find(&keys, &of, "k", 1, &key))
        return -1;
    for (number = 0; memcmp(key.raw.bytes, some_keys[number].raw.bytes, 32); number++)
        CHECK(number < 5 + CAPACITY);
    if (st_key_find_thumbprint(&keys, key.thumbprint, &same) == ST_OK)
        CHECK(!memcmp(&key, &same, sizeof key));
    else
        CHECK(!loaded);
    return number;
}

static const unsigned KEYS_BEFORE[] = {0, 1, 2}, KEYS_AFTER[] = {0, 3, 4};

static void keys_prepare(void)
{
    load_keys(0, 3, KEYS_BEFORE);
}

/* p0 keeps its key; p1 and p2 get other keys. */
static void keys_run(void)
{
    load_keys(0, 3, KEYS_AFTER);
}

static void keys_check(int done)
{
    unsigned i, others[CAPACITY];

    for (i = 0; i < 3; i++) {
        int number = key_number(i, done);

        CHECK(number == (int)KEYS_AFTER[i] || (!done && (number == -1 || number == (int)KEYS_BEFORE[i])));
        CHECK(i || number == 0);
    }
    keys_run();
    for (i = 0; i < 3; i++)
        CHECK_EQ(key_number(i, 1), (int)KEYS_AFTER[i]);
    CHECK_EQ(st_keys_count(&keys), 3);
    for (i = 0; i < CAPACITY; i++)
        others[i] = 5 + i;
    load_keys(20, CAPACITY, others);
    CHECK_EQ(st_keys_count(&keys), CAPACITY);
    CHECK_EQ(st_table_live(&keys.thumbprints), CAPACITY);
    for (i = 0; i < CAPACITY; i++)
        CHECK_EQ(key_number(20 + i, 1), (int)others[i]);
}

/* --- all mutations ----------------------------------------------------------------------------------------------- */

static const mutation GRANT_MUTATIONS[] = {
    {"create", prepare_others, create_run, create_check},
    {"create in an expired record", reuse_prepare, reuse_run, reuse_check},
    {"record a proof", prepare_others, replay_run, replay_check},
    {"record a proof over quota", quota_prepare, quota_run, quota_check},
    {"use a next nonce", used_prepare, use_next_run, use_next_check},
    {"use a late next nonce", used_prepare, use_late_run, use_late_check},
    {"use a next nonce far ahead", jump_prepare, jump_run, jump_check},
    {"use a fresh nonce", used_prepare, use_fresh_run, use_fresh_check},
    {"use a fresh nonce that lifts the floor", floor_prepare, floor_run, floor_check},
    {"issue", used_prepare, issue_run, issue_check},
    {"refresh", refresh_prepare, refresh_run, refresh_check},
    {"end the last of a chain", end_last_prepare, end_run, end_check},
    {"end one in a chain", end_middle_prepare, end_run, end_check},
    {"end the first of a chain", end_first_prepare, end_run, end_check},
    {"sweep", reuse_prepare, sweep_run, sweep_check},
    {"stamp", prepare_others, stamp_run, stamp_check},
    {NULL, NULL, NULL, NULL},
};

static const mutation PARTICIPANT_MUTATIONS[] = {
    {"first load", no_participants, first_load_run, first_load_check},
    {"load with all changes", remember, load_run, load_check},
    {"put and drop", remember, put_run, put_check},
    {"load of keys", keys_prepare, keys_run, keys_check},
    {NULL, NULL, NULL, NULL},
};

static void world_open(void)
{
    ia_mac_key key;

    memset(grants_memory, 0, grants_size);
    memset(participants_memory, 0, participants_size);
    memset(keys_memory, 0, keys_size);
    key_of(&key, "key");
    memset(replays_memory, 0, replays_size);
    st_grants_attach(&g, grants_memory, &CONFIG, &key);
    st_replays_attach(&replays, replays_memory, CAPACITY, 4, &key, NOW);
    st_participants_attach(&t, participants_memory, CAPACITY, &key);
    st_keys_attach(&keys, keys_memory, CAPACITY, &key);
}

static void run_armed(void *mutation_)
{
    const mutation *m = mutation_;

    passed = 0;
    m->run();
}

static void run_silent(void *mutation_)
{
    CHECK(freopen("/dev/null", "w", stderr));
    run_armed(mutation_);
}

/* Returns 1 if the process was killed, 0 if it completed. */
static int kill_at(const mutation *m, apr_int64_t point)
{
    int status;

    armed = point;
    status = reap(spawn(run_armed, (void *)(apr_uintptr_t)m, 20));
    armed = 0;
    CHECK(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
    return status != 0;
}

/* The next process does the same and is killed too. Its own checks may fail, as the first one changed the state. */
static unsigned kill_again(const mutation *m, apr_int64_t point)
{
    int status;

    armed = point;
    status = reap(spawn(run_silent, (void *)(apr_uintptr_t)m, 20));
    armed = 0;
    CHECK(!WIFSIGNALED(status) || WTERMSIG(status) == SIGKILL);
    return WIFSIGNALED(status);
}

static void run_mutation(const mutation *m, int grants, int twice, uint64_t *seed)
{
    apr_int64_t point, slowest = 0;
    int killed = 1;

    for (point = 1; killed; point++) {
        unsigned kills;
        apr_int64_t since;

        world_open();
        m->prepare();
        kills = (unsigned)(killed = kill_at(m, point));
        since = clock_micros();
        if (twice && killed)
            kills += kill_again(m, (apr_int64_t)(1 + next_random(seed) % (apr_uint64_t)(point + 20)));
        if (grants) {
            check_counts(kills);
            check_others();
        }
        m->check(!killed);
        if (grants)
            check_fills();
        since = clock_micros() - since;
        slowest = since > slowest ? since : slowest;
        CHECK(since < 5 * SEC); /* generous for a busy machine; detects waiting for a dead owner */
    }
    printf("%s%s: killed at each of %lld stores, sound within %lld ms\n", m->name, twice ? ", twice" : "",
           (long long)point - 2, (long long)slowest / 1000);
    CHECK(point > 2);
}

int main(void)
{
    uint64_t seed = 1122;
    int twice;
    const mutation *m;

    CHECK_EQ(apr_initialize(), APR_SUCCESS);
    CHECK_EQ(apr_pool_create(&pool, NULL), APR_SUCCESS);
    st_owner_init();
    grants_size = st_grants_size(&CONFIG);
    replays_size = st_replays_size(CAPACITY, 4);
    participants_size = st_participants_size(CAPACITY);
    grants_memory = shared_memory(grants_size);
    replays_memory = shared_memory(replays_size);
    participants_memory = shared_memory(participants_size);
    keys_size = st_keys_size(CAPACITY);
    keys_memory = shared_memory(keys_size);
    make_keys();
    for (twice = 0; twice < 2; twice++) {
        for (m = GRANT_MUTATIONS; m->name; m++)
            run_mutation(m, 1, twice, &seed);
        for (m = PARTICIPANT_MUTATIONS; m->name; m++)
            run_mutation(m, 0, twice, &seed);
    }
    return 0;
}
