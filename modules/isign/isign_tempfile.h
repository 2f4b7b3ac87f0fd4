/** Unlinked temporary files for bodies, in ISignSpoolDirectory. */
#ifndef ISIGN_TEMPFILE_H
#define ISIGN_TEMPFILE_H

#include <httpd.h>
#include "interauth/result.h"

/** check_config: whether the server's User can create files in it. @return OK or a status that ends a start */
int isign_tempfile_check(apr_pool_t *ptemp, server_rec *s);
void isign_tempfile_child_init(apr_pool_t *p, server_rec *s);

/** Creates a file that lives as long as the request. Logs errors. @return IA_OK or IA_FAULT_SPOOL */
ia_result isign_tempfile_open(apr_file_t **out, request_rec *r);
/** Logs why a file could not be written, rate-limited. @return IA_FAULT_SPOOL */
ia_result isign_tempfile_failed(request_rec *r, apr_status_t rv);

#endif
