/* Grants and their quotas in shared memory: tests every function and every result in one process. */
#include "unit/support.h"
#include "store.h"

#define HOUR (3600 * SEC)

static const st_grants_config CONFIG = {40, 4};

typedef struct fixture {
    st_grants g;
    void *memory;
} fixture;

static fixture *open_grants(apr_pool_t *p)
{
    fixture *f = apr_pcalloc(p, sizeof *f);

    f->memory = grants_open(&f->g, &CONFIG);
    return f;
}

static st_result create(fixture *f, uint64_t number, apr_uint32_t participant, apr_uint32_t quota, apr_time_t forget,
                        apr_time_t now)
{
    st_grant grant;

    grant_make(&grant, number, participant, 4);
    return st_grant_create(&f->g, &grant, quota, forget, now);
}

static st_result find(fixture *f, uint64_t number, st_grant *copy, st_ref *ref)
{
    unsigned char digest[32];

    digest_of(digest, number);
    return st_grant_find(&f->g, digest, copy, ref);
}

static ia_nonce_claim next_nonce(apr_uint64_t sequence)
{
    ia_nonce_claim claim = {IA_NONCE_NEXT, sequence};

    return claim;
}

static void test_create_find_end(void **state)
{
    fixture *f = open_grants(*state);
    st_grant copy, made;
    st_ref ref;

    grant_make(&made, 7, 1, 4);
    assert_int_equal(find(f, 7, &copy, &ref), ST_NOT_FOUND);
    assert_int_equal(create(f, 7, 1, 10, NOW + HOUR, NOW), ST_OK);
    assert_int_equal(count_of(f->g.grants_of, 1), 1);
    assert_int_equal(find(f, 7, &copy, &ref), ST_OK);
    assert_int_equal(copy.counted, 1);
    assert_memory_equal(copy.digest, made.digest, sizeof copy.digest);
    assert_memory_equal(&copy.nonces, &made.nonces, sizeof copy.nonces);
    assert_memory_equal(&copy.capabilities, &made.capabilities, sizeof copy.capabilities);
    assert_true(copy.participant_index == 1 && copy.participant_generation == made.participant_generation);
    assert_true(copy.scope == 7 && copy.created == NOW && copy.expires == made.expires && !copy.nonces.refresh_count);
    assert_true(copy.presentation == 1 && copy.secret_fingerprint == 7);
    assert_int_equal(st_grants_live(&f->g), 1);
    assert_int_equal(st_grant_end(&f->g, ref), ST_OK);
    assert_int_equal(st_grant_end(&f->g, ref), ST_GONE);
    assert_int_equal(find(f, 7, &copy, &ref), ST_NOT_FOUND);
    assert_int_equal(count_of(f->g.grants_of, 1), 0);
    assert_int_equal(st_grants_live(&f->g), 0);
}

static void test_use_and_issue(void **state)
{
    fixture *f = open_grants(*state);
    ia_nonce_claim claim = next_nonce(3);
    apr_uint64_t next, more[4];
    st_grant copy;
    st_ref ref;

    assert_int_equal(create(f, 7, 1, 10, NOW + HOUR, NOW), ST_OK);
    assert_int_equal(find(f, 7, &copy, &ref), ST_OK);
    assert_int_equal(st_grant_use(&f->g, ref, &claim, NOW, 300 * SEC, &next), ST_OK);
    assert_int_equal(next, 5);
    assert_int_equal(st_grant_use(&f->g, ref, &claim, NOW, 300 * SEC, &next), ST_EXISTS);
    assert_int_equal(next, 0);
    claim = next_nonce(6);
    assert_int_equal(st_grant_use(&f->g, ref, &claim, NOW, 300 * SEC, &next), ST_UNISSUED);
    assert_int_equal(st_grant_issue(&f->g, ref, more, 4), ST_OK);
    assert_int_equal(more[0], 6);
    assert_int_equal(more[3], 9);
    claim.kind = IA_NONCE_FRESH;
    claim.value = NOW + 1;
    assert_int_equal(st_grant_use(&f->g, ref, &claim, NOW, 300 * SEC, &next), ST_FUTURE);
    claim.value = NOW;
    assert_int_equal(st_grant_use(&f->g, ref, &claim, NOW, 300 * SEC, &next), ST_OK);
    assert_int_equal(st_grant_use(&f->g, ref, &claim, NOW, 300 * SEC, &next), ST_EXISTS);
    claim.value = NOW - 301 * SEC;
    assert_int_equal(st_grant_use(&f->g, ref, &claim, NOW, 300 * SEC, &next), ST_STALE);
    assert_int_equal(st_grant_end(&f->g, ref), ST_OK);
    assert_int_equal(st_grant_use(&f->g, ref, &claim, NOW, 300 * SEC, &next), ST_GONE);
    assert_int_equal(st_grant_issue(&f->g, ref, more, 4), ST_GONE);
}

/* A presentation without nonces can bind other data instead. */
static void test_bound_data(void **state)
{
    fixture *f = open_grants(*state);
    st_refresh refresh = {NOW + 2 * HOUR, NOW + 3 * HOUR, 99, NULL, NOW + 5};
    ia_nonce_claim claim = {IA_NONCE_NEXT, 1};
    apr_uint64_t next;
    st_grant grant, copy;
    st_ref ref;

    grant_make(&grant, 7, 1, 0);
    grant.part = ST_GRANT_WITH_BOUND;
    memset(grant.bound, 0xa5, sizeof grant.bound);
    assert_int_equal(st_grant_create(&f->g, &grant, 10, NOW + HOUR, NOW), ST_OK);
    assert_int_equal(find(f, 7, &copy, &ref), ST_OK);
    assert_memory_equal(copy.bound, grant.bound, sizeof copy.bound);
    assert_int_equal(st_grant_use(&f->g, ref, &claim, NOW, 300 * SEC, &next), ST_FAULT);
    assert_int_equal(st_grant_issue(&f->g, ref, &next, 1), ST_FAULT);
    assert_int_equal(st_grant_refresh(&f->g, ref, &refresh, &next, 1), ST_FAULT);
    assert_int_equal(st_grant_refresh(&f->g, ref, &refresh, NULL, 0), ST_OK);
    assert_int_equal(find(f, 7, &copy, &ref), ST_OK);
    assert_memory_equal(copy.bound, grant.bound, sizeof copy.bound);
    assert_true(copy.expires == NOW + 2 * HOUR);
}

static void test_refresh(void **state)
{
    fixture *f = open_grants(*state);
    unsigned char mac[IA_MAC_MAX];
    st_refresh refresh = {NOW + 2 * HOUR, NOW + 3 * HOUR, 99, mac, NOW + 5};
    apr_uint64_t more[3];
    st_grant copy;
    st_ref ref;

    digest_of(mac, 1);
    assert_int_equal(create(f, 7, 1, 10, NOW + HOUR, NOW), ST_OK);
    assert_int_equal(find(f, 7, &copy, &ref), ST_OK);
    assert_int_equal(st_grant_refresh(&f->g, ref, &refresh, more, 3), ST_OK);
    assert_int_equal(find(f, 7, &copy, NULL), ST_OK);
    assert_true(copy.expires == NOW + 2 * HOUR && copy.secret_fingerprint == 99);
    assert_memory_equal(copy.nonces.refresh_mac, mac, sizeof copy.nonces.refresh_mac);
    assert_true(copy.nonces.refresh_first == 5 && copy.nonces.refresh_count == 3 && copy.nonces.refreshed == NOW + 5);
    assert_true(more[0] == 5 && more[2] == 7);
    assert_true(st_table_expires(&f->g.grants, ref) == NOW + 3 * HOUR);
    /* It still exists at the time at which it would have been removed. */
    for (uint64_t i = 100; i < 139; i++)
        assert_int_equal(create(f, i, 2, 100, NOW + 9 * HOUR, NOW + HOUR + SEC), ST_OK);
    assert_int_equal(create(f, 200, 2, 100, NOW + 9 * HOUR, NOW + HOUR + SEC), ST_FULL);
    assert_int_equal(find(f, 7, &copy, NULL), ST_OK);
    assert_int_equal(create(f, 200, 2, 100, NOW + 9 * HOUR, NOW + 3 * HOUR), ST_OK);
    assert_int_equal(find(f, 7, &copy, NULL), ST_NOT_FOUND);
    assert_int_equal(st_grant_refresh(&f->g, ref, &refresh, more, 3), ST_GONE);
}

static void test_grant_quota(void **state)
{
    fixture *f = open_grants(*state);
    st_grant copy;
    st_ref ref;

    for (uint64_t i = 0; i < 5; i++)
        assert_int_equal(create(f, i, 1, 5, NOW + HOUR, NOW), ST_OK);
    assert_int_equal(create(f, 5, 1, 5, NOW + HOUR, NOW), ST_QUOTA);
    assert_int_equal(create(f, 6, 2, 5, NOW + HOUR, NOW), ST_OK);
    assert_int_equal(create(f, 7, 1, 0, NOW + HOUR, NOW), ST_QUOTA);
    assert_int_equal(create(f, 8, 4, 5, NOW + HOUR, NOW), ST_QUOTA); /* no such index */
    assert_int_equal(create(f, 8, APR_UINT32_MAX, 5, NOW + HOUR, NOW), ST_QUOTA);
    assert_int_equal(find(f, 3, &copy, &ref), ST_OK);
    assert_int_equal(st_grant_end(&f->g, ref), ST_OK);
    assert_int_equal(create(f, 5, 1, 5, NOW + HOUR, NOW), ST_OK);
    assert_int_equal(create(f, 9, 1, 5, NOW + HOUR, NOW), ST_QUOTA);
    /* Expired grants are freed before the quota refuses a new one. */
    assert_int_equal(create(f, 9, 1, 5, NOW + 3 * HOUR, NOW + HOUR), ST_OK);
    assert_int_equal(count_of(f->g.grants_of, 1), 1);
    assert_int_equal(count_of(f->g.grants_of, 2), 0);
    assert_int_equal(st_grants_live(&f->g), 1);
}

/* A new participant at the same index: the grants of its predecessor do not count for it. */
static void test_quota_of_the_next_generation(void **state)
{
    fixture *f = open_grants(*state);
    st_grant grant, copy;
    st_ref ref;

    for (uint64_t i = 0; i < 5; i++)
        assert_int_equal(create(f, i, 1, 5, NOW + HOUR, NOW), ST_OK);
    grant_make(&grant, 50, 1, 1);
    grant.participant_generation += 100;
    assert_int_equal(st_grant_create(&f->g, &grant, 5, NOW + HOUR, NOW), ST_OK);
    assert_int_equal(count_of(f->g.grants_of, 1), 1);
    assert_int_equal(find(f, 0, &copy, &ref), ST_OK);
    assert_int_equal(st_grant_end(&f->g, ref), ST_OK);
    assert_int_equal(count_of(f->g.grants_of, 1), 1);
    assert_int_equal(create(f, 60, 1, 5, NOW + HOUR, NOW), ST_QUOTA); /* the earlier generation has ended */
    for (uint64_t i = 51; i < 55; i++) {
        digest_of(grant.digest, i);
        assert_int_equal(st_grant_create(&f->g, &grant, 5, NOW + HOUR, NOW), ST_OK);
    }
    digest_of(grant.digest, 55);
    assert_int_equal(st_grant_create(&f->g, &grant, 5, NOW + HOUR, NOW), ST_QUOTA);
    /* Only the count truncates a generation to 32 bits. */
    assert_int_equal(create(f, 70, 2, 1, NOW + HOUR, NOW), ST_OK);
    assert_int_equal(find(f, 70, &copy, &ref), ST_OK);
    assert_int_equal(st_grant_end(&f->g, ref), ST_OK);
    grant_make(&grant, 71, 2, 1);
    grant.participant_generation = APR_UINT64_C(0xf0000000);
    assert_int_equal(st_grant_create(&f->g, &grant, 1, NOW + HOUR, NOW), ST_OK);
    digest_of(grant.digest, 72);
    assert_int_equal(st_grant_create(&f->g, &grant, 1, NOW + HOUR, NOW), ST_QUOTA);
}

static void test_grants_full(void **state)
{
    fixture *f = open_grants(*state);
    st_grant copy;

    for (uint64_t i = 0; i < 40; i++)
        assert_int_equal(create(f, i, (apr_uint32_t)i % 4, 40, NOW + HOUR, NOW), ST_OK);
    assert_int_equal(create(f, 40, 1, 40, NOW + HOUR, NOW), ST_FULL);
    for (uint64_t i = 0; i < 40; i++)
        assert_int_equal(find(f, i, &copy, NULL), ST_OK);
    assert_int_equal(count_of(f->g.grants_of, 1), 10);
    assert_int_equal(create(f, 40, 1, 40, NOW + 2 * HOUR, NOW + HOUR), ST_OK);
}

/* A client may present only tokens whose digests have equal parts; these must not share a chain. */
static void test_chosen_digests(void **state)
{
    static const st_grants_config config = {2000, 1};
    st_grants g;
    st_grant grant, copy;
    unsigned i;

    (void)state;
    grants_open(&g, &config);
    for (i = 0; i < 400; i++) {
        grant_make(&grant, i, 0, 0);
        memset(grant.digest, 7, 24); /* equal in most of the digest */
        assert_int_equal(st_grant_create(&g, &grant, 2000, NOW + HOUR, NOW), ST_OK);
        assert_int_equal(st_grant_find(&g, grant.digest, &copy, NULL), ST_OK);
    }
}

static void test_attach_keeps_contents(void **state)
{
    fixture *f = open_grants(*state);
    st_grants again;
    ia_mac_key other;
    st_grant copy;
    unsigned char digest[32];

    key_of(&other, "other");
    digest_of(digest, 7);
    assert_int_equal(create(f, 7, 1, 10, NOW + HOUR, NOW), ST_OK);
    st_grants_attach(&again, f->memory, &CONFIG, &other);
    assert_memory_equal(st_grants_nonce_key(&again), st_grants_nonce_key(&f->g), sizeof other);
    assert_int_equal(st_grant_find(&again, digest, &copy, NULL), ST_OK);
}

static void test_stamps(void **state)
{
    fixture *f = open_grants(*state);

    assert_true(st_grants_stamp(&f->g, NOW) == NOW);
    assert_true(st_grants_stamp(&f->g, NOW) == NOW + 1);
    assert_true(st_grants_stamp(&f->g, NOW - HOUR) == NOW + 2); /* the clock went back */
    assert_true(st_grants_clock(&f->g, NOW - HOUR) == NOW + 2);
    assert_true(st_grants_clock(&f->g, NOW + 9) == NOW + 9);
    assert_true(st_grants_stamp(&f->g, NOW + 9) == NOW + 9);
}

static void test_indexes(void **state)
{
    fixture *f = open_grants(*state);
    apr_uint32_t there = 0;
    apr_time_t forget;
    st_grant copy;

    for (uint64_t i = 0; i < 5; i++)
        assert_int_equal(create(f, i, 1, 10, NOW + HOUR, NOW), ST_OK);
    assert_int_equal(st_grants_high_water(&f->g), 5);
    for (apr_uint32_t i = 0; i < 50; i++) {
        st_result rc = st_grant_at(&f->g, i, &copy, &forget);

        assert_true(rc ? rc == ST_NOT_FOUND && forget == 0 : forget == NOW + HOUR);
        there += !rc;
    }
    assert_int_equal(there, 5);
}

static void test_challenge_is_used_once(void **state)
{
    fixture *f = open_grants(*state);

    assert_int_equal(st_challenge_use(&f->g, 1, NOW), ST_OK);
    assert_int_equal(st_challenge_use(&f->g, 1, NOW), ST_EXISTS);
    assert_int_equal(st_challenge_use(&f->g, 1, NOW + 5), ST_OK);
    assert_int_equal(st_challenge_use(&f->g, 1, NOW + 4), ST_EXISTS); /* older, not used */
    assert_int_equal(st_challenge_use(&f->g, 1, NOW + 6), ST_OK);
    assert_int_equal(st_challenge_use(&f->g, 0, NOW), ST_OK); /* another participant */
    assert_int_equal(st_challenge_use(&f->g, 3, NOW + 1), ST_OK);
    assert_int_equal(st_challenge_use(&f->g, 3, 0), ST_EXISTS);
    assert_int_equal(st_challenge_use(&f->g, 2, 0), ST_EXISTS);
    assert_int_equal(st_challenge_use(&f->g, 4, NOW + 9), ST_FAULT); /* no such index */
    assert_int_equal(st_challenge_use(&f->g, APR_UINT32_MAX, NOW + 9), ST_FAULT);
}

/* After a clean stop, the nonce key is restored, and old challenges can be opened; it is unknown which were used. */
static void test_challenges_before_a_stop(void **state)
{
    fixture *f = open_grants(*state), *again;
    apr_uint64_t used = st_grants_stamp(&f->g, NOW), unused = st_grants_stamp(&f->g, NOW + 7), later;

    assert_int_equal(st_challenge_use(&f->g, 1, used), ST_OK);
    again = open_grants(*state);
    st_grants_resume(&again->g, unused, st_grants_nonce_key(&f->g));
    assert_int_equal(st_challenge_use(&again->g, 1, used), ST_EXISTS);
    assert_int_equal(st_challenge_use(&again->g, 1, unused), ST_EXISTS);
    assert_int_equal(st_challenge_use(&again->g, 2, unused), ST_EXISTS);
    later = st_grants_stamp(&again->g, NOW - HOUR); /* and the clock went back */
    assert_int_equal(st_challenge_use(&again->g, 1, later), ST_OK);
    assert_int_equal(st_challenge_use(&again->g, 2, later), ST_OK);
    assert_int_equal(st_challenge_use(&again->g, 2, later), ST_EXISTS);
    /* Resuming again with an older stamp has no effect. */
    st_grants_resume(&again->g, 0, st_grants_nonce_key(&f->g));
    assert_int_equal(st_challenge_use(&again->g, 3, unused), ST_EXISTS);
    assert_int_equal(st_challenge_use(&again->g, 3, later), ST_OK);
}

static void test_attach_keeps_used_challenges(void **state)
{
    fixture *f = open_grants(*state);
    st_grants again;
    ia_mac_key other;

    key_of(&other, "other");
    assert_int_equal(st_challenge_use(&f->g, 3, NOW + 5), ST_OK);
    st_grants_attach(&again, f->memory, &CONFIG, &other);
    assert_int_equal(st_challenge_use(&again, 3, NOW + 5), ST_EXISTS);
    assert_int_equal(st_challenge_use(&again, 3, NOW + 6), ST_OK);
    assert_int_equal(st_challenge_use(&f->g, 3, NOW + 6), ST_EXISTS);
}

/* 512 bytes for each grant, including overhead. */
static void test_size(void **state)
{
    st_grants_config config = {100000, 0}, huge = {APR_UINT32_MAX, APR_UINT32_MAX};

    (void)state;
    assert_true(st_table_size(config.grants, sizeof(st_grant)) / config.grants <= 512);
    if (sizeof(apr_size_t) == 8)
        assert_true(st_grants_size(&huge) > (apr_uint64_t)APR_UINT32_MAX * sizeof(st_grant));
    else
        assert_true(st_grants_size(&huge) >= APR_SIZE_MAX / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pool_test(test_create_find_end),
        pool_test(test_use_and_issue),
        pool_test(test_bound_data),
        pool_test(test_refresh),
        pool_test(test_grant_quota),
        pool_test(test_quota_of_the_next_generation),
        pool_test(test_grants_full),
        pool_test(test_chosen_digests),
        pool_test(test_attach_keeps_contents),
        pool_test(test_stamps),
        pool_test(test_indexes),
        pool_test(test_challenge_is_used_once),
        pool_test(test_challenges_before_a_stop),
        pool_test(test_attach_keeps_used_challenges),
        pool_test(test_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
