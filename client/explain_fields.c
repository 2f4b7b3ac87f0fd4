/* Explains the header fields that carry credentials or signatures. */
#include "explain_message.h"

#include <string.h>
#include <strings.h>

#include <apr_strings.h>
#include <curl/curl.h>

#include "interauth/authorization.h"
#include "interauth/digest.h"
#include "interauth/encoding.h"
#include "request_head.h"
#include "signature_text.h"

#define TOKEN_CHARACTERS "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

typedef struct meaning {
    const char *name, *text;
    int is_secret;
} meaning;

static const meaning parameters[] = {
    {"realm", "what the credentials are for", 0},
    {"nonce", "valid for one request", 1},
    {"nextnonce", "for the next request with this grant", 1},
    {"stale", "true if only the nonce was invalid: retry with the new nonce", 0},
    {"error", "code of the refusal", 0},
    {NULL, "a parameter of another scheme", 1},
};

static const meaning *meaning_of(const char *name)
{
    const meaning *one = parameters;

    while (one->name && strcasecmp(one->name, name) != 0)
        one++;
    return one;
}

/* A token or quoted string. @return NULL if the closing quote is missing */
static const char *value_take(apr_pool_t *p, const char **at)
{
    apr_size_t len = strcspn(*at, ", \t");
    char *value, *put;

    if (**at != '"') {
        *at += len;
        return apr_pstrmemdup(p, *at - len, len);
    }
    put = value = apr_palloc(p, strlen(*at));
    for (++*at; **at && **at != '"'; ++*at) {
        *at += **at == '\\' && (*at)[1];
        *put++ = **at;
    }
    *put = '\0';
    if (**at != '"')
        return NULL;
    ++*at;
    return value;
}

/* Schemes with their parameters: `scheme name=value, name="value", scheme ..`. @return 0 if malformed */
static int parameters_add(parts *all, const char *where, const char *at)
{
    for (at += strspn(at, ", \t"); *at; at += strspn(at, ", \t")) {
        apr_size_t len = strspn(at, TOKEN_CHARACTERS);
        const char *name = apr_pstrmemdup(all->p, at, len), *value;

        if (len == 0)
            return 0;
        at += len;
        if (*at != '=') {
            part_add(all, where, "scheme", name, "an accepted authentication scheme");
            continue;
        }
        at++;
        if (!(value = value_take(all->p, &at)))
            return 0;
        (meaning_of(name)->is_secret ? part_add_secret : part_add)(all, where, name, value, meaning_of(name)->text);
    }
    return 1;
}

static void schemes_add(parts *all, const char *where, const char *value)
{
    if (!parameters_add(all, where, value))
        part_add_error(all, where, "malformed", "not a list of schemes and parameters");
}

static void sauth_add(parts *all, const char *where, const char *value)
{
    ia_authorization found;
    char hex[IA_HEX_SIZE(IA_MAC_MAX)], nonce[IA_BASE64URL_SIZE(IA_NONCE_LEN)];
    ia_result rc = ia_authorization_parse(&found, value);

    if (rc != IA_OK) {
        part_add_refusal(all, where, rc, NULL);
        return;
    }
    ia_hex_encode(hex, found.mac, ia_hash_len(found.hash));
    part_add(all, where, "scheme", "SAuth",
             found.bare ? "a call without a nonce: the server tries the next nonces of the grant"
                        : "a call with a nonce");
    part_add_secret(all, where, "token", apr_pstrmemdup(all->p, found.token, found.token_len), "identifies the grant");
    part_add_secret(all, where, "hmac", hex,
                    found.hash == IA_HASH_SHA1 ? "HMAC-SHA-1 over token and nonce"
                                               : "HMAC-SHA-256 over token and nonce");
    ia_wipe(hex, sizeof hex);
    if (found.bare)
        return;
    ia_base64url_encode(nonce, found.nonce, sizeof found.nonce);
    part_add_secret(all, where, "nonce", nonce,
                    found.n_len == IA_NONCE_TEXT_LEN ? "valid once; the HMAC is over its text"
                                                     : "valid once; the HMAC is over its 16 bytes");
    ia_wipe(&found, sizeof found);
}

static void authorization_add(parts *all, const char *where, const char *value)
{
    apr_size_t len = strspn(value, TOKEN_CHARACTERS);

    if (ia_authorization_names_sauth(value)) {
        sauth_add(all, where, value);
        return;
    }
    part_add(all, where, "scheme", apr_pstrmemdup(all->p, value, len), "not a scheme of interauth");
    part_add_secret(all, where, "credentials", value + len + strspn(value + len, " \t"), "not examined");
}

static void date_add(parts *all, const char *where, const char *value)
{
    time_t when = curl_getdate(value, NULL);

    if (when == -1)
        part_add_error(all, where, "malformed", "not a valid time");
    else
        part_add_time(all, where, "time", when, "the sender's clock");
}

static void retry_add(parts *all, const char *where, const char *value)
{
    if (*value && value[strspn(value, "0123456789")] == '\0')
        part_add(all, where, "seconds", value, "to wait before the request is retried");
    else
        date_add(all, where, value);
}

static void accept_add(parts *all, const char *where, const char *value)
{
    part_add(all, where, "required", value, "what a signature must cover, and its parameters");
}

static const struct known_field {
    const char *name;
    void (*add)(parts *all, const char *where, const char *value);
} known_fields[] = {
    {"Date", date_add},
    {"Retry-After", retry_add},
    {"Authorization", authorization_add},
    {"WWW-Authenticate", schemes_add},
    {"Authentication-Info", schemes_add},
    {"Accept-Signature", accept_add},
};

static void signature_add(parts *all, const ia_httpsig *s)
{
    static const char where[] = "Signature-Input, Signature";
    apr_pool_t *p = all->p;
    char *bytes = apr_palloc(p, IA_BASE64_SIZE(s->signature.len));

    ia_base64_encode(bytes, s->signature.data, s->signature.len);
    part_add(all, where, "label", signature_string(p, &s->label), "identifies the signature");
    part_add(all, where, "covered", signature_covered(p, s), "the covered components");
    part_add(all, where, "keyid", s->keyid.data ? signature_string(p, &s->keyid) : NULL, "identifies the key");
    part_add(all, where, "alg", s->alg.data ? signature_string(p, &s->alg) : NULL, "the algorithm");
    part_add_time(all, where, "created", s->created, "when it was created");
    part_add_time(all, where, "expires", s->expires, "when it expires");
    part_add_secret(all, where, "nonce", s->nonce.data ? signature_string(p, &s->nonce) : NULL, "valid once");
    part_add(all, where, "tag", s->tag.data ? signature_string(p, &s->tag) : NULL, "the application that it is for");
    part_add_secret(all, where, "signature", bytes, "not verified; to verify it, use --key");
}

static void signatures_add(parts *all, const saved_message *m)
{
    ia_httpsig_set set;
    ia_result rc = ia_httpsig_read(&set, all->p, &m->message);

    if (rc != IA_OK && rc != IA_SIG_MISSING)
        part_add_refusal(all, "Signature-Input, Signature", rc, NULL);
    for (unsigned i = 0; i < set.count; i++)
        signature_add(all, &set.list[i]);
}

static void digest_add(parts *all, const saved_message *m, const char *value)
{
    ia_digest_claim claimed, computed;
    ia_digest *digest;
    ia_result rc = ia_digest_parse(&claimed, all->p, value, strlen(value));

    if (rc == IA_OK)
        rc = ia_digest_create(&digest, all->p, claimed.algorithms);
    if (rc == IA_OK)
        rc = ia_digest_update(digest, m->body, m->body_len);
    if (rc == IA_OK)
        rc = ia_digest_finish(&computed, digest);
    if (rc == IA_OK)
        rc = ia_digest_compare(&claimed, &computed);
    if (rc == IA_OK)
        part_add(all, "Content-Digest", "algorithm", ia_digest_names(claimed.algorithms), "matches the body");
    else
        part_add_refusal(all, "Content-Digest", rc, NULL);
}

/* Fields in the order of the file, then signatures, each of which consists of two fields. */
void explain_fields(parts *all, const saved_message *m)
{
    for (unsigned i = 0; i < m->message.field_count; i++) {
        const ia_httpsig_field *field = &m->message.fields[i];

        for (unsigned k = 0; k < sizeof known_fields / sizeof known_fields[0]; k++)
            if (strcasecmp(field->name, known_fields[k].name) == 0)
                known_fields[k].add(all, known_fields[k].name, field->value);
        if (strcasecmp(field->name, "Content-Digest") == 0 && m->kind != SAVED_HEADER)
            digest_add(all, m, field->value);
    }
    signatures_add(all, m);
}
