/* The nonces of a grant: the window, the stamps, and that no nonce is accepted twice. */
#include "unit/support.h"
#include "nonce_window.h"

#define LIFETIME APR_UINT64_C(300000000)
#define NOW      APR_UINT64_C(1763800000000000)

static st_result use_next(st_nonces *s, apr_uint64_t seq)
{
    ia_nonce_claim claim = {IA_NONCE_NEXT, seq};

    return st_nonces_use(s, &claim, NOW, LIFETIME);
}

static st_result use_fresh(st_nonces *s, apr_uint64_t stamp, apr_uint64_t now)
{
    ia_nonce_claim claim = {IA_NONCE_FRESH, stamp};

    return st_nonces_use(s, &claim, now, LIFETIME);
}

static void issue(st_nonces *s, unsigned count)
{
    while (count-- > 0) {
        apr_uint64_t before = s->issued;

        assert_int_equal(st_nonces_issue(s), before + 1);
    }
}

static void test_first_is_one(void **state)
{
    st_nonces s = {0};

    (void)state;
    assert_int_equal(use_next(&s, 0), ST_UNISSUED);
    assert_int_equal(use_next(&s, 1), ST_UNISSUED);
    assert_int_equal(st_nonces_issue(&s), 1);
    assert_int_equal(use_next(&s, 0), ST_UNISSUED);
    assert_int_equal(use_next(&s, 2), ST_UNISSUED);
    assert_int_equal(use_next(&s, 1), ST_OK);
    assert_int_equal(use_next(&s, 1), ST_EXISTS);
}

/* The top is the highest used sequence number. Issuing nonces does not move it. */
static void test_top_is_the_highest_used(void **state)
{
    st_nonces s = {0};

    (void)state;
    issue(&s, 200);
    assert_int_equal(s.top, 0);
    assert_int_equal(use_next(&s, 7), ST_OK);
    assert_int_equal(s.top, 7);
    assert_int_equal(use_next(&s, 3), ST_OK);
    assert_int_equal(s.top, 7);
    assert_int_equal(use_next(&s, 201), ST_UNISSUED);
    assert_int_equal(s.top, 7);
    assert_int_equal(s.issued, 200);
}

static void test_window_is_256_wide(void **state)
{
    (void)state;
    for (apr_uint64_t top = 257; top < 1200; top += 61) {
        st_nonces s = {.issued = top};

        assert_int_equal(use_next(&s, top), ST_OK);
        assert_int_equal(use_next(&s, top - 256), ST_STALE);
        assert_int_equal(use_next(&s, top - 255), ST_OK);
        assert_int_equal(use_next(&s, top - 255), ST_EXISTS);
        assert_int_equal(use_next(&s, top), ST_EXISTS);
        for (apr_uint64_t seq = top - 254; seq < top; seq++) {
            assert_int_equal(use_next(&s, seq), ST_OK);
        }
        for (apr_uint64_t seq = 1; seq <= top; seq++) {
            assert_int_not_equal(use_next(&s, seq), ST_OK);
        }
    }
}

/* Moving the window by any distance removes exactly the sequence numbers below it. */
static void test_every_jump(void **state)
{
    (void)state;
    for (apr_uint64_t jump = 1; jump <= 600; jump++) {
        st_nonces s = {.issued = 2000};

        for (apr_uint64_t seq = 1000 - 255; seq <= 1000; seq++) {
            assert_int_equal(use_next(&s, seq), ST_OK);
        }
        assert_int_equal(use_next(&s, 1000 + jump), ST_OK);
        for (apr_uint64_t seq = 700; seq <= 1000 + jump; seq++) {
            st_result rc = use_next(&s, seq);

            if (seq + 256 <= 1000 + jump) {
                assert_int_equal(rc, ST_STALE);
            } else if (seq <= 1000 || seq == 1000 + jump) {
                assert_int_equal(rc, ST_EXISTS);
            } else {
                assert_int_equal(rc, ST_OK);
            }
        }
    }
}

static void test_48_bit_limits(void **state)
{
    static const ia_mac_key nonce_key;
    static const unsigned char grant[IA_GRANT_ID_LEN];
    st_nonces s = {.issued = IA_NONCE_SEQ_MAX, .top = IA_NONCE_SEQ_MAX - 300};
    unsigned char nonce[IA_NONCE_LEN];
    ia_nonce_claim claim;

    (void)state;
    assert_int_equal(use_next(&s, IA_NONCE_SEQ_MAX), ST_OK);
    assert_int_equal(use_next(&s, IA_NONCE_SEQ_MAX), ST_EXISTS);
    assert_int_equal(use_next(&s, IA_NONCE_SEQ_MAX - 255), ST_OK);
    assert_int_equal(use_next(&s, IA_NONCE_SEQ_MAX - 256), ST_STALE);
    assert_int_equal(use_next(&s, IA_NONCE_SEQ_MAX + 1), ST_UNISSUED);
    assert_int_equal(use_next(&s, APR_UINT64_MAX), ST_UNISSUED);
    /* After the last sequence number, nonces are refused, and not accepted again. */
    for (unsigned i = 0; i < 300; i++) {
        ia_nonce_mint_next(nonce, &nonce_key, grant, st_nonces_issue(&s));
        assert_int_equal(ia_nonce_verify(&claim, nonce, &nonce_key, grant), IA_OK);
        assert_int_not_equal(st_nonces_use(&s, &claim, NOW, LIFETIME), ST_OK);
    }
}

static void test_32_held_in_every_rotation_and_many_orders(void **state)
{
    uint64_t seed = 11;

    (void)state;
    for (unsigned round = 0; round < 2000; round++) {
        st_nonces s = {0};
        apr_uint64_t held[32];

        s.issued = round % 700;
        if (s.issued > 0) {
            assert_int_equal(use_next(&s, s.issued), ST_OK);
        }
        for (unsigned i = 0; i < 32; i++) {
            held[i] = st_nonces_issue(&s);
        }
        for (unsigned i = 31; i > 0; i--) {
            unsigned j = (unsigned)(random_next(&seed) % (i + 1));
            apr_uint64_t swap = held[i];

            held[i] = held[j];
            held[j] = swap;
        }
        if (round % 3 == 0) {
            for (unsigned i = 0; i < 32; i++) {
                held[i] = s.issued - 31 + (round % 2 ? i + round : 31 - i + round) % 32;
            }
        }
        /* Each use issues one more nonce, as in the server. */
        for (unsigned i = 0; i < 32; i++) {
            assert_int_equal(use_next(&s, held[i]), ST_OK);
            st_nonces_issue(&s);
        }
        for (unsigned i = 0; i < 32; i++) {
            assert_int_equal(use_next(&s, held[i]), ST_EXISTS);
        }
    }
}

/* A client with 32 concurrent requests in random order: all are accepted, for a long time. */
static void test_32_in_flight_lose_none(void **state)
{
    st_nonces s = {0};
    apr_uint64_t held[32];
    uint64_t seed = 5;
    unsigned refused = 0;

    (void)state;
    for (unsigned i = 0; i < 32; i++) {
        held[i] = st_nonces_issue(&s);
    }
    for (unsigned step = 0; step < 20000; step++) {
        /* Oldest first, as clients use them, but shuffled among the 16 oldest. */
        unsigned pick = (unsigned)(random_next(&seed) % 16);
        apr_uint64_t seq = held[pick];

        memmove(held + pick, held + pick + 1, (31 - pick) * sizeof *held);
        refused += use_next(&s, seq) != ST_OK;
        held[31] = st_nonces_issue(&s);
    }
    assert_int_equal(refused, 0);
}

static void test_issue_stops_at_256_outstanding(void **state)
{
    st_nonces s = {0};

    (void)state;
    issue(&s, 256);
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(st_nonces_issue(&s), 256);
    }
    assert_int_equal(s.issued, 256);
    assert_int_equal(use_next(&s, 256), ST_OK);
    assert_int_equal(st_nonces_issue(&s), 257);
    for (apr_uint64_t seq = 1; seq < 256; seq++) {
        assert_int_equal(use_next(&s, seq), ST_OK);
    }
}

static void test_unused_lists_the_newest_first(void **state)
{
    st_nonces s = {0};
    apr_uint64_t out[4] = {9, 9, 9, 9};

    (void)state;
    assert_int_equal(st_nonces_unused(&s, out, 4), 0);
    issue(&s, 1);
    assert_int_equal(st_nonces_unused(&s, out, 4), 1);
    assert_int_equal(out[0], 1);
    assert_int_equal(out[1], 9);
    issue(&s, 9);
    assert_int_equal(use_next(&s, 10), ST_OK);
    assert_int_equal(use_next(&s, 8), ST_OK);
    assert_int_equal(st_nonces_unused(&s, out, 4), 4);
    assert_int_equal(out[0], 9);
    assert_int_equal(out[1], 7);
    assert_int_equal(out[2], 6);
    assert_int_equal(out[3], 5);
    assert_int_equal(st_nonces_unused(&s, out, 0), 0);
    assert_int_equal(st_nonces_unused(&s, out, 1), 1);
}

/* All sequence numbers that are listed as unused are in the window. */
static void test_unused_is_usable(void **state)
{
    st_nonces s = {0};
    apr_uint64_t out[600];
    unsigned count;

    (void)state;
    s.issued = 1000;
    assert_int_equal(use_next(&s, 900), ST_OK);
    count = st_nonces_unused(&s, out, COUNT_OF(out));
    assert_int_equal(count, 100 + 255);
    while (count-- > 0) {
        assert_int_equal(use_next(&s, out[count]), ST_OK);
    }
    assert_int_equal(st_nonces_unused(&s, out, 4), 0);
}

static void test_fresh_time_limits(void **state)
{
    st_nonces s = {0};

    (void)state;
    assert_int_equal(use_fresh(&s, NOW + 1, NOW), ST_FUTURE);
    assert_int_equal(use_fresh(&s, NOW - LIFETIME - 1, NOW), ST_STALE);
    assert_int_equal(use_fresh(&s, NOW - LIFETIME, NOW), ST_OK);
    assert_int_equal(use_fresh(&s, NOW, NOW), ST_OK);
    assert_int_equal(use_fresh(&s, NOW, NOW), ST_EXISTS);
    assert_int_equal(use_fresh(&s, NOW - LIFETIME, NOW), ST_EXISTS);
    assert_int_equal(use_fresh(&s, 0, NOW), ST_STALE);
    assert_int_equal(s.top, 0);
    assert_int_equal(s.issued, 0);
}

static void test_sixteen_stamps_and_the_floor(void **state)
{
    st_nonces s = {0};

    (void)state;
    for (apr_uint64_t i = 16; i >= 1; i--) {
        assert_int_equal(use_fresh(&s, NOW + 10 * i, NOW + 1000), ST_OK);
    }
    assert_int_equal(s.floor, 0);
    for (apr_uint64_t i = 1; i <= 16; i++) {
        assert_int_equal(use_fresh(&s, NOW + 10 * i, NOW + 1000), ST_EXISTS);
    }
    /* The seventeenth replaces the smallest, and the floor rises to that. */
    assert_int_equal(use_fresh(&s, NOW + 500, NOW + 1000), ST_OK);
    assert_int_equal(s.floor, NOW + 10);
    assert_int_not_equal(use_fresh(&s, NOW + 10, NOW + 1000), ST_OK);
    assert_int_not_equal(use_fresh(&s, NOW + 9, NOW + 1000), ST_OK);
    assert_int_equal(use_fresh(&s, NOW + 20, NOW + 1000), ST_EXISTS);
    /* A stamp below all stored ones, but above the floor, is accepted once. */
    assert_int_equal(use_fresh(&s, NOW + 15, NOW + 1000), ST_OK);
    assert_int_not_equal(use_fresh(&s, NOW + 15, NOW + 1000), ST_OK);
    assert_true(s.floor >= NOW + 15 && s.floor < NOW + 20);
}

/* Sixteen clients use their fresh nonces in parallel; all succeed in any order. */
static void test_parallel_starts_all_succeed(void **state)
{
    uint64_t seed = 17;

    (void)state;
    for (unsigned round = 0; round < 500; round++) {
        st_nonces s = {0};
        apr_uint64_t stamps[16];

        for (unsigned i = 0; i < 16; i++) {
            stamps[i] = NOW + round * 16 + i;
        }
        for (unsigned i = 15; i > 0; i--) {
            unsigned j = (unsigned)(random_next(&seed) % (i + 1));
            apr_uint64_t swap = stamps[i];

            stamps[i] = stamps[j];
            stamps[j] = swap;
        }
        for (unsigned i = 0; i < 16; i++) {
            assert_int_equal(use_fresh(&s, stamps[i], NOW + 100000), ST_OK);
        }
    }
}

#define MODEL_STEPS 100000
#define MODEL_SEQS  40000
#define MODEL_SPAN  4096

static char used_seqs[MODEL_SEQS];
static apr_uint64_t used_stamps[MODEL_STEPS];
static unsigned used_stamp_count;

static int stamp_was_used(apr_uint64_t stamp)
{
    /* Stamps increase by at least one in each step, so a repeated one is near the end. */
    for (unsigned i = used_stamp_count; i > 0 && used_stamp_count - i < 2 * MODEL_SPAN; i--) {
        if (used_stamps[i - 1] == stamp) {
            return 1;
        }
    }
    return 0;
}

static void model_next(st_nonces *s, uint64_t *seed)
{
    apr_uint64_t top = s->top, issued = s->issued, spread = random_next(seed) % 4 ? 40 : 600;
    apr_uint64_t middle = random_next(seed) % 3 ? issued : top, seq = middle + 4 - random_next(seed) % spread;
    st_result wanted = ST_OK;

    if (seq > middle + 4) {
        seq = 1;
    }
    if (seq < 1 || seq > issued) {
        wanted = ST_UNISSUED;
    } else if (top >= 256 && seq <= top - 256) {
        wanted = ST_STALE;
    } else if (used_seqs[seq]) {
        wanted = ST_EXISTS;
    }
    assert_int_equal(use_next(s, seq), wanted);
    assert_int_equal(s->issued, issued);
    if (wanted == ST_OK) {
        used_seqs[seq] = 1;
        assert_int_equal(s->top, seq > top ? seq : top);
    } else {
        assert_int_equal(s->top, top);
    }
}

static void model_fresh(st_nonces *s, uint64_t *seed, apr_uint64_t now)
{
    apr_uint64_t stamp = now - random_next(seed) % (random_next(seed) % 8 ? 60 : MODEL_SPAN), floor = s->floor;
    int used = stamp_was_used(stamp);
    st_result rc = use_fresh(s, stamp, now);

    if (used && rc == ST_OK) {
        fail_msg("stamp accepted twice");
    }
    /* A valid stamp is refused only if the floor is above it. */
    if (!used && rc != ST_OK) {
        assert_true(stamp <= floor);
    }
    assert_true(s->floor >= floor);
    if (rc == ST_OK) {
        used_stamps[used_stamp_count++] = stamp;
    }
}

/* Compares the results with a complete set: they are the same, and no nonce is accepted twice. */
static void test_random_steps_against_a_set(void **state)
{
    st_nonces s = {0};
    uint64_t seed = 20261122;
    unsigned accepted = 0;

    (void)state;
    memset(used_seqs, 0, sizeof used_seqs);
    used_stamp_count = 0;
    for (unsigned step = 0; step < MODEL_STEPS; step++) {
        apr_uint64_t seq, newest;

        switch (random_next(&seed) % 4) {
        case 0:
            seq = st_nonces_issue(&s);
            assert_true(seq <= s.issued && s.issued - s.top <= 256 && !used_seqs[seq]);
            assert_int_equal(st_nonces_unused(&s, &newest, 1), 1);
            assert_int_equal(newest, seq);
            break;
        case 1:
            model_fresh(&s, &seed, NOW + step);
            break;
        default:
            model_next(&s, &seed);
        }
    }
    for (unsigned i = 0; i < MODEL_SEQS; i++) {
        accepted += (unsigned)used_seqs[i];
    }
    /* All cases must have occurred in the run. */
    assert_true(accepted > 5000 && s.top > 5000 && used_stamp_count > 1000);
    assert_true(s.issued < MODEL_SEQS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pool_test(test_first_is_one),
        pool_test(test_top_is_the_highest_used),
        pool_test(test_window_is_256_wide),
        pool_test(test_every_jump),
        pool_test(test_48_bit_limits),
        pool_test(test_32_held_in_every_rotation_and_many_orders),
        pool_test(test_32_in_flight_lose_none),
        pool_test(test_issue_stops_at_256_outstanding),
        pool_test(test_unused_lists_the_newest_first),
        pool_test(test_unused_is_usable),
        pool_test(test_fresh_time_limits),
        pool_test(test_sixteen_stamps_and_the_floor),
        pool_test(test_parallel_starts_all_succeed),
        pool_test(test_random_steps_against_a_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
