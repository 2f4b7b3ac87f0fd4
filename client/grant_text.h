/** Grants as text, as JSON, and as the command that requests one. */
#ifndef CLIENT_GRANT_TEXT_H
#define CLIENT_GRANT_TEXT_H

#include "state.h"

/** Prints a grant without its token, as one line of JSON or as text. */
int grant_print(apr_pool_t *p, const grant_record *record, int json);

/** As above, for all of `grants`, of grant_record *. */
int grants_print(apr_pool_t *p, const apr_array_header_t *grants, int json);

/** The shell command that requests this grant. */
const char *grant_command(apr_pool_t *p, const grant_record *record);

#endif
