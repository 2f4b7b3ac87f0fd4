/* A proof with a timestamp is good once: what access requests and calls share. */
#include <httpd.h>
#include "mod_sauth.h"
#include "sauth_mint.h"

ia_result sauth_proof_check_memory(apr_time_t timestamp, apr_time_t now, int *retry_after)
{
    apr_time_t from = st_grants_birth(sauth.grants) + sauth_widest_skew();

    if (timestamp > from)
        return IA_OK;
    *retry_after = (int)apr_time_sec(from - now) + 2;
    return IA_REPLAY_MEMORY_YOUNG;
}

ia_result sauth_proof_use(const unsigned char mac[IA_MAC_MAX], apr_uint32_t participant_index, apr_time_t timestamp,
                          apr_time_t now, int *retry_after)
{
    ia_result rc = st_replay_record(sauth.grants, mac, participant_index, sauth.replay_quota,
                                    timestamp + sauth_widest_skew() + apr_time_from_sec(1), now);

    *retry_after = rc == IA_REPLAY_QUOTA ? (int)apr_time_sec(2 * sauth_widest_skew()) + 1 : 1;
    return rc;
}
