/* Access requests: parses the form and then its body, as a request and as a refresh. */
#include "fuzz.h"
#include "interauth/access_verify.h"
#include "interauth/grant.h"

static void check_body(apr_pool_t *p, const ia_access_form *form, ia_access_kind kind)
{
    const char *detail = NULL;
    ia_access_body body;

    if (ia_access_body_parse(&body, p, form, kind, &detail) != IA_OK) {
        return;
    }
    CHECK(strcmp(body.uid, form->uid) == 0);
    CHECK(body.lifespan >= 0 && body.nonces <= IA_ACCESS_NONCES_MAX);
    if (kind == IA_ACCESS_REQUEST) {
        CHECK(body.access_for_count >= 1 && body.access_for_count <= IA_ACCESS_NAMES_MAX && body.token == NULL);
        for (unsigned i = 0; i < body.access_for_count; i++) {
            CHECK(ia_name_is_capability(body.access_for[i], strlen(body.access_for[i])));
        }
    } else {
        CHECK(body.token != NULL && strlen(body.token) >= 1 && strlen(body.token) <= IA_TOKEN_TEXT_MAX);
        CHECK(body.access_for_count == 0);
    }
}

static void check_mac(ia_access_form *form)
{
    unsigned char mac[IA_MAC_MAX];
    ia_secret secret;
    unsigned index;

    CHECK(ia_secret_load(&secret, "0123456789abcdef", 16, 0) == IA_OK);
    CHECK(ia_access_verify(&index, mac, form, &secret, 1, form->timestamp) == IA_MAC_MISMATCH);
    ia_access_mac(form->mac, form->hash, &secret.mac, form->timestamp_text, form->body, form->body_len);
    CHECK(ia_access_verify(&index, mac, form, &secret, 1, form->timestamp) == IA_OK);
    CHECK(memcmp(mac, form->mac, ia_hash_len(form->hash)) == 0);
    form->mac[form->body_len % ia_hash_len(form->hash)] ^= 0x80;
    CHECK(ia_access_verify(&index, mac, form, &secret, 1, form->timestamp) == IA_MAC_MISMATCH);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_pool();
    const char *detail = NULL;
    ia_access_form form;

    if (ia_access_form_parse(&form, p, (const char *)data, size, &detail) == IA_OK) {
        CHECK(detail == NULL && form.body_len == strlen(form.body));
        CHECK(ia_name_is_id(form.uid, strlen(form.uid)));
        CHECK(form.timestamp >= 0);
        check_body(p, &form, IA_ACCESS_REQUEST);
        check_body(p, &form, IA_ACCESS_REFRESH);
        check_mac(&form);
    }
    apr_pool_destroy(p);
    return 0;
}
