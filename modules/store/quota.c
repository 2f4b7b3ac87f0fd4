/* Counts the records of each participant in a table. */
#include "quota.h"
#include "shm_word.h"

apr_size_t st_quota_size(apr_uint32_t participants)
{
    return (apr_size_t)participants * sizeof(apr_uint64_t);
}

static apr_uint32_t number_of(apr_uint64_t count)
{
    return (apr_uint32_t)count;
}

/* Returns the increased count, or 0 if the quota is reached or the generation has ended. */
static apr_uint64_t increased(apr_uint64_t count, apr_uint64_t generation, apr_uint32_t quota)
{
    apr_uint32_t current = (apr_uint32_t)(count >> 32), wanted = (apr_uint32_t)generation;

    if (!quota)
        return 0;
    if (current == wanted)
        return number_of(count) < quota ? count + 1 : 0;
    return !number_of(count) || (apr_int32_t)(wanted - current) > 0 ? (apr_uint64_t)wanted << 32 | 1 : 0;
}

int st_quota_has_room(const apr_uint64_t *counts, apr_uint32_t size, apr_uint32_t index, apr_uint64_t generation,
                      apr_uint32_t quota)
{
    return index < size && increased(LOAD(counts[index]), generation, quota);
}

int st_quota_take(apr_uint64_t *counts, apr_uint32_t size, apr_uint32_t index, apr_uint64_t generation,
                  apr_uint32_t quota, apr_uint32_t *counted)
{
    apr_uint64_t seen, next;

    if (!st_quota_has_room(counts, size, index, generation, quota))
        return 0;
    STORE(*counted, 1);
    seen = LOAD(counts[index]);
    do {
        next = increased(seen, generation, quota);
    } while (next && !SWAP(counts[index], seen, next));
    if (!next)
        STORE(*counted, 0);
    return next != 0;
}

void st_quota_give_back(apr_uint64_t *counts, apr_uint32_t size, apr_uint32_t index, apr_uint64_t generation,
                        apr_uint32_t *counted)
{
    apr_uint64_t seen;

    if (!LOAD(*counted))
        return;
    if (index < size) {
        seen = LOAD(counts[index]);
        while (seen >> 32 == (apr_uint32_t)generation && number_of(seen) && !SWAP(counts[index], seen, seen - 1))
            ;
    }
    STORE(*counted, 0);
}
