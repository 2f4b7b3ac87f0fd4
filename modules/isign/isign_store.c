/* The shared memory of the server: the budget of bodies, then the used nonces. */
#include <httpd.h>
#include <ap_provider.h>
#include <http_log.h>
#include "clock.h"
#include "mod_isign.h"
#include "isign_budget.h"
#include "segment.h"
#include "startup.h"

APLOG_USE_MODULE(isign);

#define SEGMENT_KEY    "interauth.isign"
#define SEGMENT_LAYOUT (APR_UINT64_C(6) << 32)

enum { REPLAYS, PARTICIPANTS };

isign_shared isign;

static segment *make_segment(server_rec *s, apr_uint32_t replays, apr_uint32_t participants)
{
    apr_status_t rv;
    segment *seg = segment_create(
        s, SEGMENT_KEY, isign_budget_size(participants) + st_replays_size(replays, participants), SEGMENT_LAYOUT, &rv);

    if (!seg) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, rv, s, "isign: no shared memory for %u nonces; lower ISignReplayCapacity",
                     replays);
        return NULL;
    }
    seg->numbers[REPLAYS] = replays;
    seg->numbers[PARTICIPANTS] = participants;
    return seg;
}

int isign_store_open(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s)
{
    const isign_server *conf = isign_server_of(s);
    apr_uint32_t replays = (apr_uint32_t)conf->replay_capacity, participants = 1;
    segment *seg = segment_find(SEGMENT_KEY, SEGMENT_LAYOUT);
    apr_time_t now = clock_now();
    int status;

    isign.registry = ap_lookup_provider(IA_REGISTRY_GROUP, IA_REGISTRY_NAME, IA_REGISTRY_VERSION);
    if (isign.registry)
        participants = isign.registry->capacity();
    if (seg && seg->numbers[PARTICIPANTS] < participants)
        seg = NULL; /* made before a registry module was loaded: too small */
    if (!seg && !(seg = make_segment(s, replays, participants)))
        return HTTP_INTERNAL_SERVER_ERROR;
    if (seg->numbers[REPLAYS] != replays)
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                     "isign: ISignReplayCapacity %u takes effect after a stop and start; until then it is %u", replays,
                     seg->numbers[REPLAYS]);
    replays = seg->numbers[REPLAYS];
    participants = seg->numbers[PARTICIPANTS];
    if (!isign_dummy_open(s))
        return HTTP_INTERNAL_SERVER_ERROR;
    st_owner_init();
    isign_budget_attach(seg->base, participants, (apr_uint64_t)conf->spool_total);
    isign_nonce_attach(pconf, (char *)seg->base + isign_budget_size(participants), replays, participants, now);
    isign_nonce_configure(s);
    /* A segment that is made at a reload is not filled: the file may be older than what the last segment knew. */
    if ((status = isign_persist_open(pconf, ptemp, s, !startup_is_reload())))
        return status;
    isign_nonce_remember(now);
    return OK;
}

void isign_store_child_init(apr_pool_t *p)
{
    isign_limit_child_init(p);
    isign_key_cache_child_init(p);
    st_owner_init();
    isign_budget_child_init();
}
