/** What an outcome means and what to do about it. */
#ifndef CLIENT_ADVICE_H
#define CLIENT_ADVICE_H

#include "interauth/result.h"

/** Static text; never NULL. */
const char *advice_meaning(ia_result result);
const char *advice_todo(ia_result result);

#endif
