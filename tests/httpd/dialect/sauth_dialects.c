/* The table of dialects for tests: the installed dialects and the probe. */
#include "challenge/challenge.h"
#include "probe.h"
#include "sauth/access.h"
#include "sauth_dialect.h"
#include "signature/signature.h"

const sauth_dialect *const sauth_dialects[] = {&access_dialect, &signature_dialect, &challenge_dialect, &probe_dialect,
                                               NULL};
