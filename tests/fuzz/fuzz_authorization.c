/* Authorization values: the parts of valid values are within bounds, and only the right MAC is accepted. */
#include "fuzz.h"
#include "interauth/authorization.h"
#include "interauth/encoding.h"

/* A value that the client writes for the same token and nonce is parsed to the same token and nonce. */
static void check_written_again(apr_pool_t *p, const ia_authorization *auth, const ia_mac_key *key)
{
    char nonce[IA_BASE64URL_SIZE(IA_NONCE_LEN)];
    ia_authorization again;
    char *value;

    CHECK(ia_base64url_encode(nonce, auth->nonce, IA_NONCE_LEN) == IA_NONCE_TEXT_LEN);
    value = ia_authorization_format(p, auth->token, nonce, auth->hash, key);
    CHECK(value != NULL);
    CHECK(ia_authorization_parse(&again, value) == IA_OK);
    CHECK(strcmp(again.token, auth->token) == 0 && again.token_len == auth->token_len);
    CHECK(memcmp(again.nonce, auth->nonce, IA_NONCE_LEN) == 0);
    CHECK(ia_authorization_verify(&again, key, again.n, again.n_len) == IA_OK);
    again.mac[again.token_len % ia_hash_len(again.hash)] ^= 1;
    CHECK(ia_authorization_verify(&again, key, again.n, again.n_len) == IA_MAC_MISMATCH);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_pool();
    char *value = malloc(size + 1);
    ia_authorization auth;
    ia_mac_key key;

    CHECK(value != NULL);
    memcpy(value, data, size);
    value[size] = '\0';
    CHECK(ia_mac_key_load(&key, "0123456789abcdef", 16) == IA_OK);
    if (ia_authorization_parse(&auth, value) == IA_OK) {
        CHECK(ia_authorization_is_sauth(value));
        CHECK(auth.token_len >= 1 && auth.token_len <= IA_TOKEN_TEXT_MAX);
        CHECK(strlen(auth.token) == auth.token_len);
        CHECK(auth.bare || auth.n_len == IA_NONCE_LEN || auth.n_len == IA_NONCE_TEXT_LEN);
        CHECK(ia_authorization_verify(&auth, &key, auth.n, auth.n_len) == IA_MAC_MISMATCH);
        check_written_again(p, &auth, &key);
    }
    free(value);
    apr_pool_destroy(p);
    return 0;
}
