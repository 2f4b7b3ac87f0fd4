/** What is known of one external request: kept on its outermost request_rec, so that nothing is used up twice. */
#ifndef SAUTH_STATE_H
#define SAUTH_STATE_H

#include <httpd.h>
#include "grant_store.h"
#include "interauth_registry.h"
#include "problem.h"
#include "sauth_dialect.h"

#define SAUTH_ATTRIBUTES 16 /* of a client */

/** What notes and environment tell about a client. */
typedef struct sauth_attribute {
    const environment_row *row;
    const char *value;
} sauth_attribute;

typedef struct sauth_state {
    apr_pool_t *pool; /**< of the outermost request_rec */
    int decided;      /**< `rc` holds; a nonce, if any, is used up */
    ia_result rc;
    int proven; /**< the client was verified: `entry` is its own, and `grant` if it has one */
    const sauth_presentation *presentation; /**< whose credentials were checked; NULL: none, also after a login */
    ia_registry_entry entry;                /**< secrets wiped */
    st_grant grant;
    st_grant_ref ref;
    unsigned char grant_id[IA_GRANT_ID_LEN];
    ia_capset capabilities; /**< granted, and still allowed */
    sauth_attribute attributes[SAUTH_ATTRIBUTES];
    int attribute_count; /**< 0 until the client was let in */

    ia_result denied;             /**< a rule that was not met, IA_OK once the request went on all the same */
    const request_rec *denied_in; /**< only compared */
    const char *denied_at;        /**< its URI */
    const char *denied_by;        /**< the rule */
    const request_rec *passed;    /**< the last one whose rules let it through; only compared */

    const sauth_dialect *dialect;    /**< whose endpoint handles this request, or NULL */
    problem_formatter respond_error; /**< of refusals from now on; NULL: problem+json */
    const char *detail;              /**< one sentence for the client, or NULL */
    int status;                      /**< httpd's own for a body that could not be read, else 0 */
    int retry_after;                 /**< seconds; 0: as the outcome says */
    const char *log_detail;          /**< what the log says besides: " name=value", without secrets, or NULL */
    struct sauth_own *own;           /**< see sauth_state_own */
} sauth_state;

/** The state of the external request that `r` belongs to; made when there is none. */
sauth_state *sauth_state_of(request_rec *r);

/** The same, or NULL where nothing was made yet. */
sauth_state *sauth_state_find(request_rec *r);

/**
 * Per-request data of a dialect or presentation: zeroed when it is made, kept as long as the state.
 * @param owner whose it is: the address of its row
 */
void *sauth_state_own(sauth_state *state, const void *owner, apr_size_t size);

/** The same, or NULL where it was not made. `state` may be NULL. */
void *sauth_state_find_own(const sauth_state *state, const void *owner);

#endif
