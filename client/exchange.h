/** The exchanges with a service's grant endpoints: request_access, refresh_access, generate_nonce. */
#ifndef CLIENT_EXCHANGE_H
#define CLIENT_EXCHANGE_H

#include "interauth/nonce.h"
#include "state.h"

/**
 * Asks for a grant and puts it into the record. Where the server says that it has just started, waits and
 * asks once more; where it takes the request for a replay, as another one of the same second is, asks once
 * more with a random id. Reports a refusal.
 * @return an exit status; the record keeps what it held unless it is CL_OK
 */
int exchange_grant(grant_record *record, apr_pool_t *p, const ia_mac_key *key);

/** Asks for a new time of expiry of the record's token. `lifespan` 0 leaves it to the server. As above. */
int exchange_refresh(grant_record *record, apr_pool_t *p, const ia_mac_key *key, apr_int64_t lifespan);

/** Asks for one fresh nonce. @return true where there is one */
int exchange_nonce(char out[IA_NONCE_TEXT_LEN + 1], apr_pool_t *p, const grant_record *record);

#endif
