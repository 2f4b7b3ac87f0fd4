/**
 * The grant: what a participant was given. One struct, one decision function; every dialect calls it.
 */
#ifndef INTERAUTH_GRANT_H
#define INTERAUTH_GRANT_H

#include <apr_time.h>
#include "interauth/capability.h"
#include "interauth/participant.h"
#include "interauth/token.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How a token may be presented. A grant is refused under any other presentation than the one it was minted for. */
typedef enum ia_presentation {
    IA_PRESENT_SAUTH = 1,
    IA_PRESENT_BEARER = 2,
    IA_PRESENT_CHALLENGE = 4,
    IA_PRESENT_SIGNATURE = 8
} ia_presentation;

/** The protocol term: "SAuth", "Bearer", "challenge", "signature". */
const char *ia_presentation_name(ia_presentation presentation);

/** A participant reduced to what decides: a snapshot, plain data. */
typedef struct ia_entitlement {
    ia_participant_status status;
    apr_time_t expires;             /**< microseconds; 0 is never */
    apr_int64_t token_max_lifespan; /**< seconds */
    int allow_refresh;
    ia_capset capabilities;
} ia_entitlement;

/** What is asked for, whatever dialect asked. */
typedef struct ia_grant_request {
    ia_capset capabilities;
    int names_unknown;    /**< asked for at least one name that no participant holds */
    apr_int64_t lifespan; /**< seconds; 0 is the participant's maximum; longer is clamped */
} ia_grant_request;

/** What the server's configuration says. */
typedef struct ia_grant_policy {
    int partial;               /**< give the intersection instead of refusing (SAuthPartialGrants) */
    apr_time_t refresh_window; /**< microseconds after expiry in which a refresh still works */
    apr_time_t max_age;        /**< microseconds from the first minting, whatever is refreshed */
} ia_grant_policy;

/** What is given. */
typedef struct ia_grant_terms {
    ia_capset capabilities;
    apr_time_t created; /**< microseconds */
    apr_time_t expires; /**< microseconds */
    int can_refresh;
} ia_grant_terms;

/** Whether a participant may act at all. @return IA_OK, IA_PARTICIPANT_INACTIVE or IA_PARTICIPANT_EXPIRED. */
ia_result ia_entitlement_check(const ia_entitlement *entitlement, apr_time_t now);

/**
 * The one grant decision.
 * @return IA_OK and the terms; IA_PARTICIPANT_INACTIVE, IA_PARTICIPANT_EXPIRED, IA_CAPABILITY_NOT_HELD
 */
ia_result ia_grant_decide(ia_grant_terms *out, const ia_entitlement *entitlement, const ia_grant_request *request,
                          const ia_grant_policy *policy, apr_time_t now);

/**
 * Decides again for a grant that exists, by the participant's current entitlement.
 * @return as ia_grant_decide, and IA_REFRESH_NOT_ALLOWED, IA_REFRESH_TOO_LATE, IA_GRANT_TOO_OLD
 */
ia_result ia_grant_refresh(ia_grant_terms *out, const ia_grant_terms *held, const ia_entitlement *entitlement,
                           apr_int64_t lifespan, const ia_grant_policy *policy, apr_time_t now);

/** The grant id: one-way from the token's SHA-256, public, 16 bytes. */
void ia_grant_id(unsigned char out[16], const unsigned char token_digest[IA_SHA256_LEN]);

#ifdef __cplusplus
}
#endif
#endif
