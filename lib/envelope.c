/* Parses the JSON and XML envelopes of the challenge protocol. */
#include <apr_strings.h>
#include <string.h>
#include <strings.h>
#include "interauth/envelope.h"
#include "interauth/timestamp.h"
#include "interauth/xml.h"

/* The members of a call. */
enum { METHOD, TOKEN, SIGNATURE, NONCE, TIMESTAMP, REQUEST, MEMBERS };
static const char *const names[MEMBERS] = {"method", "token", "signature", "nonce", "timestamp", "request"};

const char *ia_envelope_media_type(ia_envelope_format format)
{
    return format == IA_ENVELOPE_XML ? "text/xml" : "application/json";
}

static const char *skip_space(const char *at)
{
    return at + strspn(at, " \t");
}

/* The text after `word`, which is matched in any case, or NULL if the text does not start with it. */
static const char *skip_word(const char *at, const char *word)
{
    apr_size_t len = strlen(word);

    return strncasecmp(at, word, len) ? NULL : at + len;
}

/* Whether nothing follows the media type, or one charset of UTF-8. */
static int is_utf8(const char *at)
{
    int is_named = 0, is_quoted;

    for (at = skip_space(at); *at; at = skip_space(at)) {
        if (*at != ';')
            return 0;
        at = skip_space(at + 1);
        if (!*at || *at == ';')
            continue;
        if (is_named || !(at = skip_word(at, "charset=")))
            return 0;
        is_named = 1;
        is_quoted = *at == '"';
        at = skip_word(at + is_quoted, is_quoted ? "utf-8\"" : "utf-8");
        if (!at)
            return 0;
    }
    return 1;
}

ia_result ia_envelope_format_of(ia_envelope_format *out, const char *content_type)
{
    static const struct {
        const char *type;
        ia_envelope_format format;
    } types[] = {
        {"application/json", IA_ENVELOPE_JSON}, {"text/xml", IA_ENVELOPE_XML}, {"application/xml", IA_ENVELOPE_XML}};
    unsigned i;

    *out = IA_ENVELOPE_JSON;
    for (i = 0; content_type && i < sizeof types / sizeof types[0]; i++) {
        const char *at = skip_word(content_type, types[i].type);

        if (at && is_utf8(at)) {
            *out = types[i].format;
            return IA_OK;
        }
    }
    return IA_MEDIA_TYPE;
}

int ia_envelope_is_method(const char *name, apr_size_t len)
{
    apr_size_t i;

    if (len < 1 || len > IA_ENVELOPE_METHOD_MAX)
        return 0;
    for (i = 0; i < len; i++) {
        unsigned char c = (unsigned char)name[i], lower = c | 0x20;

        if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9') && (!c || !strchr("._-:/", c)))
            return 0;
    }
    return 1;
}

static ia_result refuse(ia_json_error *error, ia_result rc, const char *reason)
{
    if (error) {
        error->offset = 0;
        error->reason = reason;
    }
    return rc;
}

/* Stores each member. */
static ia_result sort_members(const ia_json *found[MEMBERS], const ia_json *root, ia_json_error *error)
{
    const ia_json *member;
    unsigned i;

    if (root->type != IA_JSON_OBJECT)
        return refuse(error, IA_ENVELOPE_MALFORMED, "no members");
    for (member = root->first; member; member = member->next) {
        for (i = 0; i < MEMBERS && strcmp(member->name, names[i]); i++)
            ;
        if (i == MEMBERS)
            return refuse(error, IA_ENVELOPE_MALFORMED, "an unknown member");
        if (found[i])
            return refuse(error, IA_ENVELOPE_MALFORMED, "a member is repeated");
        found[i] = member;
    }
    if (!found[METHOD] || !found[REQUEST])
        return refuse(error, IA_ENVELOPE_MALFORMED, "method or request is missing");
    return IA_OK;
}

/* A text that is present must not be empty. */
static ia_result take_text(const char **out, const ia_json *member, ia_json_error *error)
{
    if (!member)
        return IA_OK;
    if (member->type != IA_JSON_STRING || !member->string_len)
        return refuse(error, IA_ENVELOPE_MALFORMED, "a member is empty or not a string");
    *out = member->string;
    return IA_OK;
}

static ia_result take_timestamp(ia_envelope *envelope, const ia_json *member, ia_json_error *error)
{
    if (!member)
        return IA_OK;
    if ((member->type != IA_JSON_STRING && member->type != IA_JSON_INTEGER) ||
        ia_timestamp_parse_unix(&envelope->timestamp, member->string, member->string_len) != IA_OK)
        return refuse(error, IA_TIMESTAMP_MALFORMED, "the timestamp is not Unix time");
    envelope->timestamp_text = member->string;
    return IA_OK;
}

static ia_result take_members(ia_envelope *envelope, const ia_json *const found[MEMBERS], ia_json_error *error)
{
    ia_result rc;

    if ((rc = take_text(&envelope->method, found[METHOD], error)) ||
        (rc = take_text(&envelope->token, found[TOKEN], error)) ||
        (rc = take_text(&envelope->signature, found[SIGNATURE], error)) ||
        (rc = take_text(&envelope->nonce, found[NONCE], error)) ||
        (rc = take_timestamp(envelope, found[TIMESTAMP], error)))
        return rc;
    if (!ia_envelope_is_method(envelope->method, found[METHOD]->string_len))
        return refuse(error, IA_ENVELOPE_MALFORMED, "this is not a valid method");
    envelope->request = found[REQUEST];
    return IA_OK;
}

/* `<request/>` is equivalent to `{}`. */
static const ia_json *empty_object(apr_pool_t *p, const ia_json *request)
{
    ia_json *object = apr_pcalloc(p, sizeof *object);

    object->type = IA_JSON_OBJECT;
    object->name = request->name;
    return object;
}

static ia_result parse_xml(ia_envelope *envelope, const ia_json *found[MEMBERS], apr_pool_t *p, const char *text,
                           apr_size_t len, ia_json_error *error)
{
    const ia_json *root;
    ia_xml_slice slice;
    ia_result rc = ia_xml_parse(&root, p, text, len, IA_ENVELOPE_NODES, names[REQUEST], &slice, error);

    if (rc)
        return rc;
    if (strcmp(root->name, "xml"))
        return refuse(error, IA_ENVELOPE_MALFORMED, "the root element is not xml");
    if ((rc = sort_members(found, root, error)))
        return rc;
    envelope->request_text = slice.text;
    envelope->request_len = slice.len;
    if (!slice.len)
        found[REQUEST] = empty_object(p, found[REQUEST]);
    return IA_OK;
}

static ia_result parse_json(ia_envelope *envelope, const ia_json *found[MEMBERS], apr_pool_t *p, const char *text,
                            apr_size_t len, ia_json_error *error)
{
    const ia_json *root;
    ia_result rc = ia_json_parse(&root, p, text, len, IA_ENVELOPE_NODES, error);

    if (rc || (rc = sort_members(found, root, error)))
        return rc;
    envelope->request_text = ia_json_member_text(text, len, root, names[REQUEST], &envelope->request_len);
    return IA_OK;
}

ia_result ia_envelope_parse(ia_envelope *out, apr_pool_t *p, ia_envelope_format format, const char *text,
                            apr_size_t len, ia_json_error *error)
{
    const ia_json *found[MEMBERS] = {NULL};
    ia_envelope envelope;
    ia_result rc;

    memset(out, 0, sizeof *out);
    memset(&envelope, 0, sizeof envelope);
    if (len > IA_ENVELOPE_MAX)
        return refuse(error, IA_TOO_LONG, "the call is too long");
    rc = (format == IA_ENVELOPE_XML ? parse_xml : parse_json)(&envelope, found, p, text, len, error);
    if (rc || (rc = take_members(&envelope, found, error)))
        return rc;
    envelope.format = format;
    *out = envelope;
    return IA_OK;
}

const char *ia_envelope_request_string(const ia_envelope *envelope, const char *name)
{
    const ia_json *member = ia_json_member(envelope->request, name), *other;

    if (!member || member->type != IA_JSON_STRING || !member->string_len)
        return NULL;
    for (other = member->next; other; other = other->next)
        if (!strcmp(other->name, name))
            return NULL;
    return member->string;
}

int ia_envelope_request_is(const ia_envelope *envelope, const char *const *allowed)
{
    const ia_json *request = envelope->request, *member;
    const char *const *name;
    unsigned count = 0;

    if (!request || request->type != IA_JSON_OBJECT)
        return 0;
    for (name = allowed; *name; name++) {
        member = ia_json_member(request, *name);
        if (member && member->type != IA_JSON_STRING)
            return 0;
        count += member != NULL;
    }
    return count == request->count; /* repeated and other members make the count larger */
}
