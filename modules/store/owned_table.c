/* Records that belong to participants: a table with one chain per owner, whose records are replaced together. */
#include <string.h>
#include "owned_table.h"
#include "shm_word.h"

#define ALIGN(n)      (((n) + 63) & ~(apr_size_t)63)
#define LOAD_PATIENCE (ST_LOCK_PATIENCE * 5 / 2) /* for all locks of one load */

struct st_owned_shared {
    st_lock_word writer;
    apr_uint64_t ready;
    ia_mac_key hash_key;
};

/* One change of the table, with a limit for the total time to wait for locks. */
typedef struct change {
    st_owned t;
    st_participants *owners;
    apr_time_t now, patience;
    char *records; /* new records of one owner */
    unsigned count;
    st_owner owner;
} change;

/* The key for the match functions of st_table, which get one pointer. */
typedef struct lookup {
    apr_uint64_t generation;
    st_match match;
    const void *key;
} lookup;

apr_size_t st_owned_size(apr_uint32_t capacity, apr_size_t record_size)
{
    return st_size_sum(ALIGN(sizeof(struct st_owned_shared)), st_table_size(capacity, record_size));
}

void st_owned_attach(st_owned *t, void *memory, apr_uint32_t capacity, const ia_mac_key *hash_key,
                     const st_owned_kind *kind, void *context)
{
    t->shared = memory;
    t->kind = kind;
    t->context = context;
    st_table_attach(&t->table, (char *)memory + ALIGN(sizeof(struct st_owned_shared)), capacity, kind->size, NULL, NULL,
                    NULL);
    if (!LOAD(t->shared->ready)) {
        t->shared->hash_key = *hash_key;
        STORE(t->shared->ready, 1);
    }
}

apr_uint64_t st_owned_hash(const st_owned *t, const void *data, apr_size_t len)
{
    unsigned char mac[IA_MAC_MAX];
    ia_bytes part = {data, len};
    apr_uint64_t hash;

    ia_mac_compute(mac, IA_HASH_SHA256, &t->shared->hash_key, &part, 1);
    memcpy(&hash, mac, sizeof hash);
    return hash;
}

static apr_uint64_t hash_owner(const st_owned *t, apr_uint64_t generation)
{
    return st_owned_hash(t, &generation, sizeof generation);
}

static int match_owned(const void *payload, const void *key)
{
    const lookup *wanted = key;

    return ((const st_owner *)payload)->generation == wanted->generation && wanted->match(payload, wanted->key);
}

apr_status_t st_owned_find(const st_owned *t, const st_owner *owner, st_match match, const void *key, void *copy)
{
    lookup wanted = {owner->generation, match, key};
    apr_status_t rv = st_table_read(&t->table, hash_owner(t, owner->generation), match_owned, &wanted, copy, NULL);

    return !rv && ((const st_owner *)copy)->index != owner->index ? APR_NOTFOUND : rv;
}

/* --- one owner ---------------------------------------------------------------------------------------------------- */

static const void *record_of(const change *c, unsigned i)
{
    return c->records + i * c->t.kind->size;
}

static st_result make_records(change *c, const ia_participant *owner)
{
    st_participant found;
    st_result rc = st_participant_find(c->owners, owner->id, strlen(owner->id), &found, &c->owner.index);
    unsigned i;

    c->owner.generation = found.generation;
    ia_wipe(&found, sizeof found);
    if (rc)
        return rc;
    memset(c->records, 0, c->t.kind->max * c->t.kind->size);
    for (i = 0; i < c->t.kind->max; i++)
        memcpy(c->records + i * c->t.kind->size, &c->owner, sizeof c->owner);
    return c->t.kind->make(c->records, &c->count, owner);
}

/* The key to find an identical record. */
typedef struct whole {
    const void *record;
    apr_size_t size;
} whole;

static int match_whole(const void *payload, const void *key)
{
    const whole *wanted = key;

    return ia_mac_equal(payload, wanted->record, wanted->size);
}

static st_result from_insert(const change *c, apr_status_t rv)
{
    if (rv == APR_SUCCESS)
        return ST_OK;
    return rv == APR_ENOSPC ? ST_FULL : ST_FAULT;
}

/*
 * Adds a record if it does not exist. Calls `added` in any case, because the process that added it may have been killed
 * before it did.
 */
static st_result add(change *c, const void *record)
{
    whole key = {record, c->t.kind->size};
    st_insertion what = {hash_owner(&c->t, c->owner.generation), match_whole, &key, record, ST_NEVER, 0};
    st_result rc = ST_OK;
    st_held held;
    st_ref ref = {0, 0};
    apr_status_t rv = st_table_hold_key(&c->t.table, what.hash, match_whole, &key, &held);

    if (rv == APR_SUCCESS) {
        ref = held.ref;
        st_table_release(&c->t.table, &held);
    } else if (rv == APR_NOTFOUND) {
        rc = from_insert(c, st_table_insert(&c->t.table, &what, c->now, &ref));
    } else {
        rc = ST_FAULT;
    }
    return rc || !c->t.kind->added ? rc : c->t.kind->added(c->t.context, record, ref.index, c->now);
}

static st_result add_all(change *c)
{
    st_result rc = ST_OK;
    unsigned i;

    for (i = 0; i < c->count && !rc; i++)
        rc = add(c, record_of(c, i));
    return rc;
}

static st_result take_away(change *c, st_ref ref, const void *record)
{
    st_result rc = c->t.kind->leaving ? c->t.kind->leaving(c->t.context, record, ref.index) : ST_OK;
    st_held held;

    if (rc)
        return rc;
    if (st_table_hold(&c->t.table, ref, &held))
        return ST_FAULT;
    st_table_remove(&c->t.table, &held);
    return ST_OK;
}

/* Matches a record of this owner that is not among its new records. */
static int match_other(const void *payload, const void *key)
{
    const change *c = key;
    unsigned i;

    if (((const st_owner *)payload)->generation != c->owner.generation)
        return 0;
    for (i = 0; i < c->count; i++)
        if (ia_mac_equal(payload, record_of(c, i), c->t.kind->size))
            return 0;
    return 1;
}

static st_result remove_others(change *c, void *copy)
{
    apr_uint64_t hash = hash_owner(&c->t, c->owner.generation);
    st_result rc = ST_OK;
    apr_status_t rv;
    st_held held;

    while (!rc && !(rv = st_table_hold_key(&c->t.table, hash, match_other, c, &held))) {
        st_words_load(copy, held.payload, c->t.kind->size);
        st_table_release(&c->t.table, &held);
        rc = take_away(c, held.ref, copy);
    }
    return rc ? rc : rv == APR_NOTFOUND ? ST_OK : ST_FAULT;
}

static st_result put(change *c, const ia_participant *owner, void *copy)
{
    st_result rc = make_records(c, owner);

    if (rc)
        return rc;
    if ((rc = add_all(c)) == ST_FULL && !(rc = remove_others(c, copy)))
        rc = add_all(c);
    return rc ? rc : remove_others(c, copy);
}

/* --- all owners --------------------------------------------------------------------------------------------------- */

/* Removes the records whose owner was removed, or replaced by another participant at its index. */
static st_result remove_orphans(change *c, void *copy)
{
    apr_uint32_t index, high = st_table_high_water(&c->t.table);
    const st_owner *owner = copy;
    st_participant found;
    st_result rc = ST_OK;
    st_ref ref;

    for (index = 0; index < high && !rc; index++) {
        apr_status_t rv = st_table_read_at(&c->t.table, index, copy, &ref);

        if (rv == APR_NOTFOUND)
            continue;
        if (rv)
            return ST_FAULT;
        rc = st_participant_get(c->owners, owner->index, owner->generation, &found);
        ia_wipe(&found, sizeof found);
        if (rc == ST_GONE)
            rc = take_away(c, ref, copy);
    }
    return rc;
}

static st_result put_all(change *c, const ia_participants *list, void *copy)
{
    st_result rc = ST_OK, full = ST_OK;
    unsigned i;

    for (i = 0; i < list->count && (!rc || rc == ST_FULL); i++)
        if ((rc = put(c, &list->list[i], copy)) == ST_FULL)
            full = rc;
    return rc && rc != ST_FULL ? rc : full;
}

/* Allocates the records of one owner and a buffer for one record, which is returned. */
static void *begin(change *c, st_owned *t, st_participants *owners, apr_time_t now, apr_pool_t *ptemp)
{
    memset(c, 0, sizeof *c);
    c->t = *t;
    c->t.table.patience = &c->patience;
    c->owners = owners;
    c->now = now;
    c->patience = LOAD_PATIENCE;
    c->records = apr_palloc(ptemp, (t->kind->max + 1) * t->kind->size);
    return c->records + t->kind->max * t->kind->size;
}

st_result st_owned_load(st_owned *t, st_participants *owners, const ia_participants *list, apr_time_t now,
                        apr_pool_t *ptemp)
{
    change c;
    void *copy = begin(&c, t, owners, now, ptemp);
    st_result rc;

    if (st_lock_within(&t->shared->writer, &c.patience))
        return ST_FAULT;
    rc = remove_orphans(&c, copy);
    /* In a full table, there may be no room for an owner until records of a later one are removed: try twice. */
    if (!rc && (rc = put_all(&c, list, copy)) == ST_FULL)
        rc = put_all(&c, list, copy);
    st_table_recount(&t->table);
    if (t->kind->loaded)
        t->kind->loaded(t->context);
    st_unlock(&t->shared->writer);
    return rc;
}

st_result st_owned_put(st_owned *t, st_participants *owners, const ia_participant *owner, apr_time_t now,
                       apr_pool_t *ptemp)
{
    change c;
    void *copy = begin(&c, t, owners, now, ptemp);
    st_result rc;

    if (st_lock_within(&t->shared->writer, &c.patience))
        return ST_FAULT;
    rc = put(&c, owner, copy);
    st_unlock(&t->shared->writer);
    return rc;
}
