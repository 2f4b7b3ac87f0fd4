/** The checks of `interauth check` for a participants file. */
#ifndef CLIENT_CHECK_PARTICIPANTS_H
#define CLIENT_CHECK_PARTICIPANTS_H

#include "check.h"

/** Adds what it finds: syntax errors, expiry, similar ids, shared secrets, weak settings. */
void check_participants_file(findings *all, const char *path);

#endif
