/** A participants file as the client reads it. */
#ifndef CLIENT_PARTICIPANTS_H
#define CLIENT_PARTICIPANTS_H

#include "interauth/participant.h"

/**
 * Reads and parses the file. A raw secret in its text is wiped.
 * @param wrong set to what is wrong with the content, where the result is CL_REFUSED
 * @return CL_OK, CL_REFUSED where the content is wrong (not said yet), CL_FAULT where it cannot be read
 * (said)
 */
int participants_load(ia_participants *out, apr_pool_t *p, const char *path, const char **wrong);

/** Reads the keys that stand in files of their own, and checks that each key has one owner. As above. */
int participants_load_keys(ia_participants *list, apr_pool_t *p, const char *path, const char **wrong);

#endif
