/** Functions of mod_isign for other modules: optional functions of APR, which are NULL if mod_isign is not loaded. */
#ifndef INTERAUTH_ISIGN_H
#define INTERAUTH_ISIGN_H

#include <apr_optional.h>
#include <httpd.h>

/**
 * Describes an acceptable signature in the response that refuses this request (Accept-Signature). Does nothing where
 * signatures are not verified.
 */
APR_DECLARE_OPTIONAL_FN(void, isign_ask, (request_rec * r));

/**
 * The whole body of the external request that `r` belongs to, of at most `max` bytes. It is read now unless it was read
 * before; the handler reads it unchanged, with a Content-Length. It counts against ISignSpoolTotal. May be called
 * repeatedly.
 * @param status httpd's own status for a broken body, else 0
 * @return an ia_result: IA_OK, IA_BODY_TOO_LARGE, IA_BODY_BROKEN, IA_SPOOL_FULL, IA_FAULT_SPOOL, IA_FAULT_BODY_TAKEN
 */
APR_DECLARE_OPTIONAL_FN(int, isign_read_body,
                        (request_rec * r, apr_size_t max, const char **text, apr_size_t *len, int *status));

#endif
