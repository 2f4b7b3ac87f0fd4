/* Each result of the store has an outcome of its own, and a result that is not known is a fault. */
#include "support.h"
#include "sauth_outcome.h"

static void test_results(void **state)
{
    static const struct {
        st_result result;
        ia_result outcome;
    } rows[] = {{ST_OK, IA_OK},
                {ST_NOT_FOUND, IA_TOKEN_UNKNOWN},
                {ST_GONE, IA_GRANT_ENDED},
                {ST_EXISTS, IA_NONCE_REPLAYED},
                {ST_FULL, IA_GRANTS_FULL},
                {ST_QUOTA, IA_GRANT_QUOTA},
                {ST_STALE, IA_NONCE_STALE},
                {ST_FUTURE, IA_NONCE_FUTURE},
                {ST_UNISSUED, IA_NONCE_UNISSUED},
                {ST_FAULT, IA_FAULT_STORE},
                {(st_result)(ST_FAULT + 1), IA_FAULT_STORE}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_result(sauth_grant_outcome(rows[i].result), rows[i].outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_results)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
