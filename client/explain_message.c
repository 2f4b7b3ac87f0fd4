/* Runs `interauth explain` on a saved request or response. */
#include "explain_message.h"

#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "interauth/json.h"
#include "say.h"
#include "signature_text.h"

static const char *const kind_names[] = {"request", "response", "header", "body"};

/* A query may contain secrets. */
static const char *target_format(apr_pool_t *p, const char *target)
{
    apr_size_t len = strcspn(target, "?");

    return apr_pstrcat(p, signature_escape(p, target, len < 2048 ? len : 2048), target[len] ? "?.." : "", NULL);
}

static void text_print(apr_pool_t *p, const parts *all, const saved_message *m)
{
    const char *where = NULL;

    if (m->kind == SAVED_REQUEST)
        printf("request: %s %s\n", m->message.method, target_format(p, m->message.target));
    else if (m->kind == SAVED_RESPONSE)
        printf("response: %d\n", m->message.status);
    for (int i = 0; i < all->list->nelts; i++) {
        const part *one = &APR_ARRAY_IDX(all->list, i, part);

        if (!where || strcmp(where, one->where) != 0)
            printf("%s:\n", where = one->where);
        if (one->code)
            printf("  error: %s [%s]\n", one->meaning, one->code);
        else
            printf("  %s: %s (%s)\n", one->name, one->value, one->meaning);
    }
}

static int json_print(apr_pool_t *p, const parts *all, const saved_message *m)
{
    const part *wrong = parts_error(all);
    ia_json_writer *w = ia_json_writer_create(p);

    ia_json_write_object(w);
    ia_json_write_member(w, "kind", kind_names[m->kind]);
    if (m->kind == SAVED_REQUEST) {
        ia_json_write_member(w, "method", m->message.method);
        ia_json_write_member(w, "target", target_format(p, m->message.target));
    }
    if (m->kind == SAVED_RESPONSE) {
        ia_json_write_name(w, "status");
        ia_json_write_integer(w, m->message.status);
    }
    ia_json_write_name(w, "parts");
    ia_json_write_array(w);
    for (int i = 0; i < all->list->nelts; i++) {
        const part *one = &APR_ARRAY_IDX(all->list, i, part);

        ia_json_write_object(w);
        ia_json_write_member(w, "where", one->where);
        if (one->code) {
            error_write(w, one->code, one->meaning);
        } else {
            ia_json_write_member(w, "name", one->name);
            ia_json_write_member(w, "value", one->value);
            ia_json_write_member(w, "meaning", one->meaning);
        }
        ia_json_write_end(w);
    }
    ia_json_write_end(w);
    if (wrong)
        error_write(w, wrong->code, wrong->meaning);
    ia_json_write_end(w);
    return say_out(ia_json_writer_text(w, NULL));
}

int explain_message(apr_pool_t *p, const char *path, int json)
{
    parts all = {p, apr_array_make(p, 32, sizeof(part))};
    saved_message m;
    int rc = saved_message_read(&m, p, path);

    if (rc != CL_OK)
        return rc;
    explain_fields(&all, &m);
    explain_body(&all, &m);
    if (all.list->nelts == 0)
        return say_refused("%s: contains nothing of SAuth, the challenge protocol or message signatures", path);
    if (json && json_print(p, &all, &m) != CL_OK)
        return CL_FAULT;
    if (!json)
        text_print(p, &all, &m);
    return parts_error(&all) ? CL_REFUSED : CL_OK;
}
