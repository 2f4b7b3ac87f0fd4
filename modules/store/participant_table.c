#include <apr_hash.h>
#include <string.h>
#include "crash_point.h"
#include "participant_table.h"

#define LOAD(where)         __atomic_load_n(&(where), __ATOMIC_ACQUIRE)
#define STORE(where, value) (__atomic_store_n(&(where), (value), __ATOMIC_RELEASE))
#define ALIGN(n)            (((n) + 63) & ~(apr_size_t)63)

struct st_participants_shared {
    st_lock_word writer;
    apr_uint64_t incarnations;
    apr_uint64_t generation;
    apr_uint64_t ready;
    apr_time_t loaded;
    ia_mac_key hash_key;
    apr_uint32_t journal_valid;
    apr_uint32_t journal_index;
    st_participant journal;
};

apr_size_t st_participants_size(apr_uint32_t capacity)
{
    return ALIGN(sizeof(struct st_participants_shared)) + ALIGN(st_names_size(IA_CAPABILITIES_MAX)) +
           ALIGN(st_names_size(ST_ROLES_MAX)) + st_table_size(capacity, sizeof(st_participant));
}

void st_participants_attach(st_participants *t, void *memory, apr_uint32_t capacity,
                            const ia_mac_key *hash_key)
{
    char *at = memory;

    t->shared = memory;
    at += ALIGN(sizeof(struct st_participants_shared));
    st_names_attach(&t->capabilities, at, IA_CAPABILITIES_MAX);
    at += ALIGN(st_names_size(IA_CAPABILITIES_MAX));
    st_names_attach(&t->roles, at, ST_ROLES_MAX);
    at += ALIGN(st_names_size(ST_ROLES_MAX));
    st_table_attach(&t->table, at, capacity, sizeof(st_participant), NULL, NULL);
    if (!LOAD(t->shared->ready)) {
        t->shared->hash_key = *hash_key;
        STORE(t->shared->ready, 1);
    }
}

/* Keyed, because ids are chosen by callers. */
static apr_uint64_t hash_id(const st_participants *t, const char *id, apr_size_t len)
{
    unsigned char mac[IA_MAC_MAX];
    ia_bytes part = {id, len};
    apr_uint64_t hash;

    ia_mac_compute(mac, IA_HASH_SHA256, &t->shared->hash_key, &part, 1);
    memcpy(&hash, mac, sizeof hash);
    return hash;
}

typedef struct id_key {
    const char *id;
    apr_size_t len;
} id_key;

static int match_id(const void *payload, const void *key)
{
    const st_participant *p = payload;
    const id_key *k = key;

    return p->id_len == k->len && !memcmp(p->id, k->id, k->len);
}

/* Finishes what a killed writer had begun; the writer lock is held. */
static void redo(st_participants *t)
{
    if (!LOAD(t->shared->journal_valid))
        return;
    st_table_overwrite(&t->table, t->shared->journal_index, &t->shared->journal);
    STORE(t->shared->journal_valid, 0);
}

static apr_status_t lock_writer(st_participants *t)
{
    apr_status_t rv = st_lock(&t->shared->writer);

    if (!rv)
        redo(t);
    return rv;
}

/* A read that timed out may wait for a dead writer: take its lock, finish its work, let go. */
static int repair(st_participants *t)
{
    if (lock_writer(t))
        return 0;
    st_unlock(&t->shared->writer);
    return 1;
}

ia_result st_participant_find(st_participants *t, const char *id, apr_size_t len, st_participant *copy,
                              apr_uint32_t *index)
{
    id_key key = {id, len};
    apr_uint64_t hash = hash_id(t, id, len);
    apr_status_t rv;
    st_ref ref = {0, 0};

    rv = st_table_read(&t->table, hash, match_id, &key, copy, &ref);
    if (rv == APR_TIMEUP && repair(t))
        rv = st_table_read(&t->table, hash, match_id, &key, copy, &ref);
    if (index)
        *index = ref.index;
    if (rv == APR_SUCCESS)
        return IA_OK;
    return rv == APR_NOTFOUND ? IA_PARTICIPANT_UNKNOWN : IA_FAULT_STORE;
}

ia_result st_participant_get(st_participants *t, apr_uint32_t index, apr_uint64_t incarnation, st_participant *copy)
{
    apr_status_t rv = st_table_read_at(&t->table, index, copy, NULL);

    if (rv == APR_TIMEUP && repair(t))
        rv = st_table_read_at(&t->table, index, copy, NULL);
    if (rv == APR_NOTFOUND)
        return IA_GRANT_ENDED;
    if (rv)
        return IA_FAULT_STORE;
    return copy->incarnation == incarnation || !incarnation ? IA_OK : IA_GRANT_ENDED;
}

static ia_result to_record(st_participants *t, const ia_participant *from, st_participant *to)
{
    unsigned i;

    memset(to, 0, sizeof *to);
    to->standing.status = from->status;
    to->standing.expires = from->expires;
    to->standing.token_max_lifespan = from->token_max_lifespan;
    to->standing.allow_refresh = from->allow_refresh;
    for (i = 0; i < from->capability_count; i++) {
        int number = st_names_intern(&t->capabilities, from->capabilities[i]);

        if (number < 0)
            return IA_NAMES_FULL;
        ia_capset_add(&to->standing.capabilities, number);
    }
    for (i = 0; i < from->role_count; i++) {
        int number = st_names_intern(&t->roles, from->roles[i]);

        if (number < 0)
            return IA_NAMES_FULL;
        to->roles |= APR_UINT64_C(1) << number;
    }
    to->secret_count = from->secret_count;
    memcpy(to->secrets, from->secrets, sizeof to->secrets);
    to->id_len = (apr_uint32_t)strlen(from->id);
    memcpy(to->id, from->id, to->id_len);
    return IA_OK;
}

static ia_result overwrite(st_participants *t, apr_uint32_t index, const st_participant *record)
{
    t->shared->journal = *record;
    t->shared->journal_index = index;
    ST_CRASH_POINT();
    STORE(t->shared->journal_valid, 1);
    ST_CRASH_POINT();
    redo(t);
    return IA_OK;
}

static ia_result insert(st_participants *t, st_participant *record, apr_time_t now)
{
    id_key key = {record->id, record->id_len};
    apr_status_t rv;

    record->incarnation = __atomic_add_fetch(&t->shared->incarnations, 1, __ATOMIC_ACQ_REL);
    rv = st_table_insert(&t->table, hash_id(t, record->id, record->id_len), match_id, &key, record,
                         ST_NEVER, now, NULL);
    if (rv)
        return rv == APR_ENOSPC ? IA_PARTICIPANTS_FULL : IA_FAULT_STORE;
    return IA_OK;
}

/* One participant of a load: added, changed or kept. */
static ia_result load_one(st_participants *t, const ia_participant *from, apr_time_t now, st_load_report *report)
{
    st_participant next, current;
    apr_uint32_t index;
    ia_result rc = to_record(t, from, &next);

    if (rc)
        return rc;
    rc = st_participant_find(t, next.id, next.id_len, &current, &index);
    if (rc == IA_PARTICIPANT_UNKNOWN) {
        rc = insert(t, &next, now);
        report->added += !rc;
    } else if (!rc) {
        next.incarnation = current.incarnation;
        if (memcmp(&next, &current, sizeof next)) {
            rc = overwrite(t, index, &next);
            report->changed++;
        } else {
            report->kept++;
        }
    }
    ia_wipe(&next, sizeof next);
    ia_wipe(&current, sizeof current);
    return rc;
}

/* Leavers go first, so that a full table has room for who comes. */
static void remove_leavers(st_participants *t, const ia_participants *list, apr_pool_t *ptemp, st_load_report *report)
{
    apr_uint32_t index, high = st_table_high_water(&t->table);
    apr_hash_t *ids = apr_hash_make(ptemp);
    st_participant copy;
    unsigned i;

    for (i = 0; i < list->count; i++)
        apr_hash_set(ids, list->list[i].id, APR_HASH_KEY_STRING, &list->list[i]);
    for (index = 0; index < high; index++) {
        st_ref ref;
        void *payload;

        if (st_table_read_at(&t->table, index, &copy, &ref))
            continue;
        copy.id[IA_NAME_MAX] = '\0';
        if (apr_hash_get(ids, copy.id, APR_HASH_KEY_STRING) || st_table_hold(&t->table, ref, &payload))
            continue;
        st_table_remove(&t->table, ref);
        report->removed++;
    }
    ia_wipe(&copy, sizeof copy);
}

/* Would the load fit? Asked first, so that a table which is too small is refused before anything changed. */
static ia_result check_room(st_participants *t, const ia_participants *list)
{
    unsigned i;
    st_participant scratch;
    ia_result rc = IA_OK;

    if (list->count > t->table.capacity)
        return IA_PARTICIPANTS_FULL;
    for (i = 0; i < list->count && !rc; i++)
        rc = to_record(t, &list->list[i], &scratch);
    ia_wipe(&scratch, sizeof scratch);
    return rc;
}

ia_result st_participants_load(st_participants *t, const ia_participants *list, apr_time_t now, apr_pool_t *ptemp,
                               st_load_report *report)
{
    ia_result rc;
    unsigned i;

    memset(report, 0, sizeof *report);
    if (lock_writer(t))
        return IA_FAULT_STORE;
    rc = check_room(t, list);
    if (!rc)
        remove_leavers(t, list, ptemp, report);
    for (i = 0; i < list->count && !rc; i++)
        rc = load_one(t, &list->list[i], now, report);
    if (!rc)
        STORE(t->shared->loaded, now);
    __atomic_add_fetch(&t->shared->generation, 1, __ATOMIC_ACQ_REL);
    st_unlock(&t->shared->writer);
    return rc;
}

apr_uint32_t st_participants_count(const st_participants *t)
{
    return st_table_live(&t->table);
}

apr_time_t st_participants_loaded(const st_participants *t)
{
    return LOAD(t->shared->loaded);
}

apr_uint64_t st_participants_generation(const st_participants *t)
{
    return LOAD(t->shared->generation);
}
