/** Reads participants files. */
#ifndef CLIENT_PARTICIPANTS_H
#define CLIENT_PARTICIPANTS_H

#include "interauth/participant.h"

/**
 * Reads and parses the file, and wipes its text.
 * @param wrong set to the error in the content, with CL_REFUSED
 * @return CL_OK, CL_REFUSED if the content is invalid (not reported), or CL_FAULT if it cannot be read (reported)
 */
int participants_load(ia_participants *out, apr_pool_t *p, const char *path, const char **wrong);

/** Reads the key files that the records name, and checks that each key has one owner. As above. */
int participants_load_keys(ia_participants *list, apr_pool_t *p, const char *path, const char **wrong);

#endif
