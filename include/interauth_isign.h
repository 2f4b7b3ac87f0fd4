/** What mod_isign does for other modules, where it is loaded: optional functions of APR. */
#ifndef INTERAUTH_ISIGN_H
#define INTERAUTH_ISIGN_H

#include <apr_optional.h>
#include <httpd.h>

/**
 * Asks for a signature in the response with which this request is being refused (Accept-Signature), unless signatures
 * are not looked at here.
 */
APR_DECLARE_OPTIONAL_FN(void, isign_ask, (request_rec * r));

/**
 * The whole body of the external request that `r` belongs to, read now where nobody read it before, of at most `max`
 * bytes. The app finds it unchanged, with a Content-Length; it counts against ISignSpoolTotal. May be asked repeatedly.
 * @param status httpd's own for a broken body, else 0
 * @return an ia_result: IA_OK, IA_BODY_TOO_LARGE, IA_BODY_BROKEN, IA_SPOOL_FULL, IA_FAULT_SPOOL
 */
APR_DECLARE_OPTIONAL_FN(int, isign_read_body,
                        (request_rec * r, apr_size_t max, const char **text, apr_size_t *len, int *status));

#endif
