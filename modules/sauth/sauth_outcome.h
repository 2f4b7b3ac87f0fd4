/** Converts results of the store into outcomes. */
#ifndef SAUTH_OUTCOME_H
#define SAUTH_OUTCOME_H

#include "interauth/result.h"
#include "st_result.h"

/** Converts the result of an operation on a grant or its nonces. */
ia_result sauth_grant_outcome(st_result result);

#endif
