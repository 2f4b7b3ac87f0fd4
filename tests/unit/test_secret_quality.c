/* Secrets that others can guess. */
#include "support.h"

#include <string.h>

#include "interauth/mac.h"
#include "interauth/secret_quality.h"

#define RANDOM "\x8f\x02\xd1\x6a\x33\xbe\x70\x1c\xe9\x45\x5b\xa8\xf6\x17\x9d\x24"

static const struct sample {
    const char *bytes;
    apr_size_t len;
    unsigned expected; /* one of these bits; 0 for a good secret */
} samples[] = {
    {RANDOM, 16, 0},
    {RANDOM "\x51\x0e\xcc\x87\x3a\x99\x60\xfd\x12\xb4\x2b\x77\xe0\x48\xda\x05", 32, 0},
    {RANDOM RANDOM, 32, 0}, /* the piece is as long as a whole secret */
    {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, IA_SECRET_FEW_BYTES},
    {"\1\7\6\1\2\5\3\7\2\4\6\1\3\5\2\6", 16, IA_SECRET_FEW_BYTES},
    {"\x8f\x02\xd1\x6a\x33\xbe\x70\x1c\x8f\x02\xd1\x6a\x33\xbe\x70\x1c", 16, IA_SECRET_PATTERN},
    {"\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f", 16, IA_SECRET_PATTERN},
    {"\xff\xfc\xf9\xf6\xf3\xf0\xed\xea\xe7\xe4\xe1\xde\xdb\xd8\xd5\xd2", 16, IA_SECRET_PATTERN},
    {"correct horse battery staple", 28, IA_SECRET_TEXT},
    {"MySecretPassword2026!", 21, IA_SECRET_TEXT},
    {"the-shared-secret-of-shop-example", 33, IA_SECRET_TEXT},
    {"This Is The Shared Secret Of The Shop 2026", 42, IA_SECRET_TEXT},
    {"ThisIsTheSharedSecretOfTheShop2026", 34, IA_SECRET_TEXT},
    {"d8e8fca2dc0f896f", 16, IA_SECRET_TEXT}, /* hex, but of 8 bytes */
    {"d8e8fca2dc0f896fd7cb4cb0031ba249", 32, 0},
    {"D8E8FCA2DC0F896FD7CB4CB0031BA249", 32, 0},
    {"jwLRajO+cBzpRVuo9hedJA", 22, 0},
    {"q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQ", 32, 0},
};

static void test_samples(void **state)
{
    for (unsigned i = 0; i < COUNT_OF(samples); i++) {
        const struct sample *s = &samples[i];
        unsigned found = ia_secret_weaknesses(exact(*state, s->bytes, s->len), s->len);

        if (s->expected ? !(found & s->expected) : found != 0)
            fail_msg("sample %u has weaknesses %u", i, found);
        assert_int_equal(!found, !ia_secret_weakness_text(found));
    }
}

static void test_lengths(void **state)
{
    unsigned char bytes[IA_SECRET_MAX];

    assert_true(ia_secret_weaknesses(exact(*state, RANDOM, 15), 15));
    assert_true(ia_secret_weaknesses("", 0));
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * i * 31 + i / 7 * 13 + (i >> 3));
    assert_int_equal(ia_secret_weaknesses(exact(*state, (char *)bytes, sizeof bytes), sizeof bytes), 0);
    memset(bytes, 'z', sizeof bytes);
    assert_int_equal(ia_secret_weaknesses(bytes, sizeof bytes),
                     IA_SECRET_FEW_BYTES | IA_SECRET_PATTERN | IA_SECRET_TEXT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pool_test(test_samples),
        pool_test(test_lengths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
