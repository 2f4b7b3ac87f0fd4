/** What a result of the store means here. */
#ifndef REGISTRY_OUTCOME_H
#define REGISTRY_OUTCOME_H

#include "interauth/result.h"
#include "st_result.h"

/** For a look-up of something whose absence is `missing`. */
ia_result registry_outcome(st_result result, ia_result missing);

/** For a load into a table whose lack of room is `full`. */
ia_result registry_load_outcome(st_result result, ia_result full);

#endif
