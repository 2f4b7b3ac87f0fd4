/**
 * mod_sauth decides whether a client may make a request. Clients request grants at endpoints (dialects), present them
 * with later requests (presentations), and `Require capability` checks them (decision). All data of one external
 * request is in one sauth_state of its outermost request_rec, so that sub-requests and internal redirects consume no
 * nonces.
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

/* --- shared data ---------------------------------------------------------------------------------------------- */

/** Data of this process. `grants` is NULL before post_config, and if there is no registry. */
typedef struct sauth_shared {
    const st_grant_store *grants;
    st_replay_cache *replays; /**< used access requests and calls */
    const ia_registry *registry;
    apr_uint32_t grant_quota;
    apr_uint32_t replay_quota;
    const char *unguarded; /**< after a reload: the error that leaves a location unprotected, or NULL */
} sauth_shared;

extern sauth_shared sauth;

/** status_hook: writes a section of the mod_status page. */
int sauth_status_report(request_rec *r, int flags);

/* --- hooks ---------------------------------------------------------------------------------------------------- */

/** check_authn and force_authn. */
int sauth_authenticate(request_rec *r);
int sauth_force_authn(request_rec *r);

/** The handler of endpoints, and the hook that prevents their URLs from being mapped to files. */
int sauth_map_to_storage(request_rec *r);
int sauth_handler(request_rec *r);

#endif
