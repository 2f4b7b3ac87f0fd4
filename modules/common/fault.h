/** Faults in the log: who can bring one about with every request must not fill the disk with lines about it. */
#ifndef INTERAUTH_COMMON_FAULT_H
#define INTERAUTH_COMMON_FAULT_H

#include <httpd.h>
#include "interauth/result.h"

/**
 * Whether a line is due: always for what is no fault; of each fault one in ten seconds in each process.
 * @return NULL where nothing is to be logged; else "", or " suppressed=N" with how many lines were not
 */
const char *fault_due(request_rec *r, const ia_outcome *outcome);

#endif
