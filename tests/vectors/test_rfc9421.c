/*
 * The messages of RFC 9421: rfc9421/rfc9421.json below the directory that INTERAUTH_VECTORS names. Each base
 * is built byte for byte, each published signature verified with the published key, and the two deterministic
 * ones made again.
 */
#include "interauth/httpsig.h"
#include "vectors.h"

#define CASES      20
#define FIELDS_MAX 32
#define NOW        apr_time_from_sec(1618884500)

static unsigned failures;

static void expect(int truth, const char *name, const char *what)
{
    if (!truth) {
        fprintf(stderr, "%s: %s\n", name, what);
        failures++;
    }
}

/* Start line and fields of a message as the RFC prints it. */
static ia_httpsig_message *read_message(apr_pool_t *p, const char *text)
{
    ia_httpsig_message *message = apr_pcalloc(p, sizeof *message);
    ia_httpsig_field *fields = apr_pcalloc(p, FIELDS_MAX * sizeof *fields);
    char *rest = apr_pstrdup(p, text), *line = apr_strtok(rest, "\n", &rest), *colon, *space;

    message->fields = fields;
    space = strchr(line, ' ');
    *space++ = '\0';
    if (strcmp(line, "HTTP/1.1") == 0) {
        message->status = (int)strtol(space, NULL, 10);
    } else {
        message->method = line;
        message->target = space;
        *strchr(space, ' ') = '\0';
        message->scheme = "https";
    }
    for (line = rest; *line != '\n' && *line != '\0'; line = rest) {
        rest = line + strcspn(line, "\n");
        if (*rest != '\0') {
            *rest++ = '\0';
        }
        colon = strchr(line, ':');
        if (!colon || message->field_count == FIELDS_MAX) {
            die("a message", "cannot be understood");
        }
        *colon = '\0';
        fields[message->field_count].name = line;
        fields[message->field_count++].value = colon + 1;
        if (strcasecmp(line, "Host") == 0) {
            message->authority = colon + 2;
        }
    }
    return message;
}

typedef struct keys {
    const ia_json *list;
    const char *alg;
    ia_key *key;
    ia_mac_key secret;
} keys;

static void load_key(keys *k, const char *id)
{
    const ia_json *entry = ia_json_member(k->list, id), *jwk = ia_json_member(entry, "jwk");
    unsigned char secret[64];
    apr_size_t len;
    const char *text;

    if (jwk) {
        if (ia_key_create_from_jwk(&k->key, jwk, ia_algorithm_find(k->alg, strlen(k->alg))) != IA_OK) {
            die(id, "is refused");
        }
        return;
    }
    text = member_string(entry, "b64");
    if (ia_base64_decode(secret, sizeof secret, &len, text, strlen(text)) != IA_OK ||
        ia_key_secret_load(&k->secret, secret, len) != IA_OK) {
        die(id, "is refused");
    }
}

static ia_result find_key(void *context, ia_httpsig_key *out, const ia_httpsig *signature)
{
    keys *k = context;

    (void)signature;
    if (k->key) {
        out->key = k->key;
    } else {
        out->secret = &k->secret;
    }
    return IA_OK;
}

/* The same signature, made by us. */
static void mint_again(apr_pool_t *p, const ia_json *test, const keys *k, const ia_httpsig_message *message,
                       const ia_httpsig *signature)
{
    const char *name = member_string(test, "name"), *components[FIELDS_MAX];
    ia_httpsig_key key = {k->key, k->key ? NULL : &k->secret, 0, 0};
    ia_httpsig_plan plan = {member_string(test, "label"), components, 0, signature->created, 0, NULL, NULL, NULL, 0};
    const ia_sfv_member *item;
    ia_httpsig_minted minted;
    const char *wanted;

    for (item = signature->input->items; item; item = item->next) {
        components[plan.component_count++] = apr_pstrmemdup(p, item->value.text.data, item->value.text.len);
    }
    plan.keyid = member_string(test, "keyid");
    expect(ia_httpsig_mint(&minted, p, message, &plan, &key) == IA_OK, name, "cannot be made again");
    wanted = apr_pstrcat(p, plan.label, "=", member_string(test, "signatureInput"), NULL);
    expect(minted.input && strcmp(minted.input, wanted) == 0, name, "another Signature-Input was made");
    wanted = apr_pstrcat(p, plan.label, "=:", member_string(test, "signature"), ":", NULL);
    expect(minted.signature && strcmp(minted.signature, wanted) == 0, name, "another Signature was made");
}

static void run(apr_pool_t *p, const ia_json *test, const ia_json *list)
{
    const char *name = member_string(test, "name"), *request = ia_json_member_string(test, "request");
    const char *base_text = ia_json_member_string(test, "base"), *alg = member_string(test, "alg");
    ia_httpsig_message *message = read_message(p, member_string(test, "message"));
    int valid = strcmp(member_string(test, "expect"), "valid") == 0;
    ia_httpsig_policy policy = {0};
    keys k = {list, alg, NULL, {{0}, {0}, {0}, {0}}};
    ia_httpsig_ports ports = {&k, find_key, NULL};
    const ia_httpsig *signature;
    ia_sfv_text base;
    ia_result rc;

    if (request) {
        message->request = read_message(p, request);
    }
    load_key(&k, member_string(test, "keyid"));
    policy.label = member_string(test, "label");
    rc = ia_httpsig_verify(&signature, p, message, &policy, &ports, NOW);
    expect(rc == (valid ? IA_OK : IA_SIG_MISMATCH), name, ia_outcome_of(rc)->tag);
    if (!signature) {
        return;
    }
    expect(valid == (signature->algorithm == ia_algorithm_find(alg, strlen(alg))), name, "the algorithm");
    if (base_text) {
        expect(ia_httpsig_base(&base, p, message, signature->input) == IA_OK && strcmp(base.data, base_text) == 0, name,
               "the base differs");
    }
    if (strcmp(name, "B.2.5") == 0 || strcmp(name, "B.2.6") == 0) {
        mint_again(p, test, &k, message, signature);
    }
    ia_key_unref(k.key);
}

/* The blocks of a PEM text with several: the public one and the private one are the JWK's key. */
static void check_pem(apr_pool_t *p, const ia_json *entry)
{
    const char *pem = ia_json_member_string(entry, "pem"), *second;
    ia_key_raw raw, from_jwk;
    ia_key *key, *private_key;

    if (!pem) {
        return;
    }
    expect(ia_key_create_from_jwk(&key, ia_json_member(entry, "jwk"), IA_ALGORITHM_NONE) == IA_OK, entry->name, "jwk");
    from_jwk = *ia_key_public(key);
    second = strstr(pem + 1, "-----BEGIN");
    expect(ia_key_from_pem(&raw, pem, (apr_size_t)(second - pem), IA_ALGORITHM_NONE) == IA_OK, entry->name,
           "public PEM");
    expect(memcmp(&raw, &from_jwk, sizeof raw) == 0, entry->name, "PEM and JWK differ");
    expect(ia_key_create_from_pem(&private_key, second, strlen(second), IA_ALGORITHM_NONE) == IA_OK, entry->name,
           "private PEM");
    expect(private_key && memcmp(ia_key_public(private_key), &from_jwk, sizeof from_jwk) == 0, entry->name,
           "private PEM and JWK differ");
    expect(ia_key_from_pem(&raw, second, strlen(second), IA_ALGORITHM_NONE) == IA_KEY_PRIVATE, entry->name,
           "private PEM as public");
    expect(ia_key_from_pem(&raw, pem, strlen(pem), IA_ALGORITHM_NONE) == IA_KEY_MALFORMED, entry->name,
           "two PEM blocks");
    ia_key_unref(private_key);
    ia_key_unref(key);
    (void)p;
}

int main(void)
{
    const ia_json *document, *list, *entry, *test;
    apr_pool_t *p;
    unsigned count = 0;

    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&p, NULL) != APR_SUCCESS) {
        die("pool", "no memory");
    }
    document = load(p, "rfc9421/rfc9421.json");
    list = ia_json_member(document, "keys");
    for (test = ia_json_member(document, "cases")->first; test; test = test->next, count++) {
        run(p, test, list);
    }
    for (entry = list->first; entry; entry = entry->next) {
        check_pem(p, entry);
    }
    printf("%u messages, %u wrong\n", count, failures);
    apr_terminate();
    if (count < CASES) {
        fprintf(stderr, "too few cases ran\n");
        return 1;
    }
    return failures > 0;
}
