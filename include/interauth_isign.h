/** What mod_isign does for other modules, where it is loaded: optional functions of APR. */
#ifndef INTERAUTH_ISIGN_H
#define INTERAUTH_ISIGN_H

#include <apr_optional.h>
#include <httpd.h>

/**
 * Asks for a signature in the response with which this request is being refused (Accept-Signature), unless signatures
 * are not looked at here.
 */
APR_DECLARE_OPTIONAL_FN(void, isign_ask, (request_rec *r));

#endif
