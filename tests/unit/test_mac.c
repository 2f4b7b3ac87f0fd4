/* HMAC from midstates: published vectors, comparison with OpenSSL, limits of keys, and no key kept for the next. */
#include "support.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include "interauth/encoding.h"
#include "interauth/mac.h"

static void compute_hex(char *out, ia_hash hash, const ia_mac_key *key, const void *data, size_t len)
{
    unsigned char mac[IA_MAC_MAX];
    ia_bytes part = {data, len};

    ia_mac_compute(mac, hash, key, &part, 1);
    ia_hex_encode(out, mac, ia_hash_len(hash));
}

static unsigned char *filled(apr_pool_t *p, int byte, size_t len)
{
    unsigned char *block = apr_palloc(p, len + 1);

    memset(block, byte, len);
    return block;
}

/* RFC 4231 and RFC 2202 share keys and data; cases whose key is below 16 bytes are refused by the loader. */
static void test_rfc_vectors(void **state)
{
    static const char big_key[] = "Test Using Larger Than Block-Size Key - Hash Key First";
    static const char big_both[] = "This is a test using a larger than block-size key and a larger than block-size "
                                   "data. The key needs to be hashed before being used by the HMAC algorithm.";
    unsigned char counting[25];
    const struct {
        const unsigned char *key;
        size_t key_len;
        const unsigned char *data;
        size_t data_len;
        ia_hash hash;
        const char *mac;
    } vectors[] = {
        {filled(*state, 0x0b, 20), 20, (const unsigned char *)"Hi There", 8, IA_HASH_SHA256,
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {filled(*state, 0xaa, 20), 20, filled(*state, 0xdd, 50), 50, IA_HASH_SHA256,
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {counting, 25, filled(*state, 0xcd, 50), 50, IA_HASH_SHA256,
         "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
        {filled(*state, 0xaa, 131), 131, (const unsigned char *)big_key, sizeof big_key - 1, IA_HASH_SHA256,
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {filled(*state, 0xaa, 131), 131, (const unsigned char *)big_both, sizeof big_both - 1, IA_HASH_SHA256,
         "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
        {filled(*state, 0x0b, 20), 20, (const unsigned char *)"Hi There", 8, IA_HASH_SHA1,
         "b617318655057264e28bc0b6fb378c8ef146be00"},
        {filled(*state, 0xaa, 20), 20, filled(*state, 0xdd, 50), 50, IA_HASH_SHA1,
         "125d7342b9ac11cd91a39af48aa17b4f63f175d3"},
        {counting, 25, filled(*state, 0xcd, 50), 50, IA_HASH_SHA1, "4c9007f4026250c6bc8414f9bf50c86c2d7235da"},
        {filled(*state, 0xaa, 80), 80, (const unsigned char *)big_key, sizeof big_key - 1, IA_HASH_SHA1,
         "aa4ae5e15272d00e95705637ce8a3b55ed402112"},
    };

    for (unsigned i = 0; i < sizeof counting; i++) {
        counting[i] = (unsigned char)(i + 1);
    }
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        ia_mac_key key;
        char hex[IA_HEX_SIZE(IA_MAC_MAX)];

        assert_result(ia_mac_key_load(&key, exact(*state, vectors[i].key, vectors[i].key_len), vectors[i].key_len),
                      IA_OK);
        compute_hex(hex, vectors[i].hash, &key, exact(*state, vectors[i].data, vectors[i].data_len),
                    vectors[i].data_len);
        assert_string_equal(hex, vectors[i].mac);
    }
}

/* The published vectors of the protocol: HMAC-SHA-1 with the secret 00..0f. */
static void test_sauth_vectors(void **state)
{
    static const struct {
        const char *message;
        size_t len;
        const char *mac;
    } vectors[] = {
        {LIT("1300000000 "
             "{\"access_for\":[\"read\"],\"token_lifespan\":72000,\"uid\":\"http://www.example.org\"}"),
         "69cae5897515d295831f4f9891bdae0d168a4185"},
        {LIT("2E82CF26-E5EE-11F1-8470-78AEB6B8DC6E JY55RaYo5GfMD6r8fxNr7A"),
         "4601352554fe93f4321fa9edf5e461b105eaf901"},
    };
    unsigned char secret[16];
    ia_mac_key key;
    char hex[IA_HEX_SIZE(IA_MAC_MAX)];

    for (unsigned i = 0; i < sizeof secret; i++) {
        secret[i] = (unsigned char)i;
    }
    assert_result(ia_mac_key_load(&key, exact(*state, secret, sizeof secret), sizeof secret), IA_OK);
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        compute_hex(hex, IA_HASH_SHA1, &key, exact(*state, vectors[i].message, vectors[i].len), vectors[i].len);
        assert_string_equal(hex, vectors[i].mac);
    }
}

static void judge(apr_pool_t *p, ia_hash hash, const ia_mac_key *key, const unsigned char *secret, size_t secret_len,
                  const unsigned char *data, size_t len)
{
    unsigned char wanted[EVP_MAX_MD_SIZE];
    unsigned char *mac = (unsigned char *)exact(p, data, ia_hash_len(hash));
    unsigned wanted_len = 0;
    ia_bytes part = {exact(p, data, len), len};

    assert_non_null(HMAC(hash == IA_HASH_SHA1 ? EVP_sha1() : EVP_sha256(), secret, (int)secret_len, data, len, wanted,
                         &wanted_len));
    ia_mac_compute(mac, hash, key, &part, 1);
    assert_int_equal(wanted_len, ia_hash_len(hash));
    assert_memory_equal(mac, wanted, wanted_len);
}

static void test_agrees_with_openssl(void **state)
{
    uint64_t seed = 20260101;

    for (unsigned round = 0; round < 600; round++) {
        unsigned char secret[IA_SECRET_MAX], data[700];
        size_t secret_len = round < 200 ? 16 + round : 16 + random_next(&seed) % (IA_SECRET_MAX - 15);
        size_t len = round < 200 ? round : random_next(&seed) % sizeof data;
        apr_pool_t *p;
        ia_mac_key key;

        assert_int_equal(apr_pool_create(&p, *state), APR_SUCCESS);
        random_fill(&seed, secret, sizeof secret);
        random_fill(&seed, data, sizeof data);
        assert_result(ia_mac_key_load(&key, exact(p, secret, secret_len), secret_len), IA_OK);
        judge(p, IA_HASH_SHA256, &key, secret, secret_len, data, len);
        judge(p, IA_HASH_SHA1, &key, secret, secret_len, data, len);
        apr_pool_destroy(p);
    }
}

/* However a message is cut into parts, empty ones included, its MAC is the same. */
static void test_parts_do_not_matter(void **state)
{
    uint64_t seed = 7;
    unsigned char data[300], whole[IA_MAC_MAX], cut[IA_MAC_MAX];
    ia_mac_key key;

    random_fill(&seed, data, sizeof data);
    assert_result(ia_mac_key_load(&key, data, 40), IA_OK);
    for (unsigned round = 0; round < 400; round++) {
        ia_hash hash = round % 2 ? IA_HASH_SHA1 : IA_HASH_SHA256;
        ia_bytes one = {data, 1 + random_next(&seed) % sizeof data};
        ia_bytes parts[5];
        size_t done = 0;

        for (unsigned i = 0; i < 5; i++) {
            size_t len = i == 4 ? one.len - done : random_next(&seed) % (one.len - done + 1);

            parts[i].data = exact(*state, data + done, len);
            parts[i].len = len;
            done += len;
        }
        ia_mac_compute(whole, hash, &key, &one, 1);
        ia_mac_compute(cut, hash, &key, parts, 5);
        assert_memory_equal(whole, cut, ia_hash_len(hash));
    }
    ia_mac_compute(whole, IA_HASH_SHA256, &key, NULL, 0);
    judge(*state, IA_HASH_SHA256, &key, data, 40, data, 0);
}

/* Two participants taking turns on one thread: neither ever computes with the other's key. */
static void test_alternating_keys(void **state)
{
    unsigned char secrets[4][64], data[100];
    ia_mac_key keys[4];
    uint64_t seed = 99;

    random_fill(&seed, secrets, sizeof secrets);
    random_fill(&seed, data, sizeof data);
    for (unsigned i = 0; i < 4; i++) {
        assert_result(ia_mac_key_load(&keys[i], secrets[i], 16 + i * 16), IA_OK);
    }
    for (unsigned round = 0; round < 200; round++) {
        unsigned who = (unsigned)(random_next(&seed) % 4);
        unsigned char refused[15] = {0};
        ia_mac_key empty;

        if (round % 3 == 0) {
            assert_result(ia_mac_key_load(&empty, refused, round % 16), IA_SECRET_MISSING);
        }
        judge(*state, round % 2 ? IA_HASH_SHA1 : IA_HASH_SHA256, &keys[who], secrets[who], 16 + who * 16, data,
              round % sizeof data);
    }
}

static void test_secret_bounds(void **state)
{
    static const unsigned char zero[sizeof(ia_mac_key)];
    unsigned char *secret = filled(*state, 's', IA_SECRET_MAX + 1);

    for (size_t len = 0; len <= IA_SECRET_MAX + 1; len += len < 40 ? 1 : 47) {
        ia_mac_key key;

        memset(&key, 0xa5, sizeof key);
        if (len >= IA_SECRET_MIN && len <= IA_SECRET_MAX) {
            assert_result(ia_mac_key_load(&key, exact(*state, secret, len), len), IA_OK);
        } else {
            assert_result(ia_mac_key_load(&key, exact(*state, secret, len), len), IA_SECRET_MISSING);
            assert_memory_equal(&key, zero, sizeof key);
        }
    }
    for (size_t len = IA_SECRET_MAX - 1; len <= IA_SECRET_MAX + 1; len++) {
        ia_mac_key key;

        assert_result(ia_mac_key_load(&key, exact(*state, secret, len), len),
                      len <= IA_SECRET_MAX ? IA_OK : IA_SECRET_MISSING);
    }
    ia_mac_key key;
    assert_result(ia_mac_key_load(&key, NULL, 0), IA_SECRET_MISSING);
}

/* The midstates are all there is: the secret's bytes are not in the key. */
static void test_key_does_not_hold_the_secret(void **state)
{
    static const char secret[] = "0123456789abcdef";
    const unsigned char *bytes;
    ia_mac_key key;

    (void)state;
    assert_result(ia_mac_key_load(&key, secret, 16), IA_OK);
    bytes = (const unsigned char *)&key;
    for (size_t i = 0; i + 8 <= sizeof key; i++) {
        assert_memory_not_equal(bytes + i, secret, 8);
        assert_memory_not_equal(bytes + i, secret + 8, 8);
    }
}

static void test_equal(void **state)
{
    unsigned char a[IA_MAC_MAX], b[IA_MAC_MAX];

    for (size_t i = 0; i < sizeof a; i++) {
        a[i] = b[i] = (unsigned char)(i * 31);
    }
    assert_true(ia_mac_equal(exact(*state, a, 32), exact(*state, b, 32), 32));
    assert_true(ia_mac_equal(a, b, 20));
    assert_true(ia_mac_equal(exact(*state, a, 0), exact(*state, b, 0), 0));
    for (unsigned bit = 0; bit < 256; bit++) {
        b[bit / 8] ^= (unsigned char)(1u << bit % 8);
        assert_false(ia_mac_equal(a, b, 32));
        assert_int_equal(!!ia_mac_equal(a, b, 20), bit >= 160);
        b[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
}

static void test_sha256(void **state)
{
    static const struct {
        const char *data, *digest;
    } vectors[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };

    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        size_t len = strlen(vectors[i].data);
        ia_bytes parts[] = {{exact(*state, vectors[i].data, len / 2), len / 2},
                            {exact(*state, vectors[i].data + len / 2, len - len / 2), len - len / 2}};
        unsigned char out[IA_SHA256_LEN];
        char hex[IA_HEX_SIZE(IA_SHA256_LEN)];

        ia_sha256(out, parts, 2);
        ia_hex_encode(hex, out, sizeof out);
        assert_string_equal(hex, vectors[i].digest);
    }
}

static void test_wipe_and_lengths(void **state)
{
    char data[40];

    (void)state;
    memset(data, 'x', sizeof data);
    ia_wipe(data + 4, 32);
    for (unsigned i = 0; i < sizeof data; i++) {
        assert_int_equal(data[i], i >= 4 && i < 36 ? 0 : 'x');
    }
    ia_wipe(data, 0);
    assert_int_equal(data[0], 'x');
    assert_int_equal(ia_hash_len(IA_HASH_SHA256), 32);
    assert_int_equal(ia_hash_len(IA_HASH_SHA1), 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pool_test(test_rfc_vectors),
        pool_test(test_sauth_vectors),
        pool_test(test_agrees_with_openssl),
        pool_test(test_parts_do_not_matter),
        pool_test(test_alternating_keys),
        pool_test(test_secret_bounds),
        pool_test(test_key_does_not_hold_the_secret),
        pool_test(test_equal),
        pool_test(test_sha256),
        pool_test(test_wipe_and_lengths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
