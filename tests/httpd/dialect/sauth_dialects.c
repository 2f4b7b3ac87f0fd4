/* The table of dialects that tests link: the installed rows, and the probe. */
#include "challenge/challenge.h"
#include "probe.h"
#include "sauth/access.h"
#include "sauth_dialect.h"
#include "signature/signature.h"

const sauth_dialect *const sauth_dialects[] = {&access_dialect, &signature_dialect, &challenge_dialect, &probe_dialect,
                                               NULL};
