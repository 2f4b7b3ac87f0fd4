/* Participants in shared memory, with non-blocking look-ups. */
#include <string.h>
#include "participant_internal.h"
#include "shm_word.h"

#define ALIGN(n)      (((n) + 63) & ~(apr_size_t)63)
#define MEND_PATIENCE 1000 /* microseconds, for each attempt to repair a record that keeps changing */
#define MENDS         (ST_LOCK_PATIENCE / MEND_PATIENCE)

apr_size_t st_participants_size(apr_uint32_t capacity)
{
    return st_size_sum(ALIGN(sizeof(struct st_participants_shared)) + ALIGN(st_names_size(IA_CAPABILITIES_MAX)) +
                           ALIGN(st_names_size(ST_ROLES_MAX)),
                       st_table_size(capacity, sizeof(st_participant)));
}

void st_participants_attach(st_participants *t, void *memory, apr_uint32_t capacity, const ia_mac_key *hash_key)
{
    char *at = memory;

    t->shared = memory;
    at += ALIGN(sizeof(struct st_participants_shared));
    st_names_attach(&t->capabilities, at, IA_CAPABILITIES_MAX);
    at += ALIGN(st_names_size(IA_CAPABILITIES_MAX));
    st_names_attach(&t->roles, at, ST_ROLES_MAX);
    at += ALIGN(st_names_size(ST_ROLES_MAX));
    st_table_attach(&t->table, at, capacity, sizeof(st_participant), NULL, NULL, NULL);
    if (!LOAD(t->shared->ready)) {
        t->shared->hash_key = *hash_key;
        STORE(t->shared->ready, 1);
    }
}

apr_uint64_t st_participant_hash(const st_participants *t, const char *id, apr_size_t len)
{
    unsigned char mac[IA_MAC_MAX];
    ia_bytes part = {id, len};
    apr_uint64_t hash;

    ia_mac_compute(mac, IA_HASH_SHA256, &t->shared->hash_key, &part, 1);
    memcpy(&hash, mac, sizeof hash);
    return hash;
}

int st_participant_match(const void *payload, const void *key)
{
    const st_participant *p = payload;
    const st_participant_id *k = key;

    return p->id_len == k->len && !memcmp(p->id, k->id, k->len);
}

void st_participants_redo(st_participants *t)
{
    if (!LOAD(t->shared->journal_valid))
        return;
    st_table_overwrite(&t->table, LOAD(t->shared->journal_index), &t->shared->journal);
    STORE(t->shared->journal_valid, 0);
    st_words_clear(&t->shared->journal, sizeof t->shared->journal);
}

apr_status_t st_participants_lock(st_participants *t, apr_time_t *patience)
{
    apr_status_t rv = st_lock_within(&t->shared->writer, patience);

    if (!rv)
        st_participants_redo(t);
    return rv;
}

/* If a record keeps changing, either completes the work of a dead writer, or waits for a live one. */
static void mend(st_participants *t)
{
    apr_time_t patience = MEND_PATIENCE;

    if (st_participants_lock(t, &patience) == APR_SUCCESS)
        st_unlock(&t->shared->writer);
}

static st_result refuse(st_participant *copy, st_result rc)
{
    ia_wipe(copy, sizeof *copy);
    return rc;
}

st_result st_participant_find(st_participants *t, const char *id, apr_size_t len, st_participant *copy,
                              apr_uint32_t *index)
{
    st_participant_id key = {id, len};
    apr_status_t rv = APR_NOTFOUND;
    apr_uint64_t hash;
    st_ref ref = {0, 0};
    unsigned mends;

    if (len <= IA_NAME_MAX) {
        hash = st_participant_hash(t, id, len);
        rv = st_table_read(&t->table, hash, st_participant_match, &key, copy, &ref);
        for (mends = 0; rv == APR_TIMEUP && mends < MENDS; mends++) {
            mend(t);
            rv = st_table_read(&t->table, hash, st_participant_match, &key, copy, &ref);
        }
    }
    if (index)
        *index = rv ? 0 : ref.index;
    if (rv)
        return refuse(copy, rv == APR_NOTFOUND ? ST_NOT_FOUND : ST_FAULT);
    return ST_OK;
}

st_result st_participant_get(st_participants *t, apr_uint32_t index, apr_uint64_t generation, st_participant *copy)
{
    apr_status_t rv = st_table_read_at(&t->table, index, copy, NULL);
    unsigned mends;

    for (mends = 0; rv == APR_TIMEUP && mends < MENDS; mends++) {
        mend(t);
        rv = st_table_read_at(&t->table, index, copy, NULL);
    }
    if (rv)
        return refuse(copy, rv == APR_NOTFOUND ? ST_GONE : ST_FAULT);
    if (generation && copy->generation != generation)
        return refuse(copy, ST_GONE);
    return ST_OK;
}

apr_uint32_t st_participants_count(const st_participants *t)
{
    return st_table_live(&t->table);
}

apr_time_t st_participants_loaded(const st_participants *t)
{
    return LOAD(t->shared->loaded);
}

apr_uint64_t st_participants_revision(const st_participants *t)
{
    return LOAD(t->shared->revision);
}
