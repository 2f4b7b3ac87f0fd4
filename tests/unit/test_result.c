/* The outcome table: every row is well formed, and nothing outside it can pass. */
#include "support.h"

static void test_values_and_names_are_unique(void **state)
{
    unsigned count;
    const ia_outcome *rows = ia_outcomes(&count);

    (void)state;
    assert_true(count > 60);
    for (unsigned i = 0; i < count; i++) {
        for (unsigned j = i + 1; j < count; j++) {
            assert_int_not_equal(rows[i].result, rows[j].result);
            assert_string_not_equal(rows[i].tag, rows[j].tag);
        }
    }
}

static void test_look_up_finds_each_row(void **state)
{
    unsigned count;
    const ia_outcome *rows = ia_outcomes(&count);

    (void)state;
    for (unsigned i = 0; i < count; i++) {
        assert_ptr_equal(ia_outcome_of(rows[i].result), &rows[i]);
    }
}

static void test_outside_the_table_is_a_fault(void **state)
{
    static const int strange[] = {9999, -9999, 29, 1000000, -99, 255};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(strange); i++) {
        const ia_outcome *row = ia_outcome_of((ia_result)strange[i]);

        assert_int_equal(row->result, IA_FAULT_INTERNAL);
        assert_int_equal(row->status, 503);
    }
}

static int safe_text(const char *text, int spaces)
{
    for (; *text != '\0'; text++) {
        int ok = (*text >= 'a' && *text <= 'z') || *text == '_' || (*text >= '0' && *text <= '9');

        if (!ok && !(spaces && *text >= ' ' && *text < 0x7f && *text != '"' && *text != '\\')) {
            return 0;
        }
    }
    return 1;
}

/* Tags go into logs, codes and titles into JSON: none may need escaping. */
static void test_texts_are_safe(void **state)
{
    unsigned count;
    const ia_outcome *rows = ia_outcomes(&count);

    (void)state;
    for (unsigned i = 0; i < count; i++) {
        assert_true(strlen(rows[i].tag) > 0 && safe_text(rows[i].tag, 0));
        assert_true(strlen(rows[i].code) > 0 && safe_text(rows[i].code, 0));
        assert_true(strlen(rows[i].title) > 0 && safe_text(rows[i].title, 1));
    }
}

static void test_sign_decides_the_class(void **state)
{
    unsigned count;
    const ia_outcome *rows = ia_outcomes(&count);

    (void)state;
    for (unsigned i = 0; i < count; i++) {
        if (rows[i].result == 0) {
            assert_int_equal(rows[i].status, 200);
        } else if (rows[i].result > 0) {
            assert_in_range(rows[i].status, 400, 503);
            assert_string_not_equal(rows[i].code, "ok");
        } else {
            assert_int_equal(rows[i].status, 503);
            assert_int_equal(rows[i].severity, IA_SEVERITY_FAULT);
        }
    }
}

/* Each 401 has WWW-Authenticate and nothing else has; 503 and 429 have Retry-After. */
static void test_challenge_fits_the_status(void **state)
{
    unsigned count;
    const ia_outcome *rows = ia_outcomes(&count);

    (void)state;
    for (unsigned i = 0; i < count; i++) {
        int challenged = rows[i].auth_hint == IA_AUTH_HINT_FRESH || rows[i].auth_hint == IA_AUTH_HINT_STALE;
        int retry = rows[i].auth_hint == IA_AUTH_HINT_RETRY;

        assert_int_equal(challenged, rows[i].status == 401);
        assert_int_equal(retry, rows[i].status == 503 || rows[i].status == 429);
    }
}

/* Before a MAC verified there is one response, so that it is no oracle about ids, tokens or keys. */
static void test_responses_before_a_mac_are_uniform(void **state)
{
    static const ia_result early[] = {
        IA_AUTHORIZATION_MALFORMED, IA_AUTHORIZATION_REPEATED, IA_SCHEME_NOT_ACCEPTED, IA_PARTICIPANT_UNKNOWN,
        IA_SECRET_MISSING,          IA_TOKEN_UNKNOWN,          IA_MAC_MISMATCH,        IA_BARE_UNMATCHED};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(early); i++) {
        const ia_outcome *row = ia_outcome_of(early[i]);

        assert_string_equal(row->code, "invalid_credentials");
        assert_string_equal(row->title, "Invalid credentials");
        assert_int_equal(row->status, 401);
        assert_int_equal(row->auth_hint, IA_AUTH_HINT_FRESH);
    }
}

/* Clients do not learn whether a token exists that they do not own. */
static void test_unknown_and_foreign_grants_look_alike(void **state)
{
    const ia_outcome *unknown = ia_outcome_of(IA_GRANT_UNKNOWN);
    const ia_outcome *foreign = ia_outcome_of(IA_GRANT_NOT_OWNED);

    (void)state;
    assert_string_equal(unknown->code, foreign->code);
    assert_string_equal(unknown->title, foreign->title);
    assert_int_equal(unknown->status, foreign->status);
    assert_int_equal(unknown->auth_hint, foreign->auth_hint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_and_names_are_unique),
        cmocka_unit_test(test_look_up_finds_each_row),
        cmocka_unit_test(test_outside_the_table_is_a_fault),
        cmocka_unit_test(test_texts_are_safe),
        cmocka_unit_test(test_sign_decides_the_class),
        cmocka_unit_test(test_challenge_fits_the_status),
        cmocka_unit_test(test_responses_before_a_mac_are_uniform),
        cmocka_unit_test(test_unknown_and_foreign_grants_look_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
