/*
 * How much a child of httpd verifies (modules/isign/isign_limit.c), with real threads. A verification takes a fraction of a
 * millisecond, and who finds no place waits for a second: no traffic of a test fills the room, so that it is filled here.
 */
#include "support.h"
#include <pthread.h>
#include <unistd.h>
#include <httpd.h>
#include "mod_isign.h"

#define NOW     APR_INT64_C(1763800000000000)
#define TIMES   200                     /* failures at once */
#define PAUSE   (APR_USEC_PER_SEC / 20) /* after which one is forgiven */
#define WORKERS 48

static const ia_sfv_text keyid = {"http://shop.example#k1", 22};
static const ia_sfv_text other_keyid = {"http://shop.example#k2", 22};

static unsigned most(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    return processors > 2 ? (unsigned)processors * 2 : 4;
}

static ia_result enter(isign_limit *limit)
{
    memset(limit, 0, sizeof *limit);
    return isign_limit_enter(limit, "127.0.0.1", &keyid, NOW);
}

static isign_limit *fill(apr_pool_t *p)
{
    isign_limit *all = apr_pcalloc(p, most() * sizeof *all);
    unsigned i;

    isign_limit_child_init(p);
    for (i = 0; i < most(); i++)
        assert_result(enter(&all[i]), IA_OK);
    return all;
}

static void test_full(void **state)
{
    isign_limit *all = fill(*state), one;
    apr_time_t began = apr_time_now();
    unsigned i;

    assert_result(enter(&one), IA_VERIFICATIONS_FULL);
    assert_true(apr_time_now() - began >= apr_time_from_msec(900)); /* it waited for a place */
    assert_false(one.entered);
    isign_limit_leave(&one, IA_OK, NOW); /* what did not enter takes no place away */
    assert_result(enter(&one), IA_VERIFICATIONS_FULL);
    assert_int_equal(ia_outcome_of(IA_VERIFICATIONS_FULL)->status, 429);
    for (i = 0; i < most(); i++)
        isign_limit_leave(&all[i], IA_OK, NOW);
    for (i = 0; i < most(); i++)
        assert_result(enter(&all[i]), IA_OK);
    assert_result(enter(&one), IA_VERIFICATIONS_FULL);
}

static void *leave_later(void *limit)
{
    usleep(100000);
    isign_limit_leave(limit, IA_OK, NOW);
    return NULL;
}

static void test_a_place_becomes_free(void **state)
{
    isign_limit *all = fill(*state), one;
    apr_time_t began = apr_time_now();
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, leave_later, &all[0]), 0);
    assert_result(enter(&one), IA_OK);
    assert_true(apr_time_now() - began < apr_time_from_msec(900));
    pthread_join(thread, NULL);
}

static void test_once_for_a_request(void **state)
{
    isign_limit *all = fill(*state), one;
    unsigned i;

    assert_result(isign_limit_enter(&all[0], "127.0.0.1", &keyid, NOW), IA_OK); /* the second of overlapping secrets */
    isign_limit_leave(&all[0], IA_OK, NOW);
    isign_limit_leave(&all[0], IA_OK, NOW);
    assert_result(enter(&all[0]), IA_OK);
    assert_result(enter(&one), IA_VERIFICATIONS_FULL);
    for (i = 0; i < most(); i++)
        isign_limit_leave(&all[i], IA_OK, NOW);
}

static unsigned now_under_way, highest, served, refused;

static void *verify_many(void *unused)
{
    unsigned i, here, seen;

    (void)unused;
    for (i = 0; i < 50; i++) {
        isign_limit one;

        if (enter(&one)) {
            __atomic_add_fetch(&refused, 1, __ATOMIC_RELAXED);
            continue;
        }
        here = __atomic_add_fetch(&now_under_way, 1, __ATOMIC_ACQ_REL);
        seen = __atomic_load_n(&highest, __ATOMIC_RELAXED);
        while (here > seen &&
               !__atomic_compare_exchange_n(&highest, &seen, here, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            ;
        usleep(200); /* an RSA-4096 verification */
        __atomic_sub_fetch(&now_under_way, 1, __ATOMIC_ACQ_REL);
        __atomic_add_fetch(&served, 1, __ATOMIC_RELAXED);
        isign_limit_leave(&one, IA_OK, NOW);
    }
    return NULL;
}

static void test_many_threads(void **state)
{
    pthread_t threads[WORKERS];
    unsigned i;

    isign_limit_child_init(*state);
    for (i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, verify_many, NULL), 0);
    for (i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(served + refused, WORKERS * 50);
    assert_true(served > WORKERS * 49);
    assert_true(highest <= most() && highest > 1);
}

static void fail_often(const char *address, const ia_sfv_text *who, unsigned times, apr_time_t now)
{
    while (times--) {
        isign_limit one = {0, 0};

        assert_result(isign_limit_enter(&one, address, who, now), IA_OK);
        isign_limit_leave(&one, IA_SIG_MISMATCH, now);
    }
}

static ia_result ask(const char *address, const ia_sfv_text *who, apr_time_t now)
{
    isign_limit one = {0, 0};
    ia_result rc = isign_limit_enter(&one, address, who, now);

    isign_limit_leave(&one, IA_OK, now);
    return rc;
}

static void test_failures(void **state)
{
    isign_limit_child_init(*state);
    fail_often("192.0.2.1", &keyid, TIMES, NOW);
    assert_result(ask("192.0.2.1", &keyid, NOW), IA_OK); /* exactly as many as may be */
    fail_often("192.0.2.1", &keyid, 1, NOW);
    assert_result(ask("192.0.2.1", &keyid, NOW), IA_VERIFICATIONS_FULL);
    assert_result(ask("192.0.2.2", &keyid, NOW), IA_OK);
    assert_result(ask("192.0.2.1", &other_keyid, NOW), IA_OK);
    assert_result(ask("192.0.2.1", &keyid, NOW + PAUSE - 1), IA_VERIFICATIONS_FULL);
    fail_often("192.0.2.1", &keyid, 1, NOW + PAUSE);
    assert_result(ask("192.0.2.1", &keyid, NOW + PAUSE), IA_VERIFICATIONS_FULL);
    fail_often("192.0.2.1", &keyid, TIMES, NOW + (TIMES + 2) * PAUSE);
}

static void test_what_is_no_failure(void **state)
{
    unsigned i;

    isign_limit_child_init(*state);
    for (i = 0; i < 3 * TIMES; i++) {
        isign_limit one = {0, 0};

        assert_result(isign_limit_enter(&one, "192.0.2.1", &keyid, NOW), IA_OK);
        isign_limit_leave(&one, i % 2 ? IA_OK : IA_SIG_CREATED_OLD, NOW);
    }
}

static void test_clock_back(void **state)
{
    isign_limit_child_init(*state);
    fail_often("192.0.2.1", &keyid, TIMES + 1, NOW);
    assert_result(ask("192.0.2.1", &keyid, NOW - apr_time_from_sec(3600)), IA_OK); /* not locked out for an hour */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pool_test(test_full),
        pool_test(test_a_place_becomes_free),
        pool_test(test_once_for_a_request),
        pool_test(test_many_threads),
        pool_test(test_failures),
        pool_test(test_what_is_no_failure),
        pool_test(test_clock_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
