/* A proof with a timestamp is good once: what access requests and calls share. */
#include <httpd.h>
#include "mod_sauth.h"
#include "sauth_mint.h"

ia_result sauth_proof_check_memory(apr_time_t timestamp, apr_time_t now, int *retry_after)
{
    apr_time_t from = st_replays_birth(sauth.replays) + sauth_widest_skew();

    if (timestamp > from)
        return IA_OK;
    *retry_after = (int)apr_time_sec(from - now) + 2;
    return IA_REPLAY_CACHE_WARMING;
}

ia_result sauth_proof_use(const unsigned char mac[IA_MAC_MAX], apr_uint32_t participant_index, apr_time_t timestamp,
                          apr_time_t now, int *retry_after)
{
    *retry_after = 1;
    switch (st_replay_record(sauth.replays, mac, participant_index, sauth.replay_quota,
                             timestamp + sauth_widest_skew() + apr_time_from_sec(1), now)) {
    case ST_REPLAY_RECORDED:
        return IA_OK;
    case ST_REPLAY_EXISTS:
        return IA_ACCESS_REPLAYED;
    case ST_REPLAY_FULL:
        return IA_REPLAYS_FULL;
    case ST_REPLAY_QUOTA:
        *retry_after = (int)apr_time_sec(2 * sauth_widest_skew()) + 1;
        return IA_REPLAY_QUOTA;
    case ST_REPLAY_FAULT:
        break;
    }
    return IA_FAULT_STORE;
}
