/** What a result of the store means here. */
#ifndef SAUTH_OUTCOME_H
#define SAUTH_OUTCOME_H

#include "interauth/result.h"
#include "st_result.h"

/** For a grant, or a nonce of one. */
ia_result sauth_grant_outcome(st_result result);

#endif
