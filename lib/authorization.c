/* Parses, verifies, and makes the SAuth Authorization header. */
#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>
#include "interauth/authorization.h"
#include "interauth/encoding.h"

#define SCHEME_LEN   5
#define RESPONSE_MAX (IA_TOKEN_TEXT_MAX + 1 + 2 * IA_SHA256_LEN) /* bytes of token:hexhmac */

static const char *skip_space(const char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

int ia_authorization_is_sauth(const char *value)
{
    return value && !strncasecmp(value, "SAuth", SCHEME_LEN) && (value[SCHEME_LEN] == ' ' || !value[SCHEME_LEN]);
}

/* Visible ASCII: the characters of a token. */
static int is_visible(const char *text, apr_size_t len)
{
    apr_size_t i;

    for (i = 0; i < len; i++)
        if (text[i] <= 0x20 || text[i] >= 0x7f)
            return 0;
    return 1;
}

int ia_authorization_names_sauth(const char *value)
{
    while (value && !ia_authorization_is_sauth(value)) {
        value = strchr(value, ',');
        if (value)
            value = skip_space(value + 1);
    }
    return value != NULL;
}

/* token:hexhmac, split at the last colon. */
static ia_result split_response(ia_authorization *out, const char *text, apr_size_t len)
{
    const char *colon = memrchr(text, ':', len);
    apr_size_t digits, mac_len;

    if (!colon || colon == text || (apr_size_t)(colon - text) > IA_TOKEN_TEXT_MAX)
        return IA_AUTHORIZATION_MALFORMED;
    digits = len - (apr_size_t)(colon + 1 - text);
    if (digits != 2 * IA_SHA256_LEN && digits != 2 * IA_SHA1_LEN)
        return IA_AUTHORIZATION_MALFORMED;
    out->hash = digits == 2 * IA_SHA256_LEN ? IA_HASH_SHA256 : IA_HASH_SHA1;
    if (ia_hex_decode(out->mac, sizeof out->mac, &mac_len, colon + 1, digits))
        return IA_AUTHORIZATION_MALFORMED;
    out->token_len = (apr_size_t)(colon - text);
    if (!is_visible(text, out->token_len))
        return IA_AUTHORIZATION_MALFORMED;
    memcpy(out->token, text, out->token_len);
    return IA_OK;
}

static ia_result parse_response(ia_authorization *out, const char *text, apr_size_t len)
{
    unsigned char decoded[RESPONSE_MAX];
    apr_size_t decoded_len;
    ia_result rc;

    if (ia_base64url_decode(decoded, sizeof decoded, &decoded_len, text, len))
        return IA_AUTHORIZATION_MALFORMED;
    rc = split_response(out, (const char *)decoded, decoded_len);
    ia_wipe(decoded, sizeof decoded);
    return rc;
}

/* The parameter is base64url of N. N is the text of the nonce or its bytes: see authorization.h. */
static ia_result parse_nonce(ia_authorization *out, const char *text, apr_size_t len)
{
    apr_size_t nonce_len;

    if (ia_base64url_decode(out->n, sizeof out->n, &out->n_len, text, len))
        return IA_AUTHORIZATION_MALFORMED;
    if (out->n_len == IA_NONCE_LEN) {
        memcpy(out->nonce, out->n, IA_NONCE_LEN);
        return IA_OK;
    }
    if (out->n_len != IA_NONCE_TEXT_LEN ||
        ia_base64url_decode(out->nonce, sizeof out->nonce, &nonce_len, (const char *)out->n, out->n_len))
        return IA_AUTHORIZATION_MALFORMED;
    return IA_OK;
}

/* name="value" at *at, which moves past it. The value has no quote or backslash: both parameters are base64url. */
static int take_parameter(const char **at, const char **name, apr_size_t *name_len, const char **value,
                          apr_size_t *value_len)
{
    const char *p = *at;

    *name = p;
    while (apr_isalpha(*p))
        p++;
    *name_len = (apr_size_t)(p - *name);
    p = skip_space(p);
    if (!*name_len || *p++ != '=')
        return 0;
    p = skip_space(p);
    if (*p++ != '"')
        return 0;
    *value = p;
    p += strcspn(p, "\"\\");
    *value_len = (apr_size_t)(p - *value);
    if (*p++ != '"')
        return 0;
    *at = skip_space(p);
    return 1;
}

static int is_named(const char *name, apr_size_t len, const char *wanted)
{
    return len == strlen(wanted) && !strncasecmp(name, wanted, len);
}

static ia_result parse_parameters(ia_authorization *out, const char *at)
{
    int responses = 0, nonces = 0;

    for (;;) {
        const char *name, *value;
        apr_size_t name_len, value_len;
        ia_result rc;

        if (!take_parameter(&at, &name, &name_len, &value, &value_len))
            return IA_AUTHORIZATION_MALFORMED;
        if (is_named(name, name_len, "response") && !responses++)
            rc = parse_response(out, value, value_len);
        else if (is_named(name, name_len, "nonce") && !nonces++)
            rc = parse_nonce(out, value, value_len);
        else
            return IA_AUTHORIZATION_MALFORMED;
        if (rc)
            return rc;
        if (!*at)
            break;
        if (*at++ != ',')
            return IA_AUTHORIZATION_MALFORMED;
        at = skip_space(at);
    }
    return responses && nonces ? IA_OK : IA_AUTHORIZATION_MALFORMED;
}

/* httpd joins repeated fields with ", ": a scheme name after a comma is a second header. */
static int is_repeated(const char *at)
{
    const char *comma = at;

    while ((comma = strchr(comma, ','))) {
        const char *next = skip_space(comma + 1), *word = next;

        while (apr_isalpha(*word))
            word++;
        if (word > next && (*word == ' ' || *word == '\0') && *skip_space(word) != '=')
            return 1;
        comma++;
    }
    return 0;
}

ia_result ia_authorization_parse(ia_authorization *out, const char *value)
{
    apr_size_t len;

    memset(out, 0, sizeof *out);
    if (!ia_authorization_is_sauth(value))
        return IA_SCHEME_NOT_ACCEPTED;
    len = strnlen(value, IA_AUTHORIZATION_MAX + 1);
    if (len > IA_AUTHORIZATION_MAX)
        return IA_AUTHORIZATION_MALFORMED;
    if (is_repeated(value))
        return IA_AUTHORIZATION_REPEATED;
    value = skip_space(value + SCHEME_LEN);
    if (strchr(value, '='))
        return parse_parameters(out, value);
    out->bare = 1;
    return parse_response(out, value, strlen(value));
}

static void compute(unsigned char *out, ia_hash hash, const ia_mac_key *key, const char *token, apr_size_t token_len,
                    const void *n, apr_size_t n_len)
{
    ia_bytes parts[] = {{token, token_len}, {" ", 1}, {n, n_len}};

    ia_mac_compute(out, hash, key, parts, 3);
}

ia_result ia_authorization_verify(const ia_authorization *auth, const ia_mac_key *key, const void *n, apr_size_t n_len)
{
    unsigned char mac[IA_MAC_MAX];

    compute(mac, auth->hash, key, auth->token, auth->token_len, n, n_len);
    return ia_mac_equal(mac, auth->mac, ia_hash_len(auth->hash)) ? IA_OK : IA_MAC_MISMATCH;
}

char *ia_authorization_format(apr_pool_t *p, const char *token, const char *nonce, ia_hash hash, const ia_mac_key *key)
{
    unsigned char mac[IA_MAC_MAX];
    char hex[IA_HEX_SIZE(IA_MAC_MAX)], n[IA_BASE64URL_SIZE(IA_NONCE_TEXT_LEN)];
    char *plain, *response;
    unsigned char bytes[IA_NONCE_LEN];
    apr_size_t token_len = strlen(token), plain_len, nonce_len;

    if (token_len < 1 || token_len > IA_TOKEN_TEXT_MAX || !is_visible(token, token_len) ||
        strlen(nonce) != IA_NONCE_TEXT_LEN ||
        ia_base64url_decode(bytes, sizeof bytes, &nonce_len, nonce, IA_NONCE_TEXT_LEN))
        return NULL;
    compute(mac, hash, key, token, token_len, nonce, IA_NONCE_TEXT_LEN);
    ia_hex_encode(hex, mac, ia_hash_len(hash));
    plain = apr_pstrcat(p, token, ":", hex, NULL);
    plain_len = strlen(plain);
    response = apr_palloc(p, IA_BASE64URL_SIZE(plain_len));
    ia_base64url_encode(response, plain, plain_len);
    ia_wipe(plain, plain_len);
    ia_base64url_encode(n, nonce, IA_NONCE_TEXT_LEN);
    return apr_pstrcat(p, "SAuth response=\"", response, "\",nonce=\"", n, "\"", NULL);
}
