/*
 * Signatures and keys against Project Wycheproof (ECDSA P-256 in its wire form, Ed25519, RSA-PSS with SHA-512
 * and a salt of 64 bytes, JSON Web Keys) and the cookbook of JOSE (RFC 7520, 8037), below the directory that
 * INTERAUTH_VECTORS names. Every case counts; where we decide otherwise than the file, `differences` says
 * why.
 */
#include "interauth/sign.h"
#include "vectors.h"

#define JWS_PARTS 3

static unsigned failures;

static void expect(int truth, const char *name, apr_int64_t id, const char *what)
{
    if (!truth) {
        fprintf(stderr, "%s %d: %s\n", name, (int)id, what);
        failures++;
    }
}

/* What the files call valid and we refuse, or the other way round. */
static const struct {
    const char *file;
    int id;
    int accepted;
    const char *reason;
} differences[] = {
    {"json_web_key", 1, 1, "secrets beside public keys: a question of the key set, here each key is loaded alone"},
    {"json_web_key", 4, 1, "two keys with one kid: again of the set; the registry refuses it"},
    {"json_web_key", 14, 0, "HS384 is not among our algorithms"},
    {"json_web_key", 15, 0, "HS512 is not among our algorithms"},
};
#define DIFFERENCES (sizeof differences / sizeof differences[0])

static int wanted(const char *file, const ia_json *test)
{
    apr_int64_t id = ia_json_member(test, "tcId")->integer;
    const char *result = member_string(test, "result");
    unsigned i;

    if (strcmp(result, "valid") != 0 && strcmp(result, "invalid") != 0) {
        die(file, "a result that this test does not know");
    }
    for (i = 0; i < DIFFERENCES; i++) {
        if (strcmp(differences[i].file, file) == 0 && differences[i].id == id) {
            printf("%s %d: %s\n", file, (int)id, differences[i].reason);
            return differences[i].accepted;
        }
    }
    return strcmp(result, "valid") == 0;
}

/* A key that its JWK, its PEM and its own numbers describe alike. */
static ia_key *load_public(const char *file, const ia_json *group)
{
    const ia_json *jwk = ia_json_member(group, "publicKeyJwk");
    const char *pem = member_string(group, "publicKeyPem");
    ia_key_raw raw, again;
    ia_key *key;

    if (ia_key_from_pem(&raw, pem, strlen(pem), IA_ALGORITHM_NONE) != IA_OK || ia_key_create(&key, &raw) != IA_OK) {
        die(file, "a key is refused");
    }
    if (jwk != NULL && (ia_key_from_jwk(&again, jwk) != IA_OK || memcmp(&raw, &again, sizeof raw) != 0)) {
        die(file, "PEM and JWK differ");
    }
    return key;
}

static void run_signatures(apr_pool_t *p, const char *file, const char *path, unsigned least)
{
    const ia_json *document = load(p, path), *group, *test;
    unsigned count = 0, accepted = 0;

    for (group = ia_json_member(document, "testGroups")->first; group != NULL; group = group->next) {
        ia_key *key = load_public(file, group);

        for (test = ia_json_member(group, "tests")->first; test != NULL; test = test->next, count++) {
            apr_size_t len, message_len;
            unsigned char *signature = member_hex(test, "sig", &len), *message = member_hex(test, "msg", &message_len);
            ia_result rc = ia_signature_verify(key, message, message_len, signature, len);

            accepted += rc == IA_OK;
            expect((rc == IA_OK) == wanted(file, test), file, ia_json_member(test, "tcId")->integer,
                   ia_outcome_of(rc)->tag);
            expect(rc >= 0, file, ia_json_member(test, "tcId")->integer, "a fault");
            free(signature);
            free(message);
        }
        ia_key_unref(key);
    }
    printf("%s: %u cases, %u valid\n", file, count, accepted);
    expect(count >= least && accepted > 0 && accepted < count, file, 0, "too few cases ran");
}

/* The three parts of a compact JWS. */
static void split(apr_pool_t *p, const char *jws, const char *parts[JWS_PARTS])
{
    char *rest = apr_pstrdup(p, jws);
    unsigned i;

    for (i = 0; i < JWS_PARTS; i++) {
        parts[i] = rest;
        rest += strcspn(rest, ".");
        if (*rest != '\0') {
            *rest++ = '\0';
        }
    }
}

static const ia_json *read_header(apr_pool_t *p, const char *text)
{
    unsigned char bytes[1024];
    const ia_json *header;
    apr_size_t len;

    if (ia_base64url_decode(bytes, sizeof bytes, &len, text, strlen(text)) != IA_OK ||
        ia_json_parse(&header, p, (const char *)bytes, len, 100, NULL) != IA_OK) {
        die("jws", "a header cannot be understood");
    }
    return header;
}

/* Does this JWK make this signature good? The algorithm is the key's; the header must name the same. */
static ia_result verify_with(const ia_json *jwk, const char *alg, const char *input, const unsigned char *signature,
                             apr_size_t len)
{
    ia_mac_key secret;
    ia_key_raw raw;
    ia_key *key;
    ia_result rc;

    if (strcmp(member_string(jwk, "kty"), "oct") == 0) {
        rc = ia_key_secret_from_jwk(&secret, jwk);
        if (rc == IA_OK && strcmp(alg, "HS256") != 0) {
            rc = IA_SIG_ALG_MISMATCH;
        }
        return rc == IA_OK ? ia_signature_verify_mac(&secret, input, strlen(input), signature, len) : rc;
    }
    if (ia_json_member(jwk, "d") != NULL) {
        rc = ia_key_create_from_jwk(&key, jwk, IA_ALGORITHM_NONE);
    } else {
        rc = ia_key_from_jwk(&raw, jwk);
        if (rc == IA_OK) {
            rc = ia_key_create(&key, &raw);
        }
    }
    if (rc != IA_OK) {
        return rc;
    }
    rc = ia_signature_verify(key, input, strlen(input), signature, len);
    ia_key_unref(key);
    return rc;
}

static void run_jwk(apr_pool_t *p, const char *path, unsigned least)
{
    static const char file[] = "json_web_key";
    const ia_json *group, *test, *keys, *jwk;
    unsigned count = 0, accepted = 0;

    for (group = ia_json_member(load(p, path), "testGroups")->first; group != NULL; group = group->next) {
        keys = ia_json_member(group, ia_json_member(group, "public") != NULL ? "public" : "private");
        for (test = ia_json_member(group, "tests")->first; test != NULL; test = test->next, count++) {
            const char *parts[JWS_PARTS], *input;
            unsigned char signature[IA_SIGNATURE_MAX];
            const ia_json *header;
            apr_size_t len;
            ia_result rc = IA_SIG_KEY_UNKNOWN;

            split(p, member_string(test, "jws"), parts);
            header = read_header(p, parts[0]);
            input = apr_pstrcat(p, parts[0], ".", parts[1], NULL);
            if (ia_base64url_decode(signature, sizeof signature, &len, parts[2], strlen(parts[2])) != IA_OK) {
                die(file, "a signature is not base64url");
            }
            for (jwk = ia_json_member(keys, "keys")->first; jwk != NULL && rc != IA_OK; jwk = jwk->next) {
                if (strcmp(member_string(jwk, "kid"), member_string(header, "kid")) == 0) {
                    rc = verify_with(jwk, member_string(header, "alg"), input, signature, len);
                }
            }
            printf("%s %d: %s\n", file, (int)ia_json_member(test, "tcId")->integer, ia_outcome_of(rc)->tag);
            accepted += rc == IA_OK;
            expect((rc == IA_OK) == wanted(file, test), file, ia_json_member(test, "tcId")->integer,
                   ia_outcome_of(rc)->tag);
        }
    }
    expect(count >= least && accepted > 0 && accepted < count, file, 0, "too few cases ran");
}

/* Signed examples: verified, and where the algorithm is deterministic, signed again. */
static void run_cookbook(apr_pool_t *p)
{
    static const struct {
        const char *path;
        ia_algorithm algorithm;
        ia_result outcome;
        int deterministic;
    } examples[] = {
        {"jose/jws/4_1.rsa_v15_signature.json", IA_ALGORITHM_RSA_V1_5, IA_OK, 1},
        {"jose/jws/4_2.rsa-pss_signature.json", IA_ALGORITHM_RSA_PSS, IA_SIG_MISMATCH, 0}, /* PS384 */
        {"jose/jws/4_3.ecdsa_signature.json", IA_ALGORITHM_NONE, IA_KEY_CURVE_UNKNOWN, 0}, /* P-521 */
        {"jose/jws/4_4.hmac-sha2_integrity_protection.json", IA_ALGORITHM_HMAC, IA_OK, 0},
        {"jose/jws/4_5.signature_with_detached_content.json", IA_ALGORITHM_HMAC, IA_OK, 0},
        {"jose/curve25519/jws.json", IA_ALGORITHM_ED25519, IA_OK, 1},
    };
    unsigned i;

    for (i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        const char *path = examples[i].path;
        const ia_json *document = load(p, path), *jwk = ia_json_member(ia_json_member(document, "input"), "key");
        const ia_json *signing = ia_json_member(document, "signing");
        const char *input = member_string(signing, "sig-input"), *sig = member_string(signing, "sig");
        unsigned char signature[IA_SIGNATURE_MAX], made[IA_SIGNATURE_MAX];
        apr_size_t len, made_len;
        ia_key *key = NULL;
        ia_result rc;

        if (ia_base64url_decode(signature, sizeof signature, &len, sig, strlen(sig)) != IA_OK) {
            die(path, "the signature is not base64url");
        }
        if (examples[i].algorithm == IA_ALGORITHM_HMAC) {
            rc = verify_with(jwk, "HS256", input, signature, len);
        } else {
            rc = ia_key_create_from_jwk(&key, jwk, examples[i].algorithm);
            if (rc == IA_OK) {
                rc = ia_signature_verify(key, input, strlen(input), signature, len);
            }
        }
        expect(rc == examples[i].outcome, path, 0, ia_outcome_of(rc)->tag);
        if (examples[i].deterministic && key != NULL) {
            expect(ia_signature_mint(made, &made_len, key, input, strlen(input)) == IA_OK && made_len == len &&
                       memcmp(made, signature, len) == 0,
                   path, 0, "another signature was made");
        }
        ia_key_unref(key);
    }
}

int main(void)
{
    apr_pool_t *p;

    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&p, NULL) != APR_SUCCESS) {
        die("pool", "no memory");
    }
    run_signatures(p, "ecdsa", "wycheproof/ecdsa_secp256r1_sha256_p1363_test.json", 262);
    run_signatures(p, "ed25519", "wycheproof/ed25519_test.json", 150);
    run_signatures(p, "rsa_pss", "wycheproof/rsa_pss_4096_sha512_mgf1_64_test.json", 179);
    run_jwk(p, "wycheproof/json_web_key_test.json", 26);
    run_cookbook(p);
    printf("%u wrong\n", failures);
    apr_terminate();
    return failures > 0;
}
