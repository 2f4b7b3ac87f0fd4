/* Names: every byte value, every length, at both ends. */
#include "support.h"
#include "interauth/name.h"

static int is_id_byte(int byte)
{
    return byte > ' ' && byte < 0x7f && byte != '"' && byte != '\\';
}

/* A scope-token (RFC 6749 section 3.3), %x21 / %x23-5B / %x5D-7E, without the comma. */
static int is_scope_byte(int byte)
{
    return byte != ',' && (byte == 0x21 || (byte >= 0x23 && byte <= 0x5b) || (byte >= 0x5d && byte <= 0x7e));
}

static void test_every_byte_at_every_place(void **state)
{
    for (int byte = 0; byte < 256; byte++) {
        for (size_t place = 0; place < 3; place++) {
            char text[3] = {'a', 'b', 'c'};
            char *copy;

            text[place] = (char)byte;
            copy = exact(*state, text, sizeof text);
            assert_int_equal(!!ia_name_is_id(copy, sizeof text), is_id_byte(byte));
            assert_int_equal(!!ia_name_is_capability(copy, sizeof text), is_scope_byte(byte));
        }
    }
}

static void test_lengths(void **state)
{
    char text[IA_NAME_MAX + 2];

    memset(text, 'x', sizeof text);
    for (size_t len = 0; len <= sizeof text; len++) {
        int wanted = len >= 1 && len <= 255;
        char *copy = exact(*state, text, len);

        assert_int_equal(!!ia_name_is_id(copy, len), wanted);
        assert_int_equal(!!ia_name_is_capability(copy, len), wanted);
    }
}

static void test_usual_names(void **state)
{
    static const char *const usual[] = {"http://www.example.org", "read", "a", "urn:x:y#z", "~", "!"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(usual); i++) {
        assert_true(ia_name_is_id(usual[i], strlen(usual[i])));
        assert_true(ia_name_is_capability(usual[i], strlen(usual[i])));
    }
    assert_false(ia_name_is_capability(LIT("read write")));
    assert_false(ia_name_is_id(LIT("http://example.org/\xc3\xa9")));
}

static void test_domains(void **state)
{
    static const char *const good[] = {"example.org", "a", "Orders-2_b", "192.0.2.1"};
    static const char *const bad[] = {
        "", "https://example.org/", "example.org:443", "a/b", "a|b", "a b", "a@b", "[::1]", "\xc3\xa4"};
    char text[IA_NAME_MAX + 1];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_true(ia_name_is_domain(good[i], strlen(good[i])));
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(ia_name_is_domain(bad[i], strlen(bad[i])));
    memset(text, 'x', sizeof text);
    assert_true(ia_name_is_domain(text, IA_NAME_MAX));
    assert_false(ia_name_is_domain(text, IA_NAME_MAX + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_domains),
        pool_test(test_every_byte_at_every_place),
        pool_test(test_lengths),
        pool_test(test_usual_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
