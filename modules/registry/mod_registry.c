/* Hooks of mod_registry, and its provider. */
#include <httpd.h>
#include <ap_provider.h>
#include <apr_optional_hooks.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <mod_status.h>
#include <openssl/rand.h>
#include <string.h>
#include "mod_registry.h"
#include "segment.h"
#include "startup.h"

#define SEGMENT_KEY    "interauth.registry"
#define SEGMENT_LAYOUT (APR_UINT64_C(3) << 32 | sizeof(st_participant))

enum { PARTICIPANTS, KEYS };

static void register_hooks(apr_pool_t *p);

AP_DECLARE_MODULE(registry) = {STANDARD20_MODULE_STUFF, NULL,           NULL, registry_config_create, NULL,
                               registry_directives,     register_hooks, 0};

registry_state registry;

#define ALIGN(n) (((n) + 63) & ~(apr_size_t)63)

/* A name and an endpoint each, on average. */
static apr_uint32_t text_capacity(apr_uint32_t participants)
{
    return participants * 2;
}

/* Where each table of the segment begins, and where the last one ends. */
typedef struct layout {
    apr_size_t keys, texts, end;
} layout;

static layout layout_of(apr_uint32_t participants, apr_uint32_t keys)
{
    layout l;

    l.keys = ALIGN(st_participants_size(participants));
    l.texts = st_size_sum(l.keys, ALIGN(st_keys_size(keys)));
    l.end = st_size_sum(l.texts, st_texts_size(text_capacity(participants)));
    return l;
}

static segment *make_segment(server_rec *s, const registry_config *conf)
{
    apr_uint32_t participants = (apr_uint32_t)conf->capacity, keys = (apr_uint32_t)conf->key_capacity;
    apr_size_t size = layout_of(participants, keys).end;
    apr_status_t rv;
    segment *seg = segment_create(s, SEGMENT_KEY, size, SEGMENT_LAYOUT, &rv);

    if (!seg) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, rv, s,
                     "registry: no shared memory for %u participants and %u keys (%" APR_SIZE_T_FMT
                     " bytes); lower RegistryCapacity or RegistryKeyCapacity",
                     participants, keys, size);
        return NULL;
    }
    seg->numbers[PARTICIPANTS] = participants;
    seg->numbers[KEYS] = keys;
    return seg;
}

static void attach(apr_pool_t *pconf, const segment *seg, const ia_mac_key *hash_key)
{
    apr_uint32_t participants = seg->numbers[PARTICIPANTS], keys = seg->numbers[KEYS];
    layout l = layout_of(participants, keys);
    char *base = seg->base;

    registry.capacity = participants;
    registry.table = apr_pcalloc(pconf, sizeof *registry.table);
    registry.keys = apr_pcalloc(pconf, sizeof *registry.keys);
    registry.texts = apr_pcalloc(pconf, sizeof *registry.texts);
    st_owner_init();
    st_participants_attach(registry.table, base, participants, hash_key);
    st_keys_attach(registry.keys, base + l.keys, keys, hash_key);
    st_texts_attach(registry.texts, base + l.texts, text_capacity(participants), hash_key);
}

static int open_table(apr_pool_t *pconf, server_rec *s)
{
    const registry_config *conf = registry_config_of(s);
    segment *seg = segment_find(SEGMENT_KEY, SEGMENT_LAYOUT);
    unsigned char random[32];
    ia_mac_key key;

    if (!seg && !(seg = make_segment(s, conf)))
        return 0;
    if (seg->numbers[PARTICIPANTS] != (apr_uint32_t)conf->capacity ||
        seg->numbers[KEYS] != (apr_uint32_t)conf->key_capacity)
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                     "registry: RegistryCapacity %" APR_INT64_T_FMT " and "
                     "RegistryKeyCapacity %" APR_INT64_T_FMT
                     " take effect after a stop and start; until then %u and %u "
                     "are used",
                     conf->capacity, conf->key_capacity, seg->numbers[PARTICIPANTS], seg->numbers[KEYS]);
    if (RAND_bytes(random, sizeof random) != 1 || ia_mac_key_load(&key, random, sizeof random)) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, "registry: no random bytes");
        return 0;
    }
    attach(pconf, seg, &key);
    ia_wipe(random, sizeof random);
    ia_wipe(&key, sizeof key);
    return 1;
}

static int pre_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    (void)plog, (void)ptemp;
    registry.table = NULL;
    registry.keys = NULL;
    registry.texts = NULL;
    APR_OPTIONAL_HOOK(ap, status_hook, registry_status_report, NULL, NULL, APR_HOOK_MIDDLE);
    (void)pconf;
    return OK;
}

static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    (void)plog;
    if (startup_is_dry_run())
        return OK;
    if (!open_table(pconf, s))
        return HTTP_INTERNAL_SERVER_ERROR;
    return registry_file_publish(ptemp, s);
}

static void child_init(apr_pool_t *p, server_rec *s)
{
    (void)p, (void)s;
    st_owner_init();
}

static void register_hooks(apr_pool_t *p)
{
    ap_register_provider(p, IA_REGISTRY_GROUP, IA_REGISTRY_NAME, IA_REGISTRY_VERSION, &registry_provider);
    ap_hook_pre_config(pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(registry_file_check, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_MIDDLE);
}
