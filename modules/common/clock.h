/**
 * The clock of the modules. All code in modules/ gets the time here, so that tests can set it: they load modules that are
 * linked with tests/httpd/clock instead. Installed modules never contain that.
 */
#ifndef INTERAUTH_CLOCK_H
#define INTERAUTH_CLOCK_H

#include <apr_time.h>

/** Microseconds since 1970, UTC. */
apr_time_t clock_now(void);

#endif
