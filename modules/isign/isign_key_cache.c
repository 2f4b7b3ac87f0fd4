/* The public keys that a child has parsed, and the dummies that are verified with where a keyid is unknown. */
#include <httpd.h>
#include <apr_thread_mutex.h>
#include <openssl/rand.h>
#include <string.h>
#include "isign_store.h"

#define CACHE_SLOTS 512 /* a power of two */

static struct {
    apr_thread_mutex_t *lock;
    struct {
        unsigned char thumbprint[IA_SHA256_LEN];
        apr_uint32_t algorithm;
        ia_key *key;
    } slots[CACHE_SLOTS];
} cache;

static ia_key *dummy_key;
static const ia_mac_key *dummy_secret; /* of the server as long as it runs; its children inherit it */

/* The base point of the curve: its private key is public knowledge, and no participant's. */
static void make_dummy_key(void)
{
    ia_key_raw raw = {IA_KEY_ED25519, IA_ALGORITHM_ED25519, 0, 32, {0}};

    memset(raw.bytes, 0x66, 32);
    raw.bytes[0] = 0x58;
    if (!dummy_key && ia_key_create(&dummy_key, &raw))
        dummy_key = NULL;
}

/* Kept in the process's pool: a reload unloads this module, but must not change what is chosen by the secret. */
int isign_dummy_open(server_rec *s)
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
    dummy_secret = kept;
    return 1;
}

const ia_key *isign_dummy_key(void)
{
    return dummy_key;
}

const ia_mac_key *isign_dummy_secret(void)
{
    return dummy_secret;
}

apr_uint64_t isign_dummy_number(const ia_sfv_text *keyid)
{
    static const char label[] = "interauth stand-in";
    ia_bytes parts[] = {{label, sizeof label}, {keyid->data, keyid->len}};
    unsigned char mac[IA_MAC_MAX];
    apr_uint64_t number;

    ia_mac_compute(mac, IA_HASH_SHA256, dummy_secret, parts, 2);
    memcpy(&number, mac, sizeof number);
    return number;
}

void isign_key_cache_child_init(apr_pool_t *p)
{
    make_dummy_key();
    apr_thread_mutex_create(&cache.lock, APR_THREAD_MUTEX_DEFAULT, p);
}

/* A thumbprint always names the same key, so that no entry becomes stale. Who owns the key is looked up each time. */
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
