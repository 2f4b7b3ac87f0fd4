/** auth.request, auth.token and auth.refresh: one request, and what its methods share. */
#ifndef SAUTH_CHALLENGE_LOGIN_H
#define SAUTH_CHALLENGE_LOGIN_H

#include "challenge.h"
#include "interauth/challenge_seal.h"
#include "interauth/grant.h"

/** One request. The state holds which client was verified, and by what grant. */
typedef struct challenge_login {
    request_rec *r;
    sauth_dir conf;
    apr_time_t now;
    ia_envelope call;
    sauth_state *state;
    challenge_use *use;           /**< of auth.refresh, or NULL */
    ia_challenge_profile profile; /**< of auth.token's challenge; for the log */
    const char *foreign;          /**< auth.token: the name of the signature's profile where it is another */
} challenge_login;

/* The methods. Each writes its response, or returns why it is refused. */
ia_result challenge_auth_request(challenge_login *x);
ia_result challenge_auth_token(challenge_login *x);
ia_result challenge_auth_refresh(challenge_login *x);

/** Refuses a request whose members are wrong. @return IA_ENVELOPE_MALFORMED */
ia_result challenge_malformed(challenge_login *x, const char *detail);

/** Writes a response. @return IA_OK or IA_FAULT_INTERNAL */
ia_result challenge_respond(challenge_login *x, const ia_envelope_member *members, unsigned count);

/** Makes a challenge of a seal. @return IA_OK or a fault */
ia_result challenge_seal(char challenge[IA_CHALLENGE_LEN + 1], const ia_challenge_seal *seal);

/** Stores the grant of a token, which ends with the token's window. @return as sauth_grant_create */
ia_result challenge_store(challenge_login *x, const char *token, ia_grant_terms *terms, apr_int64_t window,
                          apr_uint64_t secret_fingerprint);

#endif
