/* Parses a file of participant records. */
#include <apr_hash.h>
#include <apr_strings.h>
#include <string.h>
#include "interauth/participant.h"

#define NODES_MAX (64u * 1024 * 1024)

/* The number of the line, from 1, that contains an offset. */
static unsigned line_of(const char *text, apr_size_t offset)
{
    unsigned line = 1;
    apr_size_t i;

    for (i = 0; i < offset; i++)
        line += text[i] == '\n';
    return line;
}

static ia_result parse_list(ia_participants *out, apr_pool_t *p, const ia_json *list, ia_participant_error *error)
{
    apr_hash_t *ids = apr_hash_make(p);
    const ia_json *item;
    ia_participants all = {apr_pcalloc(p, (list->count + 1) * sizeof *all.list), 0};

    for (item = list->first; item; item = item->next) {
        ia_participant *one = &all.list[all.count];
        ia_result rc = ia_participant_parse(one, p, item, all.count + 1, error);

        if (rc)
            return rc;
        if (apr_hash_get(ids, one->id, APR_HASH_KEY_STRING)) {
            error->text = apr_psprintf(p, "participant %u (%s): this id is already used", one->line, one->id);
            return IA_MALFORMED;
        }
        apr_hash_set(ids, one->id, APR_HASH_KEY_STRING, one);
        all.count++;
    }
    *out = all;
    return ia_participants_check_keys(out, p, error);
}

ia_result ia_participants_parse(ia_participants *out, apr_pool_t *p, const char *text, apr_size_t len,
                                ia_participant_error *error)
{
    const ia_json *document, *list;
    ia_json_error where = {0, ""};
    ia_result rc;

    memset(out, 0, sizeof *out);
    error->text = "";
    rc = ia_json_parse(&document, p, text, len, NODES_MAX, &where);
    if (rc) {
        error->text =
            apr_psprintf(p, "line %u: %s", line_of(text, where.offset < len ? where.offset : len), where.reason);
        return rc;
    }
    list = ia_json_member(document, "participants");
    if (!list || list->type != IA_JSON_ARRAY || document->count != 1) {
        error->text = "one object expected, with the single member participants, a list of objects";
        return IA_MALFORMED;
    }
    return parse_list(out, p, list, error);
}
