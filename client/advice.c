/* Looks up the advice for an outcome in the generated table. */
#include "advice.h"

#include <stddef.h>

typedef struct advice {
    ia_result result;
    const char *means, *todo;
} advice;

static const advice table[] = {
#include "advice.inc"
};

static const advice *advice_find(ia_result result)
{
    for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].result == result)
            return &table[i];
    return NULL;
}

const char *advice_meaning(ia_result result)
{
    const advice *found = advice_find(result);

    return found ? found->means : ia_outcome_of(result)->title;
}

const char *advice_todo(ia_result result)
{
    const advice *found = advice_find(result);

    return found ? found->todo : "see outcomes.md in the documentation";
}
