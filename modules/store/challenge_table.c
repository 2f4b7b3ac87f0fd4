/* Stores the newest used challenge of each participant. */
#include "challenge_table.h"
#include "shm_word.h"

/* The word after that of the last participant is the floor: older challenges are invalid for all participants. */
apr_size_t st_challenges_size(apr_uint32_t participants)
{
    return ((apr_size_t)participants + 1) * sizeof(apr_uint64_t);
}

static int raise_to(apr_uint64_t *word, apr_uint64_t stamp)
{
    apr_uint64_t seen = LOAD(*word);

    do {
        if (stamp <= seen)
            return 0;
    } while (!SWAP(*word, seen, stamp));
    return 1;
}

void st_challenges_forget(apr_uint64_t *words, apr_uint32_t participants, apr_uint64_t stamp)
{
    raise_to(&words[participants], stamp);
}

st_result st_challenges_use(apr_uint64_t *words, apr_uint32_t participants, apr_uint32_t index, apr_uint64_t stamp)
{
    if (index >= participants)
        return ST_FAULT;
    if (stamp <= LOAD(words[participants]) || !raise_to(&words[index], stamp))
        return ST_EXISTS;
    return ST_OK;
}
