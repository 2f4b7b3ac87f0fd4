/* Message signatures: reading the two fields, choosing, verifying in order, policy, and making them. */
#include "support.h"
#include "keys.h"
#include "interauth/httpsig.h"

#define CREATED 1618884473
#define NOW     apr_time_from_sec(CREATED + 10)
#define KEYID   "shop#2024"

static const char *const cover[] = {"@method", "@authority", "@path", "@query", "content-digest", "content-type"};

/* A request with room for the two fields at its end, a key, and what the ports were asked. */
typedef struct fixture {
    apr_pool_t *p;
    ia_httpsig_field fields[8];
    ia_httpsig_message message;
    ia_httpsig_plan plan;
    ia_httpsig_policy policy;
    ia_httpsig_key key;
    ia_httpsig_ports ports;
    ia_mac_key secret;
    ia_result found, nonce_result;
    unsigned asked, nonces;
    apr_time_t until;
    const ia_httpsig *chosen;
} fixture;

static ia_result find_key(void *context, ia_httpsig_key *out, const ia_httpsig *signature)
{
    fixture *f = context;

    f->asked++;
    assert_true(ia_sfv_text_is(&signature->keyid, KEYID));
    *out = f->key;
    return f->found;
}

static ia_result use_nonce(void *context, const ia_httpsig *signature, apr_time_t until)
{
    fixture *f = context;

    assert_true(ia_sfv_text_is(&signature->nonce, "n-1"));
    f->nonces++;
    f->until = until;
    return f->nonce_result;
}

static void start(fixture *f, void **state)
{
    static const ia_httpsig_field fields[] = {
        {"Host", "example.com"},
        {"Content-Type", "application/json"},
        {"Content-Digest", "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"}};
    const ia_httpsig_message message = {"POST", "https", "example.com", "/foo?a=b", 0, f->fields, 3, 1, NULL};
    const ia_httpsig_plan plan = {"sig1", cover, COUNT_OF(cover), CREATED, 0, "n-1", KEYID, NULL, 0};
    const ia_httpsig_ports ports = {f, find_key, use_nonce};

    memset(f, 0, sizeof *f);
    f->p = *state;
    memcpy(f->fields, fields, sizeof fields);
    f->message = message;
    f->plan = plan;
    f->ports = ports;
    f->policy.required = cover;
    f->policy.required_count = COUNT_OF(cover);
    f->policy.max_age = apr_time_from_sec(60);
    f->policy.skew = apr_time_from_sec(5);
    f->policy.has_body = 1;
    assert_result(ia_key_secret_load(&f->secret, LIT("0123456789abcdef0123456789abcdef")), IA_OK);
    f->key.secret = &f->secret;
}

static void put(fixture *f, const char *input, const char *signature)
{
    f->message.field_count = 3;
    if (input) {
        f->fields[f->message.field_count].name = "Signature-Input";
        f->fields[f->message.field_count++].value = input;
    }
    if (signature) {
        f->fields[f->message.field_count].name = "Signature";
        f->fields[f->message.field_count++].value = signature;
    }
}

static void sign(fixture *f)
{
    ia_httpsig_minted minted;

    f->message.field_count = 3;
    assert_result(ia_httpsig_mint(&minted, f->p, &f->message, &f->plan, &f->key), IA_OK);
    put(f, minted.input, minted.signature);
}

static ia_result verify_at(fixture *f, apr_time_t now)
{
    ia_result rc = ia_httpsig_verify(&f->chosen, f->p, &f->message, &f->policy, &f->ports, now);

    if (f->chosen) {
        assert_true(rc == IA_OK || f->chosen->algorithm == IA_ALGORITHM_NONE || f->asked > 0);
    }
    return rc;
}

static ia_result verify(fixture *f)
{
    return verify_at(f, NOW);
}

/* Fields as given, read alone. */
static ia_result read_fields(fixture *f, const char *input, const char *signature)
{
    ia_httpsig_set set = {NULL, 1};
    ia_result rc;

    put(f, input, signature);
    rc = ia_httpsig_read(&set, f->p, &f->message);
    assert_int_equal(set.count > 0, rc == IA_OK);
    return rc;
}

static void test_signed_and_verified(void **state)
{
    fixture f;

    start(&f, state);
    sign(&f);
    assert_result(verify(&f), IA_OK);
    assert_int_equal(f.asked, 1);
    assert_int_equal(f.nonces, 1);
    assert_int_equal(f.until, apr_time_from_sec(CREATED + 65));
    assert_true(ia_sfv_text_is(&f.chosen->label, "sig1"));
    assert_int_equal(f.chosen->created, CREATED);
    assert_int_equal(f.chosen->expires, -1);
    assert_int_equal(f.chosen->algorithm, IA_ALGORITHM_HMAC);
    assert_int_equal(f.chosen->signature.len, 32);
}

/* What another policy says of a signature that was verified under an easier one. */
static void test_judged_again(void **state)
{
    static const char *const more[] = {"@method", "x-never"};
    ia_httpsig_policy easy, hard;
    fixture f;

    start(&f, state);
    f.plan.tag = "shop";
    sign(&f);
    assert_result(verify(&f), IA_OK);
    easy = f.policy;
    assert_result(ia_httpsig_judge(f.chosen, &easy, NOW), IA_OK);
    assert_true(f.chosen->base.len > 0);
    hard = easy;
    hard.label = "sig2";
    assert_result(ia_httpsig_judge(f.chosen, &hard, NOW), IA_SIG_LABEL_ABSENT);
    hard.label = "sig1";
    assert_result(ia_httpsig_judge(f.chosen, &hard, NOW), IA_OK);
    hard = easy;
    hard.tag = "other";
    assert_result(ia_httpsig_judge(f.chosen, &hard, NOW), IA_SIG_TAG_ABSENT);
    hard = easy;
    hard.algorithms = 1u << IA_ALGORITHM_ED25519;
    assert_result(ia_httpsig_judge(f.chosen, &hard, NOW), IA_SIG_ALG_NOT_ALLOWED);
    assert_result(ia_httpsig_judge(f.chosen, &easy, NOW + apr_time_from_sec(100)), IA_SIG_CREATED_OLD);
    assert_result(ia_httpsig_judge(f.chosen, &easy, apr_time_from_sec(CREATED - 10)), IA_SIG_CREATED_FUTURE);
    hard = easy;
    hard.max_age = apr_time_from_sec(1);
    assert_result(ia_httpsig_judge(f.chosen, &hard, apr_time_from_sec(CREATED + 7)), IA_SIG_CREATED_OLD);
    hard = easy;
    hard.required = more;
    hard.required_count = 2;
    assert_result(ia_httpsig_judge(f.chosen, &hard, NOW), IA_SIG_COMPONENT_MISSING);

    start(&f, state);
    f.plan.nonce = NULL;
    sign(&f);
    assert_result(verify(&f), IA_OK);
    hard = f.policy;
    hard.needs_nonce = 1;
    assert_result(ia_httpsig_judge(f.chosen, &hard, NOW), IA_SIG_NONCE_MISSING);
    assert_false(ia_httpsig_mentions(f.chosen, "x-never"));
    assert_true(ia_httpsig_mentions(f.chosen, "@method"));
}

/* Either form of the target URI is good, and no other. */
static void test_target_uri_as_received_or_normalized(void **state)
{
    static const char *const cover[] = {"@method", "@target-uri", "content-digest"};
    static const struct {
        const char *authority;
        int normalized, good;
    } cases[] = {{"Example.com:443", 0, 1},
                 {"Example.com:443", 1, 1},
                 {"example.com", 0, 1},
                 {"example.com:8443", 0, 0},
                 {"example.org", 1, 0}};
    fixture f;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        start(&f, state);
        f.plan.components = cover;
        f.plan.component_count = 3;
        f.policy.required = cover;
        f.policy.required_count = 3;
        f.message.authority = cases[i].authority;
        f.message.normalized = cases[i].normalized;
        sign(&f);
        f.message.authority = "Example.com:443";
        f.message.normalized = 0;
        assert_result(verify(&f), cases[i].good ? IA_OK : IA_SIG_MISMATCH);
    }
}

static void test_every_algorithm(void **state)
{
    static const struct {
        const char *pem;
        ia_algorithm algorithm;
    } kinds[] = {{ED25519_PRIVATE, IA_ALGORITHM_ED25519},
                 {P256_PRIVATE, IA_ALGORITHM_ECDSA_P256},
                 {P384_PRIVATE, IA_ALGORITHM_ECDSA_P384},
                 {RSA_PRIVATE, IA_ALGORITHM_RSA_PSS},
                 {RSA_PRIVATE, IA_ALGORITHM_RSA_V1_5}};
    fixture f;

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        ia_httpsig_minted minted;
        ia_key *key, *half;

        start(&f, state);
        assert_result(ia_key_create_from_pem(&key, kinds[i].pem, strlen(kinds[i].pem), kinds[i].algorithm), IA_OK);
        assert_result(ia_key_create(&half, ia_key_public(key)), IA_OK);
        f.key.secret = NULL;
        f.key.key = key;
        f.plan.names_algorithm = 1;
        sign(&f);
        assert_non_null(strstr(f.fields[3].value, ia_algorithm_name(kinds[i].algorithm)));
        f.key.key = half;
        f.policy.algorithms = 1u << kinds[i].algorithm;
        assert_result(verify(&f), IA_OK);
        assert_int_equal(f.chosen->algorithm, kinds[i].algorithm);
        assert_result(ia_httpsig_mint(&minted, f.p, &f.message, &f.plan, &f.key), IA_KEY_PUBLIC);
        assert_null(minted.input);
        ia_key_unref(half);
        ia_key_unref(key);
    }
}

/* --- the fields --- */

#define INPUT "sig1=(\"@method\");created=1;keyid=\"k\""
#define BYTES "sig1=:AAAA:"

static void test_refuses_no_signature(void **state)
{
    fixture f;

    start(&f, state);
    assert_result(read_fields(&f, NULL, NULL), IA_SIG_MISSING);
    assert_result(verify(&f), IA_SIG_MISSING);
    assert_null(f.chosen);
    assert_int_equal(f.asked, 0);
    assert_result(read_fields(&f, INPUT, BYTES), IA_OK);
}

static void test_refuses_malformed_fields(void **state)
{
    static const char *const inputs[] = {"",
                                         " ",
                                         "sig1",
                                         "sig1=(",
                                         "sig1=(\"@method\"",
                                         INPUT ",",
                                         INPUT ", ",
                                         "Sig1=()",
                                         "sig1=(\"@method\"\"@path\")",
                                         "sig1=();created=",
                                         "sig1=();x=\"",
                                         "1=()",
                                         INPUT " x"};
    static const char *const values[] = {
        "",        "sig1=:AAAA", "sig1=:AAA:", "sig1=:AAB=:", "sig1=:A A=:", "sig1=:A-_A:", "sig1=:AA=A:",
        BYTES ",", "=:AAAA:"};
    fixture f;

    start(&f, state);
    for (size_t i = 0; i < COUNT_OF(inputs); i++) {
        ia_result rc = read_fields(&f, inputs[i], BYTES);

        assert_result(rc, i == 2 ? IA_SIG_NOT_LIST : IA_SIG_MALFORMED);
    }
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        assert_result(read_fields(&f, INPUT, values[i]), IA_SIG_MALFORMED);
    }
}

static void test_refuses_unpaired_labels(void **state)
{
    fixture f;

    start(&f, state);
    assert_result(read_fields(&f, INPUT, NULL), IA_SIG_LABEL_UNPAIRED);
    assert_result(read_fields(&f, NULL, BYTES), IA_SIG_LABEL_UNPAIRED);
    assert_result(read_fields(&f, INPUT, "sig2=:AAAA:"), IA_SIG_LABEL_UNPAIRED);
    assert_result(read_fields(&f, INPUT ", sig2=()", BYTES), IA_SIG_LABEL_UNPAIRED);
    assert_result(read_fields(&f, INPUT, BYTES ", sig2=:AAAA:"), IA_SIG_LABEL_UNPAIRED);
}

static void test_refuses_repeated_labels(void **state)
{
    fixture f;

    start(&f, state);
    assert_result(read_fields(&f, INPUT ", " INPUT, BYTES), IA_SIG_LABEL_REPEATED);
    assert_result(read_fields(&f, INPUT, BYTES ", " BYTES), IA_SIG_LABEL_REPEATED);
    assert_result(read_fields(&f, INPUT ";created=2", BYTES), IA_SIG_LABEL_REPEATED);
    assert_result(read_fields(&f, "sig1=(\"host\";bs;bs)", BYTES), IA_SIG_LABEL_REPEATED);
    /* in two lines */
    put(&f, INPUT, BYTES);
    f.fields[5] = f.fields[3];
    f.message.field_count = 6;
    assert_result(verify(&f), IA_SIG_LABEL_REPEATED);
}

static void test_refuses_what_is_no_byte_sequence(void **state)
{
    static const char *const values[] = {"sig1", "sig1=1", "sig1=\"AAAA\"", "sig1=(:AAAA:)", "sig1=AAAA"};
    fixture f;

    start(&f, state);
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        assert_result(read_fields(&f, INPUT, values[i]), IA_SIG_NOT_BYTES);
    }
}

static void test_refuses_what_is_no_inner_list(void **state)
{
    static const char *const inputs[] = {"sig1=\"@method\"", "sig1=1;created=1", "sig1=?1", "sig1=:AAAA:"};
    fixture f;

    start(&f, state);
    for (size_t i = 0; i < COUNT_OF(inputs); i++) {
        assert_result(read_fields(&f, inputs[i], BYTES), IA_SIG_NOT_LIST);
    }
}

static void test_refuses_too_much(void **state)
{
    const char *inputs = INPUT, *values = BYTES;
    fixture f;
    char *text;

    start(&f, state);
    for (unsigned i = 2; i <= IA_HTTPSIG_SIGNATURES_MAX; i++) {
        inputs = apr_psprintf(f.p, "%s, s%u=()", inputs, i);
        values = apr_psprintf(f.p, "%s, s%u=::", values, i);
    }
    assert_result(read_fields(&f, inputs, values), IA_OK);
    assert_result(read_fields(&f, apr_pstrcat(f.p, inputs, ", z=()", NULL), apr_pstrcat(f.p, values, ", z=::", NULL)),
                  IA_SIG_LIMIT);
    text = apr_palloc(f.p, IA_HTTPSIG_FIELD_MAX + 64);
    memset(text, 'A', IA_HTTPSIG_FIELD_MAX + 63);
    memcpy(text, "sig1=:", 6);
    text[IA_HTTPSIG_FIELD_MAX] = ':';
    text[IA_HTTPSIG_FIELD_MAX + 1] = '\0';
    assert_result(read_fields(&f, INPUT, text), IA_SIG_LIMIT);
    text = apr_pstrdup(f.p, "sig1=(");
    for (unsigned i = 0; i <= IA_HTTPSIG_COMPONENTS_MAX; i++) {
        text = apr_psprintf(f.p, "%s \"a%u\"", text, i);
    }
    assert_result(read_fields(&f, apr_pstrcat(f.p, text, ")", NULL), BYTES), IA_SIG_LIMIT);
    text = apr_pstrdup(f.p, "sig1=()");
    for (unsigned i = 0; i <= IA_HTTPSIG_PARAMETERS_MAX; i++) {
        text = apr_psprintf(f.p, "%s;a%u", text, i);
    }
    assert_result(read_fields(&f, text, BYTES), IA_SIG_LIMIT);
}

static void test_refuses_control_characters(void **state)
{
    static const char *const inputs[] = {"sig1=()\n", "sig1=()\x7f", "sig1=();a=\"\xc3\xa9\"", "sig1=(\"a\x01\")"};
    fixture f;

    start(&f, state);
    for (size_t i = 0; i < COUNT_OF(inputs); i++) {
        assert_result(read_fields(&f, inputs[i], BYTES), IA_SIG_CHARACTERS);
    }
}

static void test_refuses_parameters_of_another_type(void **state)
{
    static const char *const parameters[] = {
        "nonce=1", "nonce", "alg=ed25519", "keyid=:AAAA:", "tag=?1", "keyid=k", "nonce=%\"n\""};
    fixture f;

    start(&f, state);
    for (size_t i = 0; i < COUNT_OF(parameters); i++) {
        assert_result(read_fields(&f, apr_pstrcat(f.p, "sig1=();", parameters[i], NULL), BYTES),
                      IA_SIG_PARAMETER_MALFORMED);
    }
}

static void test_refuses_what_is_no_time(void **state)
{
    static const char *const values[] = {"",    "=\"1\"", "=1.0",          "=1618884473.5",   "=-1",
                                         "=@1", "=?1",    "=253402300800", "=999999999999999"};
    fixture f;

    start(&f, state);
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        assert_result(read_fields(&f, apr_pstrcat(f.p, "sig1=();created", values[i], NULL), BYTES),
                      IA_SIG_TIME_MALFORMED);
        assert_result(read_fields(&f, apr_pstrcat(f.p, "sig1=();expires", values[i], NULL), BYTES),
                      IA_SIG_TIME_MALFORMED);
    }
}

static void test_refuses_expiry_before_creation(void **state)
{
    fixture f;

    start(&f, state);
    assert_result(read_fields(&f, "sig1=();created=10;expires=9", BYTES), IA_SIG_EXPIRES_EARLY);
    assert_result(read_fields(&f, "sig1=();expires=9;created=10", BYTES), IA_SIG_EXPIRES_EARLY);
    assert_result(read_fields(&f, "sig1=();created=10;expires=10", BYTES), IA_OK);
    assert_result(read_fields(&f, "sig1=();expires=10", BYTES), IA_OK);
}

static void test_refuses_overlong_nonces(void **state)
{
    char nonce[IA_HTTPSIG_NONCE_MAX + 2];
    fixture f;

    start(&f, state);
    memset(nonce, 'n', sizeof nonce);
    nonce[IA_HTTPSIG_NONCE_MAX] = '\0';
    assert_result(read_fields(&f, apr_psprintf(f.p, "sig1=();nonce=\"%s\"", nonce), BYTES), IA_OK);
    assert_result(read_fields(&f, apr_psprintf(f.p, "sig1=();nonce=\"%sn\"", nonce), BYTES), IA_SIG_NONCE_LONG);
    assert_result(read_fields(&f, "sig1=();nonce=\"\"", BYTES), IA_SIG_NONCE_LONG);
}

/* --- the choice --- */

static void test_chooses_by_label_tag_and_keyid(void **state)
{
    fixture f;
    ia_httpsig_minted one, two;

    start(&f, state);
    assert_result(ia_httpsig_mint(&one, f.p, &f.message, &f.plan, &f.key), IA_OK);
    f.plan.label = "proxy";
    f.plan.tag = "hop";
    f.plan.keyid = "proxy#1";
    assert_result(ia_httpsig_mint(&two, f.p, &f.message, &f.plan, &f.key), IA_OK);
    put(&f, apr_pstrcat(f.p, two.input, ", ", one.input, NULL),
        apr_pstrcat(f.p, one.signature, ",", two.signature, NULL));
    assert_result(verify(&f), IA_SIG_AMBIGUOUS);
    assert_null(f.chosen);
    f.policy.label = "sig1";
    assert_result(verify(&f), IA_OK);
    f.policy.tag = "hop";
    assert_result(verify(&f), IA_SIG_TAG_ABSENT);
    f.policy.label = "sig2";
    assert_result(verify(&f), IA_SIG_LABEL_ABSENT);
    f.policy.label = NULL;
    f.policy.tag = NULL;
    f.policy.keyid = KEYID;
    assert_result(verify(&f), IA_OK);
    assert_true(ia_sfv_text_is(&f.chosen->label, "sig1"));
    f.policy.keyid = "nobody";
    f.asked = 0;
    assert_result(verify(&f), IA_SIG_KEY_UNKNOWN);
    assert_int_equal(f.asked, 0);
}

/* What another signature covers is not our business, as long as the fields can be read. */
static void test_other_signatures_may_be_strange(void **state)
{
    fixture f;

    start(&f, state);
    sign(&f);
    put(&f, apr_pstrcat(f.p, f.fields[3].value, ", other=(\"@unknown\" \"x-missing\";tr)", NULL),
        apr_pstrcat(f.p, f.fields[4].value, ", other=::", NULL));
    f.policy.label = "sig1";
    assert_result(verify(&f), IA_OK);
    f.policy.label = "other";
    assert_result(verify(&f), IA_SIG_COMPONENT_UNKNOWN);
    assert_int_equal(f.asked, 1);
}

/* --- keys --- */

static void test_refuses_without_keyid(void **state)
{
    fixture f;

    start(&f, state);
    f.plan.keyid = NULL;
    sign(&f);
    assert_result(verify(&f), IA_SIG_KEYID_MISSING);
    assert_int_equal(f.asked, 0);
}

/* What the look-up says stands, whether or not it gave a key to verify with. */
static void test_refuses_what_the_look_up_refuses(void **state)
{
    static const ia_result refusals[] = {IA_SIG_KEY_UNKNOWN, IA_FAULT_REGISTRY};
    fixture f;

    start(&f, state);
    sign(&f);
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        f.found = refusals[i];
        f.key.secret = &f.secret;
        assert_result(verify(&f), refusals[i]);
        assert_int_equal(f.chosen->algorithm, IA_ALGORITHM_NONE);
        f.key.secret = NULL;
        assert_result(verify(&f), refusals[i]);
    }
    assert_int_equal(f.nonces, 0);
    f.found = IA_OK;
    assert_result(verify(&f), IA_FAULT_REGISTRY);
}

static void test_refuses_two_kinds_of_key_at_once(void **state)
{
    fixture f;
    ia_key *key;

    start(&f, state);
    sign(&f);
    assert_result(ia_key_create_from_pem(&key, ED25519_PRIVATE, strlen(ED25519_PRIVATE), IA_ALGORITHM_NONE), IA_OK);
    f.key.key = key;
    assert_result(verify(&f), IA_FAULT_REGISTRY);
    ia_key_unref(key);
}

static void test_refuses_keys_outside_their_dates(void **state)
{
    fixture f;

    start(&f, state);
    sign(&f);
    f.key.not_before = NOW + 1;
    assert_result(verify(&f), IA_SIG_KEY_EARLY);
    f.key.not_before = NOW;
    f.key.not_after = NOW;
    assert_result(verify(&f), IA_SIG_KEY_EXPIRED);
    f.key.not_after = NOW + 1;
    assert_result(verify(&f), IA_OK);
}

static void test_refuses_another_algorithm(void **state)
{
    static const char *const names[] = {"ed25519", "rsa-pss-sha512", "HMAC-SHA256", "hmac-sha256 ", "", "none"};
    fixture f;

    start(&f, state);
    sign(&f);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        put(&f, apr_pstrcat(f.p, f.fields[3].value, ";alg=\"", names[i], "\"", NULL), f.fields[4].value);
        assert_result(verify(&f), IA_SIG_ALG_MISMATCH);
        sign(&f);
    }
    f.policy.algorithms = 1u << IA_ALGORITHM_ED25519 | 1u << IA_ALGORITHM_RSA_PSS;
    assert_result(verify(&f), IA_SIG_ALG_NOT_ALLOWED);
}

/* The confusion of old: signed with HMAC under the bytes of the public key, sent under that key's id. */
static void test_refuses_hmac_with_public_key_bytes(void **state)
{
    fixture f;
    ia_key *key;

    start(&f, state);
    assert_result(ia_key_create_from_pem(&key, ED25519_PRIVATE, strlen(ED25519_PRIVATE), IA_ALGORITHM_NONE), IA_OK);
    assert_result(ia_mac_key_load(&f.secret, ia_key_public(key)->bytes, 32), IA_OK);
    sign(&f);
    f.key.secret = NULL;
    f.key.key = key;
    assert_result(verify(&f), IA_SIG_LENGTH);
    f.key.secret = &f.secret;
    f.key.key = NULL;
    f.plan.names_algorithm = 1;
    sign(&f);
    f.key.secret = NULL;
    f.key.key = key;
    assert_result(verify(&f), IA_SIG_ALG_MISMATCH);
    ia_key_unref(key);
}

static void test_refuses_wrong_signatures(void **state)
{
    fixture f;
    ia_key *key;

    start(&f, state);
    sign(&f);
    put(&f, f.fields[3].value, "sig1=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:");
    assert_result(verify(&f), IA_SIG_MISMATCH);
    put(&f, f.fields[3].value, "sig1=:AAAAAAAAAAAAAAAAAAAAAA==:"); /* truncated */
    assert_result(verify(&f), IA_SIG_LENGTH);
    put(&f, f.fields[3].value, "sig1=::");
    assert_result(verify(&f), IA_SIG_LENGTH);
    assert_result(ia_key_create_from_pem(&key, P256_PRIVATE, strlen(P256_PRIVATE), IA_ALGORITHM_NONE), IA_OK);
    f.key.secret = NULL;
    f.key.key = key;
    put(&f, f.fields[3].value,
        "sig1=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==:");
    assert_result(verify(&f), IA_SIG_SCALAR);
    assert_int_equal(f.nonces, 0);
    ia_key_unref(key);
}

/* Which of them it was is for the log alone. */
static void test_responses_before_a_signature_are_uniform(void **state)
{
    static const ia_result early[] = {IA_SIG_KEYID_MISSING, IA_SIG_KEY_UNKNOWN,  IA_SIG_KEY_EXPIRED,
                                      IA_SIG_KEY_EARLY,     IA_SIG_ALG_MISMATCH, IA_SIG_ALG_NOT_ALLOWED,
                                      IA_SIG_LENGTH,        IA_SIG_SCALAR,       IA_SIG_MISMATCH};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(early); i++) {
        const ia_outcome *row = ia_outcome_of(early[i]);

        assert_string_equal(row->code, "invalid_signature");
        assert_string_equal(row->title, "Invalid signature");
        assert_int_equal(row->status, 401);
        assert_int_equal(row->auth_hint, IA_AUTH_HINT_FRESH);
    }
}

/* --- time, nonces --- */

static void test_refuses_without_creation_time(void **state)
{
    fixture f;

    start(&f, state);
    f.plan.created = 0;
    sign(&f);
    assert_result(verify(&f), IA_SIG_CREATED_MISSING);
    assert_int_equal(f.nonces, 0);
}

static void test_time_window(void **state)
{
    const apr_time_t created = apr_time_from_sec(CREATED), skew = apr_time_from_sec(5), age = apr_time_from_sec(60);
    fixture f;

    start(&f, state);
    sign(&f);
    assert_result(verify_at(&f, created - skew - 1), IA_SIG_CREATED_FUTURE);
    assert_result(verify_at(&f, created - skew), IA_OK);
    assert_result(verify_at(&f, created + age + skew), IA_OK);
    assert_result(verify_at(&f, created + age + skew + 1), IA_SIG_CREATED_OLD);
    f.policy.max_age = 0;
    assert_result(verify_at(&f, created + 1000 * age), IA_OK);
    assert_true(f.until == APR_INT64_MAX);
}

static void test_expiry(void **state)
{
    fixture f;

    start(&f, state);
    f.plan.expires = CREATED + 20;
    sign(&f);
    assert_result(verify_at(&f, apr_time_from_sec(CREATED + 20)), IA_OK);
    assert_int_equal(f.until, apr_time_from_sec(CREATED + 65));
    assert_result(verify_at(&f, apr_time_from_sec(CREATED + 20) + 1), IA_SIG_EXPIRED);
    f.plan.expires = CREATED + 1000;
    sign(&f);
    assert_result(verify(&f), IA_OK);
    assert_int_equal(f.until, apr_time_from_sec(CREATED + 1000));
    assert_result(verify_at(&f, apr_time_from_sec(CREATED + 100)), IA_SIG_CREATED_OLD);
    f.policy.max_age = 0;
    assert_result(verify(&f), IA_OK);
    assert_int_equal(f.until, apr_time_from_sec(CREATED + 1000));
}

static void test_nonces(void **state)
{
    fixture f;

    start(&f, state);
    f.policy.needs_nonce = 1;
    f.plan.nonce = NULL;
    sign(&f);
    assert_result(verify(&f), IA_SIG_NONCE_MISSING);
    f.policy.needs_nonce = 0;
    assert_result(verify(&f), IA_OK);
    assert_int_equal(f.nonces, 0);
    f.plan.nonce = "n-1";
    f.nonce_result = IA_SIG_NONCE_REPLAYED;
    sign(&f);
    assert_result(verify(&f), IA_SIG_NONCE_REPLAYED);
    f.nonce_result = IA_REPLAYS_FULL;
    assert_result(verify(&f), IA_REPLAYS_FULL);
    assert_int_equal(f.nonces, 2);
    f.ports.use_nonce = NULL;
    assert_result(verify(&f), IA_OK);
}

/* Before the signature verified, no nonce is recorded and no policy is reported. */
static void test_order_of_refusals(void **state)
{
    static const char *const uncovered[] = {"@method", "accept"};
    fixture f;
    const char *input;

    start(&f, state);
    sign(&f);
    input = f.fields[3].value;
    f.policy.required = uncovered;
    f.policy.required_count = COUNT_OF(uncovered);
    f.nonce_result = IA_SIG_NONCE_REPLAYED;
    put(&f, input, "sig1=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:");
    assert_result(verify_at(&f, NOW + apr_time_from_sec(1000)), IA_SIG_MISMATCH);
    sign(&f);
    assert_result(verify_at(&f, NOW + apr_time_from_sec(1000)), IA_SIG_CREATED_OLD);
    assert_int_equal(f.nonces, 0);
    assert_result(verify(&f), IA_SIG_NONCE_REPLAYED);
    f.nonce_result = IA_OK;
    assert_result(verify(&f), IA_SIG_COMPONENT_MISSING);
}

/* --- policy --- */

static void test_refuses_missing_components(void **state)
{
    fixture f;

    start(&f, state);
    for (unsigned i = 0; i < COUNT_OF(cover); i++) {
        const char *some[COUNT_OF(cover)];
        unsigned count = 0;

        for (unsigned j = 0; j < COUNT_OF(cover); j++) {
            if (j != i) {
                some[count++] = cover[j];
            }
        }
        f.plan.components = some;
        f.plan.component_count = count;
        sign(&f);
        assert_result(verify(&f), IA_SIG_COMPONENT_MISSING);
        f.policy.required_count = 0;
        assert_result(verify(&f), strcmp(cover[i], "content-digest") == 0 ? IA_SIG_DIGEST_UNCOVERED : IA_OK);
        f.policy.has_body = 0;
        assert_result(verify(&f), IA_OK);
        f.policy.required_count = COUNT_OF(cover);
        f.policy.has_body = 1;
    }
}

/* One member of a dictionary is not the field; a target URI is all of its parts. */
static void test_what_covers_what(void **state)
{
    static const char *const whole[] = {"@method", "@target-uri", "\"content-digest\";sf", "\"content-type\";bs"};
    static const char *const target[] = {"@method", "@authority", "@request-target", "content-digest", "content-type"};
    static const char *const part[] = {"@method", "@target-uri", "\"content-digest\";key=\"sha-256\"", "content-type"};
    static const char *const less[] = {"@method", "@request-target", "content-digest", "content-type"};
    fixture f;

    start(&f, state);
    f.plan.components = whole;
    f.plan.component_count = COUNT_OF(whole);
    sign(&f);
    assert_result(verify(&f), IA_OK);
    assert_true(ia_httpsig_covers(f.chosen, "@path"));
    assert_false(ia_httpsig_covers(f.chosen, "@request-target"));
    assert_false(ia_httpsig_covers(f.chosen, "host"));
    f.plan.components = target;
    f.plan.component_count = COUNT_OF(target);
    sign(&f);
    assert_result(verify(&f), IA_OK);
    f.plan.components = part;
    f.plan.component_count = COUNT_OF(part);
    sign(&f);
    assert_result(verify(&f), IA_SIG_COMPONENT_MISSING);
    f.policy.required_count = 0;
    assert_result(verify(&f), IA_SIG_DIGEST_UNCOVERED);
    f.policy.required_count = COUNT_OF(cover);
    f.plan.components = less;
    f.plan.component_count = COUNT_OF(less);
    sign(&f);
    assert_result(verify(&f), IA_SIG_COMPONENT_MISSING);
}

/* --- responses --- */

static void test_responses(void **state)
{
    static const char *const components[] = {"@status", "content-digest", "\"@method\";req", "\"@path\";req",
                                             "\"signature\";req;key=\"sig1\""};
    static const char *const required[] = {"@status", "content-digest"}, *const only_req[] = {"@method"};
    fixture f;
    ia_httpsig_message request;
    ia_httpsig_field fields[8];

    start(&f, state);
    sign(&f);
    request = f.message;
    memcpy(fields, f.fields, sizeof fields);
    request.fields = fields;
    f.message.method = f.message.scheme = f.message.authority = f.message.target = NULL;
    f.message.status = 200;
    f.message.request = &request;
    f.plan.components = components;
    f.plan.component_count = COUNT_OF(components);
    f.policy.required = required;
    f.policy.required_count = COUNT_OF(required);
    sign(&f);
    assert_result(verify(&f), IA_OK);
    f.policy.required = only_req;
    f.policy.required_count = 1;
    assert_result(verify(&f), IA_SIG_COMPONENT_MISSING);
    f.policy.required_count = 0;
    f.message.status = 201;
    assert_result(verify(&f), IA_SIG_MISMATCH);
    f.message.status = 200;
    request.method = "PUT";
    assert_result(verify(&f), IA_SIG_MISMATCH);
    f.message.request = NULL;
    assert_result(verify(&f), IA_SIG_REQ_MISUSED);
}

/* --- making --- */

static void test_minted_text(void **state)
{
    fixture f;
    ia_httpsig_minted minted;

    start(&f, state);
    f.plan.expires = CREATED + 60;
    f.plan.names_algorithm = 1;
    f.plan.tag = "a \"tag\"";
    assert_result(ia_httpsig_mint(&minted, f.p, &f.message, &f.plan, &f.key), IA_OK);
    assert_string_equal(
        minted.input, "sig1=(\"@method\" \"@authority\" \"@path\" \"@query\" \"content-digest\" "
                      "\"content-type\");created=1618884473;"
                      "expires=1618884533;nonce=\"n-1\";alg=\"hmac-sha256\";keyid=\"shop#2024\";tag=\"a \\\"tag\\\"\"");
}

static void test_refuses_to_make_nonsense(void **state)
{
    static const struct {
        const char *component;
        ia_result expected;
    } cases[] = {{"Host", IA_SIG_COMPONENT_CASE},     {"", IA_SIG_COMPONENT_NAME},
                 {"@none", IA_SIG_COMPONENT_UNKNOWN}, {"x-missing", IA_SIG_FIELD_MISSING},
                 {"\"host", IA_SIG_MALFORMED},        {"\"host\" x", IA_SIG_MALFORMED},
                 {"\"host\";tr", IA_SIG_TRAILER},     {"@method", IA_SIG_COMPONENT_REPEATED},
                 {"@status", IA_SIG_STATUS_MISUSED}};
    static const char *const labels[] = {"", "Sig", "a b", "1"};
    const char *components[2] = {"@method", NULL};
    ia_httpsig_minted minted;
    fixture f;

    start(&f, state);
    f.plan.components = components;
    f.plan.component_count = 2;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        components[1] = cases[i].component;
        assert_result(ia_httpsig_mint(&minted, f.p, &f.message, &f.plan, &f.key), cases[i].expected);
        assert_null(minted.input);
        assert_null(minted.signature);
    }
    f.plan.component_count = 1;
    for (size_t i = 0; i < COUNT_OF(labels); i++) {
        f.plan.label = labels[i];
        assert_result(ia_httpsig_mint(&minted, f.p, &f.message, &f.plan, &f.key), IA_SIG_MALFORMED);
    }
    f.plan.label = NULL;
    assert_result(ia_httpsig_mint(&minted, f.p, &f.message, &f.plan, &f.key), IA_SIG_MALFORMED);
    f.plan.label = "sig1";
    f.plan.nonce = "line\nbreak";
    assert_result(ia_httpsig_mint(&minted, f.p, &f.message, &f.plan, &f.key), IA_SIG_MALFORMED);
    f.key.secret = NULL;
    assert_result(ia_httpsig_mint(&minted, f.p, &f.message, &f.plan, &f.key), IA_FAULT_INTERNAL);
}

static void test_accept_signature(void **state)
{
    static const char *const components[] = {"@method", "\"content-digest\";req"};
    const ia_httpsig_plan plan = {
        "sig1", components, 2,
        1,      1,          "e8N7S2MFd/qrd6T2R3tdfAuuANngKI7LFtKYI/vowzk4IAZyadIX6wW25MwG7DCT9RUKAJ0qVkU0mEeLElW1qg==",
        "k",    "app-123",  1};
    const ia_httpsig_plan bare = {"s", NULL, 0, 0, 0, NULL, NULL, NULL, 0},
                          bad = {"S", NULL, 0, 0, 0, NULL, NULL, NULL, 0};
    char *text;

    assert_result(ia_httpsig_format_accept(&text, *state, &plan, IA_ALGORITHM_ED25519), IA_OK);
    assert_string_equal(
        text, "sig1=(\"@method\" "
              "\"content-digest\";req);created;expires;nonce=\"e8N7S2MFd/qrd6T2R3tdfAuuANngKI7LFtKYI/"
              "vowzk4IAZyadIX6wW25MwG7DCT9RUKAJ0qVkU0mEeLElW1qg==\";alg=\"ed25519\";keyid=\"k\";tag=\"app-123\"");
    assert_result(ia_httpsig_format_accept(&text, *state, &bare, IA_ALGORITHM_NONE), IA_OK);
    assert_string_equal(text, "s=()");
    assert_result(ia_httpsig_format_accept(&text, *state, &bad, IA_ALGORITHM_NONE), IA_SIG_MALFORMED);
    assert_null(text);
}

/* --- every byte --- */

/* Changes each byte of a text in turn, in several ways; none may verify. `same` tells changes that mean
 * nothing. */
static unsigned flip(fixture *f, const char **slot, int (*same)(const char *before, const char *after))
{
    static const unsigned char masks[] = {0x01, 0x02, 0x20, 0x40};
    const char *original = *slot;
    unsigned count = 0;

    for (size_t i = 0; original[i] != '\0'; i++) {
        for (size_t m = 0; m < COUNT_OF(masks); m++) {
            char *changed = apr_pstrdup(f->p, original);

            changed[i] = (char)(changed[i] ^ masks[m]);
            if (changed[i] == '\0' || (same && same(original, changed))) {
                continue;
            }
            *slot = changed;
            assert_int_not_equal(verify(f), IA_OK);
            count++;
        }
    }
    *slot = original;
    return count;
}

/* Host names mean the same in either case. */
static int same_host(const char *before, const char *after)
{
    return strcasecmp(before, after) == 0;
}

static int same_trimmed(const char *before, const char *after)
{
    (void)before;
    return *after == '\t';
}

static void test_no_changed_byte_verifies(void **state)
{
    static const char *const pems[] = {NULL, ED25519_PRIVATE};

    for (size_t i = 0; i < COUNT_OF(pems); i++) {
        ia_key *key = NULL;
        fixture f;
        unsigned count = 0;

        start(&f, state);
        f.ports.use_nonce = NULL;
        if (pems[i]) {
            assert_result(ia_key_create_from_pem(&key, pems[i], strlen(pems[i]), IA_ALGORITHM_NONE), IA_OK);
            f.key.secret = NULL;
            f.key.key = key;
        }
        f.plan.expires = CREATED + 30;
        sign(&f);
        assert_result(verify(&f), IA_OK);
        f.ports.find_key = find_key;
        count += flip(&f, &f.message.method, NULL);
        count += flip(&f, &f.message.authority, same_host);
        count += flip(&f, &f.message.target, NULL);
        count += flip(&f, &f.fields[1].value, same_trimmed); /* content-type */
        count += flip(&f, &f.fields[2].value, same_trimmed); /* content-digest */
        count += flip(&f, &f.fields[4].value, NULL);         /* signature */
        assert_result(verify(&f), IA_OK);
        assert_true(count > 500);
        ia_key_unref(key);
    }
}

static ia_result find_any(void *context, ia_httpsig_key *out, const ia_httpsig *signature)
{
    (void)signature;
    *out = ((fixture *)context)->key;
    return IA_OK;
}

/* The same of Signature-Input, under a look-up that gives the right key for any keyid. */
static void test_no_changed_input_verifies(void **state)
{
    fixture f;

    start(&f, state);
    f.ports.find_key = find_any;
    f.ports.use_nonce = NULL;
    f.policy.required_count = 0;
    f.policy.has_body = 0;
    f.policy.max_age = 0;
    f.plan.names_algorithm = 1;
    sign(&f);
    assert_result(verify(&f), IA_OK);
    assert_true(flip(&f, &f.fields[3].value, same_trimmed) > 500);
    assert_result(verify(&f), IA_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pool_test(test_signed_and_verified),
        pool_test(test_judged_again),
        pool_test(test_target_uri_as_received_or_normalized),
        pool_test(test_every_algorithm),
        pool_test(test_refuses_no_signature),
        pool_test(test_refuses_malformed_fields),
        pool_test(test_refuses_unpaired_labels),
        pool_test(test_refuses_repeated_labels),
        pool_test(test_refuses_what_is_no_byte_sequence),
        pool_test(test_refuses_what_is_no_inner_list),
        pool_test(test_refuses_too_much),
        pool_test(test_refuses_control_characters),
        pool_test(test_refuses_parameters_of_another_type),
        pool_test(test_refuses_what_is_no_time),
        pool_test(test_refuses_expiry_before_creation),
        pool_test(test_refuses_overlong_nonces),
        pool_test(test_chooses_by_label_tag_and_keyid),
        pool_test(test_other_signatures_may_be_strange),
        pool_test(test_refuses_without_keyid),
        pool_test(test_refuses_what_the_look_up_refuses),
        pool_test(test_refuses_two_kinds_of_key_at_once),
        pool_test(test_refuses_keys_outside_their_dates),
        pool_test(test_refuses_another_algorithm),
        pool_test(test_refuses_hmac_with_public_key_bytes),
        pool_test(test_refuses_wrong_signatures),
        pool_test(test_responses_before_a_signature_are_uniform),
        pool_test(test_refuses_without_creation_time),
        pool_test(test_time_window),
        pool_test(test_expiry),
        pool_test(test_nonces),
        pool_test(test_order_of_refusals),
        pool_test(test_refuses_missing_components),
        pool_test(test_what_covers_what),
        pool_test(test_responses),
        pool_test(test_minted_text),
        pool_test(test_refuses_to_make_nonsense),
        pool_test(test_accept_signature),
        pool_test(test_no_changed_byte_verifies),
        pool_test(test_no_changed_input_verifies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
