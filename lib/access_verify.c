/* Verifies the MAC and the time of SAuth access requests. */
#include <string.h>
#include "interauth/access_verify.h"

/* Used where a participant has no usable secret, so that the response takes as long. Never matches. */
static const ia_mac_key dummy_key;

ia_result ia_access_verify(unsigned *index, unsigned char mac_out[IA_MAC_MAX], const ia_access_form *form,
                           const ia_secret *secrets, unsigned count, apr_time_t now)
{
    ia_result rc = IA_SECRET_MISSING;
    unsigned i;

    *index = 0;
    memset(mac_out, 0, IA_MAC_MAX);
    for (i = 0; i < IA_PARTICIPANT_SECRETS; i++) {
        int usable = i < count && (!secrets[i].not_after || secrets[i].not_after > now);
        unsigned char mac[IA_MAC_MAX] = {0};

        ia_access_mac(mac, form->hash, usable ? &secrets[i].mac : &dummy_key, form->timestamp_text, form->body,
                      form->body_len);
        if (!usable)
            continue;
        if (rc && ia_mac_equal(mac, form->mac, ia_hash_len(form->hash))) {
            *index = i;
            memcpy(mac_out, mac, IA_MAC_MAX);
            rc = IA_OK;
        } else if (rc) {
            rc = IA_MAC_MISMATCH;
        }
    }
    return rc;
}

ia_result ia_access_check_time(apr_time_t timestamp, apr_time_t now, apr_time_t skew)
{
    /* Timestamps are whole seconds: compare in seconds, so that "now" is never in the future. */
    apr_time_t seconds = apr_time_sec(timestamp), now_seconds = apr_time_sec(now), tolerance = apr_time_sec(skew);

    if (seconds < now_seconds - tolerance)
        return IA_TIMESTAMP_STALE;
    return seconds > now_seconds + tolerance ? IA_TIMESTAMP_FUTURE : IA_OK;
}
