/*
 * Structured fields: a valid value is the same after it was written, parsed strictly, and written again. The first byte
 * selects kind and flags.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <apr_general.h>
#include <apr_pools.h>
#include "interauth/sfv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
    if (!truth)
        abort();
}

/* Slices of the source are within it. */
static void check_slices(const ia_sfv_field *field, const char *text, size_t len)
{
    const ia_sfv_member *member, *item;
    unsigned members = 0, items;

    for (member = field->first; member != NULL; member = member->next, members++) {
        require(member->source.data >= text && member->source.data + member->source.len <= text + len);
        items = 0;
        for (item = member->items; item != NULL; item = item->next, items++) {
            require(item->source.data > member->source.data);
            require(item->source.data + item->source.len < member->source.data + member->source.len);
        }
        require(items == member->item_count);
    }
    require(members == field->count);
}

static void check_round_trip(apr_pool_t *p, const ia_sfv_field *field)
{
    apr_size_t len, again_len;
    char *text, *again;
    ia_sfv_field second;
    const ia_sfv_limits limits = {SIZE_MAX, UINT32_MAX, UINT32_MAX};

    require(ia_sfv_format(&text, &len, p, field) == IA_OK);
    require(strlen(text) == len);
    require(ia_sfv_parse(&second, p, field->kind, text, len, IA_SFV_STRICT, &limits) == IA_OK);
    require(second.count == field->count);
    require(ia_sfv_format(&again, &again_len, p, &second) == IA_OK);
    require(len == again_len && memcmp(text, again, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ia_sfv_kind kinds[] = {IA_SFV_ITEM, IA_SFV_LIST, IA_SFV_DICTIONARY, IA_SFV_DICTIONARY};
    static apr_pool_t *root;
    ia_sfv_field field, lenient;
    apr_pool_t *p;
    unsigned flags;
    ia_sfv_kind kind;
    char *text;

    if (size == 0)
        return 0;
    if (root == NULL) {
        apr_initialize();
        apr_pool_create(&root, NULL);
    }
    apr_pool_create(&p, root);
    kind = kinds[data[0] & 3];
    flags = data[0] >> 2 & IA_SFV_STRICT;
    text = malloc(size - 1);
    if (text == NULL)
        abort();
    if (size > 1)
        memcpy(text, data + 1, size - 1);
    if (ia_sfv_parse(&field, p, kind, text, size - 1, flags, NULL) == IA_OK) {
        check_slices(&field, text, size - 1);
        check_round_trip(p, &field);
        /* what is valid in strict mode is also valid otherwise */
        require(ia_sfv_parse(&lenient, p, kind, text, size - 1, 0, NULL) == IA_OK && lenient.count == field.count);
    } else {
        require(field.first == NULL && field.count == 0);
    }
    free(text);
    apr_pool_destroy(p);
    return 0;
}
