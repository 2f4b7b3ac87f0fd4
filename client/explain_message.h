/** `interauth explain` for a saved message, without keys. */
#ifndef CLIENT_EXPLAIN_MESSAGE_H
#define CLIENT_EXPLAIN_MESSAGE_H

#include "parts.h"
#include "saved_message.h"

/** Prints the parts of the file and their meanings. @return CL_REFUSED if a part is malformed or none is known */
int explain_message(apr_pool_t *p, const char *path, int json);

/** Adds the header fields that concern credentials or signatures. */
void explain_fields(parts *all, const saved_message *m);

/** Adds the parts of a body of one of the protocols. */
void explain_body(parts *all, const saved_message *m);

#endif
