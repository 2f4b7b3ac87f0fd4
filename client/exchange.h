/** The exchanges with a service's grant endpoints: request_access, refresh_access, generate_nonce. */
#ifndef CLIENT_EXCHANGE_H
#define CLIENT_EXCHANGE_H

#include "interauth/nonce.h"
#include "state.h"

/**
 * Requests a grant and stores it in the record. If the server has just started, waits and retries once. If the server
 * refuses the request as a replay, because there was an equal one within the same second, retries once with a random id.
 * Reports a refusal.
 * @return an exit status; the record is unchanged unless it is CL_OK
 */
int exchange_grant(grant_record *record, apr_pool_t *p, const ia_mac_key *key);

/** Extends the lifetime of the token by `lifespan` seconds from now; 0 lets the server decide. As above. */
int exchange_refresh(grant_record *record, apr_pool_t *p, const ia_mac_key *key, apr_int64_t lifespan);

/** Requests a fresh nonce. @return false if there is none */
int exchange_nonce(char out[IA_NONCE_TEXT_LEN + 1], apr_pool_t *p, const grant_record *record);

#endif
