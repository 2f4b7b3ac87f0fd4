/* Reads the fields Signature-Input and Signature (RFC 9421 section 4), and chooses one of the signatures. */
#include "httpsig_internal.h"

#define TIME_MAX APR_INT64_C(253402300799) /* the end of the year 9999, far from overflow in microseconds */

static ia_result read_time(apr_int64_t *out, const ia_sfv_value *value)
{
    if (value->type != IA_SFV_INTEGER || value->number < 0 || value->number > TIME_MAX)
        return IA_SIG_TIME_MALFORMED;
    *out = value->number;
    return IA_OK;
}

static ia_result read_text(ia_sfv_text *out, const ia_sfv_value *value)
{
    if (value->type != IA_SFV_STRING)
        return IA_SIG_PARAMETER_MALFORMED;
    *out = value->text;
    return IA_OK;
}

/* Unknown parameters are part of the signature base, but otherwise ignored. */
static ia_result read_param(ia_httpsig *signature, const ia_sfv_param *param)
{
    const ia_sfv_text *key = &param->key;

    if (ia_sfv_text_is(key, "created"))
        return read_time(&signature->created, &param->value);
    if (ia_sfv_text_is(key, "expires"))
        return read_time(&signature->expires, &param->value);
    if (ia_sfv_text_is(key, "nonce"))
        return read_text(&signature->nonce, &param->value);
    if (ia_sfv_text_is(key, "alg"))
        return read_text(&signature->alg, &param->value);
    if (ia_sfv_text_is(key, "keyid"))
        return read_text(&signature->keyid, &param->value);
    return ia_sfv_text_is(key, "tag") ? read_text(&signature->tag, &param->value) : IA_OK;
}

static ia_result read_signature(ia_httpsig *out, const ia_sfv_member *input, const ia_sfv_field *signatures)
{
    const ia_sfv_param *param;
    const ia_sfv_member *value;
    ia_result rc = IA_OK;

    out->label = input->key;
    out->input = input;
    out->created = out->expires = -1;
    for (value = signatures->first; value; value = value->next) {
        if (iai_sfv_text_equal(&value->key, &input->key))
            break;
    }
    if (!value)
        return IA_SIG_LABEL_UNPAIRED;
    if (value->value.type != IA_SFV_BYTES)
        return IA_SIG_NOT_BYTES;
    if (input->value.type != IA_SFV_INNER_LIST)
        return IA_SIG_NOT_LIST;
    out->signature = value->value.text;
    for (param = input->params; param && !rc; param = param->next)
        rc = read_param(out, param);
    if (rc)
        return rc;
    if (out->nonce.data && (out->nonce.len == 0 || out->nonce.len > IA_HTTPSIG_NONCE_MAX))
        return IA_SIG_NONCE_LONG;
    return out->expires >= 0 && out->expires < out->created ? IA_SIG_EXPIRES_EARLY : IA_OK;
}

static ia_result read_dictionary(ia_sfv_field *out, int *present, apr_pool_t *p, const ia_httpsig_message *message,
                                 const char *name)
{
    static const ia_sfv_limits limits = {IA_HTTPSIG_FIELD_MAX, IA_HTTPSIG_COMPONENTS_MAX, IA_HTTPSIG_PARAMETERS_MAX};
    const ia_sfv_field none = {IA_SFV_DICTIONARY, NULL, 0};
    const ia_sfv_text wanted = iai_text(name);
    ia_sfv_text value;
    ia_result rc = iai_field_lines(&value, p, message, &wanted);

    *out = none;
    *present = rc != IA_SIG_FIELD_MISSING;
    if (rc)
        return *present ? rc : IA_OK;
    rc = ia_sfv_parse(out, p, IA_SFV_DICTIONARY, value.data, value.len, IA_SFV_STRICT, &limits);
    if (rc == IA_SFV_DUPLICATE)
        return IA_SIG_LABEL_REPEATED;
    if (rc == IA_SFV_LIMIT || out->count > IA_HTTPSIG_SIGNATURES_MAX)
        return IA_SIG_LIMIT;
    return !rc && out->count > 0 ? IA_OK : IA_SIG_MALFORMED;
}

ia_result ia_httpsig_read(ia_httpsig_set *out, apr_pool_t *p, const ia_httpsig_message *message)
{
    ia_sfv_field inputs, signatures;
    const ia_sfv_member *input;
    int has_input, has_signature;
    ia_httpsig_set set = {NULL, 0};
    ia_result rc;

    *out = set;
    rc = read_dictionary(&inputs, &has_input, p, message, "signature-input");
    if (!rc)
        rc = read_dictionary(&signatures, &has_signature, p, message, "signature");
    if (rc)
        return rc;
    if (!has_input && !has_signature)
        return IA_SIG_MISSING;
    if (inputs.count != signatures.count)
        return IA_SIG_LABEL_UNPAIRED;
    set.list = apr_pcalloc(p, inputs.count * sizeof *set.list);
    for (input = inputs.first; input && !rc; input = input->next)
        rc = read_signature(&set.list[set.count++], input, &signatures);
    if (!rc)
        *out = set;
    return rc;
}

static int fits(const char *wanted, const ia_sfv_text *text)
{
    return !wanted || ia_sfv_text_is(text, wanted);
}

ia_result ia_httpsig_choose(ia_httpsig **out, const ia_httpsig_set *set, const ia_httpsig_policy *policy)
{
    unsigned labelled = 0, tagged = 0, found = 0, i;
    ia_httpsig *signature, *last = NULL;

    *out = NULL;
    for (i = 0; i < set->count; i++) {
        signature = &set->list[i];
        if (!fits(policy->label, &signature->label))
            continue;
        labelled++;
        if (policy->tag && (!signature->tag.data || !fits(policy->tag, &signature->tag)))
            continue;
        tagged++;
        if (policy->keyid && (!signature->keyid.data || !fits(policy->keyid, &signature->keyid)))
            continue;
        found++;
        last = signature;
    }
    if (labelled == 0)
        return set->count == 0 ? IA_SIG_MISSING : IA_SIG_LABEL_ABSENT;
    if (tagged == 0)
        return IA_SIG_TAG_ABSENT;
    if (found != 1)
        return found == 0 ? IA_SIG_KEY_UNKNOWN : IA_SIG_AMBIGUOUS;
    *out = last;
    return IA_OK;
}
