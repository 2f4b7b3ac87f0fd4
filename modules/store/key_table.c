/* Public keys: records of their owners, and a second table that maps thumbprints to them. */
#include <string.h>
#include "key_table.h"
#include "shm_word.h"

#define PROBES_MAX 64
#define STRIDE     APR_UINT64_C(0x9e3779b1)

/* The index of the key with a thumbprint. */
typedef struct thumb {
    unsigned char thumbprint[IA_SHA256_LEN];
    apr_uint32_t key_index;
    apr_uint32_t pad;
} thumb;

typedef struct kid_key {
    const char *kid;
    apr_size_t len;
} kid_key;

static st_result make(void *records, unsigned *count, const ia_participant *owner)
{
    st_key *record = records;
    st_result rc = ST_OK;

    for (*count = 0; *count < owner->public_key_count && *count < IA_PARTICIPANT_KEYS && !rc; ++*count, record++) {
        const ia_participant_key *key = &owner->public_keys[*count];

        record->raw = key->raw;
        record->not_before = key->not_before;
        record->not_after = key->not_after;
        record->kid_len = strlen(key->kid);
        memcpy(record->kid, key->kid, record->kid_len);
        rc = ia_key_thumbprint(record->thumbprint, &key->raw);
    }
    return rc;
}

static int match_kid(const void *payload, const void *key)
{
    const st_key *record = payload;
    const kid_key *wanted = key;

    return record->kid_len == wanted->len && wanted->len <= IA_NAME_MAX &&
           ia_mac_equal(record->kid, wanted->kid, wanted->len);
}

static int match_thumbprint(const void *payload, const void *key)
{
    return ia_mac_equal(((const thumb *)payload)->thumbprint, key, IA_SHA256_LEN);
}

/*
 * A thumbprint is added after its key and removed before it, so that it refers to an existing key even if a process is
 * killed in between.
 */
static st_result point_to(void *context, const void *record, apr_uint32_t place, apr_time_t now)
{
    st_keys *t = context;
    const unsigned char *thumbprint = ((const st_key *)record)->thumbprint;
    thumb entry;
    st_insertion what = {
        st_owned_hash(&t->keys, thumbprint, IA_SHA256_LEN), match_thumbprint, thumbprint, &entry, ST_NEVER, 0};
    st_held held;
    apr_status_t rv = st_table_hold_key(&t->thumbprints, what.hash, match_thumbprint, thumbprint, &held);

    if (rv == APR_SUCCESS) {
        STORE(((thumb *)held.payload)->key_index, place);
        st_table_release(&t->thumbprints, &held);
        return ST_OK;
    }
    if (rv != APR_NOTFOUND)
        return ST_FAULT;
    memset(&entry, 0, sizeof entry);
    memcpy(entry.thumbprint, thumbprint, IA_SHA256_LEN);
    entry.key_index = place;
    rv = st_table_insert(&t->thumbprints, &what, now, NULL);
    return !rv ? ST_OK : rv == APR_ENOSPC ? ST_FULL : ST_FAULT;
}

/* Keeps a thumbprint that refers to another record already: the same key with other dates, or of another owner. */
static st_result forget(void *context, const void *record, apr_uint32_t place)
{
    st_keys *t = context;
    const unsigned char *thumbprint = ((const st_key *)record)->thumbprint;
    st_held held;
    apr_status_t rv = st_table_hold_key(&t->thumbprints, st_owned_hash(&t->keys, thumbprint, IA_SHA256_LEN),
                                        match_thumbprint, thumbprint, &held);

    if (rv == APR_SUCCESS && LOAD(((thumb *)held.payload)->key_index) == place)
        st_table_remove(&t->thumbprints, &held);
    else if (rv == APR_SUCCESS)
        st_table_release(&t->thumbprints, &held);
    return rv == APR_SUCCESS || rv == APR_NOTFOUND ? ST_OK : ST_FAULT;
}

static void recount(void *context)
{
    st_table_recount(&((st_keys *)context)->thumbprints);
}

static const st_owned_kind kind = {sizeof(st_key), IA_PARTICIPANT_KEYS, make, point_to, forget, recount};

apr_size_t st_keys_size(apr_uint32_t capacity)
{
    return st_size_sum(st_owned_size(capacity, sizeof(st_key)), st_table_size(capacity, sizeof(thumb)));
}

void st_keys_attach(st_keys *t, void *memory, apr_uint32_t capacity, const ia_mac_key *hash_key)
{
    st_owned_attach(&t->keys, memory, capacity, hash_key, &kind, t);
    st_table_attach(&t->thumbprints, (char *)memory + st_owned_size(capacity, sizeof(st_key)), capacity, sizeof(thumb),
                    NULL, NULL, NULL);
}

static st_result from_status(apr_status_t rv)
{
    if (rv == APR_SUCCESS)
        return ST_OK;
    return rv == APR_NOTFOUND ? ST_NOT_FOUND : ST_FAULT;
}

st_result st_key_find(st_keys *t, const st_owner *owner, const char *kid, apr_size_t kid_len, st_key *copy)
{
    kid_key key = {kid, kid_len};

    return from_status(st_owned_find(&t->keys, owner, match_kid, &key, copy));
}

st_result st_key_find_thumbprint(st_keys *t, const unsigned char thumbprint[IA_SHA256_LEN], st_key *copy)
{
    thumb found;
    st_result rc = from_status(st_table_read(&t->thumbprints, st_owned_hash(&t->keys, thumbprint, IA_SHA256_LEN),
                                             match_thumbprint, thumbprint, &found, NULL));

    if (!rc)
        rc = from_status(st_table_read_at(&t->keys.table, found.key_index, copy, NULL));
    return !rc && !ia_mac_equal(copy->thumbprint, thumbprint, IA_SHA256_LEN) ? ST_NOT_FOUND : rc;
}

st_result st_key_any(st_keys *t, apr_uint64_t number, st_key *copy)
{
    apr_uint32_t places = st_table_high_water(&t->keys.table), i;
    st_result rc = ST_NOT_FOUND;

    for (i = 0; i < places && i < PROBES_MAX && rc == ST_NOT_FOUND; i++)
        rc = from_status(st_table_read_at(&t->keys.table, (apr_uint32_t)((number + i * STRIDE) % places), copy, NULL));
    return rc;
}

st_result st_keys_load(st_keys *t, st_participants *owners, const ia_participants *list, apr_time_t now,
                       apr_pool_t *ptemp)
{
    apr_uint64_t count = 0;
    unsigned i;

    for (i = 0; i < list->count; i++)
        count += list->list[i].public_key_count;
    if (count > t->keys.table.capacity)
        return ST_FULL;
    return st_owned_load(&t->keys, owners, list, now, ptemp);
}

st_result st_keys_put_owner(st_keys *t, st_participants *owners, const ia_participant *owner, apr_time_t now,
                            apr_pool_t *ptemp)
{
    return st_owned_put(&t->keys, owners, owner, now, ptemp);
}

apr_uint32_t st_keys_count(const st_keys *t)
{
    return st_table_live(&t->keys.table);
}
