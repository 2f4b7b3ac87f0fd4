/** Protects locations with AuthType SAuth from configurations that leave them open. */
#ifndef SAUTH_GUARD_H
#define SAUTH_GUARD_H

#include "mod_sauth.h"
#include "sauth_state.h"

/** check_config: refuses AuthType SAuth without a Require, because everybody would have access. */
int sauth_guard_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

/** check_access: responds with 503 at AuthType SAuth while `unguarded` is set. */
int sauth_guard_access(request_rec *r);

/** After authorization: whether a rule of this module admitted the request, or the client is authenticated. */
int sauth_guard_passes(request_rec *r, const sauth_dir *conf, const sauth_state *state);

/** Whether AuthType SAuth applies to this request. */
int sauth_is_ours(request_rec *r);

#endif
