/* What a signature covers. */
#include "httpsig_internal.h"

/* Whether a derived component contains another one. */
static int contains(const ia_sfv_text *whole, const char *part)
{
    static const char *const parts[] = {"@path", "@query", "@authority", "@scheme"};
    unsigned count = ia_sfv_text_is(whole, "@target-uri") ? 4 : ia_sfv_text_is(whole, "@request-target") ? 2 : 0, i;

    for (i = 0; i < count; i++) {
        if (strcmp(part, parts[i]) == 0)
            return 1;
    }
    return 0;
}

/* A component of another message, or a part of a component, has parameters other than these. */
static int is_whole(const ia_sfv_member *item)
{
    const ia_sfv_param *param;

    for (param = item->params; param; param = param->next) {
        if (!ia_sfv_text_is(&param->key, "sf") && !ia_sfv_text_is(&param->key, "bs"))
            return 0;
    }
    return 1;
}

int ia_httpsig_mentions(const ia_httpsig *signature, const char *component)
{
    const ia_sfv_text wanted = iai_text(component);
    const ia_sfv_member *item;

    for (item = signature->input->items; item; item = item->next)
        if (iai_sfv_text_equal(&item->value.text, &wanted))
            return 1;
    return 0;
}

int ia_httpsig_covers(const ia_httpsig *signature, const char *component)
{
    const ia_sfv_text wanted = iai_text(component);
    const ia_sfv_member *item;

    for (item = signature->input->items; item; item = item->next) {
        if ((iai_sfv_text_equal(&item->value.text, &wanted) || contains(&item->value.text, component)) &&
            is_whole(item))
            return 1;
    }
    return 0;
}
