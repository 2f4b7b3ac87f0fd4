/**
 * mod_sauth: may this request do this? Grants are asked for at endpoints (dialects), presented with later requests
 * (presentations), and held against `Require capability` (decision). Everything about one external request is kept in
 * one sauth_state on its outermost request_rec, so that sub-requests and internal redirects consume nothing.
 */
#ifndef MOD_SAUTH_H
#define MOD_SAUTH_H

#include <httpd.h>
#include <http_config.h>
#include <mod_auth.h>
#include "grant_store.h"
#include "interauth_registry.h"
#include "replay_cache.h"
#include "sauth_config.h"

struct sauth_state;

extern module AP_MODULE_DECLARE_DATA sauth_module
    __attribute__((visibility("default"))); /* httpd looks it up by name */

#define SAUTH_AUTH_TYPE "SAuth"
#define SAUTH_HANDLER   "sauth"

/* --- what is shared ------------------------------------------------------------------------------------------- */

/** This process's view; `grants` is NULL until post_config, and where there is no registry. */
typedef struct sauth_shared {
    const st_grant_store *grants;
    st_replay_cache *replays; /**< used access requests and calls */
    const ia_registry *registry;
    apr_uint32_t grant_quota;
    apr_uint32_t replay_quota;
    const char *unguarded; /**< where an AuthType SAuth stands without Require after a reload, or NULL */
} sauth_shared;

extern sauth_shared sauth;

/** A section in mod_status's page. */
int sauth_status_report(request_rec *r, int flags);

/** A scope's name reduced to a number that fits a grant; never 0. */
apr_uint64_t sauth_scope_number(const char *name);

/** check_access: 503 under AuthType SAuth while the configuration of a reload is not safe. */
int sauth_guard_access(request_rec *r);

/** After authorization: whether what let this request in had a rule of ours in it, or the client is known. */
int sauth_guard_passes(request_rec *r, const sauth_dir *conf, const struct sauth_state *state);

/** Whether AuthType SAuth holds where this request is. */
int sauth_is_ours(request_rec *r);

/* --- hooks ---------------------------------------------------------------------------------------------------- */

/** check_authn and force_authn. */
int sauth_authenticate(request_rec *r);
int sauth_force_authn(request_rec *r);

/** The handler of endpoints, and the hook that keeps their URLs away from the file system. */
int sauth_map_to_storage(request_rec *r);
int sauth_handler(request_rec *r);

#endif
