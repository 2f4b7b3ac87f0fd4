/* Makes signatures, and the Accept-Signature that requests them (RFC 9421 sections 3.1 and 5.1). */
#include <apr_strings.h>
#include "httpsig_internal.h"

/* The member under construction; parameters are appended. */
typedef struct draft {
    apr_pool_t *p;
    ia_sfv_member input;
    ia_sfv_param **end;
} draft;

static void add_param(draft *d, const char *key, const ia_sfv_value *value)
{
    ia_sfv_param *param = apr_pcalloc(d->p, sizeof *param);

    param->key = iai_text(key);
    param->value = *value;
    *d->end = param;
    d->end = &param->next;
    d->input.param_count++;
}

static void add_time(draft *d, const char *key, apr_int64_t time)
{
    const ia_sfv_value value = {IA_SFV_INTEGER, time, {NULL, 0}};

    add_param(d, key, &value);
}

static void add_flag(draft *d, const char *key)
{
    const ia_sfv_value value = {IA_SFV_BOOLEAN, 1, {NULL, 0}};

    add_param(d, key, &value);
}

static void add_text(draft *d, const char *key, const char *text)
{
    ia_sfv_value value = {IA_SFV_STRING, 0, {NULL, 0}};

    if (!text)
        return;
    value.text = iai_text(text);
    add_param(d, key, &value);
}

/* An identifier with parameters begins with a quote, a plain name does not. */
static ia_result read_component(ia_sfv_member **out, apr_pool_t *p, const char *text)
{
    ia_sfv_field field;
    ia_sfv_member *item;

    if (*text == '"') {
        if (ia_sfv_parse(&field, p, IA_SFV_ITEM, text, strlen(text), IA_SFV_STRICT, NULL) != IA_OK)
            return IA_SIG_MALFORMED;
        *out = field.first;
        return IA_OK;
    }
    item = apr_pcalloc(p, sizeof *item);
    item->value.type = IA_SFV_STRING;
    item->value.text = iai_text(text);
    *out = item;
    return IA_OK;
}

static ia_result begin(draft *d, apr_pool_t *p, const ia_httpsig_plan *plan)
{
    ia_sfv_member **end = &d->input.items;
    iai_component component;
    ia_result rc = IA_OK;
    unsigned i;

    memset(d, 0, sizeof *d);
    d->p = p;
    d->end = &d->input.params;
    d->input.value.type = IA_SFV_INNER_LIST;
    if (!plan->label)
        return IA_SIG_MALFORMED;
    d->input.key = iai_text(plan->label);
    for (i = 0; i < plan->component_count && !rc; i++) {
        rc = read_component(end, p, plan->components[i]);
        if (!rc)
            rc = iai_component_read(&component, *end);
        if (!rc) {
            end = &(*end)->next;
            d->input.item_count++;
        }
    }
    return rc;
}

static ia_result format_labelled(char **out, apr_pool_t *p, const ia_sfv_member *member)
{
    ia_sfv_member copy = *member;
    const ia_sfv_field field = {IA_SFV_DICTIONARY, &copy, 1};

    return ia_sfv_format(out, NULL, p, &field) == IA_OK ? IA_OK : IA_SIG_MALFORMED;
}

static ia_result sign_base(ia_sfv_member *out, apr_pool_t *p, const ia_sfv_text *base, const ia_httpsig_key *key)
{
    char *bytes = apr_palloc(p, IA_SIGNATURE_MAX);
    apr_size_t len = IA_SHA256_LEN;
    ia_result rc = IA_OK;

    if (key->key)
        rc = ia_signature_mint((unsigned char *)bytes, &len, key->key, base->data, base->len);
    else
        ia_signature_mint_mac((unsigned char *)bytes, key->secret, base->data, base->len);
    out->value.type = IA_SFV_BYTES;
    out->value.text.data = bytes;
    out->value.text.len = len;
    return rc;
}

ia_result ia_httpsig_mint(ia_httpsig_minted *out, apr_pool_t *p, const ia_httpsig_message *message,
                          const ia_httpsig_plan *plan, const ia_httpsig_key *key)
{
    ia_httpsig_minted made = {NULL, NULL};
    ia_sfv_member signature = {0};
    ia_sfv_text base;
    draft d;
    ia_result rc = begin(&d, p, plan);

    *out = made;
    if ((!key->key) == (!key->secret))
        return IA_FAULT_INTERNAL;
    if (rc)
        return rc;
    if (plan->created != 0)
        add_time(&d, "created", plan->created);
    if (plan->expires != 0)
        add_time(&d, "expires", plan->expires);
    add_text(&d, "nonce", plan->nonce);
    if (plan->names_algorithm)
        add_text(&d, "alg", ia_algorithm_name(key->key ? ia_key_algorithm(key->key) : IA_ALGORITHM_HMAC));
    add_text(&d, "keyid", plan->keyid);
    add_text(&d, "tag", plan->tag);
    rc = ia_httpsig_base(&base, p, message, &d.input);
    if (!rc)
        rc = sign_base(&signature, p, &base, key);
    signature.key = d.input.key;
    if (!rc)
        rc = format_labelled(&made.input, p, &d.input);
    if (!rc)
        rc = format_labelled(&made.signature, p, &signature);
    if (!rc)
        *out = made;
    return rc;
}

ia_result ia_httpsig_format_accept(char **out, apr_pool_t *p, const ia_httpsig_plan *plan, ia_algorithm algorithm)
{
    draft d;
    ia_result rc = begin(&d, p, plan);

    *out = NULL;
    if (rc)
        return rc;
    if (plan->created != 0)
        add_flag(&d, "created");
    if (plan->expires != 0)
        add_flag(&d, "expires");
    add_text(&d, "nonce", plan->nonce);
    if (plan->names_algorithm)
        add_text(&d, "alg", ia_algorithm_name(algorithm));
    add_text(&d, "keyid", plan->keyid);
    add_text(&d, "tag", plan->tag);
    return format_labelled(out, p, &d.input);
}
