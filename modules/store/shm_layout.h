/**
 * The layout of a shm_table in memory. Private to its implementation.
 *
 * Life of a record: it is claimed (claim is the owner word of its builder), written while its version is odd, linked
 * into the chain of its bucket by one store, and live. Its life ends with expires = 0, which is also one store. The
 * following steps can be repeated by any process: unlink, uncount, wipe, free.
 */
#ifndef INTERAUTH_ST_SHM_LAYOUT_H
#define INTERAUTH_ST_SHM_LAYOUT_H

#include "shm_table.h"
#include "shm_word.h"

#define CLAIM_FREE 0
#define CLAIM_LIVE 1 /* other values: owner word of the process that builds the record */

#define CHAIN_MAX 128 /* as hashes are keyed or random, a longer chain is damaged */

typedef struct st_stripe {
    st_lock_word lock;
    apr_uint32_t unlinks; /* lets a reader detect that a chain changed */
    char pad[64 - sizeof(st_lock_word) - sizeof(apr_uint32_t)];
} st_stripe;

struct st_table_shared {
    apr_uint64_t hand; /* where the search for a free record continues */
    apr_uint32_t high_water;
    apr_uint32_t live;
    apr_int64_t full_until;
    apr_uint32_t full_frees; /* `frees` when the table was found full */
    apr_uint32_t frees;
    apr_int64_t swept_at;
    char pad[64 - 2 * sizeof(apr_int64_t) - sizeof(apr_uint64_t) - 4 * sizeof(apr_uint32_t)];
    st_stripe stripes[ST_STRIPES];
};

typedef struct st_record {
    apr_uint64_t claim;
    apr_uint64_t hash;
    apr_int64_t expires;  /* 0: its life has ended */
    apr_uint32_t next;    /* index + 1; 0 ends the chain */
    apr_uint32_t version; /* odd while the payload changes; increased by 2 for a new life */
} st_record;

static inline st_record *record_at(const st_table *table, apr_uint32_t index)
{
    return index < table->capacity ? (st_record *)(table->records + index * table->record_size) : NULL;
}

static inline void *payload_of(st_record *r)
{
    return r + 1;
}

static inline apr_uint32_t *bucket_of(const st_table *table, apr_uint64_t hash)
{
    return &table->buckets[hash & table->bucket_mask];
}

static inline st_stripe *stripe_of(const st_table *table, apr_uint64_t hash)
{
    return &table->shared->stripes[hash % ST_STRIPES];
}

/** Returns the link to a record, or NULL if it is not in the chain. The stripe is locked. */
apr_uint32_t *st_link_to(const st_table *table, apr_uint64_t hash, apr_uint32_t index);

/** Claims a record that is free, has expired, or whose builder died. Returns NULL if there is none. */
st_record *st_record_claim(st_table *table, apr_time_t now, apr_uint32_t *index);

/** Ends the life of a record and removes it from its chain. The stripe is locked. */
void st_record_unlink(st_table *table, st_record *r, apr_uint32_t index, apr_uint64_t hash);

/** Frees an unlinked record, calls on_free, and sets its claim to `next_claim`. */
void st_record_free(st_table *table, st_record *r, apr_uint64_t next_claim);

#endif
