/** auth.request, auth.token and auth.refresh: the request, and the functions that the methods share. */
#ifndef SAUTH_CHALLENGE_LOGIN_H
#define SAUTH_CHALLENGE_LOGIN_H

#include "challenge.h"
#include "interauth/challenge_seal.h"
#include "interauth/grant.h"

/** One request. The state contains the verified client and its grant. */
typedef struct challenge_login {
    request_rec *r;
    sauth_dir conf;
    apr_time_t now;
    ia_envelope call;
    sauth_state *state;
    challenge_use *use;            /**< of auth.refresh, or NULL */
    ia_challenge_profile profile;  /**< of the challenge of auth.token; for the log */
    const char *signature_profile; /**< auth.token: the name of the signature's profile if it differs, else NULL */
} challenge_login;

/* The methods. Each writes its response and returns IA_OK, or returns the reason for a refusal. */
ia_result challenge_auth_request(challenge_login *x);
ia_result challenge_auth_token(challenge_login *x);
ia_result challenge_auth_refresh(challenge_login *x);

/** Sets the detail of a refusal because of invalid members. @return IA_ENVELOPE_MALFORMED */
ia_result challenge_malformed(challenge_login *x, const char *detail);

/** Writes a response. @return IA_OK or IA_FAULT_INTERNAL */
ia_result challenge_respond(challenge_login *x, const ia_envelope_member *members, unsigned count);

/** Encodes a seal as a challenge. @return IA_OK or a fault */
ia_result challenge_seal(char challenge[IA_CHALLENGE_LEN + 1], const ia_challenge_seal *seal);

/** Stores a grant, which expires no later than the window of its token. @return as sauth_grant_create */
ia_result challenge_store(challenge_login *x, const char *token, ia_grant_terms *terms, apr_int64_t window,
                          apr_uint64_t secret_fingerprint);

#endif
