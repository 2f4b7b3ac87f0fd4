#include <apr_hash.h>
#include <string.h>
#include "key_table.h"
#include "shm_word.h"

#define ALIGN(n)      (((n) + 63) & ~(apr_size_t)63)
#define LOAD_PATIENCE (ST_LOCK_PATIENCE * 5 / 2) /* for all locks of one load */

struct st_keys_shared {
    st_lock_word writer;
    apr_uint64_t ready;
    ia_mac_key hash_key;
};

/* Where the key of a thumbprint is. */
typedef struct thumb {
    unsigned char thumbprint[IA_SHA256_LEN];
    apr_uint32_t key_index;
    apr_uint32_t pad;
} thumb;

typedef struct kid_key {
    apr_uint64_t owner_incarnation;
    const char *kid;
    apr_size_t len;
} kid_key;

apr_size_t st_keys_size(apr_uint32_t capacity)
{
    return st_size_sum(ALIGN(sizeof(struct st_keys_shared)),
                       st_size_sum(st_table_size(capacity, sizeof(st_key)), st_table_size(capacity, sizeof(thumb))));
}

void st_keys_attach(st_keys *t, void *memory, apr_uint32_t capacity, const ia_mac_key *hash_key)
{
    char *at = memory;

    t->shared = memory;
    at += ALIGN(sizeof(struct st_keys_shared));
    st_table_attach(&t->keys, at, capacity, sizeof(st_key), NULL, NULL, NULL);
    at += st_table_size(capacity, sizeof(st_key));
    st_table_attach(&t->thumbprints, at, capacity, sizeof(thumb), NULL, NULL, NULL);
    if (!LOAD(t->shared->ready)) {
        t->shared->hash_key = *hash_key;
        STORE(t->shared->ready, 1);
    }
}

static apr_uint64_t hash_kid(const st_keys *t, const kid_key *key)
{
    unsigned char mac[IA_MAC_MAX];
    ia_bytes parts[] = {{&key->owner_incarnation, sizeof key->owner_incarnation}, {key->kid, key->len}};
    apr_uint64_t hash;

    ia_mac_compute(mac, IA_HASH_SHA256, &t->shared->hash_key, parts, 2);
    memcpy(&hash, mac, sizeof hash);
    return hash;
}

/* A thumbprint is a digest, but of a key that its owner chose: keyed too. */
static apr_uint64_t hash_thumbprint(const st_keys *t, const unsigned char *thumbprint)
{
    unsigned char mac[IA_MAC_MAX];
    ia_bytes part = {thumbprint, IA_SHA256_LEN};
    apr_uint64_t hash;

    ia_mac_compute(mac, IA_HASH_SHA256, &t->shared->hash_key, &part, 1);
    memcpy(&hash, mac, sizeof hash);
    return hash;
}

static int match_kid(const void *payload, const void *key)
{
    const st_key *record = payload;
    const kid_key *wanted = key;

    return record->owner_incarnation == wanted->owner_incarnation && record->kid_len == wanted->len &&
           wanted->len <= IA_NAME_MAX && ia_mac_equal(record->kid, wanted->kid, wanted->len);
}

static int match_thumbprint(const void *payload, const void *key)
{
    return ia_mac_equal(((const thumb *)payload)->thumbprint, key, IA_SHA256_LEN);
}

static ia_result from_status(apr_status_t rv)
{
    if (rv == APR_SUCCESS)
        return IA_OK;
    return rv == APR_NOTFOUND ? IA_SIG_KEY_UNKNOWN : IA_FAULT_STORE;
}

ia_result st_key_find(st_keys *t, apr_uint32_t owner_index, apr_uint64_t owner_incarnation, const char *kid,
                      apr_size_t kid_len, st_key *copy)
{
    kid_key key = {owner_incarnation, kid, kid_len};
    ia_result rc = from_status(st_table_read(&t->keys, hash_kid(t, &key), match_kid, &key, copy, NULL));

    return !rc && copy->owner_index != owner_index ? IA_SIG_KEY_UNKNOWN : rc;
}

ia_result st_key_find_thumbprint(st_keys *t, const unsigned char thumbprint[IA_SHA256_LEN], st_key *copy)
{
    thumb found;
    ia_result rc = from_status(
        st_table_read(&t->thumbprints, hash_thumbprint(t, thumbprint), match_thumbprint, thumbprint, &found, NULL));

    if (!rc)
        rc = from_status(st_table_read_at(&t->keys, found.key_index, copy, NULL));
    return !rc && !ia_mac_equal(copy->thumbprint, thumbprint, IA_SHA256_LEN) ? IA_SIG_KEY_UNKNOWN : rc;
}

static ia_result to_record(st_participants *owners, const ia_participant *owner, const ia_participant_key *key,
                           st_key *record)
{
    st_participant found;
    ia_result rc;

    memset(record, 0, sizeof *record);
    rc = st_participant_find(owners, owner->id, strlen(owner->id), &found, &record->owner_index);
    if (!rc)
        rc = ia_key_thumbprint(record->thumbprint, &key->raw);
    record->owner_incarnation = found.incarnation;
    ia_wipe(&found, sizeof found);
    record->raw = key->raw;
    record->not_before = key->not_before;
    record->not_after = key->not_after;
    record->kid_len = (apr_uint32_t)strlen(key->kid);
    memcpy(record->kid, key->kid, record->kid_len);
    return rc;
}

/* A load sees the tables through views that wait for a bounded time in sum. */
typedef struct loading {
    const st_keys *t;
    st_table keys, thumbprints;
    apr_hash_t *wanted; /* by thumbprint */
    apr_time_t now, patience;
} loading;

static ia_result from_insert(apr_status_t rv)
{
    if (rv == APR_SUCCESS)
        return IA_OK;
    return rv == APR_ENOSPC ? IA_KEYS_FULL : IA_FAULT_STORE;
}

/* A thumbprint leads to a key that is there: it comes after its key and goes before it, whoever is killed meanwhile. */
static ia_result point_to(loading *l, const unsigned char *thumbprint, apr_uint32_t index)
{
    thumb entry;
    st_insertion what = {hash_thumbprint(l->t, thumbprint), match_thumbprint, thumbprint, &entry, ST_NEVER, 0};
    st_held held;
    apr_status_t rv = st_table_hold_key(&l->thumbprints, what.hash, match_thumbprint, thumbprint, &held);

    if (rv == APR_SUCCESS) {
        STORE(((thumb *)held.payload)->key_index, index);
        st_table_release(&l->thumbprints, &held);
        return IA_OK;
    }
    if (rv != APR_NOTFOUND)
        return IA_FAULT_STORE;
    memset(&entry, 0, sizeof entry);
    memcpy(entry.thumbprint, thumbprint, IA_SHA256_LEN);
    entry.key_index = index;
    return from_insert(st_table_insert(&l->thumbprints, &what, l->now, NULL));
}

/* Adds a key, or finds it there, perhaps without its thumbprint: whoever loaded before was killed. */
static ia_result add(loading *l, const st_key *record)
{
    kid_key key = {record->owner_incarnation, record->kid, record->kid_len};
    st_insertion what = {hash_kid(l->t, &key), match_kid, &key, record, ST_NEVER, 0};
    st_held held;
    st_ref ref;
    ia_result rc = IA_OK;
    apr_status_t rv = st_table_hold_key(&l->keys, what.hash, match_kid, &key, &held);

    if (rv == APR_SUCCESS) {
        ref = held.ref;
        st_table_release(&l->keys, &held);
    } else if (rv == APR_NOTFOUND) {
        rc = from_insert(st_table_insert(&l->keys, &what, l->now, &ref));
    } else {
        rc = IA_FAULT_STORE;
    }
    return rc ? rc : point_to(l, record->thumbprint, ref.index);
}

static ia_result remove_key(loading *l, st_ref ref, const unsigned char *thumbprint)
{
    st_held held;
    apr_status_t rv =
        st_table_hold_key(&l->thumbprints, hash_thumbprint(l->t, thumbprint), match_thumbprint, thumbprint, &held);

    if (rv == APR_SUCCESS)
        st_table_remove(&l->thumbprints, &held);
    else if (rv != APR_NOTFOUND)
        return IA_FAULT_STORE;
    if (st_table_hold(&l->keys, ref, &held))
        return IA_FAULT_STORE;
    st_table_remove(&l->keys, &held);
    return IA_OK;
}

/* Removes what the new list does not have just so. */
static ia_result remove_others(loading *l)
{
    apr_uint32_t index, high = st_table_high_water(&l->keys);
    ia_result rc = IA_OK;

    for (index = 0; index < high && !rc; index++) {
        const st_key *same;
        st_key copy;
        st_held held;
        st_ref ref;
        apr_status_t rv = st_table_ref_at(&l->keys, index, &ref) ? st_table_hold(&l->keys, ref, &held) : APR_NOTFOUND;

        if (rv == APR_NOTFOUND)
            continue;
        if (rv)
            return IA_FAULT_STORE;
        st_words_load(&copy, held.payload, sizeof copy);
        st_table_release(&l->keys, &held);
        same = apr_hash_get(l->wanted, copy.thumbprint, IA_SHA256_LEN);
        if (!same || !ia_mac_equal(same, &copy, sizeof copy))
            rc = remove_key(l, ref, copy.thumbprint);
    }
    return rc;
}

static ia_result collect(st_participants *owners, const ia_participants *list, apr_hash_t *wanted, apr_pool_t *ptemp)
{
    unsigned i, k;

    for (i = 0; i < list->count; i++) {
        for (k = 0; k < list->list[i].public_key_count; k++) {
            st_key *record = apr_palloc(ptemp, sizeof *record);
            ia_result rc = to_record(owners, &list->list[i], &list->list[i].public_keys[k], record);

            if (rc)
                return rc;
            apr_hash_set(wanted, record->thumbprint, IA_SHA256_LEN, record);
        }
    }
    return IA_OK;
}

ia_result st_keys_load(st_keys *t, st_participants *owners, const ia_participants *list, apr_time_t now,
                       apr_pool_t *ptemp)
{
    loading l = {t, t->keys, t->thumbprints, apr_hash_make(ptemp), now, LOAD_PATIENCE};
    apr_hash_index_t *at;
    ia_result rc = collect(owners, list, l.wanted, ptemp);

    l.keys.patience = l.thumbprints.patience = &l.patience;
    if (!rc && apr_hash_count(l.wanted) > t->keys.capacity)
        rc = IA_KEYS_FULL;
    if (rc)
        return rc;
    if (st_lock_within(&t->shared->writer, &l.patience))
        return IA_FAULT_STORE;
    rc = remove_others(&l);
    for (at = apr_hash_first(ptemp, l.wanted); at && !rc; at = apr_hash_next(at))
        rc = add(&l, apr_hash_this_val(at));
    st_table_recount(&t->keys);
    st_table_recount(&t->thumbprints);
    st_unlock(&t->shared->writer);
    return rc;
}

apr_uint32_t st_keys_count(const st_keys *t)
{
    return st_table_live(&t->keys);
}
