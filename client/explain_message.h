/** `interauth explain` on a saved request or response of any scheme, without keys. */
#ifndef CLIENT_EXPLAIN_MESSAGE_H
#define CLIENT_EXPLAIN_MESSAGE_H

#include "parts.h"
#include "saved_message.h"

/** Prints what the parts of the file mean. @return CL_OK, CL_REFUSED where a part is malformed or none is known */
int explain_message(apr_pool_t *p, const char *path, int json);

/** The fields of the header that concern credentials. */
void explain_fields(parts *all, const saved_message *m);

/** A body of one of the protocols. */
void explain_body(parts *all, const saved_message *m);

#endif
