/* Looks up rows of the outcome table. */
#include "interauth/result.h"

static const ia_outcome outcomes[] = {
#define IA_OUTCOME_ROW(symbol, value, tag, code, status, auth_hint, severity, title)                                   \
    {symbol, tag, code, status, IA_AUTH_HINT_##auth_hint, IA_SEVERITY_##severity, title},
    IA_OUTCOMES(IA_OUTCOME_ROW)
#undef IA_OUTCOME_ROW
};

const ia_outcome *ia_outcomes(unsigned *count)
{
    *count = sizeof outcomes / sizeof outcomes[0];
    return outcomes;
}

/* A switch generated from the table: compilers make a jump table of it, and refuse two rows with the same value. */
const ia_outcome *ia_outcome_of(ia_result result)
{
    enum {
#define IA_OUTCOME_INDEX(symbol, value, tag, code, status, auth_hint, severity, title) INDEX_OF_##symbol,
        IA_OUTCOMES(IA_OUTCOME_INDEX)
#undef IA_OUTCOME_INDEX
    };

    switch (result) {
#define IA_OUTCOME_CASE(symbol, value, tag, code, status, auth_hint, severity, title)                                  \
    case symbol:                                                                                                       \
        return &outcomes[INDEX_OF_##symbol];
        IA_OUTCOMES(IA_OUTCOME_CASE)
#undef IA_OUTCOME_CASE
    }
    return &outcomes[INDEX_OF_IA_FAULT_INTERNAL];
}
