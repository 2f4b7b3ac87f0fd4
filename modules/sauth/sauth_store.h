/** Startup of mod_sauth: checks, shared memory, registry, and the state file. */
#ifndef SAUTH_STORE_H
#define SAUTH_STORE_H

#include "grant_table.h"
#include "mod_sauth.h"

/** check_config: checks that there is a registry, and the state file. @return OK or a status that prevents the start */
int sauth_store_check(apr_pool_t *ptemp, server_rec *s);

/** post_config: opens the segment and finds the registry. @return OK or a status that prevents the start */
int sauth_store_open(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s);

/** check_config: checks SAuthStateFile. @return NULL, or the error */
const char *sauth_persist_check(apr_pool_t *ptemp, server_rec *s);

/**
 * post_config: loads SAuthStateFile into a `fresh` segment, then marks the file as that of a running server.
 * @return OK or a status that prevents the start
 */
int sauth_persist_open(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s, st_grants *grants, int fresh);
/** monitor hook of the parent process: saves the state periodically. */
int sauth_persist_monitor(apr_pool_t *p, server_rec *s);

#endif
