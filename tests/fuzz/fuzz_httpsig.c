/*
 * Message signatures. The input is a message: lines "method", "scheme", "authority", "target", then fields as
 * "name:value". A valid signature base for its Signature-Input is signed with a secret and verified. After a change of
 * one bit in the signature or the base, it must be refused.
 */
#include "fuzz.h"
#include "interauth/encoding.h"
#include "interauth/httpsig.h"

#define FIELDS_MAX 32

static ia_mac_key secret;

static ia_result find_key(void *context, ia_httpsig_key *out, const ia_httpsig *signature)
{
    (void)context;
    (void)signature;
    out->secret = &secret;
    return IA_OK;
}

static char *next_line(char **rest)
{
    char *line = *rest;

    *rest += strcspn(line, "\n");
    if (**rest != '\0') {
        *(*rest)++ = '\0';
    }
    return line;
}

static void read_message(ia_httpsig_message *message, ia_httpsig_field *fields, char *text)
{
    char *line = next_line(&text), *colon;

    memset(message, 0, sizeof *message);
    message->merged = *line == '+';
    message->method = line + message->merged;
    message->scheme = next_line(&text);
    message->authority = next_line(&text);
    message->target = next_line(&text);
    message->fields = fields;
    while (*text != '\0' && message->field_count < FIELDS_MAX) {
        line = next_line(&text);
        colon = strchr(line, ':');
        if (colon) {
            *colon = '\0';
            fields[message->field_count].name = line;
            fields[message->field_count++].value = colon + 1;
        }
    }
}

/* Values must not add lines: the base has one line for each component and one for the parameters. */
static void check_base(const ia_sfv_text *base, const ia_httpsig *signature)
{
    unsigned lines = 0;

    CHECK(strlen(base->data) == base->len && base->len <= IA_HTTPSIG_BASE_MAX + 2 * IA_HTTPSIG_FIELD_MAX);
    for (size_t i = 0; i < base->len; i++) {
        lines += base->data[i] == '\n';
        CHECK(base->data[i] == '\n' || base->data[i] == '\t' || (base->data[i] >= ' ' && base->data[i] <= '~'));
    }
    CHECK(lines == signature->input->item_count);
}

/* Replaces the signatures in the fields by a new one. */
static void check_signed(apr_pool_t *p, const ia_httpsig_message *message, const ia_httpsig *signature,
                         const ia_sfv_text *base, unsigned bit)
{
    unsigned char mac[IA_SHA256_LEN];
    char text[IA_BASE64_SIZE(IA_SHA256_LEN)], *input, *changed;
    ia_httpsig_field *fields = apr_pcalloc(p, (message->field_count + 2) * sizeof *fields);
    ia_httpsig_message copy = *message;
    ia_httpsig_policy policy = {0};
    ia_httpsig_ports ports = {NULL, find_key, NULL};
    const ia_httpsig *chosen;
    ia_result rc;

    ia_signature_mint_mac(mac, &secret, base->data, base->len);
    CHECK(ia_signature_verify_mac(&secret, base->data, base->len, mac, sizeof mac) == IA_OK);
    changed = apr_pmemdup(p, base->data, base->len);
    changed[bit / 8 % base->len] ^= (char)(1u << bit % 8);
    CHECK(ia_signature_verify_mac(&secret, changed, base->len, mac, sizeof mac) == IA_SIG_MISMATCH);
    /* covered signature fields change, too */
    if (strstr(base->data, "\"signature") == base->data || strstr(base->data, "\n\"signature") != NULL) {
        return;
    }
    CHECK(ia_sfv_format_member(&input, NULL, p, signature->input) == IA_OK);
    copy.field_count = 0;
    for (unsigned i = 0; i < message->field_count; i++) {
        if (strcasecmp(message->fields[i].name, "signature") != 0 &&
            strcasecmp(message->fields[i].name, "signature-input") != 0) {
            fields[copy.field_count++] = message->fields[i];
        }
    }
    copy.fields = fields;
    fields[copy.field_count].name = "Signature-Input";
    fields[copy.field_count++].value = apr_pstrcat(p, "ours=", input, NULL);
    fields[copy.field_count].name = "Signature";
    for (unsigned wrong = 0; wrong < 2; wrong++) {
        mac[bit / 8 % sizeof mac] ^= (unsigned char)(wrong << bit % 8);
        ia_base64_encode(text, mac, sizeof mac);
        fields[copy.field_count].value = apr_pstrcat(p, "ours=:", text, ":", NULL);
        copy.field_count++;
        rc = ia_httpsig_verify(&chosen, p, &copy, &policy, &ports, apr_time_from_sec(1));
        copy.field_count--;
        CHECK(chosen && rc != IA_FAULT_INTERNAL);
        CHECK(wrong == 0 || rc != IA_OK);
        CHECK(rc != IA_SIG_MISMATCH || wrong == 1 || !signature->keyid.data);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_pool();
    ia_httpsig_field fields[FIELDS_MAX];
    ia_httpsig_message message, response;
    ia_httpsig_set set;
    ia_sfv_text base;

    CHECK(ia_mac_key_load(&secret, "0123456789abcdef", 16) == IA_OK);
    read_message(&message, fields, apr_pstrmemdup(p, (const char *)data, size));
    response = message;
    response.method = NULL;
    response.status = 200;
    response.request = &message;
    if (ia_httpsig_read(&set, p, &message) == IA_OK) {
        CHECK(set.count > 0 && set.count <= IA_HTTPSIG_SIGNATURES_MAX);
        for (unsigned i = 0; i < set.count; i++) {
            if (ia_httpsig_base(&base, p, &message, set.list[i].input) == IA_OK) {
                check_base(&base, &set.list[i]);
                check_signed(p, &message, &set.list[i], &base, size > 0 ? data[size - 1] * 131u : 0);
            } else {
                CHECK(!base.data);
            }
            if (ia_httpsig_base(&base, p, &response, set.list[i].input) == IA_OK) {
                check_base(&base, &set.list[i]);
            }
        }
    } else {
        CHECK(set.count == 0);
    }
    apr_pool_destroy(p);
    return 0;
}
