/** mod_sauth's part in a start: what is looked at before it, opened in it, and kept over a stop. */
#ifndef SAUTH_STORE_H
#define SAUTH_STORE_H

#include "grant_table.h"
#include "mod_sauth.h"

/** check_config: is there a registry, and a safe place for the state file? @return OK or a status that ends a start */
int sauth_store_check(apr_pool_t *ptemp, server_rec *s);

/** post_config: opens the segment and finds the registry. @return OK or a status that ends a start */
int sauth_store_open(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s);

/** check_config: NULL, or what is wrong with SAuthStateFile. */
const char *sauth_persist_check(apr_pool_t *ptemp, server_rec *s);

/**
 * post_config: what SAuthStateFile kept, into a `fresh` segment; then marks the file as one of a running server.
 * @return OK or a status that ends a start
 */
int sauth_persist_open(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s, st_grants *grants, int fresh);
/** monitor hook of the parent: saves now and then. */
int sauth_persist_monitor(apr_pool_t *p, server_rec *s);

/** check_config: an AuthType SAuth without a Require would be open to everybody. */
int sauth_guard_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

#endif
