/* Results of the store become the outcomes of look-ups and loads. */
#include "support.h"
#include "registry_outcome.h"

static void test_look_ups(void **state)
{
    (void)state;
    assert_result(registry_outcome(ST_OK, IA_PARTICIPANT_UNKNOWN), IA_OK);
    assert_result(registry_outcome(ST_NOT_FOUND, IA_PARTICIPANT_UNKNOWN), IA_PARTICIPANT_UNKNOWN);
    assert_result(registry_outcome(ST_GONE, IA_SIG_KEY_UNKNOWN), IA_SIG_KEY_UNKNOWN);
    assert_result(registry_outcome(ST_FAULT, IA_PARTICIPANT_UNKNOWN), IA_FAULT_STORE);
    assert_result(registry_outcome(ST_EXISTS, IA_PARTICIPANT_UNKNOWN), IA_FAULT_STORE);
}

static void test_loads(void **state)
{
    (void)state;
    assert_result(registry_load_outcome(ST_OK, IA_KEYS_FULL), IA_OK);
    assert_result(registry_load_outcome(ST_FULL, IA_KEYS_FULL), IA_KEYS_FULL);
    assert_result(registry_load_outcome(ST_FULL, IA_PARTICIPANTS_FULL), IA_PARTICIPANTS_FULL);
    assert_result(registry_load_outcome(ST_NAMES_FULL, IA_KEYS_FULL), IA_NAMES_FULL);
    assert_result(registry_load_outcome(ST_FAULT, IA_KEYS_FULL), IA_FAULT_STORE);
    assert_result(registry_load_outcome(ST_NOT_FOUND, IA_KEYS_FULL), IA_FAULT_STORE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_look_ups), cmocka_unit_test(test_loads)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
