/* RFC 3339 and Unix seconds: boundaries, calendars, and every form that is refused. */
#include "support.h"
#include "interauth/timestamp.h"

#define YEAR_9999_END APR_INT64_C(253402300799)

static const struct point {
    apr_int64_t seconds;
    const char *text;
} points[] = {
    {0, "1970-01-01T00:00:00Z"},          {1, "1970-01-01T00:00:01Z"},          {86399, "1970-01-01T23:59:59Z"},
    {951782400, "2000-02-29T00:00:00Z"},  {951868800, "2000-03-01T00:00:00Z"},  {1300000000, "2011-03-13T07:06:40Z"},
    {1709164800, "2024-02-29T00:00:00Z"}, {2147483647, "2038-01-19T03:14:07Z"}, {2147483648, "2038-01-19T03:14:08Z"},
    {4107542400, "2100-03-01T00:00:00Z"}, {4294967296, "2106-02-07T06:28:16Z"}, {YEAR_9999_END, "9999-12-31T23:59:59Z"},
};

static void test_known_points_both_ways(void **state)
{
    for (size_t i = 0; i < COUNT_OF(points); i++) {
        char *out = exact(*state, "0123456789012345678901234567890", IA_RFC3339_SIZE);
        apr_time_t time = -1;

        ia_timestamp_format(out, points[i].seconds * APR_USEC_PER_SEC);
        assert_string_equal(out, points[i].text);
        assert_result(ia_timestamp_parse(&time, exact(*state, points[i].text, 20), 20), IA_OK);
        assert_int_equal(time, points[i].seconds * APR_USEC_PER_SEC);
    }
}

static void test_format_clamps_and_drops_the_fraction(void **state)
{
    char out[IA_RFC3339_SIZE];

    (void)state;
    ia_timestamp_format(out, 1999999);
    assert_string_equal(out, "1970-01-01T00:00:01Z");
    ia_timestamp_format(out, -1);
    assert_string_equal(out, "1970-01-01T00:00:00Z");
    ia_timestamp_format(out, APR_INT64_MIN);
    assert_string_equal(out, "1970-01-01T00:00:00Z");
    ia_timestamp_format(out, (YEAR_9999_END + 1) * APR_USEC_PER_SEC);
    assert_string_equal(out, "9999-12-31T23:59:59Z");
    ia_timestamp_format(out, APR_INT64_MAX);
    assert_string_equal(out, "9999-12-31T23:59:59Z");
}

static void test_round_trip_of_every_day(void **state)
{
    (void)state;
    for (apr_int64_t day = 0; day < 300 * 366; day++) {
        char out[IA_RFC3339_SIZE];
        apr_time_t time, wanted = (day * 86400 + (day * 7919) % 86400) * APR_USEC_PER_SEC;

        ia_timestamp_format(out, wanted);
        assert_int_equal(ia_timestamp_parse(&time, out, 20), IA_OK);
        assert_true(time == wanted);
    }
}

static void test_fractions_and_offsets(void **state)
{
    static const struct {
        const char *text;
        apr_time_t time;
    } good[] = {
        {"1970-01-01T00:00:01.5Z", 1500000},
        {"1970-01-01T00:00:01.000001Z", 1000001},
        {"1970-01-01T00:00:01.999999Z", 1999999},
        {"1970-01-01T01:00:00+01:00", 0},
        {"1970-01-01T00:00:00-00:30", APR_INT64_C(1800000000)},
        {"1970-01-02T00:00:00+23:59", APR_INT64_C(60000000)},
        {"2000-03-01T00:30:00+01:00", APR_INT64_C(951867000000000)},
        {"1970-01-01T00:00:00+00:00", 0},
    };

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        apr_time_t time = -1;
        size_t len = strlen(good[i].text);

        assert_result(ia_timestamp_parse(&time, exact(*state, good[i].text, len), len), IA_OK);
        assert_int_equal(time, good[i].time);
    }
}

static void check_refused(apr_pool_t *p, const char *text, size_t len)
{
    apr_time_t time = 77;

    if (ia_timestamp_parse(&time, exact(p, text, len), len) != IA_TIMESTAMP_MALFORMED) {
        fail_msg("accepted: \"%.*s\"", (int)len, text);
    }
    assert_int_equal(time, 0);
}

static void test_refused_forms(void **state)
{
    static const char *const bad[] = {
        "",
        "Z",
        "2026-11-22",
        "2026-11-22T16:57:37",
        "2026-11-22 16:57:37Z",
        "2026-11-22T16:57Z",
        "2026-11-22T16:57:37ZZ",
        "2026-11-22T16:57:37Z ",
        " 2026-11-22T16:57:37Z",
        "2026-11-22T16:57:60Z",
        "2016-12-31T23:59:60Z",
        "2026-11-22T16:60:37Z",
        "2026-11-22T24:00:00Z",
        "2026-11-31T16:57:37Z",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2024-02-30T00:00:00Z",
        "2026-00-22T16:57:37Z",
        "2026-13-22T16:57:37Z",
        "2026-11-00T16:57:37Z",
        "2026-1-22T16:57:37Z",
        "26-11-22T16:57:37Z",
        "12026-11-22T16:57:37Z",
        "+026-11-22T16:57:37Z",
        "-026-11-22T16:57:37Z",
        "2026/11/22T16:57:37Z",
        "2026-11-22T16.57.37Z",
        "2026-11-22T16:57:37.Z",
        "2026-11-22T16:57:37.1aZ",
        "2026-11-22T16:57:37,5Z",
        "2026-11-22T16:57:37+1:00",
        "2026-11-22T16:57:37+0100",
        "2026-11-22T16:57:37+01",
        "2026-11-22T16:57:37+24:00",
        "2026-11-22T16:57:37+01:60",
        "2026-11-22T16:57:37+01:00Z",
        "2026-11-22T16:57:37 +01:00",
        "2026-11-22T-1:57:37Z",
        "2026-11-22T16: 7:37Z",
        "2026-11-22T1a:57:37Z",
    };

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        check_refused(*state, bad[i], strlen(bad[i]));
    }
    check_refused(*state, LIT("2026-11-22T16:57:37Z\0"));
    check_refused(*state, LIT("2026-11-22T16:57:3\0Z"));
    for (size_t len = 0; len < 20; len++) {
        check_refused(*state, "2026-11-22T16:57:37Z", len);
    }
}

static void test_unix_seconds(void **state)
{
    static const struct {
        const char *text;
        apr_int64_t seconds;
    } good[] = {{"0", 0}, {"1", 1}, {"1300000000", 1300000000}, {"10", 10}, {"99999999999", APR_INT64_C(99999999999)}};
    static const char *const bad[] = {"",    "00",  "01",  "-1",  "+1", " 1",           "1 ",
                                      "1.0", "1e3", "0x1", "1a",  "a",  "100000000000", "999999999999999999999999",
                                      "1\n", "1,2", "-0",  "\xb2"};

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        size_t len = strlen(good[i].text);
        apr_time_t time = -1;

        assert_result(ia_timestamp_parse_unix(&time, exact(*state, good[i].text, len), len), IA_OK);
        assert_int_equal(time, good[i].seconds * APR_USEC_PER_SEC);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        size_t len = strlen(bad[i]);
        apr_time_t time = 77;

        if (ia_timestamp_parse_unix(&time, exact(*state, bad[i], len), len) != IA_TIMESTAMP_MALFORMED) {
            fail_msg("accepted: \"%s\"", bad[i]);
        }
    }
    apr_time_t time;
    assert_result(ia_timestamp_parse_unix(&time, exact(*state, "1\0", 2), 2), IA_TIMESTAMP_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pool_test(test_known_points_both_ways),  pool_test(test_format_clamps_and_drops_the_fraction),
        pool_test(test_round_trip_of_every_day), pool_test(test_fractions_and_offsets),
        pool_test(test_refused_forms),           pool_test(test_unix_seconds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
