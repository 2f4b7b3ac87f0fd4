/*
 * JWK: a public key does not verify a signature of zeros, has a thumbprint, is refused after its numbers were changed,
 * and is not accepted as a secret.
 */
#include "fuzz.h"
#include "interauth/sign.h"

static void check_public(const ia_key_raw *raw)
{
    unsigned char thumbprint[IA_SHA256_LEN], zeros[IA_SIGNATURE_MAX] = {0};
    ia_key_raw damaged = *raw;
    ia_key *key;

    CHECK(ia_key_create(&key, raw) == IA_OK);
    CHECK(ia_key_thumbprint(thumbprint, raw) == IA_OK);
    CHECK(memcmp(ia_key_public(key), raw, sizeof *raw) == 0);
    CHECK(!ia_key_can_sign(key));
    CHECK(ia_signature_verify(key, "message", 7, zeros, ia_signature_len(key)) > IA_OK);
    ia_key_unref(key);
    damaged.bytes[raw->len < IA_KEY_BYTES_MAX ? raw->len : 0] ^= 0x80;
    if (raw->len < IA_KEY_BYTES_MAX) {
        CHECK(ia_key_create(&key, &damaged) == IA_KEY_MALFORMED && key == NULL);
    }
}

static void check_private(const ia_key *key)
{
    unsigned char signature[IA_SIGNATURE_MAX];
    apr_size_t len;

    CHECK(ia_key_can_sign(key));
    CHECK(ia_signature_mint(signature, &len, key, "message", 7) == IA_OK && len == ia_signature_len(key));
    CHECK(ia_signature_verify(key, "message", 7, signature, len) == IA_OK);
    signature[len - 1] ^= 1;
    CHECK(ia_signature_verify(key, "message", 7, signature, len) > IA_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ia_key_raw none;
    apr_pool_t *p = fuzz_pool();
    const ia_json *jwk;
    ia_mac_key secret;
    ia_key_raw raw;
    ia_key *key;

    if (ia_json_parse(&jwk, p, (const char *)data, size, 100, NULL) == IA_OK) {
        int is_public = ia_key_from_jwk(&raw, jwk) == IA_OK;

        if (is_public) {
            check_public(&raw);
        } else {
            CHECK(memcmp(&raw, &none, sizeof none) == 0);
        }
        if (ia_key_create_from_jwk(&key, jwk, IA_ALGORITHM_NONE) == IA_OK) {
            CHECK(!is_public);
            check_private(key);
        } else {
            CHECK(key == NULL);
        }
        ia_key_unref(key);
        if (ia_key_secret_from_jwk(&secret, jwk) == IA_OK) {
            CHECK(!is_public && key == NULL);
        }
    }
    if (ia_key_from_pem(&raw, (const char *)data, size, IA_ALGORITHM_NONE) == IA_OK) {
        check_public(&raw);
    }
    apr_pool_destroy(p);
    return 0;
}
