/* Values of fields (RFC 9421 section 2.1). */
#include <apr_strings.h>
#include "httpsig_internal.h"
#include "interauth/encoding.h"

/* Registered structured fields and their types, sorted by name. */
static const struct {
    const char *name;
    ia_sfv_kind kind;
} types[] = {
    {"accept-ch", IA_SFV_LIST},
    {"accept-query", IA_SFV_LIST},
    {"accept-signature", IA_SFV_DICTIONARY},
    {"available-dictionary", IA_SFV_ITEM},
    {"cache-group-invalidation", IA_SFV_LIST},
    {"cache-groups", IA_SFV_LIST},
    {"cache-status", IA_SFV_LIST},
    {"capsule-protocol", IA_SFV_ITEM},
    {"cdn-cache-control", IA_SFV_DICTIONARY},
    {"client-cert", IA_SFV_ITEM},
    {"client-cert-chain", IA_SFV_LIST},
    {"content-digest", IA_SFV_DICTIONARY},
    {"cross-origin-embedder-policy", IA_SFV_ITEM},
    {"cross-origin-embedder-policy-report-only", IA_SFV_ITEM},
    {"cross-origin-opener-policy", IA_SFV_ITEM},
    {"cross-origin-opener-policy-report-only", IA_SFV_ITEM},
    {"deprecation", IA_SFV_ITEM},
    {"dictionary-id", IA_SFV_ITEM},
    {"origin-agent-cluster", IA_SFV_ITEM},
    {"permissions-policy", IA_SFV_DICTIONARY},
    {"priority", IA_SFV_DICTIONARY},
    {"proxy-status", IA_SFV_LIST},
    {"reporting-endpoints", IA_SFV_DICTIONARY},
    {"repr-digest", IA_SFV_DICTIONARY},
    {"sec-fetch-dest", IA_SFV_ITEM},
    {"sec-fetch-mode", IA_SFV_ITEM},
    {"sec-fetch-site", IA_SFV_ITEM},
    {"sec-fetch-user", IA_SFV_ITEM},
    {"signature", IA_SFV_DICTIONARY},
    {"signature-agent", IA_SFV_DICTIONARY},
    {"signature-input", IA_SFV_DICTIONARY},
    {"use-as-dictionary", IA_SFV_DICTIONARY},
    {"want-content-digest", IA_SFV_DICTIONARY},
    {"want-repr-digest", IA_SFV_DICTIONARY},
};
#define TYPES (sizeof types / sizeof types[0])

static int find_kind(ia_sfv_kind *kind, const ia_sfv_text *name)
{
    unsigned i;

    for (i = 0; i < TYPES; i++) {
        if (ia_sfv_text_is(name, types[i].name)) {
            *kind = types[i].kind;
            return 1;
        }
    }
    return 0;
}

int iai_is_signable(const ia_sfv_text *text)
{
    const char *at = text->data, *end = at + text->len;
    unsigned bad = 0;

    for (; at < end; at++) {
        unsigned char c = (unsigned char)*at;

        bad |= (unsigned)(c - 0x20) > 0x7e - 0x20 && c != '\t';
    }
    return !bad;
}

/* `name` is lower-case. */
static int is_named(const char *field, const ia_sfv_text *name)
{
    apr_size_t i;

    for (i = 0; i < name->len; i++) {
        if (iai_lower(field[i]) != name->data[i])
            return 0;
    }
    return field[i] == '\0';
}

/*
 * The value without surrounding white space. In a joined value, the space after a final comma is part of the join with an
 * empty last line (section 2.1): a server strips each line before it joins them, so no line ends in a space.
 */
static ia_sfv_text trim(const char *value, int merged)
{
    ia_sfv_text text;

    value += strspn(value, " \t");
    text = iai_text(value);
    while (text.len > 0 && (value[text.len - 1] == ' ' || value[text.len - 1] == '\t'))
        text.len--;
    if (merged && text.len > 0 && value[text.len - 1] == ',' && value[text.len] == ' ')
        text.len++;
    return text;
}

/* Finds the next line of that name, from `i` on. Returns its number, or the number of fields. */
static unsigned next_line(ia_sfv_text *line, const ia_httpsig_message *message, const ia_sfv_text *name, unsigned i)
{
    while (i < message->field_count && !is_named(message->fields[i].name, name))
        i++;
    if (i < message->field_count)
        *line = trim(message->fields[i].value, message->merged);
    return i;
}

ia_result iai_field_lines(ia_sfv_text *out, apr_pool_t *p, const ia_httpsig_message *message, const ia_sfv_text *name)
{
    ia_sfv_text line = {NULL, 0}, all = {NULL, 0};
    unsigned i = next_line(&line, message, name, 0);
    char *joined;

    out->data = NULL;
    out->len = 0;
    if (i == message->field_count)
        return IA_SIG_FIELD_MISSING;
    all = line;
    while ((i = next_line(&line, message, name, i + 1)) < message->field_count) {
        joined = apr_palloc(p, all.len + 2 + line.len);
        memcpy(joined, all.data, all.len);
        memcpy(joined + all.len, ", ", 2);
        memcpy(joined + all.len + 2, line.data, line.len);
        all.data = joined;
        all.len += 2 + line.len;
        if (all.len > IA_HTTPSIG_BASE_MAX)
            return IA_SIG_LIMIT;
    }
    if (!iai_is_signable(&all))
        return IA_SIG_CHARACTERS;
    *out = all;
    return IA_OK;
}

/* Each line as a byte sequence (section 2.1.3). */
static ia_result byte_sequences(ia_sfv_text *out, apr_pool_t *p, const ia_httpsig_message *message,
                                const ia_sfv_text *name)
{
    ia_sfv_text line = {NULL, 0};
    const char *text = NULL;
    unsigned i = next_line(&line, message, name, 0);
    char *encoded;

    if (i == message->field_count)
        return IA_SIG_FIELD_MISSING;
    for (; i < message->field_count; i = next_line(&line, message, name, i + 1)) {
        if (message->merged && memchr(line.data, ',', line.len))
            return IA_SIG_FIELD_LINES;
        if (line.len > IA_HTTPSIG_BASE_MAX)
            return IA_SIG_LIMIT;
        encoded = apr_palloc(p, IA_BASE64_SIZE(line.len));
        ia_base64_encode(encoded, line.data, line.len);
        text = apr_pstrcat(p, text ? text : "", text ? ", " : "", ":", encoded, ":", NULL);
    }
    *out = iai_text(text);
    return IA_OK;
}

/* The whole field, or one member of a dictionary, serialized again (sections 2.1.1 and 2.1.2). */
static ia_result structured(ia_sfv_text *out, apr_pool_t *p, const ia_sfv_text *value, ia_sfv_kind kind,
                            const iai_component *component)
{
    const ia_sfv_member *member;
    ia_sfv_field field;
    char *text = NULL;
    apr_size_t len;

    if ((component->flags & IAI_KEY) && kind != IA_SFV_DICTIONARY)
        return IA_SIG_VALUE_MALFORMED;
    if (ia_sfv_parse(&field, p, kind, value->data, value->len, 0, NULL) != IA_OK)
        return IA_SIG_VALUE_MALFORMED;
    if (component->flags & IAI_KEY) {
        for (member = field.first; member; member = member->next) {
            if (iai_sfv_text_equal(&member->key, &component->text))
                break;
        }
        if (!member)
            return IA_SIG_DICTIONARY_KEY_MISSING;
        if (ia_sfv_format_member(&text, &len, p, member) != IA_OK)
            return IA_SIG_VALUE_MALFORMED;
    } else if (ia_sfv_format(&text, &len, p, &field) != IA_OK) {
        return IA_SIG_VALUE_MALFORMED;
    }
    out->data = text;
    out->len = len;
    return IA_OK;
}

ia_result iai_field_value(ia_sfv_text *out, apr_pool_t *p, const ia_httpsig_message *message,
                          const iai_component *component)
{
    ia_sfv_kind kind = IA_SFV_ITEM;
    ia_sfv_text value;
    ia_result rc;

    if (component->flags & IAI_BS)
        return byte_sequences(out, p, message, &component->name);
    if ((component->flags & (IAI_SF | IAI_KEY)) && !find_kind(&kind, &component->name))
        return IA_SIG_TYPE_UNKNOWN;
    rc = iai_field_lines(&value, p, message, &component->name);
    if (!rc && (component->flags & (IAI_SF | IAI_KEY)))
        return structured(out, p, &value, kind, component);
    *out = value;
    return rc;
}
