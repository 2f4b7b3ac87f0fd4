/* Public keys: a table of keys chained by owner, and a table that leads from thumbprints to keys. */
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

/* By owner alone: its keys, IA_PARTICIPANT_KEYS at most, are in one chain and are found without a search. */
static apr_uint64_t hash_owner(const st_keys *t, apr_uint64_t owner_incarnation)
{
    unsigned char mac[IA_MAC_MAX];
    ia_bytes part = {&owner_incarnation, sizeof owner_incarnation};
    apr_uint64_t hash;

    ia_mac_compute(mac, IA_HASH_SHA256, &t->shared->hash_key, &part, 1);
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

/* The very same key, with the same dates. */
static int match_record(const void *payload, const void *key)
{
    return ia_mac_equal(payload, key, sizeof(st_key));
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
    ia_result rc = from_status(st_table_read(&t->keys, hash_owner(t, owner_incarnation), match_kid, &key, copy, NULL));

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

/* A load sees the tables through views that wait for a bounded time in sum. */
typedef struct loading {
    const st_keys *t;
    st_table keys, thumbprints;
    st_participants *owners;
    apr_time_t now, patience;
} loading;

/* What one owner should have. */
typedef struct owned {
    apr_uint64_t owner_incarnation;
    apr_uint32_t owner_index;
    unsigned count;
    st_key keys[IA_PARTICIPANT_KEYS];
} owned;

static ia_result find_owner(loading *l, const ia_participant *owner, owned *out)
{
    st_participant found;
    ia_result rc = st_participant_find(l->owners, owner->id, strlen(owner->id), &found, &out->owner_index);

    out->owner_incarnation = found.incarnation;
    ia_wipe(&found, sizeof found);
    return rc;
}

static ia_result to_records(loading *l, const ia_participant *owner, owned *out)
{
    ia_result rc = find_owner(l, owner, out);

    for (out->count = 0; out->count < owner->public_key_count && out->count < IA_PARTICIPANT_KEYS && !rc; out->count++) {
        const ia_participant_key *key = &owner->public_keys[out->count];
        st_key *record = &out->keys[out->count];

        memset(record, 0, sizeof *record);
        record->owner_index = out->owner_index;
        record->owner_incarnation = out->owner_incarnation;
        record->raw = key->raw;
        record->not_before = key->not_before;
        record->not_after = key->not_after;
        record->kid_len = (apr_uint32_t)strlen(key->kid);
        memcpy(record->kid, key->kid, record->kid_len);
        rc = ia_key_thumbprint(record->thumbprint, &key->raw);
    }
    return rc;
}

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
    st_insertion what = {hash_owner(l->t, record->owner_incarnation), match_record, record, record, ST_NEVER, 0};
    st_held held;
    st_ref ref;
    ia_result rc = IA_OK;
    apr_status_t rv = st_table_hold_key(&l->keys, what.hash, match_record, record, &held);

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

/* Its thumbprint stays where it leads to another record already: the same key with other dates, or of another owner. */
static ia_result remove_key(loading *l, st_ref ref, const unsigned char *thumbprint)
{
    st_held held;
    apr_status_t rv =
        st_table_hold_key(&l->thumbprints, hash_thumbprint(l->t, thumbprint), match_thumbprint, thumbprint, &held);

    if (rv == APR_SUCCESS && LOAD(((thumb *)held.payload)->key_index) == ref.index)
        st_table_remove(&l->thumbprints, &held);
    else if (rv == APR_SUCCESS)
        st_table_release(&l->thumbprints, &held);
    else if (rv != APR_NOTFOUND)
        return IA_FAULT_STORE;
    if (st_table_hold(&l->keys, ref, &held))
        return IA_FAULT_STORE;
    st_table_remove(&l->keys, &held);
    return IA_OK;
}

/* Matches a key of this owner that it should not have. */
static int match_other(const void *payload, const void *key)
{
    const st_key *record = payload;
    const owned *wanted = key;
    unsigned i;

    if (record->owner_incarnation != wanted->owner_incarnation)
        return 0;
    for (i = 0; i < wanted->count; i++)
        if (match_record(record, &wanted->keys[i]))
            return 0;
    return 1;
}

static ia_result remove_others(loading *l, const owned *wanted)
{
    apr_uint64_t hash = hash_owner(l->t, wanted->owner_incarnation);
    ia_result rc = IA_OK;
    apr_status_t rv;
    st_held held;
    st_key copy;

    while (!rc && !(rv = st_table_hold_key(&l->keys, hash, match_other, wanted, &held))) {
        st_words_load(&copy, held.payload, sizeof copy);
        st_table_release(&l->keys, &held);
        rc = remove_key(l, held.ref, copy.thumbprint);
    }
    return rc ? rc : rv == APR_NOTFOUND ? IA_OK : IA_FAULT_STORE;
}

static ia_result add_all(loading *l, const owned *wanted)
{
    ia_result rc = IA_OK;
    unsigned i;

    for (i = 0; i < wanted->count && !rc; i++)
        rc = add(l, &wanted->keys[i]);
    return rc;
}

static ia_result put_owner(loading *l, const ia_participant *owner)
{
    owned wanted;
    ia_result rc = to_records(l, owner, &wanted);

    if (rc)
        return rc;
    if ((rc = add_all(l, &wanted)) == IA_KEYS_FULL && !(rc = remove_others(l, &wanted)))
        rc = add_all(l, &wanted);
    return rc ? rc : remove_others(l, &wanted);
}

/* Removes the keys whose owner is gone, or was replaced by another in its place. */
static ia_result remove_orphans(loading *l)
{
    apr_uint32_t index, high = st_table_high_water(&l->keys);
    st_participant owner;
    ia_result rc = IA_OK;
    st_key copy;
    st_ref ref;

    for (index = 0; index < high && !rc; index++) {
        apr_status_t rv = st_table_read_at(&l->keys, index, &copy, &ref);

        if (rv == APR_NOTFOUND)
            continue;
        if (rv)
            return IA_FAULT_STORE;
        rc = st_participant_get(l->owners, copy.owner_index, copy.owner_incarnation, &owner);
        if (rc == IA_GRANT_ENDED)
            rc = remove_key(l, ref, copy.thumbprint);
    }
    ia_wipe(&owner, sizeof owner);
    return rc;
}

static ia_result put_all(loading *l, const ia_participants *list)
{
    ia_result rc = IA_OK, full = IA_OK;
    unsigned i;

    for (i = 0; i < list->count && (!rc || rc == IA_KEYS_FULL); i++)
        if ((rc = put_owner(l, &list->list[i])) == IA_KEYS_FULL)
            full = rc;
    return rc && rc != IA_KEYS_FULL ? rc : full;
}

/* In a full table an owner may find room only after a later one has given back its own: hence a second time. */
static ia_result load(loading *l, const ia_participants *list)
{
    ia_result rc = remove_orphans(l);

    if (!rc && (rc = put_all(l, list)) == IA_KEYS_FULL)
        rc = put_all(l, list);
    return rc;
}

static apr_status_t begin(loading *l, st_keys *t, st_participants *owners, apr_time_t now)
{
    l->t = t;
    l->keys = t->keys;
    l->thumbprints = t->thumbprints;
    l->keys.patience = l->thumbprints.patience = &l->patience;
    l->owners = owners;
    l->now = now;
    l->patience = LOAD_PATIENCE;
    return st_lock_within(&t->shared->writer, &l->patience);
}

ia_result st_keys_load(st_keys *t, st_participants *owners, const ia_participants *list, apr_time_t now)
{
    apr_uint64_t count = 0;
    loading l;
    ia_result rc;
    unsigned i;

    for (i = 0; i < list->count; i++)
        count += list->list[i].public_key_count;
    if (count > t->keys.capacity)
        return IA_KEYS_FULL;
    if (begin(&l, t, owners, now))
        return IA_FAULT_STORE;
    rc = load(&l, list);
    st_table_recount(&t->keys);
    st_table_recount(&t->thumbprints);
    st_unlock(&t->shared->writer);
    return rc;
}

ia_result st_keys_put_owner(st_keys *t, st_participants *owners, const ia_participant *owner, apr_time_t now)
{
    loading l;
    ia_result rc;

    if (begin(&l, t, owners, now))
        return IA_FAULT_STORE;
    rc = put_owner(&l, owner);
    st_unlock(&t->shared->writer);
    return rc;
}

apr_uint32_t st_keys_count(const st_keys *t)
{
    return st_table_live(&t->keys);
}
