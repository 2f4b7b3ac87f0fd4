/*
 * Measures the verification of a signature over seven components, without and with cryptography: ./httpsig [ROUNDS].
 * Not part of `make check`, because times are not meaningful on a busy machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <apr_general.h>
#include "interauth/httpsig.h"

static const char *const components[] = {"@method",        "@authority",   "@path",        "@query",
                                         "content-digest", "content-type", "authorization"};

static const ia_httpsig_field plain_fields[] = {
    {"Host", "example.com"},
    {"User-Agent", "interauth/1.0"},
    {"Accept", "application/json"},
    {"Accept-Encoding", "gzip"},
    {"Date", "Tue, 20 Apr 2021 02:07:55 GMT"},
    {"Content-Type", "application/json"},
    {"Content-Length", "18"},
    {"Authorization", "SAuth kq9F2Lr8yJHqv1nXo6sZ3Q:0b6e2f"},
    {"Content-Digest", "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"},
};
#define PLAIN (sizeof plain_fields / sizeof plain_fields[0])

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static ia_result find_key(void *context, ia_httpsig_key *out, const ia_httpsig *signature)
{
    (void)signature;
    *out = *(const ia_httpsig_key *)context;
    return IA_OK;
}

/* The library without cryptography: fields, selection, base, policy. */
static ia_result without_cryptography(apr_pool_t *p, const ia_httpsig_message *message, const ia_httpsig_policy *policy)
{
    ia_httpsig *signature;
    ia_httpsig_set set;
    ia_sfv_text base;
    ia_result rc = ia_httpsig_read(&set, p, message);
    unsigned i;

    if (rc == IA_OK)
        rc = ia_httpsig_choose(&signature, &set, policy);
    if (rc == IA_OK)
        rc = ia_httpsig_base(&base, p, message, signature->input);
    for (i = 0; i < policy->required_count && rc == IA_OK; i++)
        rc = ia_httpsig_covers(signature, policy->required[i]) ? IA_OK : IA_SIG_COMPONENT_MISSING;
    return rc;
}

static void measure(const char *name, apr_pool_t *root, const ia_httpsig_key *key, unsigned long rounds)
{
    ia_httpsig_field fields[PLAIN + 2];
    ia_httpsig_message message = {"POST", "https", "example.com", "/foo?param=Value&Pet=dog", 0, fields,
                                  PLAIN,  1,       NULL};
    ia_httpsig_plan plan = {"sig1", components, 7, 1618884473, 0, "b3k2pp5k7z-50gnwp.yemd", "shop#2024", NULL, 0};
    ia_httpsig_policy policy = {
        .label = "sig1", .required = components, .required_count = 7, .needs_nonce = 1, .has_body = 1};
    ia_httpsig_key copy = *key;
    ia_httpsig_ports ports = {&copy, find_key, NULL};
    const ia_httpsig *verified;
    ia_httpsig_minted minted;
    apr_pool_t *p;
    double start, alone, all;
    unsigned long i;

    memcpy(fields, plain_fields, sizeof plain_fields);
    if (ia_httpsig_mint(&minted, root, &message, &plan, key) != IA_OK)
        abort();
    fields[PLAIN].name = "Signature-Input";
    fields[PLAIN].value = minted.input;
    fields[PLAIN + 1].name = "Signature";
    fields[PLAIN + 1].value = minted.signature;
    message.field_count = PLAIN + 2;
    apr_pool_create(&p, root);
    start = seconds();
    for (i = 0; i < rounds; i++, apr_pool_clear(p)) {
        if (without_cryptography(p, &message, &policy) != IA_OK)
            abort();
    }
    alone = seconds() - start;
    start = seconds();
    for (i = 0; i < rounds / 20 + 1; i++, apr_pool_clear(p)) {
        if (ia_httpsig_verify(&verified, p, &message, &policy, &ports, apr_time_from_sec(1618884474)) != IA_OK)
            abort();
    }
    all = (seconds() - start) / (double)i;
    printf("%-20s %6.2f us without cryptography, %7.2f us in total\n", name, alone / (double)rounds * 1e6, all * 1e6);
    apr_pool_destroy(p);
}

int main(int argc, char **argv)
{
    static const char ed25519[] =
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\","
        "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}";
    static const char p256[] =
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"d\":\"UpuF81l-kOxbjf7T4mNSv0r5tN67Gim7rnf6EFpcYDs\","
        "\"x\":\"qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA\","
        "\"y\":\"Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0\"}";
    const char *const texts[] = {ed25519, p256}, *const names[] = {"ed25519", "ecdsa-p256-sha256"};
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 200000;
    ia_httpsig_key key = {NULL, NULL, 0, 0};
    const ia_json *jwk;
    ia_mac_key secret;
    apr_pool_t *p;
    ia_key *made;
    unsigned i;

    apr_initialize();
    apr_pool_create(&p, NULL);
    if (ia_mac_key_load(&secret, "0123456789abcdef0123456789abcdef", 32) != IA_OK)
        return 1;
    key.secret = &secret;
    measure("hmac-sha256", p, &key, rounds);
    key.secret = NULL;
    for (i = 0; i < 2; i++) {
        if (ia_json_parse(&jwk, p, texts[i], strlen(texts[i]), 100, NULL) != IA_OK ||
            ia_key_create_from_jwk(&made, jwk, IA_ALGORITHM_NONE) != IA_OK)
            return 1;
        key.key = made;
        measure(names[i], p, &key, rounds);
        ia_key_unref(made);
    }
    apr_terminate();
    return 0;
}
