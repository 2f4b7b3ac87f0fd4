/* base64url, base64 and hex: published vectors, one text per byte string, and every bound. */
#include "support.h"
#include "interauth/encoding.h"

typedef apr_size_t encoder(char *out, const void *data, apr_size_t len);
typedef ia_result decoder(unsigned char *out, apr_size_t capacity, apr_size_t *len, const char *text,
                          apr_size_t text_len);

/* RFC 4648 section 10 */
static const struct vector {
    const char *data, *base64, *base64url, *hex;
} vectors[] = {
    {"", "", "", ""},
    {"f", "Zg==", "Zg", "66"},
    {"fo", "Zm8=", "Zm8", "666f"},
    {"foo", "Zm9v", "Zm9v", "666f6f"},
    {"foob", "Zm9vYg==", "Zm9vYg", "666f6f62"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE", "666f6f6261"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy", "666f6f626172"},
    {"\xfb\xff\xfe", "+//+", "-__-", "fbfffe"},
};

static void check_pair(apr_pool_t *p, encoder *encode, decoder *decode, const char *data, const char *text)
{
    char *encoded = exact(p, text, strlen(text) + 1);
    unsigned char decoded[16];
    apr_size_t len = 99;

    memset(encoded, 'x', strlen(text) + 1);
    assert_int_equal(encode(encoded, exact(p, data, strlen(data)), strlen(data)), strlen(text));
    assert_string_equal(encoded, text);
    assert_result(decode(decoded, sizeof decoded, &len, exact(p, text, strlen(text)), strlen(text)), IA_OK);
    assert_int_equal(len, strlen(data));
    assert_memory_equal(decoded, data, len);
}

static void test_published_vectors(void **state)
{
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        check_pair(*state, ia_base64_encode, ia_base64_decode, vectors[i].data, vectors[i].base64);
        check_pair(*state, ia_base64url_encode, ia_base64url_decode, vectors[i].data, vectors[i].base64url);
        check_pair(*state, ia_hex_encode, ia_hex_decode, vectors[i].data, vectors[i].hex);
    }
}

static void round_trip(apr_pool_t *p, encoder *encode, decoder *decode, const unsigned char *data, apr_size_t len,
                       apr_size_t size)
{
    char *text = exact(p, data, size);
    unsigned char *back = (unsigned char *)exact(p, data, len);
    apr_size_t text_len = encode(text, exact(p, data, len), len), back_len;

    assert_int_equal(text_len, size - 1);
    assert_int_equal(text[text_len], '\0');
    if (len > 0) {
        memset(back, 0, len);
    }
    assert_result(decode(back, len, &back_len, exact(p, text, text_len), text_len), IA_OK);
    assert_int_equal(back_len, len);
    assert_memory_equal(back, data, len);
    if (len > 0) {
        back_len = 77;
        assert_result(decode(back, len - 1, &back_len, text, text_len), IA_TOO_LONG);
        assert_int_equal(back_len, 0);
    }
}

/* Buffers are exactly as large as the header promises is enough. */
static void test_round_trip_of_every_length(void **state)
{
    unsigned char data[400];
    uint64_t seed = 1;

    for (apr_size_t len = 0; len <= 130; len++) {
        random_fill(&seed, data, sizeof data);
        round_trip(*state, ia_base64_encode, ia_base64_decode, data, len, IA_BASE64_SIZE(len));
        round_trip(*state, ia_base64url_encode, ia_base64url_decode, data, len, (len * 4 + 2) / 3 + 1);
        round_trip(*state, ia_hex_encode, ia_hex_decode, data, len, IA_HEX_SIZE(len));
    }
    assert_true(IA_BASE64URL_SIZE(16) >= 23);
}

static void check_malformed(apr_pool_t *p, decoder *decode, const char *text, size_t len)
{
    unsigned char out[64];
    apr_size_t out_len = 99;

    if (decode(out, sizeof out, &out_len, exact(p, text, len), len) != IA_MALFORMED) {
        fail_msg("accepted: \"%.*s\"", (int)len, text);
    }
    assert_int_equal(out_len, 0);
}

static void test_base64url_refusals(void **state)
{
    static const char *const bad[] = {
        "Z",    "Zg=",  "Zg==", "Zm8=", "Zm9vY", "=",    "====",    "Zm9v=",   " Zm9v", "Zm9v ",  "Zm 9v", "Zm9v\n",
        "Zm+v", "Zm/v", "Zh",   "Zn",   "Zg.",   "Zm9,", "Zm9\x80", "Zm9\xff", "Z=g",   "Zm9w\t", "Zm_-+",
    };

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        check_malformed(*state, ia_base64url_decode, bad[i], strlen(bad[i]));
    }
    check_malformed(*state, ia_base64url_decode, LIT("Zm\0v"));
    check_malformed(*state, ia_base64url_decode, LIT("Zm9v\0"));
}

static void test_base64_refusals(void **state)
{
    static const char *const bad[] = {
        "Z",    "Zg",       "Zg=",      "Zm8",      "Z===",   "====",  "=",    "Zh==", "Zm9=",  "Zm-v",
        "Zm_v", "Zg==Zg==", "Zg==Zm9v", "Zm9v====", "Zm9v\n", "Zm9v ", " Zm9", "Z=g=", "Zm9vZ", "Zg==\n",
    };

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        check_malformed(*state, ia_base64_decode, bad[i], strlen(bad[i]));
    }
    check_malformed(*state, ia_base64_decode, LIT("Zm9\0"));
}

static void test_hex_refusals(void **state)
{
    static const char *const bad[] = {"6",   "666", "6g", "g6", " 66", "66 ", "0x66",
                                      "6\n", "6:",  "/0", "@A", "G0",  "`a"};

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        check_malformed(*state, ia_hex_decode, bad[i], strlen(bad[i]));
    }
    check_malformed(*state, ia_hex_decode, LIT("6\0"));
}

static void test_hex_takes_either_case(void **state)
{
    unsigned char out[3];
    apr_size_t len;

    (void)state;
    assert_result(ia_hex_decode(out, sizeof out, &len, LIT("aBCdeF")), IA_OK);
    assert_memory_equal(out, "\xab\xcd\xef", 3);
}

/* Exactly one text decodes to each byte string: whatever is accepted encodes to itself again. */
static void check_all_pairs(encoder *encode, decoder *decode, const char *tail, unsigned expected)
{
    unsigned accepted = 0;

    for (unsigned pair = 0; pair < 0x10000; pair++) {
        char text[8] = {(char)(pair >> 8), (char)pair};
        char again[16];
        unsigned char out[4];
        apr_size_t len, text_len = 2 + strlen(tail);

        memcpy(text + 2, tail, strlen(tail));
        if (decode(out, sizeof out, &len, text, text_len) == IA_OK) {
            assert_int_equal(encode(again, out, len), text_len);
            assert_memory_equal(again, text, text_len);
            accepted++;
        }
    }
    assert_int_equal(accepted, expected);
}

static void test_one_text_per_byte_string(void **state)
{
    (void)state;
    check_all_pairs(ia_base64url_encode, ia_base64url_decode, "", 256);
    check_all_pairs(ia_base64url_encode, ia_base64url_decode, "A", 64 * 64);
    check_all_pairs(ia_base64url_encode, ia_base64url_decode, "B", 0);
    check_all_pairs(ia_base64url_encode, ia_base64url_decode, "_-", 64 * 64);
    check_all_pairs(ia_base64_encode, ia_base64_decode, "==", 256);
    check_all_pairs(ia_base64_encode, ia_base64_decode, "A=", 64 * 64);
    check_all_pairs(ia_base64_encode, ia_base64_decode, "+/", 64 * 64);
}

static void test_all_hex_pairs(void **state)
{
    unsigned accepted = 0;

    (void)state;
    for (unsigned pair = 0; pair < 0x10000; pair++) {
        char text[2] = {(char)(pair >> 8), (char)pair};
        unsigned char out[1];
        apr_size_t len;

        accepted += ia_hex_decode(out, 1, &len, text, 2) == IA_OK;
    }
    assert_int_equal(accepted, 22 * 22);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pool_test(test_published_vectors),
        pool_test(test_round_trip_of_every_length),
        pool_test(test_base64url_refusals),
        pool_test(test_base64_refusals),
        pool_test(test_hex_refusals),
        pool_test(test_hex_takes_either_case),
        pool_test(test_one_text_per_byte_string),
        pool_test(test_all_hex_pairs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
