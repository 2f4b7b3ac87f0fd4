/** A dialect for tests; see probe.c. */
#ifndef PROBE_H
#define PROBE_H

#include "sauth_dialect.h"

extern const sauth_dialect probe_dialect;

#endif
