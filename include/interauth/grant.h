/**
 * Grants: what participants are given. Every dialect calls the same decision function.
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

/** The properties of a participant that decide about grants. Plain data. */
typedef struct ia_entitlement {
    ia_participant_status status;
    apr_time_t expires;             /**< microseconds; 0 is never */
    apr_int64_t token_max_lifespan; /**< seconds */
    int allow_refresh;
    ia_capset capabilities;
} ia_entitlement;

/** What is requested, in any dialect. */
typedef struct ia_grant_request {
    ia_capset capabilities;
    int names_unknown;    /**< at least one requested name is not held by any participant */
    apr_int64_t lifespan; /**< seconds; 0 is the participant's maximum; more is reduced to it */
} ia_grant_request;

/** The server's configuration. */
typedef struct ia_grant_policy {
    int partial;               /**< grant the intersection instead of refusing (SAuthPartialGrants) */
    apr_time_t refresh_window; /**< microseconds after expiry in which a refresh is possible */
    apr_time_t max_age;        /**< microseconds since the first grant, whether or not it was refreshed */
} ia_grant_policy;

/** What is granted. */
typedef struct ia_grant_terms {
    ia_capset capabilities;
    apr_time_t created; /**< microseconds */
    apr_time_t expires; /**< microseconds */
    int can_refresh;
} ia_grant_terms;

/**
 * Whether a participant is approved and has not expired. @return IA_OK, IA_PARTICIPANT_INACTIVE or
 * IA_PARTICIPANT_EXPIRED.
 */
ia_result ia_entitlement_check(const ia_entitlement *entitlement, apr_time_t now);

/**
 * Decides about a request for a grant.
 * @return IA_OK, with `out` filled; IA_PARTICIPANT_INACTIVE, IA_PARTICIPANT_EXPIRED, IA_CAPABILITY_NOT_HELD
 */
ia_result ia_grant_decide(ia_grant_terms *out, const ia_entitlement *entitlement, const ia_grant_request *request,
                          const ia_grant_policy *policy, apr_time_t now);

/**
 * Decides again for a grant that exists, by the participant's current entitlement.
 * @return as ia_grant_decide, and IA_REFRESH_NOT_ALLOWED, IA_REFRESH_TOO_LATE, IA_GRANT_TOO_OLD
 */
ia_result ia_grant_refresh(ia_grant_terms *out, const ia_grant_terms *held, const ia_entitlement *entitlement,
                           apr_int64_t lifespan, const ia_grant_policy *policy, apr_time_t now);

/** The public id of a grant: 16 bytes, derived one-way from the token's SHA-256. */
void ia_grant_id(unsigned char out[16], const unsigned char token_digest[IA_SHA256_LEN]);

#ifdef __cplusplus
}
#endif
#endif
