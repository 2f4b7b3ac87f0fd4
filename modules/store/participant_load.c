/* Loads all participants of a source, or one participant, into shared memory. */
#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include <string.h>
#include "participant_internal.h"
#include "shm_word.h"

#define LOAD_PATIENCE (ST_LOCK_PATIENCE * 5 / 2) /* for all locks of one load */

/* Capabilities or roles. A hash of their numbers, because searching a table of 1024 names for each record is slow. */
typedef struct naming {
    st_names *table;
    apr_hash_t *numbers;       /* number + 1 */
    apr_array_header_t *added; /* in the order of their numbers */
} naming;

typedef struct loading {
    st_participants *t;
    st_table table; /* a view with a limit for the total time to wait for locks */
    apr_time_t patience;
    st_source source;
    const ia_participants *list;
    naming capabilities, roles;
    unsigned char *kept;  /* bits of indexes; NULL if only one record is changed */
    unsigned char *found; /* bits of list items */
    apr_time_t now;
    st_load_report *report;
} loading;

static void set_bit(unsigned char *bits, apr_uint32_t at)
{
    bits[at / 8] |= (unsigned char)(1u << at % 8);
}

static int has_bit(const unsigned char *bits, apr_uint32_t at)
{
    return bits[at / 8] >> at % 8 & 1;
}

static void naming_init(naming *n, st_names *table, apr_pool_t *p)
{
    n->table = table;
    n->numbers = apr_hash_make(p);
    n->added = apr_array_make(p, 8, sizeof(const char *));
}

static int number_of(const naming *n, const char *name)
{
    return (int)((apr_uintptr_t)apr_hash_get(n->numbers, name, APR_HASH_KEY_STRING)) - 1;
}

/* Finds the number of a name, or determines the number that it will get. */
static int foresee(naming *n, const char *name)
{
    int number;

    if (number_of(n, name) >= 0)
        return 1;
    number = st_names_find(n->table, name);
    if (number < 0) {
        number = (int)st_names_count(n->table) + n->added->nelts;
        if ((apr_uint32_t)number >= n->table->capacity || strlen(name) > IA_NAME_MAX)
            return 0;
        APR_ARRAY_PUSH(n->added, const char *) = name;
    }
    apr_hash_set(n->numbers, name, APR_HASH_KEY_STRING, (void *)(apr_uintptr_t)(number + 1));
    return 1;
}

static int intern_added(const naming *n)
{
    int i;

    for (i = 0; i < n->added->nelts; i++)
        if (st_names_intern(n->table, APR_ARRAY_IDX(n->added, i, const char *)) < 0)
            return 0;
    return 1;
}

/* Counts the records of other sources that are not in the list. */
static apr_uint32_t count_others(const loading *l, apr_pool_t *ptemp)
{
    apr_uint32_t index, high = st_table_high_water(&l->table), others = 0;
    apr_hash_t *listed = apr_hash_make(ptemp);
    st_participant copy;
    unsigned i;

    for (i = 0; i < l->list->count; i++)
        apr_hash_set(listed, l->list->list[i].id, APR_HASH_KEY_STRING, &l->list->list[i]);
    for (index = 0; index < high; index++)
        if (!st_table_read_at(&l->table, index, &copy, NULL) && copy.source != (apr_uint64_t)l->source &&
            !apr_hash_get(listed, copy.id, strnlen(copy.id, sizeof copy.id)))
            others++;
    ia_wipe(&copy, sizeof copy);
    return others;
}

/* Checks that the load fits into the table before anything is changed. */
static st_result check_room(loading *l, apr_uint32_t others)
{
    unsigned i, k;

    if (l->list->count > l->table.capacity - others)
        return ST_FULL;
    for (i = 0; i < l->list->count; i++) {
        const ia_participant *from = &l->list->list[i];

        for (k = 0; k < from->capability_count; k++)
            if (!foresee(&l->capabilities, from->capabilities[k]))
                return ST_NAMES_FULL;
        for (k = 0; k < from->role_count; k++)
            if (!foresee(&l->roles, from->roles[k]))
                return ST_NAMES_FULL;
    }
    return intern_added(&l->capabilities) && intern_added(&l->roles) ? ST_OK : ST_NAMES_FULL;
}

static void to_record(const loading *l, const ia_participant *from, st_participant *to)
{
    unsigned i;

    memset(to, 0, sizeof *to);
    to->entitlement.status = from->status;
    to->entitlement.expires = from->expires;
    to->entitlement.token_max_lifespan = from->token_max_lifespan;
    to->entitlement.allow_refresh = from->allow_refresh;
    for (i = 0; i < from->capability_count; i++)
        ia_capset_add(&to->entitlement.capabilities, number_of(&l->capabilities, from->capabilities[i]));
    for (i = 0; i < from->role_count; i++)
        to->roles |= APR_UINT64_C(1) << number_of(&l->roles, from->roles[i]) % ST_ROLES_MAX;
    to->secret_count = from->secret_count;
    memcpy(to->secrets, from->secrets, sizeof to->secrets);
    st_challenge_pack(&to->challenge, from);
    to->source = (apr_uint64_t)l->source;
    to->id_len = (apr_uint32_t)strlen(from->id);
    memcpy(to->id, from->id, to->id_len);
}

static void overwrite(st_participants *t, apr_uint32_t index, const st_participant *record)
{
    st_words_store(&t->shared->journal, record, sizeof *record);
    STORE(t->shared->journal_index, index);
    STORE(t->shared->journal_valid, 1);
    st_participants_redo(t);
}

/* Changes or keeps an existing participant. The writer lock is held, so its record does not change. */
static st_result update_one(loading *l, unsigned i)
{
    const ia_participant *from = &l->list->list[i];
    apr_size_t len = strlen(from->id);
    st_participant_id key = {from->id, len};
    const st_participant *there;
    st_participant next;
    st_held held;
    apr_status_t rv = len > IA_NAME_MAX ? APR_EINVAL
                                        : st_table_hold_key(&l->table, st_participant_hash(l->t, from->id, len),
                                                            st_participant_match, &key, &held);

    if (rv)
        return rv == APR_NOTFOUND ? ST_OK : ST_FAULT;
    there = held.payload;
    if (l->kept)
        set_bit(l->kept, held.ref.index);
    set_bit(l->found, i);
    to_record(l, from, &next);
    next.generation = there->generation;
    if (there->source == ST_SOURCE_FILE && l->source != ST_SOURCE_FILE) {
        l->report->shadowed++;
    } else if (memcmp(&next, there, sizeof next)) {
        overwrite(l->t, held.ref.index, &next);
        l->report->changed++;
    } else {
        l->report->kept++;
    }
    st_table_release(&l->table, &held);
    ia_wipe(&next, sizeof next);
    return ST_OK;
}

/* Must run before participants are added, because the table may be full. */
static st_result remove_leavers(loading *l)
{
    apr_uint32_t index, high = st_table_high_water(&l->table);
    apr_status_t rv;
    st_held held;
    st_ref ref;

    for (index = 0; index < high; index++) {
        if (has_bit(l->kept, index) || !st_table_ref_at(&l->table, index, &ref))
            continue;
        rv = st_table_hold(&l->table, ref, &held);
        if (rv == APR_NOTFOUND)
            continue;
        if (rv)
            return ST_FAULT;
        if (((const st_participant *)held.payload)->source != (apr_uint64_t)l->source) {
            st_table_release(&l->table, &held);
            continue;
        }
        st_table_remove(&l->table, &held);
        l->report->removed++;
    }
    return ST_OK;
}

static st_result add_one(loading *l, unsigned i)
{
    const ia_participant *from = &l->list->list[i];
    st_participant record;
    st_participant_id key = {record.id, 0};
    st_insertion what = {0, st_participant_match, &key, &record, ST_NEVER, 0};
    apr_status_t rv;

    if (has_bit(l->found, i))
        return ST_OK;
    to_record(l, from, &record);
    key.len = record.id_len;
    what.hash = st_participant_hash(l->t, record.id, record.id_len);
    record.generation = ADD(l->t->shared->generations, 1) + 1;
    rv = st_table_insert(&l->table, &what, l->now, NULL);
    ia_wipe(&record, sizeof record);
    if (rv)
        return rv == APR_ENOSPC ? ST_FULL : ST_FAULT;
    l->report->added++;
    return ST_OK;
}

static st_result load(loading *l, apr_pool_t *ptemp)
{
    st_result rc = check_room(l, count_others(l, ptemp));
    unsigned i;

    for (i = 0; i < l->list->count && !rc; i++)
        rc = update_one(l, i);
    if (!rc)
        rc = remove_leavers(l);
    for (i = 0; i < l->list->count && !rc; i++)
        rc = add_one(l, i);
    return rc;
}

static void begin(loading *l, st_participants *t, st_source source, const ia_participants *list, apr_time_t now,
                  apr_pool_t *ptemp, st_load_report *report)
{
    memset(report, 0, sizeof *report);
    memset(l, 0, sizeof *l);
    l->t = t;
    l->table = t->table;
    l->patience = LOAD_PATIENCE;
    l->table.patience = &l->patience;
    l->source = source;
    l->list = list;
    l->now = now;
    l->report = report;
    l->found = apr_pcalloc(ptemp, list->count / 8 + 1);
    naming_init(&l->capabilities, &t->capabilities, ptemp);
    naming_init(&l->roles, &t->roles, ptemp);
}

st_result st_participants_load(st_participants *t, st_source source, const ia_participants *list, apr_time_t now,
                               apr_pool_t *ptemp, st_load_report *report)
{
    loading l;
    st_result rc;

    begin(&l, t, source, list, now, ptemp, report);
    l.kept = apr_pcalloc(ptemp, l.table.capacity / 8 + 1);
    if (st_participants_lock(t, &l.patience))
        return ST_FAULT;
    rc = load(&l, ptemp);
    if (!rc)
        STORE(t->shared->loaded, now);
    st_table_recount(&t->table);
    ADD(t->shared->revision, 1);
    st_unlock(&t->shared->writer);
    return rc;
}

st_result st_participant_put(st_participants *t, st_source source, const ia_participant *one, apr_time_t now,
                             apr_pool_t *ptemp, st_load_report *report)
{
    ia_participant copy = *one;
    ia_participants list = {&copy, 1};
    loading l;
    st_result rc;

    begin(&l, t, source, &list, now, ptemp, report);
    if (st_participants_lock(t, &l.patience))
        return ST_FAULT;
    if (!(rc = check_room(&l, 0)) && !(rc = update_one(&l, 0)))
        rc = add_one(&l, 0);
    ADD(t->shared->revision, 1);
    st_unlock(&t->shared->writer);
    ia_wipe(&copy, sizeof copy);
    return rc;
}

static st_result drop_one(st_participants *t, st_table *table, st_source source, const char *id)
{
    st_participant_id key = {id, strlen(id)};
    st_held held;
    apr_status_t rv = key.len > IA_NAME_MAX ? APR_NOTFOUND
                                            : st_table_hold_key(table, st_participant_hash(t, id, key.len),
                                                                st_participant_match, &key, &held);

    if (rv)
        return rv == APR_NOTFOUND ? ST_NOT_FOUND : ST_FAULT;
    if (((const st_participant *)held.payload)->source != (apr_uint64_t)source) {
        st_table_release(table, &held);
        return ST_NOT_FOUND;
    }
    st_table_remove(table, &held);
    return ST_OK;
}

st_result st_participant_drop(st_participants *t, st_source source, const char *id)
{
    apr_time_t patience = LOAD_PATIENCE;
    st_table table = t->table;
    st_result rc;

    table.patience = &patience;
    if (st_participants_lock(t, &patience))
        return ST_FAULT;
    rc = drop_one(t, &table, source, id);
    ADD(t->shared->revision, 1);
    st_unlock(&t->shared->writer);
    return rc;
}
