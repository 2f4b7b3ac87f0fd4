/** Dialect "signature": identifies the client by a message signature that mod_isign verified. It has no endpoints. */
#ifndef SAUTH_SIGNATURE_H
#define SAUTH_SIGNATURE_H

#include "sauth_dialect.h"

extern const sauth_dialect signature_dialect;

#endif
