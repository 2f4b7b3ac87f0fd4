/* A client of the installed library, which tests/install/run compiles and runs: makes what each protocol sends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <apr_general.h>
#include <apr_pools.h>
#include <interauth/access.h>
#include <interauth/authorization.h>
#include <interauth/challenge.h>
#include <interauth/digest.h>
#include <interauth/encoding.h>
#include <interauth/envelope.h>
#include <interauth/form.h>
#include <interauth/httpsig.h>
#include <interauth/json.h>
#include <interauth/timestamp.h>

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                            \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

static const char secret[] = "0123456789abcdef0123456789abcdef", body[] = "{\"uid\":\"http://shop.example\"}";

static void ask_for_access(apr_pool_t *p)
{
    unsigned char mac[IA_MAC_MAX];
    char hex[IA_HEX_SIZE(IA_MAC_MAX)], nonce[IA_BASE64URL_SIZE(IA_NONCE_LEN)];
    ia_authorization auth;
    ia_mac_key key;

    CHECK(!ia_mac_key_load(&key, secret, strlen(secret)));
    ia_access_mac(mac, IA_HASH_SHA256, &key, "1700000000", body, strlen(body));
    CHECK(ia_hex_encode(hex, mac, ia_hash_len(IA_HASH_SHA256)) == 64);
    CHECK(!strcmp(ia_form_escape(p, body, 6), "%7B%22uid%22"));
    ia_base64url_encode(nonce, "0123456789abcdef", IA_NONCE_LEN);
    CHECK(!ia_authorization_parse(&auth, ia_authorization_format(p, "token", nonce, IA_HASH_SHA256, &key)));
    CHECK(!strcmp(auth.token, "token") && !auth.bare);
    ia_wipe(&key, sizeof key);
}

static void sign_a_request(apr_pool_t *p)
{
    const char *const components[] = {"@method", "content-digest"};
    ia_httpsig_message message = {.method = "POST", .scheme = "https", .authority = "a.example", .target = "/"};
    ia_httpsig_plan plan = {.label = "sig1", .components = components, .component_count = 2, .created = 1700000000};
    ia_httpsig_field field = {"Content-Digest", NULL};
    ia_httpsig_key key = {0};
    ia_httpsig_minted minted;
    ia_digest_claim claim;
    ia_digest *digest;
    ia_mac_key mac;

    CHECK(!ia_digest_create(&digest, p, IA_DIGEST_SHA256) && !ia_digest_update(digest, body, strlen(body)));
    CHECK(!ia_digest_finish(&claim, digest));
    field.value = ia_digest_format(p, &claim);
    message.fields = &field;
    message.field_count = 1;
    CHECK(!ia_key_secret_load(&mac, secret, strlen(secret)));
    key.secret = &mac;
    CHECK(!ia_httpsig_mint(&minted, p, &message, &plan, &key));
    CHECK(strstr(minted.input, "\"content-digest\"") && !strncmp(minted.signature, "sig1=:", 6));
}

static void call_by_challenge(apr_pool_t *p)
{
    char token[IA_CHALLENGE_TEXT_SIZE], challenge[IA_CHALLENGE_LEN + 1];
    ia_challenge_terms terms = {IA_CHALLENGE_PROFILE_HMAC, "", NULL};
    ia_json_writer *w = ia_json_writer_create(p);
    ia_challenge_secret known;
    ia_envelope envelope;
    const char *text;
    apr_size_t len;

    CHECK(!ia_challenge_secret_derive(&known, terms.profile, "", "user", "password", 8, "a.example"));
    terms.secret = known.text;
    memset(challenge, 'a', IA_CHALLENGE_LEN);
    challenge[IA_CHALLENGE_LEN] = '\0';
    CHECK(!ia_challenge_token(token, &terms, challenge, ia_challenge_window(apr_time_from_sec(1700000000), 300)));
    ia_json_write_object(w);
    ia_json_write_member(w, "method", "photo.get");
    ia_json_write_member(w, "token", token);
    ia_json_write_name(w, "request");
    ia_json_write_object(w);
    ia_json_write_end(w);
    ia_json_write_end(w);
    text = ia_json_writer_text(w, &len);
    CHECK(!ia_envelope_parse(&envelope, p, IA_ENVELOPE_JSON, text, len, NULL) && !strcmp(envelope.token, token));
}

int main(void)
{
    apr_pool_t *p;

    CHECK(!apr_initialize() && !apr_pool_create(&p, NULL));
    ask_for_access(p);
    sign_a_request(p);
    call_by_challenge(p);
    CHECK(ia_outcome_of(IA_OK)->status == 200);
    apr_terminate();
    return 0;
}
