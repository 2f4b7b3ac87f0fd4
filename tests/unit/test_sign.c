/* Signatures over bytes: every algorithm, every refusal, comparison with OpenSSL. */
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include "support.h"
#include "keys.h"
#include "interauth/encoding.h"
#include "interauth/sign.h"

static const char message[] = "\"@method\": GET\n\"@signature-params\": (\"@method\");created=1618884473";
#define MESSAGE_LEN (sizeof message - 1)

static const struct {
    const char *pem;
    ia_algorithm algorithm;
    unsigned len;
} kinds[] = {{ED25519_PRIVATE, IA_ALGORITHM_ED25519, 64}, {P256_PRIVATE, IA_ALGORITHM_ECDSA_P256, 64},
             {P384_PRIVATE, IA_ALGORITHM_ECDSA_P384, 96}, {RSA_PRIVATE, IA_ALGORITHM_RSA_PSS, 256},
             {RSA_PRIVATE, IA_ALGORITHM_RSA_V1_5, 256},   {RSA_PSS_PRIVATE, IA_ALGORITHM_RSA_PSS, 256}};

static ia_key *load(size_t kind)
{
    ia_key *key;

    assert_result(ia_key_create_from_pem(&key, kinds[kind].pem, strlen(kinds[kind].pem), kinds[kind].algorithm), IA_OK);
    return key;
}

/* The public half as another key. */
static ia_key *public_half(const ia_key *key)
{
    ia_key *half;

    assert_result(ia_key_create(&half, ia_key_public(key)), IA_OK);
    return half;
}

static void test_made_and_verified(void **state)
{
    unsigned char made[IA_SIGNATURE_MAX];
    apr_size_t len;

    for (size_t k = 0; k < COUNT_OF(kinds); k++) {
        ia_key *key = load(k), *half = public_half(key);
        char *signature;

        assert_int_equal(ia_signature_len(key), kinds[k].len);
        assert_result(ia_signature_mint(made, &len, key, message, MESSAGE_LEN), IA_OK);
        assert_int_equal(len, kinds[k].len);
        signature = exact(*state, made, len);
        assert_result(ia_signature_verify(half, exact(*state, message, MESSAGE_LEN), MESSAGE_LEN, signature, len),
                      IA_OK);
        assert_result(ia_signature_verify(half, message, MESSAGE_LEN - 1, signature, len), IA_SIG_MISMATCH);
        assert_result(ia_signature_verify(half, "", 0, signature, len), IA_SIG_MISMATCH);
        assert_result(ia_signature_mint(made, &len, key, "", 0), IA_OK);
        assert_result(ia_signature_verify(half, "", 0, made, len), IA_OK);
        ia_key_unref(half);
        ia_key_unref(key);
    }
    assert_int_equal(ERR_peek_error(), 0);
}

static void test_refuses_to_sign_with_public_keys(void **state)
{
    static const unsigned char zeros[IA_SIGNATURE_MAX];
    unsigned char made[IA_SIGNATURE_MAX];

    (void)state;
    for (size_t k = 0; k < COUNT_OF(kinds); k++) {
        ia_key *key = load(k), *half = public_half(key);
        apr_size_t len = 7;

        memset(made, 0xff, sizeof made);
        assert_result(ia_signature_mint(made, &len, half, message, MESSAGE_LEN), IA_KEY_PUBLIC);
        assert_int_equal(len, 0);
        assert_memory_equal(made, zeros, sizeof made);
        ia_key_unref(half);
        ia_key_unref(key);
    }
}

static void test_refuses_every_other_length(void **state)
{
    unsigned char made[IA_SIGNATURE_MAX + 1] = {0};
    apr_size_t len;

    for (size_t k = 0; k < COUNT_OF(kinds); k++) {
        ia_key *key = load(k);

        assert_result(ia_signature_mint(made, &len, key, message, MESSAGE_LEN), IA_OK);
        for (apr_size_t other = 0; other <= IA_SIGNATURE_MAX; other++) {
            if (other != len) {
                assert_result(ia_signature_verify(key, message, MESSAGE_LEN, exact(*state, made, other), other),
                              IA_SIG_LENGTH);
            }
        }
        ia_key_unref(key);
    }
}

static void test_refuses_each_changed_bit(void **state)
{
    unsigned char made[IA_SIGNATURE_MAX];
    apr_size_t len;

    (void)state;
    for (size_t k = 0; k < COUNT_OF(kinds); k++) {
        ia_key *key = load(k);

        assert_result(ia_signature_mint(made, &len, key, message, MESSAGE_LEN), IA_OK);
        for (apr_size_t i = 0; i < 8 * len; i += k < 3 ? 1 : 7) {
            ia_result rc;

            made[i / 8] ^= (unsigned char)(1u << i % 8);
            rc = ia_signature_verify(key, message, MESSAGE_LEN, made, len);
            assert_true(rc == IA_SIG_MISMATCH || rc == IA_SIG_SCALAR);
            made[i / 8] ^= (unsigned char)(1u << i % 8);
        }
        assert_result(ia_signature_verify(key, message, MESSAGE_LEN, made, len), IA_OK);
        ia_key_unref(key);
    }
    assert_int_equal(ERR_peek_error(), 0);
}

/* r and s of 0, n and 2^bits - 1. */
static void test_refuses_scalars_out_of_range(void **state)
{
    static const char *const orders[] = {
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"};
    unsigned char made[IA_SIGNATURE_MAX], bad[IA_SIGNATURE_MAX], order[48];
    apr_size_t len, size;

    (void)state;
    for (size_t k = 1; k <= 2; k++) {
        ia_key *key = load(k);

        assert_result(ia_signature_mint(made, &len, key, message, MESSAGE_LEN), IA_OK);
        assert_result(ia_hex_decode(order, sizeof order, &size, orders[k - 1], strlen(orders[k - 1])), IA_OK);
        for (unsigned half = 0; half < 2; half++) {
            memcpy(bad, made, len);
            memset(bad + half * size, 0, size);
            assert_result(ia_signature_verify(key, message, MESSAGE_LEN, bad, len), IA_SIG_SCALAR);
            memcpy(bad + half * size, order, size);
            assert_result(ia_signature_verify(key, message, MESSAGE_LEN, bad, len), IA_SIG_SCALAR);
            bad[half * size + size - 1]--; /* n - 1 is in range */
            assert_result(ia_signature_verify(key, message, MESSAGE_LEN, bad, len), IA_SIG_MISMATCH);
            memset(bad + half * size, 0xff, size);
            assert_result(ia_signature_verify(key, message, MESSAGE_LEN, bad, len), IA_SIG_SCALAR);
        }
        ia_key_unref(key);
    }
}

/* S + L is the same point: without the bound a signature has a second form. */
static void test_refuses_ed25519_s_at_or_above_the_order(void **state)
{
    static const char order_text[] = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    unsigned char made[IA_SIGNATURE_MAX], order[32];
    ia_key *key = load(0);
    unsigned carry = 0;
    apr_size_t len;

    (void)state;
    assert_result(ia_hex_decode(order, sizeof order, &len, order_text, strlen(order_text)), IA_OK);
    assert_result(ia_signature_mint(made, &len, key, message, MESSAGE_LEN), IA_OK);
    for (unsigned i = 0; i < 32; i++) {
        carry += (unsigned)made[32 + i] + order[i];
        made[32 + i] = (unsigned char)carry;
        carry >>= 8;
    }
    assert_result(ia_signature_verify(key, message, MESSAGE_LEN, made, len), IA_SIG_SCALAR);
    memcpy(made + 32, order, 32);
    assert_result(ia_signature_verify(key, message, MESSAGE_LEN, made, len), IA_SIG_SCALAR);
    made[32]--;
    assert_result(ia_signature_verify(key, message, MESSAGE_LEN, made, len), IA_SIG_MISMATCH);
    ia_key_unref(key);
}

static EVP_PKEY *load_pkey(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

    BIO_free(bio);
    assert_non_null(pkey);
    return pkey;
}

/* Signs with OpenSSL alone; a salt of -100 stands for PKCS #1 v1.5. */
static size_t sign_rsa(unsigned char *out, EVP_PKEY *pkey, const EVP_MD *md, const EVP_MD *mgf, int salt)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pkey_ctx;
    size_t len = IA_SIGNATURE_MAX;

    assert_int_equal(EVP_DigestSignInit(ctx, &pkey_ctx, md, NULL, pkey), 1);
    if (salt != -100) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pkey_ctx, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(pkey_ctx, mgf), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey_ctx, salt), 1);
    }
    assert_int_equal(EVP_DigestSign(ctx, out, &len, (const unsigned char *)message, MESSAGE_LEN), 1);
    EVP_MD_CTX_free(ctx);
    return len;
}

static void test_refuses_other_rsa_paddings(void **state)
{
    unsigned char made[IA_SIGNATURE_MAX];
    EVP_PKEY *pkey = load_pkey(RSA_PRIVATE);
    ia_key *pss = load(3), *v1_5 = load(4);
    static const int salts[] = {0, 20, 32, 63, 65, RSA_PSS_SALTLEN_MAX};
    size_t len;

    (void)state;
    len = sign_rsa(made, pkey, EVP_sha512(), EVP_sha512(), 64);
    assert_result(ia_signature_verify(pss, message, MESSAGE_LEN, made, len), IA_OK);
    assert_result(ia_signature_verify(v1_5, message, MESSAGE_LEN, made, len), IA_SIG_MISMATCH);
    for (size_t i = 0; i < COUNT_OF(salts); i++) {
        len = sign_rsa(made, pkey, EVP_sha512(), EVP_sha512(), salts[i]);
        assert_result(ia_signature_verify(pss, message, MESSAGE_LEN, made, len), IA_SIG_MISMATCH);
    }
    len = sign_rsa(made, pkey, EVP_sha512(), EVP_sha1(), 64);
    assert_result(ia_signature_verify(pss, message, MESSAGE_LEN, made, len), IA_SIG_MISMATCH);
    len = sign_rsa(made, pkey, EVP_sha256(), EVP_sha256(), 64);
    assert_result(ia_signature_verify(pss, message, MESSAGE_LEN, made, len), IA_SIG_MISMATCH);
    len = sign_rsa(made, pkey, EVP_sha256(), NULL, -100);
    assert_result(ia_signature_verify(v1_5, message, MESSAGE_LEN, made, len), IA_OK);
    assert_result(ia_signature_verify(pss, message, MESSAGE_LEN, made, len), IA_SIG_MISMATCH);
    len = sign_rsa(made, pkey, EVP_sha512(), NULL, -100);
    assert_result(ia_signature_verify(v1_5, message, MESSAGE_LEN, made, len), IA_SIG_MISMATCH);
    EVP_PKEY_free(pkey);
    ia_key_unref(pss);
    ia_key_unref(v1_5);
}

/* What OpenSSL makes is refused as it is, in DER, and taken once it is r || s. */
static void test_refuses_ecdsa_in_der(void **state)
{
    EVP_PKEY *pkey = load_pkey(P256_PRIVATE);
    unsigned char der[128], raw[64];
    ia_key *key = load(1);

    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        const unsigned char *at = der;
        size_t len = sizeof der;
        ECDSA_SIG *parsed;
        ia_result rc;

        assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pkey), 1);
        assert_int_equal(EVP_DigestSign(ctx, der, &len, (const unsigned char *)message, MESSAGE_LEN), 1);
        rc = ia_signature_verify(key, message, MESSAGE_LEN, der, len);
        assert_true(rc == IA_SIG_LENGTH || (len == 64 && rc != IA_OK));
        parsed = d2i_ECDSA_SIG(NULL, &at, (long)len);
        assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(parsed), raw, 32), 32);
        assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(parsed), raw + 32, 32), 32);
        assert_result(ia_signature_verify(key, message, MESSAGE_LEN, raw, 64), IA_OK);
        ECDSA_SIG_free(parsed);
        EVP_MD_CTX_free(ctx);
    }
    EVP_PKEY_free(pkey);
    ia_key_unref(key);
}

/* About one r or s in 256 begins with a zero byte, which DER drops and the wire keeps. */
static void test_short_scalars_keep_their_zeros(void **state)
{
    unsigned char made[IA_SIGNATURE_MAX];
    ia_key *key = load(1), *half = public_half(key);
    unsigned zeros = 0;
    apr_size_t len;

    (void)state;
    for (unsigned i = 0; i < 20000 && zeros < 3; i++) {
        assert_result(ia_signature_mint(made, &len, key, &i, sizeof i), IA_OK);
        assert_int_equal(len, 64);
        if (made[0] == 0 || made[32] == 0) {
            zeros++;
            assert_result(ia_signature_verify(half, &i, sizeof i, made, len), IA_OK);
        }
    }
    assert_int_equal(zeros, 3);
    ia_key_unref(half);
    ia_key_unref(key);
}

static void test_refuses_the_signature_of_another_key(void **state)
{
    static const char other[] =
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}";
    unsigned char made[IA_SIGNATURE_MAX];
    ia_key *key = load(0), *stranger;
    const ia_json *jwk;
    ia_key_raw raw;
    apr_size_t len;

    assert_result(ia_json_parse(&jwk, *state, LIT(other), 100, NULL), IA_OK);
    assert_result(ia_key_from_jwk(&raw, jwk), IA_OK);
    assert_result(ia_key_create(&stranger, &raw), IA_OK);
    assert_result(ia_signature_mint(made, &len, key, message, MESSAGE_LEN), IA_OK);
    assert_result(ia_signature_verify(stranger, message, MESSAGE_LEN, made, len), IA_SIG_MISMATCH);
    ia_key_unref(stranger);
    ia_key_unref(key);
}

static void test_hmac(void **state)
{
    unsigned char mac[IA_SHA256_LEN + 1] = {0};
    ia_mac_key secret, other;

    assert_result(ia_key_secret_load(&secret, LIT("0123456789abcdef")), IA_OK);
    assert_result(ia_key_secret_load(&other, LIT("0123456789abcdeg")), IA_OK);
    ia_signature_mint_mac(mac, &secret, message, MESSAGE_LEN);
    assert_result(ia_signature_verify_mac(&secret, message, MESSAGE_LEN, exact(*state, mac, 32), 32), IA_OK);
    assert_result(ia_signature_verify_mac(&other, message, MESSAGE_LEN, mac, 32), IA_SIG_MISMATCH);
    assert_result(ia_signature_verify_mac(&secret, message, MESSAGE_LEN - 1, mac, 32), IA_SIG_MISMATCH);
    for (unsigned len = 0; len < 34; len++) {
        if (len != 32) {
            assert_result(ia_signature_verify_mac(&secret, message, MESSAGE_LEN, mac, len), IA_SIG_LENGTH);
        }
    }
    for (unsigned i = 0; i < 256; i++) {
        mac[i / 8] ^= (unsigned char)(1u << i % 8);
        assert_result(ia_signature_verify_mac(&secret, message, MESSAGE_LEN, mac, 32), IA_SIG_MISMATCH);
        mac[i / 8] ^= (unsigned char)(1u << i % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pool_test(test_made_and_verified),
        pool_test(test_refuses_to_sign_with_public_keys),
        pool_test(test_refuses_every_other_length),
        pool_test(test_refuses_each_changed_bit),
        pool_test(test_refuses_scalars_out_of_range),
        pool_test(test_refuses_ed25519_s_at_or_above_the_order),
        pool_test(test_refuses_other_rsa_paddings),
        pool_test(test_refuses_ecdsa_in_der),
        pool_test(test_short_scalars_keep_their_zeros),
        pool_test(test_refuses_the_signature_of_another_key),
        pool_test(test_hmac),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
