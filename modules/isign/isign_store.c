/* What the processes share: nonces of signatures, bytes of bodies that are being read. And each child's keys. */
#include <httpd.h>
#include <ap_provider.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <http_log.h>
#include <openssl/rand.h>
#include <string.h>
#include "clock.h"
#include "mod_isign.h"
#include "isign_budget.h"
#include "segment.h"
#include "startup.h"

APLOG_USE_MODULE(isign);

#define SEGMENT_KEY    "interauth.isign"
#define SEGMENT_LAYOUT (APR_UINT64_C(6) << 32)
#define CACHE_SLOTS    512 /* keys of a child; a power of two */

enum { REPLAYS, PARTICIPANTS };

/* Of this server, for as long as it runs; its children inherit it. */
static const ia_mac_key *secret_of_nobody;

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

/* What is chosen by it stays as it is over a reload, which unloads this module. */
static int open_secret(server_rec *s)
{
    static const char name[] = "interauth.isign.secret";
    apr_pool_t *p = s->process->pool;
    unsigned char random[32];
    ia_mac_key *made;
    void *kept = NULL;

    apr_pool_userdata_get(&kept, name, p);
    if (!kept) {
        made = apr_palloc(p, sizeof *made);
        if (RAND_bytes(random, sizeof random) != 1 || ia_mac_key_load(made, random, sizeof random))
            return 0;
        ia_wipe(random, sizeof random);
        kept = made;
        apr_pool_userdata_set(kept, name, NULL, p);
    }
    secret_of_nobody = kept;
    return 1;
}

static apr_time_t longest_age(server_rec *s)
{
    apr_int64_t longest = 0;

    for (; s; s = s->next)
        if (isign_server_of(s)->longest_age > longest)
            longest = isign_server_of(s)->longest_age;
    return apr_time_from_sec(longest);
}

/*
 * What was forgotten under a shorter age or skew is not known under a longer one: what may have been used is refused, as
 * of before a start.
 */
static void remember_longer(apr_time_t now)
{
    apr_time_t old = st_replays_tolerance(isign.replays), window = isign.longest_age + isign.widest_skew;
    apr_time_t wall = now - old - isign.widest_skew;

    if (old && window > old && wall > st_replays_birth(isign.replays))
        st_replays_resume(isign.replays, wall, old);
    st_replays_tolerate(isign.replays, window, now);
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
        seg = NULL; /* made before a registry was loaded: it has no room for them */
    if (!seg && !(seg = make_segment(s, replays, participants)))
        return HTTP_INTERNAL_SERVER_ERROR;
    if (seg->numbers[REPLAYS] != replays)
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                     "isign: ISignReplayCapacity %u comes into force after a stop and "
                     "start; %u stays for now",
                     replays, seg->numbers[REPLAYS]);
    replays = seg->numbers[REPLAYS];
    participants = seg->numbers[PARTICIPANTS];
    if (!open_secret(s))
        return HTTP_INTERNAL_SERVER_ERROR;
    st_owner_init();
    isign.replays = apr_pcalloc(pconf, sizeof *isign.replays);
    st_replays_attach(isign.replays, (char *)seg->base + isign_budget_size(participants), replays, participants,
                      secret_of_nobody, now);
    isign_budget_attach(seg->base, participants, (apr_uint64_t)conf->spool_total);
    isign.longest_age = longest_age(s);
    isign.widest_skew = isign_widest_skew();
    isign.replay_quota = replays >= 8 ? replays / 8 : 1;
    /* Memory that is made at a reload knows nothing, whatever an old file says. */
    if ((status = isign_persist_open(pconf, ptemp, s, !startup_is_reload())))
        return status;
    remember_longer(now);
    return OK;
}

/* --- nonces --- */

ia_result isign_nonce_use(const ia_registry_entry *who, const ia_httpsig *signature, apr_time_t until, apr_time_t now)
{
    static const char nonce_label[] = "interauth signature nonce", base_label[] = "interauth signature base";
    int has_nonce = signature->nonce.data != NULL;
    const ia_sfv_text *once = has_nonce ? &signature->nonce : &signature->base;
    unsigned char mac[IA_SHA256_LEN];
    ia_bytes parts[] = {{has_nonce ? nonce_label : base_label, has_nonce ? sizeof nonce_label : sizeof base_label},
                        {who->id, strlen(who->id) + 1}, /* what outlives a stop */
                        {once->data, once->len}};
    apr_time_t created = apr_time_from_sec(signature->created);

    /* What was used before this memory began is not known. */
    if (created <= st_replays_birth(isign.replays) + isign.widest_skew)
        return IA_REPLAY_CACHE_WARMING;
    /* Another location may take older signatures than the one that this came to. */
    if (until < created + isign.longest_age + isign.widest_skew)
        until = created + isign.longest_age + isign.widest_skew;
    ia_sha256(mac, parts, 3);
    switch (st_replay_record(isign.replays, mac, who->index, isign.replay_quota, until, now)) {
    case ST_OK:
        return IA_OK;
    case ST_EXISTS:
        return IA_SIG_NONCE_REPLAYED;
    case ST_FULL:
        return IA_REPLAYS_FULL;
    case ST_QUOTA:
        return IA_REPLAY_QUOTA;
    default:
        return IA_FAULT_STORE;
    }
}

/* --- keys of this child --- */

static struct {
    apr_thread_mutex_t *lock;
    struct {
        unsigned char thumbprint[IA_SHA256_LEN];
        apr_uint32_t algorithm;
        ia_key *key;
    } slots[CACHE_SLOTS];
    ia_key *nobody;
} cache;

/* The base point of the curve: a key whose private half is known to everybody, and that nobody has. */
static void make_key_of_nobody(void)
{
    ia_key_raw raw = {IA_KEY_ED25519, IA_ALGORITHM_ED25519, 0, 32, {0}};

    memset(raw.bytes, 0x66, 32);
    raw.bytes[0] = 0x58;
    if (!cache.nobody && ia_key_create(&cache.nobody, &raw))
        cache.nobody = NULL;
}

const ia_key *isign_key_of_nobody(void)
{
    return cache.nobody;
}

const ia_mac_key *isign_secret_of_nobody(void)
{
    return secret_of_nobody;
}

apr_uint64_t isign_number_of(const ia_sfv_text *keyid)
{
    static const char label[] = "interauth stand-in";
    ia_bytes parts[] = {{label, sizeof label}, {keyid->data, keyid->len}};
    unsigned char mac[IA_MAC_MAX];
    apr_uint64_t number;

    ia_mac_compute(mac, IA_HASH_SHA256, secret_of_nobody, parts, 2);
    memcpy(&number, mac, sizeof number);
    return number;
}

void isign_store_child_init(apr_pool_t *p)
{
    isign_limit_child_init(p);
    make_key_of_nobody();
    st_owner_init();
    isign_budget_child_init();
    apr_thread_mutex_create(&cache.lock, APR_THREAD_MUTEX_DEFAULT, p);
}

/* A thumbprint names one key for ever, so that nothing here can be out of date: whose it is, is asked each time. */
ia_result isign_key_get(ia_key **out, const ia_registry_key *key)
{
    unsigned slot = (key->thumbprint[0] | (unsigned)key->thumbprint[1] << 8) % CACHE_SLOTS;
    ia_key *made = NULL;
    ia_result rc;

    *out = NULL;
    if (!cache.lock)
        return IA_FAULT_INTERNAL;
    apr_thread_mutex_lock(cache.lock);
    if (cache.slots[slot].key && cache.slots[slot].algorithm == key->raw.algorithm &&
        ia_mac_equal(cache.slots[slot].thumbprint, key->thumbprint, IA_SHA256_LEN))
        *out = ia_key_ref(cache.slots[slot].key);
    apr_thread_mutex_unlock(cache.lock);
    if (*out)
        return IA_OK;
    if ((rc = ia_key_create(&made, &key->raw)))
        return rc;
    apr_thread_mutex_lock(cache.lock);
    ia_key_unref(cache.slots[slot].key);
    cache.slots[slot].key = ia_key_ref(made);
    cache.slots[slot].algorithm = key->raw.algorithm;
    memcpy(cache.slots[slot].thumbprint, key->thumbprint, IA_SHA256_LEN);
    apr_thread_mutex_unlock(cache.lock);
    *out = made;
    return IA_OK;
}
