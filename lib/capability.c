/* Sets of capabilities as bitmaps. */
#include <string.h>
#include "interauth/capability.h"

#define WORDS (IA_CAPABILITIES_MAX / 64)

static int in_range(int index)
{
    return index >= 0 && index < IA_CAPABILITIES_MAX;
}

void ia_capset_clear(ia_capset *set)
{
    memset(set, 0, sizeof *set);
}

void ia_capset_add(ia_capset *set, int index)
{
    if (in_range(index))
        set->bits[index / 64] |= APR_UINT64_C(1) << (index % 64);
}

int ia_capset_has(const ia_capset *set, int index)
{
    return in_range(index) && (set->bits[index / 64] >> (index % 64) & 1);
}

int ia_capset_is_empty(const ia_capset *set)
{
    return ia_capset_next(set, -1) < 0;
}

int ia_capset_contains(const ia_capset *whole, const ia_capset *part)
{
    unsigned i;

    for (i = 0; i < WORDS; i++)
        if (part->bits[i] & ~whole->bits[i])
            return 0;
    return 1;
}

void ia_capset_intersect(ia_capset *out, const ia_capset *a, const ia_capset *b)
{
    unsigned i;

    for (i = 0; i < WORDS; i++)
        out->bits[i] = a->bits[i] & b->bits[i];
}

int ia_capset_next(const ia_capset *set, int after)
{
    int index = after < IA_CAPABILITIES_MAX ? after + 1 : IA_CAPABILITIES_MAX;

    while (in_range(index)) {
        apr_uint64_t rest = set->bits[index / 64] >> (index % 64);

        if (rest)
            return index + __builtin_ctzll(rest);
        index = (index / 64 + 1) * 64;
    }
    return -1;
}
