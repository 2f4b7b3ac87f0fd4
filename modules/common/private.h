/**
 * A page of one client must not be kept for another: no shared cache may store the response of an authenticated request,
 * whatever the app says. mod_cache spares only requests with an Authorization header by itself.
 */
#ifndef INTERAUTH_COMMON_PRIVATE_H
#define INTERAUTH_COMMON_PRIVATE_H

#include <httpd.h>

/**
 * Registers hooks and a filter under a name of the module's own, such as "SAUTH_PRIVATE".
 * @param is_private asked as each response begins; it may still set headers
 */
void private_register(apr_pool_t *p, const char *filter_name, int (*is_private)(request_rec *r));

#endif
