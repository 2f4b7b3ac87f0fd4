/* Values of derived components (RFC 9421 section 2.2). */
#include <apr_strings.h>
#include "httpsig_internal.h"
#include "utf8.h"

static int starts_absolute(const char *target)
{
    const char *at = target;

    while (iai_sfv_is_alpha((unsigned char)*at) ||
           (at > target && (iai_sfv_is_digit((unsigned char)*at) || *at == '+' || *at == '-' || *at == '.')))
        at++;
    return at > target && strncmp(at, "://", 3) == 0;
}

/* Path and query of a request target; the query begins with its '?', or is empty. */
static ia_result split_target(ia_sfv_text *path, ia_sfv_text *query, const char *target)
{
    const char *at = target, *mark;

    if (!target)
        return IA_SIG_VALUE_MALFORMED;
    if (strcmp(target, "*") == 0) {
        at = target + 1;
    } else if (*target != '/') {
        if (!starts_absolute(target))
            return IA_SIG_VALUE_MALFORMED;
        at = strstr(target, "://") + 3;
        at += strcspn(at, "/?");
    }
    mark = at + strcspn(at, "?");
    path->data = at;
    path->len = (apr_size_t)(mark - at);
    *query = iai_text(mark);
    return IA_OK;
}

/* In lower case, without the default port of the scheme. */
static ia_result normalize_authority(ia_sfv_text *out, apr_pool_t *p, const char *authority, const char *scheme)
{
    const char *colon, *bracket;
    apr_size_t len, i;
    char *copy;

    if (!authority || !scheme || !*authority || strpbrk(authority, "@/?# "))
        return IA_SIG_VALUE_MALFORMED;
    len = strlen(authority);
    colon = strrchr(authority, ':');
    bracket = strrchr(authority, ']');
    if (colon && (!bracket || bracket < colon) &&
        (colon[1] == '\0' || (strcmp(colon, ":443") == 0 && strcasecmp(scheme, "https") == 0) ||
         (strcmp(colon, ":80") == 0 && strcasecmp(scheme, "http") == 0)))
        len = (apr_size_t)(colon - authority);
    copy = apr_palloc(p, len + 1);
    for (i = 0; i < len; i++)
        copy[i] = iai_lower(authority[i]);
    copy[len] = '\0';
    out->data = copy;
    out->len = len;
    return len > 0 ? IA_OK : IA_SIG_VALUE_MALFORMED;
}

static ia_result lower_scheme(ia_sfv_text *out, apr_pool_t *p, const char *scheme)
{
    char *copy, *at;

    if (!scheme || !*scheme)
        return IA_SIG_VALUE_MALFORMED;
    copy = apr_pstrdup(p, scheme);
    for (at = copy; *at; at++)
        *at = iai_lower(*at);
    *out = iai_text(copy);
    return IA_OK;
}

static ia_result target_uri(ia_sfv_text *out, apr_pool_t *p, const ia_httpsig_message *message, const ia_sfv_text *path,
                            const ia_sfv_text *query)
{
    ia_sfv_text scheme, authority;
    ia_result rc = lower_scheme(&scheme, p, message->scheme);
    const char *slash = message->normalized && path->len == 0 && strcmp(message->target, "*") != 0 ? "/" : "";

    if (!rc)
        rc = normalize_authority(&authority, p, message->authority, message->scheme);
    if (rc)
        return rc;
    if (!message->normalized)
        authority = iai_text(message->authority);
    *out = iai_text(apr_pstrcat(p, scheme.data, "://", authority.data, slash, path->data, NULL));
    out->len = scheme.len + 3 + authority.len + strlen(slash) + path->len + query->len;
    return IA_OK;
}

static ia_result status(ia_sfv_text *out, apr_pool_t *p, int code)
{
    if (code < 100 || code > 999)
        return IA_SIG_VALUE_MALFORMED;
    *out = iai_text(apr_psprintf(p, "%d", code));
    return IA_OK;
}

ia_result iai_derived_value(ia_sfv_text *out, apr_pool_t *p, const ia_httpsig_message *message,
                            const iai_component *component)
{
    ia_sfv_text path, query;
    ia_result rc;

    if (component->derived == IAI_STATUS)
        return status(out, p, message->status);
    if (component->derived == IAI_METHOD) {
        *out = iai_text(message->method);
        return out->len > 0 ? IA_OK : IA_SIG_VALUE_MALFORMED;
    }
    if (component->derived == IAI_AUTHORITY)
        return normalize_authority(out, p, message->authority, message->scheme);
    if (component->derived == IAI_SCHEME)
        return lower_scheme(out, p, message->scheme);
    rc = split_target(&path, &query, message->target);
    if (rc)
        return rc;
    switch (component->derived) {
    case IAI_TARGET_URI:
        return target_uri(out, p, message, &path, &query);
    case IAI_REQUEST_TARGET:
        *out = iai_text(message->target);
        return IA_OK;
    case IAI_PATH:
        *out = path.len > 0 ? path : iai_text("/");
        return IA_OK;
    case IAI_QUERY:
        *out = query.len > 0 ? query : iai_text("?");
        return IA_OK;
    case IAI_QUERY_PARAM:
        return iai_query_param(out, p, &query, &component->text);
    default:
        return IA_FAULT_INTERNAL;
    }
}

static int hex_digit(char c)
{
    if (iai_sfv_is_digit((unsigned char)c))
        return c - '0';
    c = iai_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* application/x-www-form-urlencoded as the URL standard decodes it: an invalid escape is left as it is. */
static ia_sfv_text form_decode(apr_pool_t *p, const char *at, const char *end)
{
    char *copy = apr_palloc(p, (apr_size_t)(end - at) + 1);
    ia_sfv_text text = {copy, 0};

    for (; at < end; at++) {
        if (*at == '%' && end - at > 2 && hex_digit(at[1]) >= 0 && hex_digit(at[2]) >= 0) {
            *copy++ = (char)(hex_digit(at[1]) << 4 | hex_digit(at[2]));
            at += 2;
        } else {
            *copy++ = *at == '+' ? ' ' : *at;
        }
    }
    text.len = (apr_size_t)(copy - text.data);
    return text;
}

/* The form-urlencoded percent-encode set; a space becomes %20 (section 2.2.8). */
static ia_sfv_text percent_encode(apr_pool_t *p, const ia_sfv_text *text)
{
    static const char digits[] = "0123456789ABCDEF";
    char *copy = apr_palloc(p, 3 * text->len + 1);
    ia_sfv_text encoded = {copy, 0};
    unsigned char c;
    apr_size_t i;

    for (i = 0; i < text->len; i++) {
        c = (unsigned char)text->data[i];
        if (iai_sfv_is_alpha(c) || iai_sfv_is_digit(c) || c == '*' || c == '-' || c == '.' || c == '_') {
            *copy++ = (char)c;
        } else {
            *copy++ = '%';
            *copy++ = digits[c >> 4];
            *copy++ = digits[c & 15];
        }
    }
    encoded.len = (apr_size_t)(copy - encoded.data);
    return encoded;
}

/* Invalid UTF-8 is refused: decoders replace it, so that two names could become one. */
ia_result iai_query_param(ia_sfv_text *out, apr_pool_t *p, const ia_sfv_text *query, const ia_sfv_text *name)
{
    const char *at = query->data + (query->len > 0), *end = query->data + query->len, *stop, *equals;
    ia_sfv_text found = {NULL, 0}, decoded;
    unsigned count = 0;

    for (; at < end; at = stop + 1) {
        stop = memchr(at, '&', (apr_size_t)(end - at));
        if (!stop)
            stop = end;
        if (stop == at)
            continue;
        equals = memchr(at, '=', (apr_size_t)(stop - at));
        decoded = form_decode(p, at, equals ? equals : stop);
        if (!iai_utf8_is_valid(decoded.data, decoded.len))
            return IA_SIG_VALUE_MALFORMED;
        decoded = percent_encode(p, &decoded);
        if (!iai_sfv_text_equal(&decoded, name))
            continue;
        count++;
        found = form_decode(p, equals ? equals + 1 : stop, stop);
    }
    if (count != 1)
        return count == 0 ? IA_SIG_QUERY_PARAM_MISSING : IA_SIG_QUERY_PARAM_REPEATED;
    if (!iai_utf8_is_valid(found.data, found.len))
        return IA_SIG_VALUE_MALFORMED;
    *out = percent_encode(p, &found);
    return IA_OK;
}
