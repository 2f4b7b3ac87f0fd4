/* Nonces as bytes: what is minted, what verifies, and that any change of a bit makes a nonce foreign. */
#include "support.h"
#include "interauth/encoding.h"
#include "interauth/nonce.h"

static ia_mac_key nonce_key, other_nonce_key;
static const unsigned char grant_a[IA_GRANT_ID_LEN] = "grant-a-16-bytes";
static const unsigned char grant_b[IA_GRANT_ID_LEN] = "grant-b-16-bytes";

static int load_keys(void **state)
{
    (void)state;
    return ia_mac_key_load(&nonce_key, "nonce key-key-of-this-run", 21) != IA_OK ||
           ia_mac_key_load(&other_nonce_key, "nonce key-key-of-next-run", 21) != IA_OK;
}

static void check(const unsigned char *nonce, const ia_mac_key *key, const unsigned char *grant, ia_result wanted)
{
    ia_nonce_claim claim = {IA_NONCE_NEXT, 77};

    assert_result(ia_nonce_verify(&claim, nonce, key, grant), wanted);
    if (wanted != IA_OK) {
        assert_int_equal(claim.value, 0);
    }
}

static void check_claim(apr_pool_t *p, const unsigned char *nonce, const unsigned char *grant, ia_nonce_kind kind,
                        apr_uint64_t value)
{
    ia_nonce_claim claim;
    const unsigned char *copy = (unsigned char *)exact(p, nonce, IA_NONCE_LEN);

    assert_result(ia_nonce_verify(&claim, copy, &nonce_key, grant), IA_OK);
    assert_int_equal(claim.kind, kind);
    assert_int_equal(claim.value, value);
}

/* The layout that the header documents, byte for byte. */
static void test_layout(void **state)
{
    unsigned char nonce[IA_NONCE_LEN], mac[IA_MAC_MAX];
    ia_bytes parts[] = {{nonce, 8}, {grant_a, sizeof grant_a}};

    (void)state;
    ia_nonce_mint_fresh(nonce, &nonce_key, APR_UINT64_C(0x11223344556677));
    assert_memory_equal(nonce, "\x01\x11\x22\x33\x44\x55\x66\x77", 8);
    ia_mac_compute(mac, IA_HASH_SHA256, &nonce_key, parts, 1);
    assert_memory_equal(nonce + 8, mac, 8);

    ia_nonce_mint_next(nonce, &nonce_key, grant_a, APR_UINT64_C(0x223344556677));
    assert_memory_equal(nonce, "\x02\x00\x22\x33\x44\x55\x66\x77", 8);
    ia_mac_compute(mac, IA_HASH_SHA256, &nonce_key, parts, 2);
    assert_memory_equal(nonce + 8, mac, 8);
}

static void test_verifies_what_was_minted(void **state)
{
    static const apr_uint64_t values[] = {0, 1, 255, 256, 1763800000000000, IA_NONCE_SEQ_MAX - 1, IA_NONCE_SEQ_MAX};

    for (size_t i = 0; i < COUNT_OF(values); i++) {
        unsigned char *nonce = (unsigned char *)exact(*state, "0123456789012345", IA_NONCE_LEN);

        ia_nonce_mint_fresh(nonce, &nonce_key, values[i]);
        check_claim(*state, nonce, NULL, IA_NONCE_FRESH, values[i]);
        check_claim(*state, nonce, grant_a, IA_NONCE_FRESH, values[i]);
        ia_nonce_mint_next(nonce, &nonce_key, grant_a, values[i]);
        check_claim(*state, nonce, grant_a, IA_NONCE_NEXT, values[i] & IA_NONCE_SEQ_MAX);
    }
    unsigned char nonce[IA_NONCE_LEN];
    ia_nonce_mint_fresh(nonce, &nonce_key, (APR_UINT64_C(1) << 56) - 1);
    check_claim(*state, nonce, NULL, IA_NONCE_FRESH, (APR_UINT64_C(1) << 56) - 1);
}

static void test_text_has_22_characters(void **state)
{
    unsigned char nonce[IA_NONCE_LEN];
    char text[IA_BASE64URL_SIZE(IA_NONCE_LEN) + 1];

    (void)state;
    ia_nonce_mint_fresh(nonce, &nonce_key, 1);
    assert_int_equal(ia_base64url_encode(text, nonce, sizeof nonce), IA_NONCE_TEXT_LEN);
}

static void test_foreign(void **state)
{
    unsigned char fresh[IA_NONCE_LEN], next[IA_NONCE_LEN], zero[IA_NONCE_LEN] = {0};

    (void)state;
    ia_nonce_mint_fresh(fresh, &nonce_key, 1763800000000000);
    ia_nonce_mint_next(next, &nonce_key, grant_a, 5);
    check(fresh, &other_nonce_key, NULL, IA_NONCE_FOREIGN);
    check(next, &other_nonce_key, grant_a, IA_NONCE_FOREIGN);
    check(next, &nonce_key, grant_b, IA_NONCE_FOREIGN);
    check(next, &nonce_key, NULL, IA_NONCE_FOREIGN);
    check(zero, &nonce_key, grant_a, IA_NONCE_FOREIGN);
}

static void test_every_changed_bit_is_foreign(void **state)
{
    unsigned char nonces[2][IA_NONCE_LEN];

    (void)state;
    ia_nonce_mint_fresh(nonces[0], &nonce_key, 1763800000000000);
    ia_nonce_mint_next(nonces[1], &nonce_key, grant_a, 300);
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned bit = 0; bit < IA_NONCE_LEN * 8; bit++) {
            nonces[i][bit / 8] ^= (unsigned char)(1u << bit % 8);
            check(nonces[i], &nonce_key, grant_a, IA_NONCE_FOREIGN);
            nonces[i][bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
        check(nonces[i], &nonce_key, grant_a, IA_OK);
    }
}

/* A MAC of one kind never serves the other, nor any third kind, even under the right key. */
static void test_kinds_do_not_mix(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 256; kind++) {
        unsigned char nonce[IA_NONCE_LEN] = {(unsigned char)kind, 0, 0, 0, 0, 0, 0, 9}, mac[IA_MAC_MAX];
        ia_bytes parts[] = {{nonce, 8}, {grant_a, sizeof grant_a}};

        ia_mac_compute(mac, IA_HASH_SHA256, &nonce_key, parts, 1);
        memcpy(nonce + 8, mac, 8);
        check(nonce, &nonce_key, grant_a, kind == IA_NONCE_FRESH ? IA_OK : IA_NONCE_FOREIGN);
        ia_mac_compute(mac, IA_HASH_SHA256, &nonce_key, parts, 2);
        memcpy(nonce + 8, mac, 8);
        check(nonce, &nonce_key, grant_a, kind == IA_NONCE_NEXT ? IA_OK : IA_NONCE_FOREIGN);
    }
}

/* A sequence has 48 bits: a ninth byte's worth is foreign, however well MACed. */
static void test_sequence_above_48_bits_is_foreign(void **state)
{
    unsigned char nonce[IA_NONCE_LEN] = {IA_NONCE_NEXT, 1, 0, 0, 0, 0, 0, 0}, mac[IA_MAC_MAX];
    ia_bytes parts[] = {{nonce, 8}, {grant_a, sizeof grant_a}};

    (void)state;
    ia_mac_compute(mac, IA_HASH_SHA256, &nonce_key, parts, 2);
    memcpy(nonce + 8, mac, 8);
    check(nonce, &nonce_key, grant_a, IA_NONCE_FOREIGN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pool_test(test_layout),
        pool_test(test_verifies_what_was_minted),
        pool_test(test_text_has_22_characters),
        pool_test(test_foreign),
        pool_test(test_every_changed_bit_is_foreign),
        pool_test(test_kinds_do_not_mix),
        pool_test(test_sequence_above_48_bits_is_foreign),
    };

    return cmocka_run_group_tests(tests, load_keys, NULL);
}
