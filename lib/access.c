/* Parses SAuth access requests and computes their MAC. */
#include <apr_strings.h>
#include <string.h>
#include "interauth/access.h"
#include "interauth/encoding.h"
#include "interauth/form.h"
#include "interauth/json.h"
#include "interauth/name.h"
#include "interauth/timestamp.h"
#include "interauth/token.h"

#define FORM_FIELDS 8
#define BODY_NODES  256

static ia_result take_field(const char **out, const ia_form *form, const char *name, const char **detail)
{
    const ia_form_field *field = ia_form_field_get(form, name);

    if (!field) {
        *detail = name;
        return IA_FIELD_MISSING;
    }
    *out = field->value;
    return IA_OK;
}

static ia_result parse_mac(ia_access_form *out, const char *text)
{
    apr_size_t digits = strlen(text), len;

    if (digits == 2 * IA_SHA256_LEN)
        out->hash = IA_HASH_SHA256;
    else if (digits == 2 * IA_SHA1_LEN)
        out->hash = IA_HASH_SHA1;
    else
        return IA_HMAC_MALFORMED;
    return ia_hex_decode(out->mac, sizeof out->mac, &len, text, digits) ? IA_HMAC_MALFORMED : IA_OK;
}

static ia_result check_fields_known(const ia_form *form, const char **detail)
{
    static const char *const known[] = {"uid", "timestamp", "hmac", "body"};
    unsigned i, k;

    for (i = 0; i < form->count; i++) {
        for (k = 0; k < 4 && strcmp(form->fields[i].name, known[k]); k++)
            ;
        if (k == 4) {
            *detail = "a field other than uid, timestamp, hmac, body";
            return IA_FIELD_UNKNOWN;
        }
    }
    return IA_OK;
}

ia_result ia_access_form_parse(ia_access_form *out, apr_pool_t *p, const char *text, apr_size_t len,
                               const char **detail)
{
    const char *mac = NULL;
    ia_form form;
    ia_result rc;

    memset(out, 0, sizeof *out);
    *detail = NULL;
    if (len > IA_ACCESS_BODY_MAX)
        return IA_TOO_LONG;
    if ((rc = ia_form_parse(&form, p, text, len, FORM_FIELDS)) || (rc = check_fields_known(&form, detail)) ||
        (rc = take_field(&out->uid, &form, "uid", detail)) ||
        (rc = take_field(&out->timestamp_text, &form, "timestamp", detail)) ||
        (rc = take_field(&mac, &form, "hmac", detail)) || (rc = take_field(&out->body, &form, "body", detail)))
        return rc;
    out->body_len = strlen(out->body);
    *detail = "uid";
    if (!ia_name_is_id(out->uid, strlen(out->uid)))
        return IA_MALFORMED;
    *detail = "timestamp: Unix seconds expected";
    if ((rc = ia_timestamp_parse_unix(&out->timestamp, out->timestamp_text, strlen(out->timestamp_text))))
        return rc;
    *detail = "hmac: 64 (SHA-256) or 40 (SHA-1) hexadecimal digits expected";
    if ((rc = parse_mac(out, mac)))
        return rc;
    *detail = NULL;
    return IA_OK;
}

/*
 * Finds a member by its name with underscores or, as the published client writes it, with hyphens. Having both is an
 * error.
 */
static ia_result find_member(const ia_json **out, const ia_json *body, const char *name, const char *hyphened)
{
    const ia_json *a = ia_json_member(body, name), *b = ia_json_member(body, hyphened);

    *out = a ? a : b;
    return a && b ? IA_ACCESS_MALFORMED : IA_OK;
}

static ia_result check_members(const ia_json *body, ia_access_kind kind, const char **detail)
{
    static const char *const known[] = {"uid", "token_lifespan", "token-lifespan", "id", "aud", "nonces"};
    const ia_json *member;
    unsigned k;

    for (member = body->first; member; member = member->next) {
        for (k = 0; k < 6 && strcmp(member->name, known[k]); k++)
            ;
        if (k < 6)
            continue;
        if (kind == IA_ACCESS_REFRESH && !strcmp(member->name, "token"))
            continue;
        if (kind == IA_ACCESS_REQUEST && (!strcmp(member->name, "access_for") || !strcmp(member->name, "access-for")))
            continue;
        *detail = "body: unknown member";
        return IA_ACCESS_MALFORMED;
    }
    return IA_OK;
}

static ia_result take_access_for(ia_access_body *out, apr_pool_t *p, const ia_json *body, const char **detail)
{
    const ia_json *list, *name;

    *detail = "access_for: a list of 1 to 64 different capability names expected";
    if (find_member(&list, body, "access_for", "access-for") || !list || list->type != IA_JSON_ARRAY ||
        list->count < 1 || list->count > IA_ACCESS_NAMES_MAX)
        return IA_ACCESS_MALFORMED;
    out->access_for = apr_pcalloc(p, list->count * sizeof *out->access_for);
    for (name = list->first; name; name = name->next) {
        unsigned i;

        if (name->type != IA_JSON_STRING || !ia_name_is_capability(name->string, name->string_len))
            return IA_ACCESS_MALFORMED;
        for (i = 0; i < out->access_for_count; i++)
            if (!strcmp(out->access_for[i], name->string))
                return IA_ACCESS_MALFORMED;
        out->access_for[out->access_for_count++] = name->string;
    }
    return IA_OK;
}

static ia_result take_numbers(ia_access_body *out, const ia_json *body, const char **detail)
{
    const ia_json *lifespan, *nonces = ia_json_member(body, "nonces");

    *detail = "token_lifespan: seconds, a whole number above 0, expected";
    if (find_member(&lifespan, body, "token_lifespan", "token-lifespan"))
        return IA_ACCESS_MALFORMED;
    if (lifespan && (lifespan->type != IA_JSON_INTEGER || lifespan->integer < 1))
        return IA_ACCESS_MALFORMED;
    if (lifespan)
        out->lifespan = lifespan->integer < IA_LIFESPAN_MAX ? lifespan->integer : IA_LIFESPAN_MAX;
    *detail = "nonces: a whole number from 1 to 32 expected";
    if (nonces && (nonces->type != IA_JSON_INTEGER || nonces->integer < 1 || nonces->integer > IA_ACCESS_NONCES_MAX))
        return IA_ACCESS_MALFORMED;
    out->nonces = nonces ? (unsigned)nonces->integer : 0;
    return IA_OK;
}

static ia_result take_text(const char **out, const ia_json *body, const char *name, int required, apr_size_t max)
{
    const ia_json *member = ia_json_member(body, name);

    *out = NULL;
    if (!member)
        return required ? IA_ACCESS_MALFORMED : IA_OK;
    if (member->type != IA_JSON_STRING || member->string_len < 1 || member->string_len > max)
        return IA_ACCESS_MALFORMED;
    *out = member->string;
    return IA_OK;
}

ia_result ia_access_body_parse(ia_access_body *out, apr_pool_t *p, const ia_access_form *form, ia_access_kind kind,
                               const char **detail)
{
    const ia_json *body;
    ia_json_error error;
    ia_result rc;

    memset(out, 0, sizeof *out);
    *detail = "body";
    if ((rc = ia_json_parse(&body, p, form->body, form->body_len, BODY_NODES, &error)))
        return rc;
    *detail = "body: an object expected";
    if (body->type != IA_JSON_OBJECT)
        return IA_ACCESS_MALFORMED;
    if ((rc = check_members(body, kind, detail)))
        return rc;
    *detail = "body: uid, a string, expected";
    if ((rc = take_text(&out->uid, body, "uid", 1, IA_NAME_MAX)))
        return rc;
    *detail = "body: uid differs from the form's";
    if (strcmp(out->uid, form->uid))
        return IA_UID_MISMATCH;
    if ((rc = take_numbers(out, body, detail)))
        return rc;
    if (kind == IA_ACCESS_REQUEST && (rc = take_access_for(out, p, body, detail)))
        return rc;
    *detail = "token: a string expected";
    if (kind == IA_ACCESS_REFRESH && (rc = take_text(&out->token, body, "token", 1, IA_TOKEN_TEXT_MAX)))
        return rc;
    *detail = "id, aud: strings expected";
    if ((rc = take_text(&out->id, body, "id", 0, IA_NAME_MAX)) ||
        (rc = take_text(&out->audience, body, "aud", 0, 2048)))
        return rc;
    *detail = NULL;
    return IA_OK;
}

void ia_access_mac(unsigned char *out, ia_hash hash, const ia_mac_key *key, const char *timestamp, const char *body,
                   apr_size_t body_len)
{
    ia_bytes parts[] = {{timestamp, strlen(timestamp)}, {" ", 1}, {body, body_len}};

    ia_mac_compute(out, hash, key, parts, 3);
}
