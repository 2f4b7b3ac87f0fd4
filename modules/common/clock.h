/**
 * The clock of the modules. Everything under modules/ that asks what time it is asks here, so that the modules that the
 * tests load can be given another time. tests/httpd/clock has the other implementation; no installed module contains it.
 */
#ifndef INTERAUTH_CLOCK_H
#define INTERAUTH_CLOCK_H

#include <apr_time.h>

/** Microseconds since 1970, UTC. */
apr_time_t clock_now(void);

#endif
