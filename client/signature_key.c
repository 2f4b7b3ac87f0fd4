/* Loads keys for message signatures from files. */
#include "signature_key.h"

#include <string.h>

#include <apr_strings.h>

#include "advice.h"
#include "credentials.h"
#include "files.h"
#include "interauth/encoding.h"
#include "interauth/json.h"
#include "say.h"

#define NODES_MAX 200

static int key_refuse(const char *path, ia_result rc)
{
    const char *means = advice_meaning(rc);

    if (rc < 0)
        return say_fault("%s: %s: %s", path, ia_outcome_of(rc)->tag, means);
    return say_refused("%s: %s: %s", path, ia_outcome_of(rc)->tag, means);
}

/* Wipes the parser's copies of private numbers. */
static void json_wipe(const ia_json *json)
{
    for (const ia_json *member = json ? json->first : NULL; member; member = member->next)
        if (member->type == IA_JSON_STRING)
            ia_wipe((void *)(apr_uintptr_t)member->string, member->string_len);
}

static ia_result private_load(signature_key *out, const char *text, apr_size_t len, const ia_json *jwk,
                              ia_algorithm algorithm)
{
    if (jwk)
        return ia_key_create_from_jwk(&out->key, jwk, algorithm);
    return ia_key_create_from_pem(&out->key, text, len, algorithm);
}

static ia_result public_load(signature_key *out, const char *text, apr_size_t len, const ia_json *jwk,
                             ia_algorithm algorithm)
{
    ia_key_raw raw;
    ia_result rc = jwk ? ia_key_from_jwk(&raw, jwk) : ia_key_from_pem(&raw, text, len, algorithm);

    if (rc == IA_OK && jwk && algorithm != IA_ALGORITHM_NONE)
        rc = ia_key_set_algorithm(&raw, algorithm);
    return rc == IA_OK ? ia_key_create(&out->key, &raw) : rc;
}

static ia_result names_take(signature_key *out, apr_pool_t *p, const ia_json *jwk)
{
    const char *kid = ia_json_member_string(jwk, "kid");
    char *text = apr_palloc(p, IA_BASE64URL_SIZE(IA_SHA256_LEN));
    unsigned char digest[IA_SHA256_LEN];
    ia_result rc = ia_key_thumbprint(digest, ia_key_public(out->key));

    if (rc != IA_OK)
        return rc;
    ia_base64url_encode(text, digest, sizeof digest);
    out->thumbprint = text;
    out->kid = kid ? apr_pstrdup(p, kid) : NULL;
    return IA_OK;
}

static ia_result text_load(signature_key *out, apr_pool_t *p, const char *text, apr_size_t len, int is_private,
                           ia_algorithm algorithm)
{
    const ia_json *jwk = NULL;
    ia_result rc = IA_OK;

    if (text[strspn(text, " \t\r\n")] == '{' && ia_json_parse(&jwk, p, text, len, NODES_MAX, NULL) != IA_OK)
        return IA_KEY_MALFORMED;
    rc = is_private ? private_load(out, text, len, jwk, algorithm) : public_load(out, text, len, jwk, algorithm);
    if (rc == IA_OK)
        rc = names_take(out, p, jwk);
    json_wipe(jwk);
    return rc;
}

static int file_load(signature_key *out, apr_pool_t *p, const char *path, int is_private, int algorithm)
{
    static const ia_algorithm choices[] = {IA_ALGORITHM_NONE, IA_ALGORITHM_RSA_PSS, IA_ALGORITHM_RSA_V1_5};
    apr_size_t len;
    char *text;
    ia_result result;
    int rc = file_read(&text, &len, p, path, IA_KEY_TEXT_MAX, FILE_PLAIN);

    if (rc != CL_OK)
        return rc;
    result = text_load(out, p, text, len, is_private, choices[algorithm]);
    ia_wipe(text, len);
    /* If a public key is named by mistake, its permissions do not matter. */
    if (is_private && result != IA_KEY_PUBLIC && (rc = file_care_check(path, FILE_SECRET)) != CL_OK) {
        signature_key_close(out);
        return rc;
    }
    if (result == IA_OK)
        return CL_OK;
    signature_key_close(out);
    return key_refuse(path, result);
}

static int key_load(signature_key *out, apr_pool_t *p, const char *key_file, const char *secret_file, int is_private,
                    int algorithm)
{
    memset(out, 0, sizeof *out);
    if (secret_file && algorithm)
        return say_usage("--algorithm applies to RSA keys; a shared secret is for hmac-sha256");
    if (secret_file)
        return secret_key_load(&out->secret, p, secret_file);
    return file_load(out, p, key_file, is_private, algorithm);
}

int signature_key_private(signature_key *out, apr_pool_t *p, const char *key_file, const char *secret_file,
                          int algorithm)
{
    return key_load(out, p, key_file, secret_file, 1, algorithm);
}

int signature_key_public(signature_key *out, apr_pool_t *p, const char *key_file, const char *secret_file,
                         int algorithm)
{
    return key_load(out, p, key_file, secret_file, 0, algorithm);
}

ia_httpsig_key signature_key_use(const signature_key *key)
{
    const ia_httpsig_key use = {key->key, key->key ? NULL : &key->secret, 0, 0};

    return use;
}

const char *signature_key_algorithm(const signature_key *key)
{
    return ia_algorithm_name(key->key ? ia_key_algorithm(key->key) : IA_ALGORITHM_HMAC);
}

void signature_key_close(signature_key *key)
{
    ia_key_unref(key->key);
    ia_wipe(key, sizeof *key);
}
