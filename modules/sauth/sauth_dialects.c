/* The table of dialects. No other generic file depends on individual dialects. */
#include "challenge/challenge.h"
#include "sauth/access.h"
#include "sauth_dialect.h"
#include "signature/signature.h"

const sauth_dialect *const sauth_dialects[] = {&access_dialect, &signature_dialect, &challenge_dialect, NULL};
