/* Authorization headers for the benchmark: none, Basic, Digest, Bearer, SAuth. */
#include <apr_strings.h>
#include <apr_tables.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include "interauth/authorization.h"
#include "interauth/encoding.h"
#include "schemes.h"

#define MD5_LEN   16
#define TOKEN_MAX 4096
#define CNONCE    "0a4f113b"

int scheme_named(const char *name)
{
    static const char *const names[] = {"none", "basic", "digest", "bearer", "sauth"};
    int i;

    for (i = 0; i < (int)(sizeof names / sizeof *names); i++)
        if (!strcmp(name, names[i]))
            return i;
    return -1;
}

static void md5_hex(char out[33], const char *text)
{
    unsigned char digest[MD5_LEN];

    EVP_Digest(text, strlen(text), digest, NULL, EVP_md5(), NULL);
    ia_hex_encode(out, digest, sizeof digest);
}

void scheme_prepare(credentials *c)
{
    char text[1024];

    if (c->scheme != SCHEME_DIGEST)
        return;
    apr_snprintf(text, sizeof text, "%s:" REALM ":%s", c->user, c->password);
    md5_hex(c->ha1, text);
    apr_snprintf(text, sizeof text, "GET:%s", c->path);
    md5_hex(c->ha2, text);
}

int scheme_read_tokens(credentials *c, apr_pool_t *p, const char *path)
{
    apr_array_header_t *tokens = apr_array_make(p, 64, sizeof(const char *));
    FILE *file = fopen(path, "r");
    char line[TOKEN_MAX];

    if (!file)
        return 0;
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        APR_ARRAY_PUSH(tokens, const char *) = apr_pstrdup(p, line);
    }
    fclose(file);
    c->tokens = (const char **)tokens->elts;
    c->token_count = (unsigned)tokens->nelts;
    return 1;
}

static const char *basic(const credentials *c, apr_pool_t *p)
{
    const char *pair = apr_pstrcat(p, c->user, ":", c->password, NULL);
    char *text = apr_palloc(p, IA_BASE64_SIZE(strlen(pair)));

    ia_base64_encode(text, pair, strlen(pair));
    return apr_pstrcat(p, "Authorization: Basic ", text, "\r\n", NULL);
}

static const char *digest(const credentials *c, chain *at, apr_pool_t *p)
{
    char nc[9], response[33];

    if (!*at->nonce)
        return "";
    apr_snprintf(nc, sizeof nc, "%08x", ++at->nc);
    md5_hex(response, apr_pstrcat(p, c->ha1, ":", at->nonce, ":", nc, ":" CNONCE ":auth:", c->ha2, NULL));
    return apr_pstrcat(p, "Authorization: Digest username=\"", c->user, "\", realm=\"" REALM "\", nonce=\"", at->nonce,
                       "\", uri=\"", c->path, "\", algorithm=MD5, qop=auth, nc=", nc,
                       ", cnonce=\"" CNONCE "\", response=\"", response, "\", opaque=\"", at->opaque, "\"\r\n", NULL);
}

static const char *sauth(const credentials *c, chain *at, apr_pool_t *p)
{
    const char *value;

    if (!*at->nonce)
        return "";
    value = ia_authorization_format(p, at->token, at->nonce, IA_HASH_SHA256, &c->key);
    *at->nonce = '\0';
    return value ? apr_pstrcat(p, "Authorization: ", value, "\r\n", NULL) : "";
}

const char *scheme_field(credentials *c, chain *at, apr_pool_t *p)
{
    switch (c->scheme) {
    case SCHEME_BASIC:
        return basic(c, p);
    case SCHEME_DIGEST:
        return digest(c, at, p);
    case SCHEME_BEARER:
        return apr_pstrcat(p, "Authorization: Bearer ", c->tokens[c->token_turn++ % c->token_count], "\r\n", NULL);
    case SCHEME_SAUTH:
        return sauth(c, at, p);
    case SCHEME_NONE:
        break;
    }
    return "";
}

/* Copies the quoted value after `name="` anywhere in the header. */
static int take_quoted(char out[NONCE_SIZE], const char *head, const char *name)
{
    const char *value = strstr(head, name), *end;

    if (!value || !(end = strchr(value += strlen(name), '"')) || end - value >= NONCE_SIZE)
        return 0;
    memcpy(out, value, (apr_size_t)(end - value));
    out[end - value] = '\0';
    return 1;
}

void scheme_learn(const credentials *c, chain *at, const char *head)
{
    if (c->scheme != SCHEME_DIGEST && c->scheme != SCHEME_SAUTH)
        return;
    if (take_quoted(at->nonce, head, "nextnonce=\"") || take_quoted(at->nonce, head, " nonce=\""))
        at->nc = 0;
    take_quoted(at->opaque, head, "opaque=\"");
}
