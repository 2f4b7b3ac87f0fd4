/* Used proofs in shared memory: tests every function and every result in one process. */
#include "unit/support.h"
#include "store.h"

#define HOUR (3600 * SEC)

enum { CAPACITY = 20, PARTICIPANTS = 4 };

typedef struct fixture {
    st_replay_cache c;
    void *memory;
} fixture;

static fixture *open_cache(apr_pool_t *p)
{
    fixture *f = apr_pcalloc(p, sizeof *f);

    f->memory = replays_open(&f->c, CAPACITY, PARTICIPANTS);
    return f;
}

static st_result record(fixture *f, uint64_t number, apr_uint32_t participant, apr_uint32_t quota, apr_time_t forget,
                        apr_time_t now)
{
    unsigned char mac[32];

    digest_of(mac, number);
    return st_replay_record(&f->c, mac, participant, quota, forget, now);
}

static void test_replays(void **state)
{
    fixture *f = open_cache(*state);

    assert_int_equal(record(f, 1, 0, 10, NOW + 600 * SEC, NOW), ST_OK);
    assert_int_equal(record(f, 1, 0, 10, NOW + 600 * SEC, NOW), ST_EXISTS);
    assert_int_equal(record(f, 1, 1, 10, NOW + 600 * SEC, NOW), ST_EXISTS);
    assert_int_equal(record(f, 2, 0, 10, NOW + 600 * SEC, NOW), ST_OK);
    assert_int_equal(record(f, 3, 4, 10, NOW + 600 * SEC, NOW), ST_QUOTA);
    assert_int_equal(count_of(f->c.counts, 0), 2);
    assert_int_equal(record(f, 4, ST_NOBODY, 0, NOW + 600 * SEC, NOW), ST_OK);
    assert_int_equal(record(f, 4, ST_NOBODY, 0, NOW + 600 * SEC, NOW), ST_EXISTS);
    assert_int_equal(st_replays_live(&f->c), 3);
    /* Refused as long as its record exists. */
    assert_int_equal(record(f, 1, 0, 10, NOW + 900 * SEC, NOW + 599 * SEC), ST_EXISTS);
}

/* A replay does not decrease the count: otherwise, a participant could exceed its quota. */
static void test_replay_does_not_lower_the_count(void **state)
{
    fixture *f = open_cache(*state);

    for (uint64_t i = 0; i < 3; i++)
        assert_int_equal(record(f, i, 0, 3, NOW + 600 * SEC, NOW), ST_OK);
    for (uint64_t i = 0; i < 9; i++)
        assert_int_equal(record(f, i % 3, 0, 3, NOW + 600 * SEC, NOW), ST_EXISTS);
    assert_int_equal(count_of(f->c.counts, 0), 3);
    assert_int_equal(record(f, 3, 0, 3, NOW + 600 * SEC, NOW), ST_QUOTA);
    assert_int_equal(record(f, 3, 1, 3, NOW + 600 * SEC, NOW), ST_OK);
}

static void test_replays_full(void **state)
{
    fixture *f = open_cache(*state);

    for (uint64_t i = 0; i < 20; i++)
        assert_int_equal(record(f, i, (apr_uint32_t)i % 2, 10, NOW + 600 * SEC, NOW), ST_OK);
    assert_int_equal(record(f, 20, 2, 10, NOW + 600 * SEC, NOW), ST_FULL);
    assert_int_equal(record(f, 20, 1, 10, NOW + 600 * SEC, NOW), ST_QUOTA);
    assert_int_equal(record(f, 20, 1, 10, NOW + 1600 * SEC, NOW + 600 * SEC), ST_OK);
    assert_int_equal(record(f, 20, 1, 10, NOW + 1600 * SEC, NOW + 600 * SEC), ST_EXISTS);
}

static void test_replay_quota_recovers(void **state)
{
    fixture *f = open_cache(*state);

    for (uint64_t i = 0; i < 5; i++)
        assert_int_equal(record(f, i, 0, 5, NOW + 600 * SEC, NOW), ST_OK);
    assert_int_equal(record(f, 5, 0, 5, NOW + 600 * SEC, NOW), ST_QUOTA);
    assert_int_equal(record(f, 5, 0, 5, NOW + 900 * SEC, NOW + 600 * SEC), ST_OK);
    assert_int_equal(count_of(f->c.counts, 0), 1);
}

/* MACs with equal first bytes, which a client could choose, do not share a chain. */
static void test_chosen_macs(void **state)
{
    st_replay_cache c;
    unsigned char mac[32] = {1, 2, 3, 4, 5, 6, 7, 8};

    (void)state;
    replays_open(&c, 1000, 1);
    for (unsigned i = 0; i < 1000; i++) {
        mac[30] = (unsigned char)(i >> 8);
        mac[31] = (unsigned char)i;
        assert_int_equal(st_replay_record(&c, mac, 0, 1000, NOW + SEC, NOW), ST_OK);
    }
}

/* If the tolerance increases, removed proofs might be accepted again: the birth is moved. */
static void test_tolerance_grows(void **state)
{
    fixture *f = open_cache(*state);
    apr_time_t later = NOW + HOUR;

    assert_true(st_replays_birth(&f->c) == NOW);
    st_replays_tolerate(&f->c, 30 * SEC, NOW);
    assert_true(st_replays_birth(&f->c) == NOW && st_replays_tolerance(&f->c) == 30 * SEC);
    st_replays_tolerate(&f->c, 30 * SEC, later);
    st_replays_tolerate(&f->c, 10 * SEC, later);
    st_replays_tolerate(&f->c, 30 * SEC, later);
    assert_true(st_replays_birth(&f->c) == later - 40 * SEC); /* proofs of the last 10 seconds are known */
    st_replays_tolerate(&f->c, 300 * SEC, later + HOUR);
    assert_true(st_replays_birth(&f->c) == later + HOUR - 330 * SEC);
    st_replays_tolerate(&f->c, 300 * SEC, later + 2 * HOUR);
    assert_true(st_replays_birth(&f->c) == later + HOUR - 330 * SEC);
}

static void test_attach_keeps_contents(void **state)
{
    fixture *f = open_cache(*state);
    st_replay_cache again;
    unsigned char mac[32];
    ia_mac_key other;

    key_of(&other, "other");
    digest_of(mac, 8);
    assert_int_equal(record(f, 8, 1, 10, NOW + HOUR, NOW), ST_OK);
    st_replays_attach(&again, f->memory, CAPACITY, PARTICIPANTS, &other, NOW + HOUR);
    assert_true(st_replays_birth(&again) == NOW);
    assert_int_equal(st_replay_record(&again, mac, 1, 10, NOW + HOUR, NOW), ST_EXISTS);
}

static void test_resume(void **state)
{
    fixture *f = open_cache(*state);

    st_replays_resume(&f->c, NOW - HOUR, 30 * SEC);
    assert_true(st_replays_birth(&f->c) == NOW - HOUR && st_replays_tolerance(&f->c) == 30 * SEC);
    st_replays_tolerate(&f->c, 30 * SEC, NOW);
    assert_true(st_replays_birth(&f->c) == NOW - HOUR);
}

static void test_indexes(void **state)
{
    fixture *f = open_cache(*state);
    unsigned char mac[32], same[32];
    apr_uint32_t participant;
    apr_time_t forget;

    assert_int_equal(record(f, 8, 3, 10, NOW + HOUR, NOW), ST_OK);
    assert_int_equal(st_replays_high_water(&f->c), 1);
    assert_int_equal(st_replay_at(&f->c, 0, mac, &participant, &forget), 1);
    digest_of(same, 8);
    assert_memory_equal(mac, same, 32);
    assert_true(participant == 3 && forget == NOW + HOUR);
    assert_int_equal(st_replay_at(&f->c, 1, mac, &participant, &forget), 0);
}

static void test_size(void **state)
{
    (void)state;
    if (sizeof(apr_size_t) == 8)
        assert_true(st_replays_size(APR_UINT32_MAX, APR_UINT32_MAX) > (apr_uint64_t)APR_UINT32_MAX * IA_MAC_MAX);
    else
        assert_true(st_replays_size(APR_UINT32_MAX, APR_UINT32_MAX) >= APR_SIZE_MAX / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pool_test(test_replays),
        pool_test(test_replay_does_not_lower_the_count),
        pool_test(test_replays_full),
        pool_test(test_replay_quota_recovers),
        pool_test(test_chosen_macs),
        pool_test(test_tolerance_grows),
        pool_test(test_attach_keeps_contents),
        pool_test(test_resume),
        pool_test(test_indexes),
        pool_test(test_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
