/* The secrets of the challenge protocol in a participant's record. */
#include <apr_strings.h>
#include <string.h>
#include "participant_internal.h"

static ia_challenge_secret *slot_of(ia_participant *out, ia_challenge_profile profile)
{
    if (profile == IA_CHALLENGE_PROFILE_MD5)
        return &out->challenge_md5;
    return profile == IA_CHALLENGE_PROFILE_HMAC ? &out->challenge_hmac : NULL;
}

/* The text is overwritten, whether or not it is valid, because the pool exists longer than this parser. */
static int take_one(ia_participant *out, const ia_json *value)
{
    ia_challenge_profile profile = ia_challenge_profile_named(value->name);
    ia_challenge_secret *slot = slot_of(out, profile);
    ia_result rc = IA_MALFORMED;

    if (value->type != IA_JSON_STRING)
        return 0;
    if (slot)
        rc = ia_challenge_secret_load(slot, profile, value->string, value->string_len);
    ia_wipe((void *)(apr_uintptr_t)value->string, value->string_len);
    return rc == IA_OK;
}

ia_result iai_participant_challenge(ia_participant *out, apr_pool_t *p, const ia_json *object,
                                    ia_participant_error *error)
{
    int good = object->type == IA_JSON_OBJECT && object->first;
    const ia_json *member = object->type == IA_JSON_OBJECT ? object->first : NULL;

    for (; member; member = member->next)
        good &= take_one(out, member);
    if (good)
        return IA_OK;
    return IAI_FAIL(error, p,
                    "challenge_secret: an object with md5 (%d hex digits, lower case), hmac-sha256 (%d), or both "
                    "expected",
                    IA_CHALLENGE_MD5_LEN, IA_CHALLENGE_HMAC_LEN);
}
