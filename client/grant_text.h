/** Grants as they are shown: to people, to scripts, and as the command that asks for one. */
#ifndef CLIENT_GRANT_TEXT_H
#define CLIENT_GRANT_TEXT_H

#include "state.h"

/** Prints what is held, never the token: with `json` one line of JSON, else a text for people. */
int grant_print(apr_pool_t *p, const grant_record *record, int json);

/** As above, for all of `grants`, of grant_record *. */
int grants_print(apr_pool_t *p, const apr_array_header_t *grants, int json);

/** The command that asks for this grant, for a shell. */
const char *grant_command(apr_pool_t *p, const grant_record *record);

#endif
