/**
 * How a shm_table lies in memory, and what the files that make it up share. Not for its users.
 *
 * A record's life: claimed (claim is its builder's owner word), built under an odd version, linked into its bucket's
 * chain by one store, live. It ends with expires = 0, also one store; what follows is housekeeping that whoever comes
 * along can do again: unlinked, uncounted, wiped, free.
 */
#ifndef INTERAUTH_ST_SHM_LAYOUT_H
#define INTERAUTH_ST_SHM_LAYOUT_H

#include "shm_table.h"
#include "shm_word.h"

#define CLAIM_FREE 0
#define CLAIM_LIVE 1 /* any other value: the owner word of the process that builds the record */

#define CHAIN_MAX 128 /* hashes are keyed or random: a longer chain is damage */

typedef struct st_stripe {
    st_lock_word lock;
    apr_uint32_t unlinks; /* tells a reader that a chain changed under it */
    char pad[64 - sizeof(st_lock_word) - sizeof(apr_uint32_t)];
} st_stripe;

struct st_table_shared {
    apr_uint64_t hand; /* where the search for a free record goes on */
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
    apr_int64_t expires;  /* 0: over */
    apr_uint32_t next;    /* index + 1; 0 ends the chain */
    apr_uint32_t version; /* odd while the payload moves; a new life adds 2 */
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

/** The link that leads to a record, with the stripe locked; NULL where the record is not in that chain. */
apr_uint32_t *st_link_to(const st_table *table, apr_uint64_t hash, apr_uint32_t index);

/** Claims a record: a free one, or one whose time or builder is over. NULL where there is none. */
st_record *st_record_claim(st_table *table, apr_time_t now, apr_uint32_t *index);

/** Ends a record's life and takes it out of its chain, with the stripe locked. */
void st_record_unlink(st_table *table, st_record *r, apr_uint32_t index, apr_uint64_t hash);

/** Gives back what an unlinked record holds, and the record to `next_claim`. */
void st_record_free(st_table *table, st_record *r, apr_uint64_t next_claim);

#endif
