/* The decision about grants, as tables of participants, requests, policies and results. */
#include "support.h"
#include "interauth/grant.h"

#define SEC(n) apr_time_from_sec(n)
#define NOW    SEC(1763800000)

enum { READ = 0, WRITE = 1, ADMIN = 700 };

static ia_capset set_of(unsigned mask)
{
    ia_capset set;

    ia_capset_clear(&set);
    if (mask & 1) {
        ia_capset_add(&set, READ);
    }
    if (mask & 2) {
        ia_capset_add(&set, WRITE);
    }
    if (mask & 4) {
        ia_capset_add(&set, ADMIN);
    }
    return set;
}

static unsigned mask_of(const ia_capset *set)
{
    return (ia_capset_has(set, READ) ? 1u : 0) | (ia_capset_has(set, WRITE) ? 2u : 0) |
           (ia_capset_has(set, ADMIN) ? 4u : 0);
}

static void check_cleared(const ia_grant_terms *terms)
{
    assert_true(ia_capset_is_empty(&terms->capabilities));
    assert_int_equal(terms->created, 0);
    assert_int_equal(terms->expires, 0);
    assert_int_equal(terms->can_refresh, 0);
}

static const struct decision {
    const char *what;
    ia_participant_status status;
    apr_int64_t ends; /* of the participant, seconds from now; 0 never */
    apr_int64_t max;  /* token_max_lifespan */
    unsigned holds;   /* capabilities of the participant */
    int refresh;
    unsigned wants;
    int unknown;
    apr_int64_t lifespan;
    int partial;
    apr_int64_t max_age;
    ia_result rc;
    unsigned gets;
    apr_int64_t lives; /* seconds */
} decisions[] = {
    {"all of it", IA_STATUS_APPROVED, 0, 3600, 7, 1, 7, 0, 60, 0, 0, IA_OK, 7, 60},
    {"some of it", IA_STATUS_APPROVED, 0, 3600, 7, 0, 2, 0, 60, 0, 0, IA_OK, 2, 60},
    {"no lifespan is the longest", IA_STATUS_APPROVED, 0, 3600, 1, 0, 1, 0, 0, 0, 0, IA_OK, 1, 3600},
    {"exactly the longest", IA_STATUS_APPROVED, 0, 3600, 1, 0, 1, 0, 3600, 0, 0, IA_OK, 1, 3600},
    {"longer is clamped", IA_STATUS_APPROVED, 0, 3600, 1, 0, 1, 0, 3601, 0, 0, IA_OK, 1, 3600},
    {"the longest number is clamped", IA_STATUS_APPROVED, 0, 3600, 1, 0, 1, 0, APR_INT64_MAX, 0, 0, IA_OK, 1, 3600},
    {"clamped to the participant's end", IA_STATUS_APPROVED, 100, 3600, 1, 0, 1, 0, 200, 0, 0, IA_OK, 1, 100},
    {"the participant's end is later", IA_STATUS_APPROVED, 300, 3600, 1, 0, 1, 0, 200, 0, 0, IA_OK, 1, 200},
    {"clamped to the greatest age", IA_STATUS_APPROVED, 0, 3600, 1, 1, 1, 0, 0, 0, 1000, IA_OK, 1, 1000},
    {"one second is a lifespan", IA_STATUS_APPROVED, 0, 3600, 1, 0, 1, 0, 1, 0, 0, IA_OK, 1, 1},
    {"a capability not held", IA_STATUS_APPROVED, 0, 3600, 1, 0, 3, 0, 0, 0, 0, IA_CAPABILITY_NOT_HELD, 0, 0},
    {"only one not held", IA_STATUS_APPROVED, 0, 3600, 1, 0, 4, 0, 0, 0, 0, IA_CAPABILITY_NOT_HELD, 0, 0},
    {"a name nobody holds", IA_STATUS_APPROVED, 0, 3600, 1, 0, 1, 1, 0, 0, 0, IA_CAPABILITY_NOT_HELD, 0, 0},
    {"only names nobody holds", IA_STATUS_APPROVED, 0, 3600, 1, 0, 0, 1, 0, 0, 0, IA_CAPABILITY_NOT_HELD, 0, 0},
    {"nothing wanted", IA_STATUS_APPROVED, 0, 3600, 1, 0, 0, 0, 0, 0, 0, IA_CAPABILITY_NOT_HELD, 0, 0},
    {"nothing held", IA_STATUS_APPROVED, 0, 3600, 0, 0, 1, 0, 0, 0, 0, IA_CAPABILITY_NOT_HELD, 0, 0},
    {"partial gives the intersection", IA_STATUS_APPROVED, 0, 3600, 3, 0, 6, 0, 0, 1, 0, IA_OK, 2, 3600},
    {"partial passes over unknown names", IA_STATUS_APPROVED, 0, 3600, 1, 0, 1, 1, 0, 1, 0, IA_OK, 1, 3600},
    {"partial gives never nothing", IA_STATUS_APPROVED, 0, 3600, 1, 0, 6, 0, 0, 1, 0, IA_CAPABILITY_NOT_HELD, 0, 0},
    {"partial, only unknown names", IA_STATUS_APPROVED, 0, 3600, 1, 0, 0, 1, 0, 1, 0, IA_CAPABILITY_NOT_HELD, 0, 0},
    {"partial, nothing wanted", IA_STATUS_APPROVED, 0, 3600, 1, 0, 0, 0, 0, 1, 0, IA_CAPABILITY_NOT_HELD, 0, 0},
    {"applied", IA_STATUS_APPLIED, 0, 3600, 1, 0, 1, 0, 0, 0, 0, IA_PARTICIPANT_INACTIVE, 0, 0},
    {"under review", IA_STATUS_UNDER_REVIEW, 0, 3600, 1, 0, 1, 0, 0, 0, 0, IA_PARTICIPANT_INACTIVE, 0, 0},
    {"rejected", IA_STATUS_REJECTED, 0, 3600, 1, 0, 1, 0, 0, 0, 0, IA_PARTICIPANT_INACTIVE, 0, 0},
    {"suspended", IA_STATUS_SUSPENDED, 0, 3600, 1, 0, 1, 0, 0, 0, 0, IA_PARTICIPANT_INACTIVE, 0, 0},
    {"offboarded", IA_STATUS_OFFBOARDED, 0, 3600, 1, 0, 1, 0, 0, 0, 0, IA_PARTICIPANT_INACTIVE, 0, 0},
    {"a status of no meaning", (ia_participant_status)77, 0, 3600, 1, 0, 1, 0, 0, 0, 0, IA_PARTICIPANT_INACTIVE, 0, 0},
    {"expired long ago", IA_STATUS_APPROVED, -1000, 3600, 1, 0, 1, 0, 0, 0, 0, IA_PARTICIPANT_EXPIRED, 0, 0},
    {"expires in a second", IA_STATUS_APPROVED, 1, 3600, 1, 0, 1, 0, 0, 0, 0, IA_OK, 1, 1},
    {"inactive comes before expired", IA_STATUS_SUSPENDED, -1, 3600, 1, 0, 1, 0, 0, 0, 0, IA_PARTICIPANT_INACTIVE, 0,
     0},
};

static void test_decisions(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(decisions); i++) {
        const struct decision *d = &decisions[i];
        ia_entitlement entitlement = {d->status, d->ends ? NOW + SEC(d->ends) : 0, d->max, d->refresh,
                                      set_of(d->holds)};
        ia_grant_request request = {set_of(d->wants), d->unknown, d->lifespan};
        ia_grant_policy policy = {d->partial, 0, SEC(d->max_age)};
        ia_grant_terms terms;
        ia_result rc;

        memset(&terms, 0xa5, sizeof terms);
        rc = ia_grant_decide(&terms, &entitlement, &request, &policy, NOW);
        if (rc != d->rc) {
            fail_msg("%s: %s, not %s", d->what, ia_outcome_of(rc)->tag, ia_outcome_of(d->rc)->tag);
        }
        if (rc != IA_OK) {
            check_cleared(&terms);
            continue;
        }
        if (mask_of(&terms.capabilities) != d->gets || terms.expires != NOW + SEC(d->lives)) {
            fail_msg("%s: other terms", d->what);
        }
        assert_int_equal(terms.created, NOW);
        assert_int_equal(!!terms.can_refresh, d->refresh);
    }
}

static void test_entitlement_at_the_moment_of_expiry(void **state)
{
    ia_entitlement entitlement = {IA_STATUS_APPROVED, NOW, 60, 0, set_of(1)};

    (void)state;
    assert_result(ia_entitlement_check(&entitlement, NOW - 1), IA_OK);
    assert_result(ia_entitlement_check(&entitlement, NOW), IA_PARTICIPANT_EXPIRED);
    assert_result(ia_entitlement_check(&entitlement, NOW + 1), IA_PARTICIPANT_EXPIRED);
    entitlement.expires = 0;
    assert_result(ia_entitlement_check(&entitlement, APR_INT64_MAX), IA_OK);
}

static const struct refresh {
    const char *what;
    ia_participant_status status;
    apr_int64_t ends;    /* of the participant, seconds from now */
    int allowed;         /* by the participant today */
    unsigned holds;      /* today */
    int can;             /* by the grant */
    unsigned had;        /* by the grant */
    apr_int64_t created; /* seconds from now */
    apr_int64_t expired; /* of the grant, seconds from now */
    apr_int64_t lifespan, window, max_age;
    ia_result rc;
    unsigned gets;
    apr_int64_t lives;
} refreshes[] = {
    {"alive", IA_STATUS_APPROVED, 0, 1, 7, 1, 3, -10, 50, 100, 60, 0, IA_OK, 3, 100},
    {"no lifespan", IA_STATUS_APPROVED, 0, 1, 7, 1, 3, -10, 50, 0, 60, 0, IA_OK, 3, 3600},
    {"longer is clamped", IA_STATUS_APPROVED, 0, 1, 7, 1, 3, -10, 50, 9999, 60, 0, IA_OK, 3, 3600},
    {"expired, within the window", IA_STATUS_APPROVED, 0, 1, 7, 1, 1, -100, -59, 100, 60, 0, IA_OK, 1, 100},
    {"expired, past the window", IA_STATUS_APPROVED, 0, 1, 7, 1, 1, -100, -61, 100, 60, 0, IA_REFRESH_TOO_LATE, 0, 0},
    {"expired, no window", IA_STATUS_APPROVED, 0, 1, 7, 1, 1, -100, -1, 100, 0, 0, IA_REFRESH_TOO_LATE, 0, 0},
    {"the grant may not", IA_STATUS_APPROVED, 0, 1, 7, 0, 1, -10, 50, 100, 60, 0, IA_REFRESH_NOT_ALLOWED, 0, 0},
    {"the participant may no longer", IA_STATUS_APPROVED, 0, 0, 7, 1, 1, -10, 50, 100, 60, 0, IA_REFRESH_NOT_ALLOWED, 0,
     0},
    {"lost a capability", IA_STATUS_APPROVED, 0, 1, 1, 1, 3, -10, 50, 100, 60, 0, IA_OK, 1, 100},
    {"gained one, but asked not for it", IA_STATUS_APPROVED, 0, 1, 7, 1, 1, -10, 50, 100, 60, 0, IA_OK, 1, 100},
    {"lost all", IA_STATUS_APPROVED, 0, 1, 4, 1, 3, -10, 50, 100, 60, 0, IA_CAPABILITY_NOT_HELD, 0, 0},
    {"suspended since", IA_STATUS_SUSPENDED, 0, 1, 7, 1, 3, -10, 50, 100, 60, 0, IA_PARTICIPANT_INACTIVE, 0, 0},
    {"offboarded since", IA_STATUS_OFFBOARDED, 0, 1, 7, 1, 3, -10, 50, 100, 60, 0, IA_PARTICIPANT_INACTIVE, 0, 0},
    {"expired since", IA_STATUS_APPROVED, -1, 1, 7, 1, 3, -10, 50, 100, 60, 0, IA_PARTICIPANT_EXPIRED, 0, 0},
    {"clamped to the participant's end", IA_STATUS_APPROVED, 30, 1, 7, 1, 3, -10, 50, 100, 60, 0, IA_OK, 3, 30},
    {"clamped to the greatest age", IA_STATUS_APPROVED, 0, 1, 7, 1, 3, -900, 50, 500, 60, 1000, IA_OK, 3, 100},
    {"too old", IA_STATUS_APPROVED, 0, 1, 7, 1, 3, -1001, 50, 500, 60, 1000, IA_GRANT_TOO_OLD, 0, 0},
    {"just too old", IA_STATUS_APPROVED, 0, 1, 7, 1, 3, -1000, 50, 500, 60, 1000, IA_GRANT_TOO_OLD, 0, 0},
};

static void test_refreshes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refreshes); i++) {
        const struct refresh *f = &refreshes[i];
        ia_entitlement entitlement = {f->status, f->ends ? NOW + SEC(f->ends) : 0, 3600, f->allowed, set_of(f->holds)};
        ia_grant_terms held = {set_of(f->had), NOW + SEC(f->created), NOW + SEC(f->expired), f->can};
        ia_grant_policy policy = {0, SEC(f->window), SEC(f->max_age)};
        ia_grant_terms terms;
        ia_result rc;

        memset(&terms, 0xa5, sizeof terms);
        rc = ia_grant_refresh(&terms, &held, &entitlement, f->lifespan, &policy, NOW);
        if (rc != f->rc) {
            fail_msg("%s: %s, not %s", f->what, ia_outcome_of(rc)->tag, ia_outcome_of(f->rc)->tag);
        }
        if (rc != IA_OK) {
            check_cleared(&terms);
            continue;
        }
        if (mask_of(&terms.capabilities) != f->gets || terms.expires != NOW + SEC(f->lives)) {
            fail_msg("%s: other terms", f->what);
        }
        assert_int_equal(terms.created, held.created);
        assert_true(terms.can_refresh);
    }
}

/* However often it is refreshed, a grant never outlives its greatest age, and never gains a capability. */
static void test_refreshing_for_ever(void **state)
{
    ia_entitlement entitlement = {IA_STATUS_APPROVED, 0, 3600, 1, set_of(3)};
    ia_grant_request request = {set_of(3), 0, 0};
    ia_grant_policy policy = {0, SEC(60), SEC(86400)};
    ia_grant_terms terms, next;
    apr_time_t now = NOW;
    unsigned rounds = 0;

    (void)state;
    assert_result(ia_grant_decide(&terms, &entitlement, &request, &policy, now), IA_OK);
    for (;;) {
        ia_result rc;

        now = terms.expires;
        entitlement.capabilities = set_of(rounds % 2 ? 7 : 5);
        rc = ia_grant_refresh(&next, &terms, &entitlement, 0, &policy, now);
        if (rc != IA_OK) {
            assert_result(rc, IA_GRANT_TOO_OLD);
            break;
        }
        terms = next;
        assert_true(terms.expires <= NOW + SEC(86400));
        assert_int_equal(terms.created, NOW);
        assert_int_equal(mask_of(&terms.capabilities), 1);
        assert_true(++rounds < 100);
    }
    assert_int_equal(now, NOW + SEC(86400));
    assert_true(rounds >= 20);
}

/* What is held is only read. */
static void test_refresh_leaves_what_is_held(void **state)
{
    ia_entitlement entitlement = {IA_STATUS_APPROVED, 0, 3600, 1, set_of(3)};
    ia_grant_terms held = {set_of(2), NOW - SEC(10), NOW + SEC(10), 1}, copy = held, out;
    ia_grant_policy policy = {0, 0, 0};

    (void)state;
    assert_result(ia_grant_refresh(&out, &held, &entitlement, 60, &policy, NOW), IA_OK);
    assert_memory_equal(&held, &copy, sizeof held);
}

/* The id is public: it shows nothing of the token's digest, and differs for each. */
static void test_grant_id_is_one_way(void **state)
{
    unsigned char digests[2][IA_SHA256_LEN], ids[3][16];
    uint64_t seed = 12;

    (void)state;
    random_fill(&seed, digests, sizeof digests);
    ia_grant_id(ids[0], digests[0]);
    ia_grant_id(ids[1], digests[1]);
    ia_grant_id(ids[2], digests[0]);
    assert_memory_equal(ids[0], ids[2], 16);
    assert_memory_not_equal(ids[0], ids[1], 16);
    for (unsigned i = 0; i + 4 <= IA_SHA256_LEN; i++) {
        for (unsigned k = 0; k + 4 <= 16; k++) {
            assert_memory_not_equal(digests[0] + i, ids[0] + k, 4);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decisions),
        cmocka_unit_test(test_entitlement_at_the_moment_of_expiry),
        cmocka_unit_test(test_refreshes),
        cmocka_unit_test(test_refreshing_for_ever),
        cmocka_unit_test(test_refresh_leaves_what_is_held),
        cmocka_unit_test(test_grant_id_is_one_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
