/* Component identifiers (RFC 9421 sections 2.1 and 2.2). */
#include "httpsig_internal.h"

static const struct {
    const char *name;
    iai_derived derived;
} derived_names[] = {{"@method", IAI_METHOD}, {"@target-uri", IAI_TARGET_URI},         {"@authority", IAI_AUTHORITY},
                     {"@scheme", IAI_SCHEME}, {"@request-target", IAI_REQUEST_TARGET}, {"@path", IAI_PATH},
                     {"@query", IAI_QUERY},   {"@query-param", IAI_QUERY_PARAM},       {"@status", IAI_STATUS}};
#define DERIVED_NAMES (sizeof derived_names / sizeof derived_names[0])

static ia_result read_field_name(const ia_sfv_text *name)
{
    apr_size_t i;
    unsigned char c;

    for (i = 0; i < name->len; i++) {
        c = (unsigned char)name->data[i];
        if (c >= 'A' && c <= 'Z')
            return IA_SIG_COMPONENT_CASE;
        if (!iai_sfv_is_token_char(c) || c == ':' || c == '/')
            return IA_SIG_COMPONENT_NAME;
    }
    return name->len > 0 ? IA_OK : IA_SIG_COMPONENT_NAME;
}

static ia_result read_name(iai_component *out)
{
    apr_size_t i;

    if (out->name.len == 0 || out->name.data[0] != '@')
        return read_field_name(&out->name);
    for (i = 0; i < DERIVED_NAMES; i++) {
        if (ia_sfv_text_is(&out->name, derived_names[i].name)) {
            out->derived = derived_names[i].derived;
            return IA_OK;
        }
    }
    for (i = 1; i < out->name.len; i++) {
        if (out->name.data[i] >= 'A' && out->name.data[i] <= 'Z')
            return IA_SIG_COMPONENT_CASE;
    }
    return ia_sfv_text_is(&out->name, "@signature-params") ? IA_SIG_COMPONENT_SELF : IA_SIG_COMPONENT_UNKNOWN;
}

static ia_result take_flag(iai_component *out, unsigned flag, const ia_sfv_value *value)
{
    if (value->type != IA_SFV_BOOLEAN || value->number != 1)
        return IA_SIG_COMPONENT_FLAG;
    out->flags |= flag;
    return IA_OK;
}

static ia_result take_text(iai_component *out, unsigned flag, const ia_sfv_value *value)
{
    if (value->type != IA_SFV_STRING)
        return IA_SIG_COMPONENT_FLAG;
    out->flags |= flag;
    out->text = value->text;
    return IA_OK;
}

static ia_result take_param(iai_component *out, const ia_sfv_param *param)
{
    if (ia_sfv_text_is(&param->key, "req"))
        return take_flag(out, IAI_REQ, &param->value);
    if (out->derived == IAI_QUERY_PARAM && ia_sfv_text_is(&param->key, "name"))
        return take_text(out, IAI_KEY, &param->value);
    if (out->derived != IAI_FIELD)
        return IA_SIG_COMPONENT_PARAMETER;
    if (ia_sfv_text_is(&param->key, "sf"))
        return take_flag(out, IAI_SF, &param->value);
    if (ia_sfv_text_is(&param->key, "bs"))
        return take_flag(out, IAI_BS, &param->value);
    if (ia_sfv_text_is(&param->key, "key"))
        return take_text(out, IAI_KEY, &param->value);
    return ia_sfv_text_is(&param->key, "tr") ? IA_SIG_TRAILER : IA_SIG_COMPONENT_PARAMETER;
}

ia_result iai_component_read(iai_component *out, const ia_sfv_member *item)
{
    const iai_component none = {item->value.text, IAI_FIELD, 0, {NULL, 0}};
    const ia_sfv_param *param;
    ia_result rc;

    *out = none;
    if (item->value.type != IA_SFV_STRING)
        return IA_SIG_COMPONENT_TYPE;
    rc = read_name(out);
    for (param = item->params; param && !rc; param = param->next)
        rc = take_param(out, param);
    if (rc)
        return rc;
    if ((out->flags & IAI_BS) && (out->flags & (IAI_SF | IAI_KEY)))
        return IA_SIG_COMPONENT_CONFLICT;
    return out->derived == IAI_QUERY_PARAM && !(out->flags & IAI_KEY) ? IA_SIG_COMPONENT_PARAMETER : IA_OK;
}

ia_result iai_component_value(ia_sfv_text *out, apr_pool_t *p, const ia_httpsig_message *message,
                              const iai_component *component)
{
    int is_response = !message->method;
    ia_result rc;

    out->data = NULL;
    out->len = 0;
    if (component->flags & IAI_REQ) {
        if (!is_response || !message->request || !message->request->method)
            return IA_SIG_REQ_MISUSED;
        message = message->request;
        is_response = 0;
    }
    if (component->derived == IAI_STATUS && !is_response)
        return IA_SIG_STATUS_MISUSED;
    if (component->derived == IAI_FIELD)
        return iai_field_value(out, p, message, component);
    if (component->derived != IAI_STATUS && is_response)
        return IA_SIG_REQUEST_ONLY;
    rc = iai_derived_value(out, p, message, component);
    if (!rc && !iai_is_signable(out))
        rc = IA_SIG_CHARACTERS;
    return rc;
}
