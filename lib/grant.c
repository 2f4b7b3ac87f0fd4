/* Decides on a requested grant, and on its refresh. */
#include <string.h>
#include "interauth/grant.h"

ia_result ia_entitlement_check(const ia_entitlement *entitlement, apr_time_t now)
{
    if (entitlement->status != IA_STATUS_APPROVED)
        return IA_PARTICIPANT_INACTIVE;
    if (entitlement->expires && entitlement->expires <= now)
        return IA_PARTICIPANT_EXPIRED;
    return IA_OK;
}

/*
 * When a grant that is made now expires: the earliest of the requested lifespan, the participant's maximum, the
 * participant's own expiry, and the greatest age.
 */
static apr_time_t clamp_expiry(const ia_entitlement *entitlement, apr_int64_t lifespan, apr_time_t created,
                               apr_time_t max_age, apr_time_t now)
{
    apr_int64_t longest = entitlement->token_max_lifespan;
    apr_time_t expires;

    if (lifespan <= 0 || lifespan > longest)
        lifespan = longest;
    expires = now + apr_time_from_sec(lifespan);
    if (entitlement->expires && expires > entitlement->expires)
        expires = entitlement->expires;
    if (max_age && expires > created + max_age)
        expires = created + max_age;
    return expires;
}

ia_result ia_grant_decide(ia_grant_terms *out, const ia_entitlement *entitlement, const ia_grant_request *request,
                          const ia_grant_policy *policy, apr_time_t now)
{
    ia_result rc = ia_entitlement_check(entitlement, now);
    ia_capset given;

    memset(out, 0, sizeof *out);
    if (rc)
        return rc;
    ia_capset_intersect(&given, &request->capabilities, &entitlement->capabilities);
    if (ia_capset_is_empty(&given))
        return IA_CAPABILITY_NOT_HELD;
    if (!policy->partial &&
        (request->names_unknown || !ia_capset_contains(&entitlement->capabilities, &request->capabilities)))
        return IA_CAPABILITY_NOT_HELD;
    out->capabilities = given;
    out->created = now;
    out->expires = clamp_expiry(entitlement, request->lifespan, now, policy->max_age, now);
    out->can_refresh = entitlement->allow_refresh;
    return IA_OK;
}

ia_result ia_grant_refresh(ia_grant_terms *out, const ia_grant_terms *held, const ia_entitlement *entitlement,
                           apr_int64_t lifespan, const ia_grant_policy *policy, apr_time_t now)
{
    ia_result rc = ia_entitlement_check(entitlement, now);

    memset(out, 0, sizeof *out);
    if (rc)
        return rc;
    if (!held->can_refresh || !entitlement->allow_refresh)
        return IA_REFRESH_NOT_ALLOWED;
    if (now >= held->expires + policy->refresh_window)
        return IA_REFRESH_TOO_LATE;
    if (policy->max_age && now >= held->created + policy->max_age)
        return IA_GRANT_TOO_OLD;
    ia_capset_intersect(&out->capabilities, &held->capabilities, &entitlement->capabilities);
    if (ia_capset_is_empty(&out->capabilities)) {
        memset(out, 0, sizeof *out);
        return IA_CAPABILITY_NOT_HELD;
    }
    out->created = held->created;
    out->expires = clamp_expiry(entitlement, lifespan, held->created, policy->max_age, now);
    out->can_refresh = 1;
    return IA_OK;
}

void ia_grant_id(unsigned char out[16], const unsigned char token_digest[IA_SHA256_LEN])
{
    static const char label[] = "interauth grant id";
    unsigned char digest[IA_SHA256_LEN];
    ia_bytes parts[] = {{label, sizeof label}, {token_digest, IA_SHA256_LEN}};

    ia_sha256(digest, parts, 2);
    memcpy(out, digest, 16);
}
