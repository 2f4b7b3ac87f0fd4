/** The state of one external request. It is stored at the outermost request_rec, so that nothing is used up twice. */
#ifndef SAUTH_STATE_H
#define SAUTH_STATE_H

#include <httpd.h>
#include "grant_store.h"
#include "interauth_registry.h"
#include "problem.h"
#include "sauth_dialect.h"

#define SAUTH_ATTRIBUTES 16 /* maximum for a client */

/** A fact about the client for notes and the environment. */
typedef struct sauth_attribute {
    const environment_row *row;
    const char *value;
} sauth_attribute;

typedef struct sauth_state {
    apr_pool_t *pool; /**< of the outermost request_rec */
    int decided;      /**< `rc` is set; a nonce, if any, is used up */
    ia_result rc;
    int proven; /**< the client was verified: `entry` is its own, and `grant` if it has one */
    const sauth_presentation *presentation; /**< whose credentials were checked; NULL: none, also after a login */
    ia_registry_entry entry;                /**< the participant; wipe its secrets once the proof is checked */
    st_grant grant;
    st_grant_ref ref;
    unsigned char grant_id[IA_GRANT_ID_LEN];
    ia_capset capabilities; /**< those that both the grant and the participant have */
    sauth_attribute attributes[SAUTH_ATTRIBUTES];
    int attribute_count; /**< 0 until the client is authenticated */

    ia_result denied;             /**< a rule that was not satisfied; IA_OK if the request was allowed nevertheless */
    const request_rec *denied_in; /**< only compared */
    const char *denied_at;        /**< its URI */
    const char *denied_by;        /**< the rule */
    const request_rec *passed;    /**< the last one that its rules allowed; only compared */

    const sauth_dialect *dialect;    /**< the dialect of the endpoint that handles this request, or NULL */
    problem_formatter respond_error; /**< formats refusals from now on; NULL: problem+json */
    const char *detail;              /**< one sentence for the client, or NULL */
    int status;                      /**< httpd's status if the body could not be read, otherwise 0 */
    int retry_after;                 /**< seconds; 0: as the outcome says */
    const char *log_detail;          /**< more fields for the log line: " name=value", without secrets, or NULL */
    struct sauth_own *own;           /**< see sauth_state_own */
} sauth_state;

/** The state of the external request that `r` belongs to; creates it if there is none. */
sauth_state *sauth_state_of(request_rec *r);

/** The same, or NULL if there is none. */
sauth_state *sauth_state_find(request_rec *r);

/**
 * The data of a dialect or presentation for this request. The first call creates it, zeroed; it lives as long as the state.
 * @param owner identifies the data: the address of the row of the dialect or presentation
 */
void *sauth_state_own(sauth_state *state, const void *owner, apr_size_t size);

/** The same, or NULL if it was not created. `state` may be NULL. */
void *sauth_state_find_own(const sauth_state *state, const void *owner);

#endif
