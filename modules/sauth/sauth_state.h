/** The state of an external request, kept in its outermost request_rec so that nonces are consumed only once. */
#ifndef SAUTH_STATE_H
#define SAUTH_STATE_H

#include <httpd.h>
#include "grant_store.h"
#include "interauth_registry.h"
#include "problem.h"
#include "sauth_dialect.h"

#define SAUTH_ATTRIBUTES 16 /* maximum for a client */

/** An attribute of a client, for notes and environment. */
typedef struct sauth_attribute {
    const environment_row *row;
    const char *value;
} sauth_attribute;

typedef struct sauth_state {
    apr_pool_t *pool; /**< of the outermost request_rec */
    int decided;      /**< `rc` is set, and the nonce, if any, was consumed */
    ia_result rc;
    int proven; /**< the client was verified: `entry` is its own, and `grant` if it has one */
    const sauth_presentation *presentation; /**< whose credentials were checked; NULL: none, also after a login */
    ia_registry_entry entry;                /**< secrets wiped */
    st_grant grant;
    st_grant_ref ref;
    unsigned char grant_id[IA_GRANT_ID_LEN];
    ia_capset capabilities; /**< those that both the grant and the participant have */
    sauth_attribute attributes[SAUTH_ATTRIBUTES];
    int attribute_count; /**< 0 until the client was authenticated */

    ia_result denied; /**< the outcome if a rule was not met; IA_OK if the request was admitted nevertheless */
    const request_rec *denied_in; /**< only compared */
    const char *denied_at;        /**< its URI */
    const char *denied_by;        /**< the rule */
    const request_rec *passed;    /**< the last one that its rules admitted; only compared */

    const sauth_dialect *dialect;    /**< whose endpoint handles this request, or NULL */
    problem_formatter respond_error; /**< formats error responses; NULL: problem+json */
    const char *detail;              /**< one sentence for the client, or NULL */
    int status;                      /**< the status of httpd if the body could not be read, else 0 */
    int retry_after;                 /**< seconds; 0: the default of the outcome */
    const char *log_detail;          /**< additional fields of the log line: " name=value", without secrets, or NULL */
    struct sauth_own *own;           /**< see sauth_state_own */
} sauth_state;

/** Returns the state of the external request to which `r` belongs, and creates it if necessary. */
sauth_state *sauth_state_of(request_rec *r);

/** Returns the state, or NULL if it was not created. */
sauth_state *sauth_state_find(request_rec *r);

/**
 * Returns data of a dialect or presentation that is kept with the state, and creates it, zeroed, if necessary.
 * @param owner the address of the row of the dialect or presentation
 */
void *sauth_state_own(sauth_state *state, const void *owner, apr_size_t size);

/** Returns the data, or NULL if it was not created. `state` may be NULL. */
void *sauth_state_find_own(const sauth_state *state, const void *owner);

#endif
