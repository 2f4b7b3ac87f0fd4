/* Collects the parts of a message: where each is found, its value, and its meaning. */
#include "parts.h"

#include <string.h>

#include <apr_strings.h>

#include "advice.h"
#include "interauth/timestamp.h"
#include "signature_text.h"

#define VALUE_MAX   512 /* characters shown */
#define SECRET_MIN  16  /* shorter secrets are not shown at all */
#define SECRET_HEAD 4

static void add(parts *all, const char *where, const char *name, const char *value, const char *meaning,
                const char *code)
{
    const part made = {where, name, value, meaning, code};

    APR_ARRAY_PUSH(all->list, part) = made;
}

void part_add(parts *all, const char *where, const char *name, const char *value, const char *meaning)
{
    apr_size_t len = value ? strlen(value) : 0;
    const char *shown;

    if (!value)
        return;
    shown = signature_escape(all->p, value, len < VALUE_MAX ? len : VALUE_MAX);
    if (len > VALUE_MAX)
        shown = apr_psprintf(all->p, "%s.. (%" APR_SIZE_T_FMT " characters)", shown, len);
    add(all, where, name, shown, meaning, NULL);
}

void part_add_secret(parts *all, const char *where, const char *name, const char *value, const char *meaning)
{
    apr_size_t len = value ? strlen(value) : 0;
    const char *head;

    if (!value)
        return;
    head = len < SECRET_MIN ? "" : signature_escape(all->p, value, SECRET_HEAD);
    add(all, where, name, apr_psprintf(all->p, "%s.. (%" APR_SIZE_T_FMT " characters)", head, len), meaning, NULL);
}

void part_add_time(parts *all, const char *where, const char *name, apr_int64_t seconds, const char *meaning)
{
    char text[IA_RFC3339_SIZE];

    if (seconds < 0)
        return;
    if (seconds > APR_INT64_C(253402300799)) /* the year 9999 */
        seconds = APR_INT64_C(253402300799);
    ia_timestamp_format(text, apr_time_from_sec(seconds));
    add(all, where, name, apr_pstrdup(all->p, text), meaning, NULL);
}

void part_add_error(parts *all, const char *where, const char *code, const char *text)
{
    add(all, where, NULL, NULL, text, code);
}

void part_add_refusal(parts *all, const char *where, ia_result result, const char *detail)
{
    const char *text = advice_meaning(result);

    if (detail && *detail)
        text = apr_psprintf(all->p, "%s (%s)", text, signature_escape(all->p, detail, strlen(detail)));
    part_add_error(all, where, ia_outcome_of(result)->tag, text);
}

const part *parts_error(const parts *all)
{
    for (int i = 0; i < all->list->nelts; i++)
        if (APR_ARRAY_IDX(all->list, i, part).code)
            return &APR_ARRAY_IDX(all->list, i, part);
    return NULL;
}
