/* Content-Digest: the examples of RFC 9530, every refusal, computing in pieces, comparing. */
#include <openssl/sha.h>
#include "support.h"
#include "interauth/digest.h"
#include "interauth/encoding.h"
#include "interauth/sfv.h"

#define BOTH (IA_DIGEST_SHA256 | IA_DIGEST_SHA512)

/* RFC 9530 appendices A, B and D: contents and their digests. */
#define HELLO        "{\"hello\": \"world\"}\n"
#define HELLO_SHA256 "RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg="
#define HELLO_SHA512 "YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg=="
/* The bytes that have the printed digest; the hexadecimal form printed beside it has another. */
#define BROTLI        "\x0b\x09\x80{\"hello\": \"world\"}\n\x03"
#define BROTLI_SHA256 "d435Qo+nKZ+gLcUHn7GQtQ72hiBVAgqoLsZnZPiTGPk="
#define BROTLI_SHA512 "db7fdBbgZMgX1Wb2MjA8zZj+rSNgfmDCEEXM8qLWfpfoNY0sCpHAzZbj09X1/7HAb7Od5Qfto4QpuBsFbUO3dQ=="
/* RFC 9421 section 2: without the line feed. */
#define BARE           "{\"hello\": \"world\"}"
#define BARE_SHA256    "X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE="
#define BARE_SHA512    "WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew=="
#define PARTIAL_SHA256 "jjcgBDWNAtbYUXI37CVG3gRuGOAjaaDRGpIUFsdyepQ=" /* bytes 10 to 18 of HELLO */
#define TITLE          "{\"title\": \"New Title\"}\n"
#define TITLE_SHA256   "mEkdbO7Srd9LIOegftO0aBX+VPTVz7/CSHes2Z27gc4="
#define EMPTY_SHA256   "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define EMPTY_SHA512   "z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="

static ia_digest_claim zero;

static ia_result parse(ia_digest_claim *claim, apr_pool_t *p, const char *text, size_t len)
{
    ia_result rc;

    memset(claim, 0xa5, sizeof *claim);
    rc = ia_digest_parse(claim, p, exact(p, text, len), len);
    if (rc != IA_OK)
        assert_memory_equal(claim, &zero, sizeof zero);
    return rc;
}

static ia_digest_claim compute(apr_pool_t *p, unsigned algorithms, const void *data, size_t len)
{
    ia_digest_claim claim;
    ia_digest *digest;

    assert_result(ia_digest_create(&digest, p, algorithms), IA_OK);
    assert_result(ia_digest_update(digest, exact(p, data, len), len), IA_OK);
    assert_result(ia_digest_finish(&claim, digest), IA_OK);
    assert_int_equal(claim.algorithms, algorithms);
    return claim;
}

static void test_published_examples(void **state)
{
    static const struct {
        const char *content;
        size_t len;
        const char *value;
    } cases[] = {
        {LIT(HELLO), "sha-256=:" HELLO_SHA256 ":"},
        {LIT(HELLO), "sha-512=:" HELLO_SHA512 ":"},
        {LIT(HELLO), "sha-256=:" HELLO_SHA256 ":, sha-512=:" HELLO_SHA512 ":"},
        {LIT("\"world\"}\n"), "sha-256=:" PARTIAL_SHA256 ":"},
        {LIT(TITLE), "sha-256=:" TITLE_SHA256 ":"},
        {LIT(""), "sha-256=:" EMPTY_SHA256 ":"},
        {LIT(""), "sha-512=:" EMPTY_SHA512 ":"},
        {LIT(BROTLI), "sha-256=:" BROTLI_SHA256 ":, sha-512=:" BROTLI_SHA512 ":"},
        {LIT(BARE), "sha-256=:" BARE_SHA256 ":"},
        {LIT(BARE), "sha-512=:" BARE_SHA512 ":"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        ia_digest_claim claimed, computed;

        assert_result(parse(&claimed, *state, cases[i].value, strlen(cases[i].value)), IA_OK);
        computed = compute(*state, claimed.algorithms, cases[i].content, cases[i].len);
        if (ia_digest_compare(&claimed, &computed) != IA_OK)
            fail_msg("example %zu: computed %s", i, ia_digest_format(*state, &computed));
        assert_string_equal(ia_digest_format(*state, &computed), cases[i].value);
        assert_result(ia_digest_compare(&computed, &claimed), IA_OK);
        computed = compute(*state, BOTH, cases[i].content, cases[i].len);
        assert_result(ia_digest_compare(&claimed, &computed), IA_OK);
        computed = compute(*state, BOTH, "other", 5);
        assert_result(ia_digest_compare(&claimed, &computed), IA_DIGEST_MISMATCH);
    }
}

/* The example of section 2 with two members gives digests of two different contents: one that agrees is not
 * enough. */
static void test_members_of_different_contents(void **state)
{
    ia_digest_claim claimed, computed;

    assert_result(parse(&claimed, *state, LIT("sha-256=:" BROTLI_SHA256 ":,sha-512=:" HELLO_SHA512 ":")), IA_OK);
    computed = compute(*state, BOTH, LIT(HELLO));
    assert_result(ia_digest_compare(&claimed, &computed), IA_DIGEST_MISMATCH);
    computed = compute(*state, BOTH, LIT(BROTLI));
    assert_result(ia_digest_compare(&claimed, &computed), IA_DIGEST_MISMATCH);
    claimed.algorithms = IA_DIGEST_SHA256;
    assert_result(ia_digest_compare(&claimed, &computed), IA_OK);
}

static void test_accepted(void **state)
{
    static const struct {
        const char *value;
        unsigned algorithms;
    } cases[] = {
        {"  sha-256=:" HELLO_SHA256 ":  ", IA_DIGEST_SHA256},
        {"sha-512=:" HELLO_SHA512 ":,sha-256=:" HELLO_SHA256 ":", BOTH},
        /* beside an active one, others do not matter */
        {"md5=:AAAA:, sha-256=:" HELLO_SHA256 ":", IA_DIGEST_SHA256},
        {"sha-512=:" HELLO_SHA512 ":, unixsum=::, new=:AA==:", IA_DIGEST_SHA512},
        {"sha-384=:AAAA:, sha-256=:" HELLO_SHA256 ":, sha-3=:AAAA:", IA_DIGEST_SHA256},
        /* parameters have no meaning here (RFC 9651 section 3.1.2) */
        {"sha-256=:" HELLO_SHA256 ":;a;b=1", IA_DIGEST_SHA256},
    };
    unsigned char sha256[SHA256_DIGEST_LENGTH], sha512[SHA512_DIGEST_LENGTH];

    SHA256((const unsigned char *)HELLO, sizeof HELLO - 1, sha256);
    SHA512((const unsigned char *)HELLO, sizeof HELLO - 1, sha512);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        ia_digest_claim claim;

        assert_result(parse(&claim, *state, cases[i].value, strlen(cases[i].value)), IA_OK);
        assert_int_equal(claim.algorithms, cases[i].algorithms);
        assert_memory_equal(claim.sha256, claim.algorithms & IA_DIGEST_SHA256 ? sha256 : zero.sha256, IA_SHA256_LEN);
        assert_memory_equal(claim.sha512, claim.algorithms & IA_DIGEST_SHA512 ? sha512 : zero.sha512, IA_SHA512_LEN);
    }
}

static void test_malformed(void **state)
{
    static const char *const cases[] = {
        "sha-256",
        "sha-256=",
        "sha-256=abc",
        "sha-256=" HELLO_SHA256, /* a token with '=' in it */
        "sha-256=\"" HELLO_SHA256 "\"",
        "sha-256=(:" HELLO_SHA256 ":)",
        "sha-256=:" HELLO_SHA256,
        "SHA-256=:" HELLO_SHA256 ":",
        "sha-256=:" HELLO_SHA256 ":,",
        "sha-256=:" HELLO_SHA256 ": sha-512=:" HELLO_SHA512 ":",
        /* a repeated key, the same value or not, active or not */
        "sha-256=:" HELLO_SHA256 ":, sha-256=:" HELLO_SHA256 ":",
        "sha-256=:" HELLO_SHA256 ":, sha-256=:" EMPTY_SHA256 ":",
        "sha-256=:" HELLO_SHA256 ":, md5=:AA==:, md5=:AA==:",
        "sha-256=:" HELLO_SHA256 ":;a;a",
        /* the wrong length */
        "sha-256=::",
        "sha-256=:AAAA:",
        "sha-256=:" HELLO_SHA512 ":",
        "sha-512=:" HELLO_SHA256 ":",
        "sha-256=:" HELLO_SHA256 ":, sha-512=:AAAA:",
        "sha-512=:AAAA:, sha-256=:" HELLO_SHA256 ":",
        "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabA==:", /* 31 bytes */
        "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDgA:", /* 33 bytes */
        /* lenient base64: no padding, pad bits, the other alphabet, hexadecimal */
        "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg:",
        "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDh=:",
        "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg==:", /* superfluous padding */
        "sha-256=:RK_0qy18MlBSVnWgjwz6lZEWjP_lF5HF9bvEF8FabDg=:",
        "sha-256=:44aff4ab2d7c3250525675a08f0cfa9591168cffe51791c5f5bbc417c15a6c38:",
        /* the field is a dictionary of byte sequences, the unknown ones too */
        "sha-256=:" HELLO_SHA256 ":, new=1",
        "sha-256=:" HELLO_SHA256 ":, new",
        "md5",
        "sha-512=3, sha-256=10", /* that is Want-Content-Digest */
        "sha-256=:" HELLO_SHA256 ":\t\x01",
        "id-sha-256",
        "\xff",
    };
    ia_digest_claim claim;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (parse(&claim, *state, cases[i], strlen(cases[i])) != IA_DIGEST_MALFORMED)
            fail_msg("not malformed: %s", cases[i]);
    }
    assert_result(parse(&claim, *state, LIT("sha-256=:" HELLO_SHA256 ":\0")), IA_DIGEST_MALFORMED);
}

static void test_deprecated_and_unknown(void **state)
{
    static const char *const deprecated[] = {
        "md5=:AAAA:",
        "sha=:AAAA:",
        "unixsum=:AAAA:",
        "unixcksum=:AAAA:",
        "adler=:AAAA:",
        "crc32c=:AAAA:",
        "md5=:AAAA:, sha=:AAAA:, new=:AAAA:",
        "new=:AAAA:, crc32c=::",
    };
    static const char *const unknown[] = {
        "new=:AAAA:",
        "sha-384=:AAAA:",
        "sha256=:" HELLO_SHA256 ":",
        "sha-1=:AAAA:",
        "sha-2560=:AAAA:",
        "sha-25=:AAAA:",
        "id-sha-256=:" HELLO_SHA256 ":",
        "md=:AAAA:",
        "",
        "   ",
    };
    ia_digest_claim claim;

    for (size_t i = 0; i < COUNT_OF(deprecated); i++)
        assert_result(parse(&claim, *state, deprecated[i], strlen(deprecated[i])), IA_DIGEST_DEPRECATED);
    for (size_t i = 0; i < COUNT_OF(unknown); i++)
        assert_result(parse(&claim, *state, unknown[i], strlen(unknown[i])), IA_DIGEST_UNSUPPORTED);
}

static void test_bounds(void **state)
{
    static const char active[] = "sha-256=:" HELLO_SHA256 ":";
    char text[IA_DIGEST_FIELD_MAX + 1];
    ia_digest_claim claim;
    char *members = apr_pstrdup(*state, active), *params = members;

    memset(text, ' ', sizeof text);
    memcpy(text, active, sizeof active - 1);
    assert_result(parse(&claim, *state, text, IA_DIGEST_FIELD_MAX), IA_OK);
    assert_result(parse(&claim, *state, text, IA_DIGEST_FIELD_MAX + 1), IA_DIGEST_MALFORMED);
    for (unsigned i = 0; i < 15; i++)
        members = apr_psprintf(*state, "%s,k%u=::", members, i);
    assert_result(parse(&claim, *state, members, strlen(members)), IA_OK);
    members = apr_pstrcat(*state, members, ",k15=::", NULL);
    assert_result(parse(&claim, *state, members, strlen(members)), IA_DIGEST_MALFORMED);
    for (unsigned i = 0; i < 17; i++)
        params = apr_psprintf(*state, "%s;k%u", params, i);
    assert_result(parse(&claim, *state, params, strlen(params)), IA_DIGEST_MALFORMED);
}

static void test_every_prefix(void **state)
{
    static const char value[] = "md5=:AAAA:, sha-256=:" HELLO_SHA256 ":;x, sha-512=:" HELLO_SHA512 ":";
    ia_digest_claim claim;
    unsigned accepted = 0;

    for (size_t len = 0; len < sizeof value - 1; len++)
        accepted += parse(&claim, *state, value, len) == IA_OK;
    assert_int_equal(accepted, 2); /* with sha-256 alone, without and with its parameter */
    assert_result(parse(&claim, *state, value, sizeof value - 1), IA_OK);
}

static void test_in_pieces(void **state)
{
    static const size_t sizes[] = {0, 1, 55, 56, 63, 64, 65, 111, 112, 127, 128, 129, 1000, 70000};
    uint64_t seed = 3;
    unsigned char *data = malloc(70000), expected[SHA512_DIGEST_LENGTH];

    random_fill(&seed, data, 70000);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        ia_digest_claim whole = compute(*state, BOTH, data, sizes[i]), pieces;
        ia_digest *digest;
        size_t done = 0, n;

        SHA256(data, sizes[i], expected);
        assert_memory_equal(whole.sha256, expected, SHA256_DIGEST_LENGTH);
        SHA512(data, sizes[i], expected);
        assert_memory_equal(whole.sha512, expected, SHA512_DIGEST_LENGTH);
        assert_result(ia_digest_create(&digest, *state, BOTH), IA_OK);
        while (done < sizes[i]) {
            n = random_next(&seed) % 400;
            n = n < sizes[i] - done ? n : sizes[i] - done;
            assert_result(ia_digest_update(digest, data + done, n), IA_OK);
            done += n;
        }
        assert_result(ia_digest_finish(&pieces, digest), IA_OK);
        assert_memory_equal(&pieces, &whole, sizeof whole);
        assert_memory_equal(compute(*state, IA_DIGEST_SHA256, data, sizes[i]).sha256, whole.sha256, IA_SHA256_LEN);
        assert_memory_equal(compute(*state, IA_DIGEST_SHA512, data, sizes[i]).sha512, whole.sha512, IA_SHA512_LEN);
    }
    free(data);
}

static void test_two_at_once(void **state)
{
    ia_digest *one, *two;
    ia_digest_claim claim, expected;

    assert_result(ia_digest_create(&one, *state, IA_DIGEST_SHA256), IA_OK);
    assert_result(ia_digest_create(&two, *state, BOTH), IA_OK);
    assert_result(ia_digest_update(one, "a", 1), IA_OK);
    assert_result(ia_digest_update(two, "x", 1), IA_OK);
    assert_result(ia_digest_update(one, "b", 1), IA_OK);
    assert_result(ia_digest_finish(&claim, one), IA_OK);
    expected = compute(*state, IA_DIGEST_SHA256, "ab", 2);
    assert_memory_equal(&claim, &expected, sizeof claim);
    assert_memory_equal(claim.sha512, zero.sha512, IA_SHA512_LEN);
    assert_result(ia_digest_finish(&claim, two), IA_OK);
    expected = compute(*state, BOTH, "x", 1);
    assert_memory_equal(&claim, &expected, sizeof claim);
}

static void test_misuse(void **state)
{
    static const unsigned wrong[] = {0, 4, 8, 4 | BOTH, ~0u};
    ia_digest_claim claim;
    ia_digest *digest;

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        digest = (ia_digest *)&claim;
        assert_result(ia_digest_create(&digest, *state, wrong[i]), IA_FAULT_CRYPTO);
        assert_null(digest);
    }
    assert_result(ia_digest_create(&digest, *state, BOTH), IA_OK);
    assert_result(ia_digest_finish(&claim, digest), IA_OK);
    assert_result(ia_digest_update(digest, "a", 1), IA_FAULT_CRYPTO);
    assert_result(ia_digest_finish(&claim, digest), IA_FAULT_CRYPTO);
    assert_memory_equal(&claim, &zero, sizeof zero);
}

static void test_compare(void **state)
{
    ia_digest_claim both = compute(*state, BOTH, LIT(HELLO)), one, other;

    one = both;
    one.algorithms = IA_DIGEST_SHA256;
    assert_result(ia_digest_compare(&one, &both), IA_OK);
    assert_result(ia_digest_compare(&both, &both), IA_OK);
    /* what was claimed must have been computed */
    assert_result(ia_digest_compare(&both, &one), IA_DIGEST_MISMATCH);
    other = both;
    other.algorithms = IA_DIGEST_SHA512;
    assert_result(ia_digest_compare(&one, &other), IA_DIGEST_MISMATCH);
    /* no claim is no agreement, and a bit that nobody knows proves nothing */
    assert_result(ia_digest_compare(&zero, &both), IA_DIGEST_MISMATCH);
    assert_result(ia_digest_compare(&zero, &zero), IA_DIGEST_MISMATCH);
    other = both;
    other.algorithms |= 4;
    assert_result(ia_digest_compare(&other, &other), IA_DIGEST_MISMATCH);
    /* every byte counts, in either algorithm, even where the other agrees */
    for (size_t i = 0; i < IA_SHA256_LEN; i++) {
        other = both;
        other.sha256[i] ^= 1;
        assert_result(ia_digest_compare(&other, &both), IA_DIGEST_MISMATCH);
    }
    for (size_t i = 0; i < IA_SHA512_LEN; i++) {
        other = both;
        other.sha512[i] ^= 0x80;
        assert_result(ia_digest_compare(&other, &both), IA_DIGEST_MISMATCH);
        assert_result(ia_digest_compare(&one, &other), IA_OK); /* sha-512 was not claimed */
    }
}

static void test_format(void **state)
{
    ia_digest_claim claim, again;
    uint64_t seed = 9;
    char *text;

    assert_null(ia_digest_format(*state, &zero));
    for (unsigned algorithms = 1; algorithms <= BOTH; algorithms++) {
        for (unsigned i = 0; i < 50; i++) {
            memset(&claim, 0, sizeof claim);
            claim.algorithms = algorithms;
            if (algorithms & IA_DIGEST_SHA256)
                random_fill(&seed, claim.sha256, sizeof claim.sha256);
            if (algorithms & IA_DIGEST_SHA512)
                random_fill(&seed, claim.sha512, sizeof claim.sha512);
            text = ia_digest_format(*state, &claim);
            assert_result(parse(&again, *state, text, strlen(text)), IA_OK);
            assert_memory_equal(&claim, &again, sizeof claim);
        }
    }
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(ia_digest_names(0), "");
    assert_string_equal(ia_digest_names(IA_DIGEST_SHA256), "sha-256");
    assert_string_equal(ia_digest_names(IA_DIGEST_SHA512), "sha-512");
    assert_string_equal(ia_digest_names(BOTH), "sha-256 sha-512");
    assert_string_equal(ia_digest_names(4), "");
}

/* RFC 9530 section 4: a dictionary of integers from 0 to 10, for what ia_digest_parse accepts. */
static void test_want_content_digest(void **state)
{
    ia_sfv_field field;
    const ia_sfv_member *member;

    assert_result(ia_sfv_parse(&field, *state, IA_SFV_DICTIONARY, LIT(IA_WANT_CONTENT_DIGEST), IA_SFV_STRICT, NULL),
                  IA_OK);
    assert_int_equal(field.count, 2);
    assert_non_null(ia_sfv_get(&field, "sha-256"));
    assert_non_null(ia_sfv_get(&field, "sha-512"));
    for (member = field.first; member != NULL; member = member->next) {
        assert_int_equal(member->value.type, IA_SFV_INTEGER);
        assert_in_range(member->value.number, 1, 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pool_test(test_published_examples),
        pool_test(test_members_of_different_contents),
        pool_test(test_accepted),
        pool_test(test_malformed),
        pool_test(test_deprecated_and_unknown),
        pool_test(test_bounds),
        pool_test(test_every_prefix),
        pool_test(test_in_pieces),
        pool_test(test_two_at_once),
        pool_test(test_misuse),
        pool_test(test_compare),
        pool_test(test_format),
        pool_test(test_names),
        pool_test(test_want_content_digest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
