/* Opens shared memory and finds the registry at startup. */
#include <httpd.h>
#include <ap_provider.h>
#include <apr_strings.h>
#include <http_log.h>
#include <openssl/rand.h>
#include <string.h>
#include "clock.h"
#include "grant_table.h"
#include "mod_sauth.h"
#include "sauth_dialect.h"
#include "sauth_store.h"
#include "log_field.h"
#include "segment.h"
#include "startup.h"

APLOG_USE_MODULE(sauth);

#define SEGMENT_KEY    "interauth.sauth"
#define SEGMENT_LAYOUT (APR_UINT64_C(5) << 32 | sizeof(st_grant))

enum { GRANTS, REPLAYS, PARTICIPANTS };

/* Layout of the segment: grants, followed by used proofs. */
typedef struct layout {
    st_grants_config grants;
    apr_uint32_t replays;
} layout;

static layout configured_layout(const sauth_server *conf)
{
    layout configured;

    configured.grants.grants = (apr_uint32_t)conf->grant_capacity;
    configured.grants.participants = sauth.registry->capacity();
    configured.replays = (apr_uint32_t)(conf->replay_capacity ? conf->replay_capacity : conf->grant_capacity);
    return configured;
}

static apr_size_t offset_of_replays(const layout *l)
{
    return APR_ALIGN(st_grants_size(&l->grants), 64);
}

static segment *make_segment(server_rec *s, const layout *l)
{
    apr_size_t size = st_size_sum(offset_of_replays(l), st_replays_size(l->replays, l->grants.participants));
    apr_status_t rv;
    segment *seg = segment_create(s, SEGMENT_KEY, size, SEGMENT_LAYOUT, &rv);

    if (!seg) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, rv, s,
                     "sauth: cannot create shared memory for %u grants (%" APR_SIZE_T_FMT " bytes); "
                     "reduce SAuthGrantCapacity",
                     l->grants.grants, size);
        return NULL;
    }
    seg->numbers[GRANTS] = l->grants.grants;
    seg->numbers[REPLAYS] = l->replays;
    seg->numbers[PARTICIPANTS] = l->grants.participants;
    return seg;
}

static apr_uint32_t quota_of(apr_int64_t configured, apr_uint32_t capacity)
{
    if (configured)
        return (apr_uint32_t)configured;
    return capacity >= 8 ? capacity / 8 : 1;
}

static int attach(apr_pool_t *pconf, server_rec *s, const segment *seg, st_grants *grants)
{
    st_grant_store *store = apr_palloc(pconf, sizeof *store);
    const layout l = {{seg->numbers[GRANTS], seg->numbers[PARTICIPANTS]}, seg->numbers[REPLAYS]};
    unsigned char random[32];
    ia_mac_key nonce_key;

    if (RAND_bytes(random, sizeof random) != 1 || ia_mac_key_load(&nonce_key, random, sizeof random)) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, "sauth: cannot generate random bytes");
        return 0;
    }
    st_owner_init();
    st_grants_attach(grants, seg->base, &l.grants, &nonce_key);
    st_grants_store(store, grants);
    sauth.grants = store;
    sauth.replays = apr_pcalloc(pconf, sizeof *sauth.replays);
    st_replays_attach(sauth.replays, (char *)seg->base + offset_of_replays(&l), l.replays, l.grants.participants,
                      &nonce_key, clock_now());
    ia_wipe(random, sizeof random);
    ia_wipe(&nonce_key, sizeof nonce_key);
    return 1;
}

/* A reload continues in spite of the error, which then causes 503 responses. */
static int refuse_start(server_rec *s, const char *wrong)
{
    if (startup_is_reload())
        return OK;
    ap_log_error(APLOG_MARK, startup_log_level(APLOG_ERR), 0, s, "sauth: %s", log_words(s->process->pool, wrong));
    return HTTP_INTERNAL_SERVER_ERROR;
}

int sauth_store_check(apr_pool_t *ptemp, server_rec *s)
{
    const char *error;
    unsigned i;

    if (!ap_lookup_provider(IA_REGISTRY_GROUP, IA_REGISTRY_NAME, IA_REGISTRY_VERSION))
        return refuse_start(s, "mod_registry is not loaded; add LoadModule registry_module .../mod_registry.so");
    if ((error = sauth_dialects_check(ptemp)))
        return refuse_start(s, error);
    for (i = 0; sauth_dialects[i]; i++)
        if (sauth_dialects[i]->check_config && (error = sauth_dialects[i]->check_config(ptemp, s)))
            return refuse_start(s, error);
    if ((error = sauth_persist_check(ptemp, s)))
        return refuse_start(s, apr_pstrcat(ptemp, "SAuthStateFile: ", error, NULL));
    return OK;
}

int sauth_store_open(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s)
{
    const sauth_server *conf = sauth_server_of(s);
    st_grants *grants;
    layout configured;
    segment *seg;
    int fresh, status;
    unsigned i;

    for (i = 0; sauth_dialects[i]; i++)
        if (sauth_dialects[i]->post_config && (status = sauth_dialects[i]->post_config(pconf, ptemp, s)))
            return status;
    sauth.registry = ap_lookup_provider(IA_REGISTRY_GROUP, IA_REGISTRY_NAME, IA_REGISTRY_VERSION);
    if (!sauth.registry && startup_is_reload()) {
        sauth.unguarded = "mod_registry is not loaded";
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     "sauth: no registry of participants; locations with AuthType SAuth and "
                     "grant endpoints respond with 503 until one is loaded");
        return OK;
    }
    if (!sauth.registry) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s,
                     "sauth: mod_registry is not loaded; add LoadModule registry_module .../mod_registry.so");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    configured = configured_layout(conf);
    seg = segment_find(SEGMENT_KEY, SEGMENT_LAYOUT);
    fresh = !seg;
    if (fresh && !(seg = make_segment(s, &configured)))
        return HTTP_INTERNAL_SERVER_ERROR;
    if (seg->numbers[GRANTS] != configured.grants.grants || seg->numbers[REPLAYS] != configured.replays)
        ap_log_error(
            APLOG_MARK, APLOG_NOTICE, 0, s,
            "sauth: SAuthGrantCapacity %u and SAuthReplayCapacity %u take effect after a stop and start; until "
            "then, they remain %u and %u",
            configured.grants.grants, configured.replays, seg->numbers[GRANTS], seg->numbers[REPLAYS]);
    grants = apr_pcalloc(pconf, sizeof *grants);
    if (!attach(pconf, s, seg, grants))
        return HTTP_INTERNAL_SERVER_ERROR;
    sauth.grant_quota = quota_of(conf->grant_quota, seg->numbers[GRANTS]);
    sauth.replay_quota = quota_of(conf->replay_quota, seg->numbers[REPLAYS]);
    if ((status = sauth_persist_open(pconf, ptemp, s, grants, fresh)))
        return status;
    st_replays_tolerate(sauth.replays, sauth_widest_skew(), clock_now());
    return OK;
}
