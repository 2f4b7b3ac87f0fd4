/* Parses http and https URLs and compares their origins. */
#include "address.h"

#include <ctype.h>
#include <string.h>

#include <apr_strings.h>
#include <curl/curl.h>

#include "say.h"

#define ADDRESS_MAX 8192

/* A part of the URL, allocated from `p`, or NULL. */
static char *part_get(CURLU *url, apr_pool_t *p, CURLUPart part, unsigned flags)
{
    char *text = NULL, *copy = NULL;

    if (curl_url_get(url, part, &text, flags) == CURLUE_OK && text)
        copy = apr_pstrdup(p, text);
    curl_free(text);
    return copy;
}

static int host_is_local(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 || strncmp(host, "127.", 4) == 0;
}

/* Takes scheme, authority and target from the canonical URL, so that what is signed is what is sent. */
static int url_cut(address *out, apr_pool_t *p, const char *what)
{
    const char *host = strstr(out->url, "://"), *path = host ? strchr(host + 3, '/') : NULL;

    if (!path)
        return say_usage("%s: not a URL", what);
    out->scheme = apr_pstrmemdup(p, out->url, (apr_size_t)(host - out->url));
    out->authority = apr_pstrmemdup(p, host + 3, (apr_size_t)(path - host - 3));
    out->target = path;
    return CL_OK;
}

static int parts_read(address *out, apr_pool_t *p, CURLU *url, const char *what)
{
    char *scheme = part_get(url, p, CURLUPART_SCHEME, 0);
    char *host = part_get(url, p, CURLUPART_HOST, 0);
    char *port = part_get(url, p, CURLUPART_PORT, CURLU_DEFAULT_PORT);

    if (!scheme || !host || !port || (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
        return say_usage("%s: a URL must begin with https:// or http://", what);
    if (part_get(url, p, CURLUPART_USER, 0) || part_get(url, p, CURLUPART_PASSWORD, 0))
        return say_usage("%s: a URL must not contain a user name or password", what);
    for (char *c = host; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    curl_url_set(url, CURLUPART_HOST, host, 0);
    curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0);
    out->origin = apr_pstrcat(p, scheme, "://", host, ":", port, NULL);
    out->is_cleartext = strcmp(scheme, "http") == 0 && !host_is_local(host);
    out->url = part_get(url, p, CURLUPART_URL, CURLU_NO_DEFAULT_PORT);
    return out->url ? url_cut(out, p, what) : say_usage("%s: not a URL", what);
}

int address_parse(address *out, apr_pool_t *p, const char *text, const char *what)
{
    CURLU *url;
    int rc;

    memset(out, 0, sizeof *out);
    if (strlen(text) > ADDRESS_MAX)
        return say_usage("%s: the URL is too long", what);
    if (!(url = curl_url()))
        return say_fault("out of memory");
    if (curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK)
        rc = say_usage("%s: not a URL that begins with https:// or http://", what);
    else
        rc = parts_read(out, p, url, what);
    curl_url_cleanup(url);
    return rc;
}

/* A common mistake is to paste the URL of an endpoint instead of the base. */
static int base_check(const char *url, apr_pool_t *p, const char *what)
{
    static const char *const endpoints[] = {"request_access", "refresh_access", "generate_nonce", "challenge"};
    const char *slash = strrchr(url, '/');

    for (unsigned i = 0; slash && i < sizeof endpoints / sizeof endpoints[0]; i++)
        if (strcmp(slash + 1, endpoints[i]) == 0)
            return say_usage("%s: %s is an endpoint; use the base URL: %s", what, url,
                             apr_pstrmemdup(p, url, (apr_size_t)(slash - url)));
    return CL_OK;
}

int address_parse_endpoint(address *out, apr_pool_t *p, const char *text, const char *what)
{
    apr_size_t len;
    int rc = address_parse(out, p, text, what);

    if (rc != CL_OK)
        return rc;
    if (strchr(out->url, '?'))
        return say_usage("%s: the base URL of the grant endpoints must not have a query", what);
    len = strlen(out->url);
    while (len > 0 && out->url[len - 1] == '/')
        len--;
    out->url = apr_pstrmemdup(p, out->url, len);
    return base_check(out->url, p, what);
}
