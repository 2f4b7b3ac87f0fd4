/* Sets of capabilities against a naive array of flags. */
#include "support.h"
#include "interauth/capability.h"

static void test_every_index(void **state)
{
    (void)state;
    for (int index = 0; index < IA_CAPABILITIES_MAX; index++) {
        ia_capset set;

        ia_capset_clear(&set);
        assert_true(ia_capset_is_empty(&set));
        assert_int_equal(ia_capset_next(&set, -1), -1);
        ia_capset_add(&set, index);
        assert_true(ia_capset_has(&set, index));
        assert_false(ia_capset_is_empty(&set));
        assert_false(ia_capset_has(&set, index + 1));
        assert_false(ia_capset_has(&set, index - 1));
        assert_int_equal(ia_capset_next(&set, -1), index);
        assert_int_equal(ia_capset_next(&set, index), -1);
        assert_int_equal(ia_capset_next(&set, index - 1), index);
    }
}

static void test_outside_indexes_are_ignored(void **state)
{
    static const int outside[] = {-1, -2, -64, IA_CAPABILITIES_MAX, IA_CAPABILITIES_MAX + 1, INT32_MAX, INT32_MIN};
    ia_capset *set = (ia_capset *)exact(*state, &(ia_capset){{0}}, sizeof(ia_capset));

    for (size_t i = 0; i < COUNT_OF(outside); i++) {
        ia_capset_add(set, outside[i]);
        assert_true(ia_capset_is_empty(set));
        assert_false(ia_capset_has(set, outside[i]));
    }
    memset(set, 0xff, sizeof *set);
    for (size_t i = 0; i < COUNT_OF(outside); i++) {
        assert_false(ia_capset_has(set, outside[i]));
    }
    assert_int_equal(ia_capset_next(set, IA_CAPABILITIES_MAX - 1), -1);
    assert_int_equal(ia_capset_next(set, IA_CAPABILITIES_MAX), -1);
    assert_int_equal(ia_capset_next(set, INT32_MAX), -1);
}

static void test_against_flags(void **state)
{
    static char flags[2][IA_CAPABILITIES_MAX];
    uint64_t seed = 3;

    (void)state;
    for (unsigned round = 0; round < 200; round++) {
        ia_capset sets[2], both;
        int contains = 1, seen = 0, count = 0;

        memset(flags, 0, sizeof flags);
        for (unsigned s = 0; s < 2; s++) {
            ia_capset_clear(&sets[s]);
            for (unsigned n = (unsigned)(random_next(&seed) % 40); n > 0; n--) {
                int index = (int)(random_next(&seed) % (round % 2 ? IA_CAPABILITIES_MAX : 70));

                ia_capset_add(&sets[s], index);
                flags[s][index] = 1;
            }
        }
        ia_capset_intersect(&both, &sets[0], &sets[1]);
        for (int i = 0; i < IA_CAPABILITIES_MAX; i++) {
            assert_int_equal(!!ia_capset_has(&both, i), flags[0][i] && flags[1][i]);
            contains &= flags[0][i] || !flags[1][i];
            count += flags[0][i];
        }
        assert_int_equal(!!ia_capset_contains(&sets[0], &sets[1]), contains);
        assert_true(ia_capset_contains(&sets[0], &both));
        assert_true(ia_capset_contains(&sets[1], &both));
        for (int i = ia_capset_next(&sets[0], -1); i >= 0; i = ia_capset_next(&sets[0], i)) {
            assert_true(flags[0][i]);
            seen++;
        }
        assert_int_equal(seen, count);
    }
}

static void test_empty_is_part_of_everything(void **state)
{
    ia_capset empty, one, out;

    (void)state;
    ia_capset_clear(&empty);
    ia_capset_clear(&one);
    ia_capset_add(&one, 1023);
    assert_true(ia_capset_contains(&one, &empty));
    assert_true(ia_capset_contains(&empty, &empty));
    assert_false(ia_capset_contains(&empty, &one));
    memset(&out, 0xff, sizeof out);
    ia_capset_intersect(&out, &empty, &one);
    assert_true(ia_capset_is_empty(&out));
    ia_capset_intersect(&one, &one, &one);
    assert_true(ia_capset_has(&one, 1023));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pool_test(test_every_index),
        pool_test(test_outside_indexes_are_ignored),
        pool_test(test_against_flags),
        pool_test(test_empty_is_part_of_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
