/*
 * Parses the structure of a field value: parameters, items, inner lists, lists, dictionaries (RFC 9651 section 4.2).
 */
#include "sfv_internal.h"

static void skip_spaces(iai_sfv_reader *r)
{
    while (iai_sfv_peek(r, ' '))
        r->at++;
}

static void skip_ows(iai_sfv_reader *r)
{
    while (iai_sfv_peek(r, ' ') || iai_sfv_peek(r, '\t'))
        r->at++;
}

static ia_result read_key(ia_sfv_text *key, iai_sfv_reader *r)
{
    const char *start = r->at;

    if (r->at == r->end || !iai_sfv_is_key_start((unsigned char)*r->at))
        return IA_SFV_MALFORMED;
    while (r->at < r->end && iai_sfv_is_key_char((unsigned char)*r->at))
        r->at++;
    *key = iai_sfv_since(r, start);
    return IA_OK;
}

/* The parameter to fill: a new one at the end, or the earlier one with the same key. */
static ia_result place_param(ia_sfv_param **out, ia_sfv_member *member, ia_sfv_param ***end, const ia_sfv_text *key,
                             const iai_sfv_reader *r)
{
    ia_sfv_param *param;

    for (param = member->params; param; param = param->next) {
        if (iai_sfv_text_equal(&param->key, key)) {
            *out = param;
            return r->flags & IA_SFV_UNIQUE ? IA_SFV_DUPLICATE : IA_OK;
        }
    }
    *out = **end = apr_pcalloc(r->p, sizeof **out);
    *end = &(*out)->next;
    member->param_count++;
    return IA_OK;
}

static ia_result read_params(ia_sfv_member *member, iai_sfv_reader *r)
{
    static const ia_sfv_value none, yes = {IA_SFV_BOOLEAN, 1, {NULL, 0}};
    ia_sfv_param *param, **end = &member->params;
    unsigned seen = 0;
    ia_sfv_text key;
    ia_result rc;

    while (iai_sfv_take(r, ';')) {
        if (++seen > r->limits->parameters)
            return IA_SFV_LIMIT;
        skip_spaces(r);
        rc = read_key(&key, r);
        if (rc == IA_OK)
            rc = place_param(&param, member, &end, &key, r);
        if (rc != IA_OK)
            return rc;
        param->key = key;
        if (!iai_sfv_take(r, '=')) {
            param->value = yes;
            continue;
        }
        param->value = none;
        rc = iai_sfv_read_value(&param->value, r);
        if (rc != IA_OK)
            return rc;
    }
    return IA_OK;
}

static ia_result read_item(ia_sfv_member *member, iai_sfv_reader *r)
{
    const char *start = r->at;
    ia_result rc = iai_sfv_read_value(&member->value, r);

    if (rc == IA_OK)
        rc = read_params(member, r);
    member->source = iai_sfv_since(r, start);
    return rc;
}

static ia_result read_inner_list(ia_sfv_member *member, iai_sfv_reader *r)
{
    ia_sfv_member *item, **end = &member->items;
    const char *start = r->at++;
    ia_result rc;

    member->value.type = IA_SFV_INNER_LIST;
    for (skip_spaces(r); !iai_sfv_take(r, ')'); skip_spaces(r)) {
        if (member->item_count == r->limits->members)
            return IA_SFV_LIMIT;
        item = apr_pcalloc(r->p, sizeof *item);
        rc = read_item(item, r);
        if (rc != IA_OK)
            return rc;
        if (!iai_sfv_peek(r, ' ') && !iai_sfv_peek(r, ')'))
            return IA_SFV_MALFORMED;
        *end = item;
        end = &item->next;
        member->item_count++;
    }
    rc = read_params(member, r);
    member->source = iai_sfv_since(r, start);
    return rc;
}

static ia_result read_member(ia_sfv_member *member, iai_sfv_reader *r)
{
    return iai_sfv_peek(r, '(') ? read_inner_list(member, r) : read_item(member, r);
}

/* A member of a dictionary after its key; without '=' it is true, and may have parameters. */
static ia_result read_keyed(ia_sfv_member *member, iai_sfv_reader *r)
{
    const char *start = r->at;
    ia_result rc;

    if (iai_sfv_take(r, '='))
        return read_member(member, r);
    member->value.type = IA_SFV_BOOLEAN;
    member->value.number = 1;
    rc = read_params(member, r);
    member->source = iai_sfv_since(r, start);
    return rc;
}

static ia_sfv_member *find_member(const ia_sfv_field *field, const ia_sfv_text *key)
{
    ia_sfv_member *member;

    for (member = field->first; member; member = member->next) {
        if (iai_sfv_text_equal(&member->key, key))
            return member;
    }
    return NULL;
}

/*
 * One member of the list or dictionary; a repeated key keeps its position but has the new value.
 */
static ia_result read_next(ia_sfv_field *out, ia_sfv_member ***end, iai_sfv_reader *r)
{
    ia_sfv_member *member = NULL, fresh = {0};
    ia_result rc;

    if (out->kind == IA_SFV_DICTIONARY) {
        rc = read_key(&fresh.key, r);
        if (rc != IA_OK)
            return rc;
        member = find_member(out, &fresh.key);
        if (member && (r->flags & IA_SFV_UNIQUE))
            return IA_SFV_DUPLICATE;
        rc = read_keyed(&fresh, r);
    } else {
        rc = read_member(&fresh, r);
    }
    if (rc != IA_OK)
        return rc;
    if (!member) {
        member = **end = apr_palloc(r->p, sizeof *member);
        *end = &member->next;
        out->count++;
    } else {
        fresh.next = member->next;
    }
    *member = fresh;
    return IA_OK;
}

static ia_result read_members(ia_sfv_field *out, iai_sfv_reader *r)
{
    ia_sfv_member **end = &out->first;
    unsigned seen = 0;
    ia_result rc;

    while (r->at < r->end) {
        if (++seen > r->limits->members)
            return IA_SFV_LIMIT;
        rc = read_next(out, &end, r);
        if (rc != IA_OK)
            return rc;
        skip_ows(r);
        if (r->at == r->end)
            return IA_OK;
        if (!iai_sfv_take(r, ','))
            return IA_SFV_MALFORMED;
        skip_ows(r);
        if (r->at == r->end)
            return IA_SFV_MALFORMED;
    }
    return IA_OK;
}

ia_result ia_sfv_parse(ia_sfv_field *out, apr_pool_t *p, ia_sfv_kind kind, const char *text, apr_size_t len,
                       unsigned flags, const ia_sfv_limits *limits)
{
    static const ia_sfv_limits least = {IA_SFV_BYTES_MAX, IA_SFV_MEMBERS_MAX, IA_SFV_PARAMETERS_MAX};
    ia_sfv_field field = {kind, NULL, 0};
    iai_sfv_reader r = {p, text, NULL, flags, limits ? limits : &least};
    ia_result rc;

    *out = field;
    if (len > r.limits->bytes)
        return IA_SFV_LIMIT;
    if (len == 0)
        return kind == IA_SFV_ITEM ? IA_SFV_MALFORMED : IA_OK;
    r.end = text + len;
    skip_spaces(&r);
    if (kind == IA_SFV_ITEM) {
        field.first = apr_pcalloc(p, sizeof *field.first);
        field.count = 1;
        rc = read_item(field.first, &r);
    } else {
        rc = read_members(&field, &r);
    }
    if (rc != IA_OK)
        return rc;
    skip_spaces(&r);
    if (r.at != r.end)
        return IA_SFV_MALFORMED;
    *out = field;
    return IA_OK;
}

const ia_sfv_member *ia_sfv_get(const ia_sfv_field *field, const char *key)
{
    const ia_sfv_text text = {key, strlen(key)};

    return field->kind == IA_SFV_DICTIONARY ? find_member(field, &text) : NULL;
}

const ia_sfv_value *ia_sfv_param_get(const ia_sfv_member *member, const char *key)
{
    const ia_sfv_param *param;

    if (!member)
        return NULL;
    for (param = member->params; param; param = param->next) {
        if (ia_sfv_text_is(&param->key, key))
            return &param->value;
    }
    return NULL;
}

int ia_sfv_text_is(const ia_sfv_text *text, const char *string)
{
    const ia_sfv_text other = {string, strlen(string)};

    return iai_sfv_text_equal(text, &other);
}
