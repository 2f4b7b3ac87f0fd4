/* Reads WWW-Authenticate and Authentication-Info. */
#include "www_authenticate.h"

#include <string.h>
#include <strings.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "interauth/encoding.h"

#define SCHEME "SAuth"

/* One element of a header's list. A parameter has a name and a value; a scheme has only a name. */
typedef struct element {
    const char *name;
    const char *value; /* NULL for a scheme */
} element;

static int is_token_char(char c)
{
    return apr_isalnum(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static const char *skip_space(const char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

/* Reads a quoted string after its opening quote. @return what follows, or NULL */
static const char *quoted_read(const char **value, apr_pool_t *p, const char *at)
{
    char *out = apr_palloc(p, strlen(at) + 1), *put = out;

    for (; *at && *at != '"'; at++) {
        if (*at == '\\' && at[1])
            at++;
        *put++ = *at;
    }
    *put = '\0';
    *value = out;
    return *at == '"' ? at + 1 : NULL;
}

/* Reads one element. @return what follows, or NULL at the end or where the grammar breaks */
static const char *element_read(element *out, apr_pool_t *p, const char *at)
{
    const char *start, *after;

    out->value = NULL;
    while (*at == ' ' || *at == '\t' || *at == ',')
        at++;
    for (start = at; is_token_char(*at);)
        at++;
    if (at == start)
        return NULL;
    out->name = apr_pstrmemdup(p, start, (apr_size_t)(at - start));
    after = skip_space(at);
    if (*after != '=')
        return at;
    after = skip_space(after + 1);
    if (*after == '"')
        return quoted_read(&out->value, p, after + 1);
    for (start = after; is_token_char(*after) || *after == '/' || *after == '=';)
        after++;
    out->value = apr_pstrmemdup(p, start, (apr_size_t)(after - start));
    return after;
}

int nonce_is_valid(const char *text)
{
    unsigned char bytes[IA_NONCE_LEN];
    apr_size_t len;

    return strlen(text) == IA_NONCE_TEXT_LEN &&
           ia_base64url_decode(bytes, sizeof bytes, &len, text, IA_NONCE_TEXT_LEN) == IA_OK && len == IA_NONCE_LEN;
}

static void challenge_parse(sauth_challenge *out, apr_pool_t *p, const char *at)
{
    int ours = 0;
    element e;

    while ((at = element_read(&e, p, at)) != NULL) {
        if (!e.value) {
            ours = strcasecmp(e.name, SCHEME) == 0 && !out->present;
            out->present |= ours;
            out->is_for_envelopes |= strcasecmp(e.name, "Challenge") == 0;
            out->is_for_signatures |= strcasecmp(e.name, "Signature") == 0;
        } else if (ours && strcasecmp(e.name, "stale") == 0) {
            out->stale = strcasecmp(e.value, "true") == 0;
        } else if (ours && strcasecmp(e.name, "nonce") == 0 && nonce_is_valid(e.value)) {
            apr_cpystrn(out->nonce, e.value, sizeof out->nonce);
        }
    }
}

void challenge_read(sauth_challenge *out, apr_pool_t *p, const http_response *response)
{
    const char *value;

    memset(out, 0, sizeof *out);
    for (int i = 0; (value = http_field(response, "WWW-Authenticate", i)) != NULL; i++)
        challenge_parse(out, p, value);
    out->is_for_signatures |= http_field(response, "Accept-Signature", 0) != NULL;
}

int nextnonce_read(char out[IA_NONCE_TEXT_LEN + 1], apr_pool_t *p, const http_response *response)
{
    const char *value;
    element e;

    for (int i = 0; (value = http_field(response, "Authentication-Info", i)) != NULL; i++) {
        while ((value = element_read(&e, p, value)) != NULL) {
            if (e.value && strcasecmp(e.name, "nextnonce") == 0 && nonce_is_valid(e.value)) {
                apr_cpystrn(out, e.value, IA_NONCE_TEXT_LEN + 1);
                return 1;
            }
        }
    }
    return 0;
}
