/**
 * A hash table of fixed records in shared memory, for many processes and threads at once.
 *
 * Zeroed memory is an empty table: nothing is touched before it is used. Readers never lock and never block; they
 * copy a record and check that it held still. Writers lock one of ST_STRIPES by the record's bucket. Each mutation is
 * published by a single store, in an order that leaves the table sound when its process is killed at any instruction:
 * a record that was being built or freed is found and finished by a later insert.
 *
 * Chains of record indexes are used instead of open addressing: removing is one store and leaves no tombstone.
 * Indexes read from the memory are checked against the private copy of the layout, because children can write it;
 * whatever they write, every call ends in bounded time and touches nothing outside the memory.
 */
#ifndef INTERAUTH_ST_SHM_TABLE_H
#define INTERAUTH_ST_SHM_TABLE_H

#include <apr.h>
#include <apr_errno.h>
#include <apr_time.h>
#include "cas_lock.h"

#define ST_STRIPES 256
#define ST_NEVER   APR_INT64_C(0x7fffffffffffffff) /**< expires: not by time */

/** Where a record was, and which life of it. */
typedef struct st_ref {
    apr_uint32_t index;
    apr_uint32_t version;
} st_ref;

/** Whether a payload has this key. */
typedef int (*st_match)(const void *payload, const void *key);

/** Asked last before a new record is linked, under its stripe's lock; 0 refuses it. What it took, on_free gives back. */
typedef int (*st_admit)(void *context, void *payload, apr_uint32_t limit);

/** Called when a record's life is over, at least once; again where the process that called it was killed. */
typedef void (*st_on_free)(void *context, void *payload);

/** This process's view of a table: a private copy of base and layout. */
typedef struct st_table {
    struct st_table_shared *shared;
    apr_uint32_t *buckets;
    char *records;
    apr_uint32_t capacity;
    apr_uint32_t bucket_mask;
    apr_size_t payload_size;
    apr_size_t record_size;
    st_admit admit;
    st_on_free on_free;
    void *context;
    apr_time_t *patience; /**< for all locks of this view in sum; NULL: ST_LOCK_PATIENCE for each */
} st_table;

/** Bytes of memory that a table needs; more than can be had where the sum is too large for the machine. */
apr_size_t st_table_size(apr_uint32_t capacity, apr_size_t payload_size);

/** Sum of sizes that stays too large where it is too large. */
apr_size_t st_size_sum(apr_uint64_t a, apr_uint64_t b);

/**
 * Makes a view of `memory` (zeroed when new; aligned to words, better to 64 bytes).
 * @param payload_size a multiple of 8; payloads are aligned to 8
 * @param admit, on_free may be NULL
 */
void st_table_attach(st_table *table, void *memory, apr_uint32_t capacity, apr_size_t payload_size, st_admit admit,
                     st_on_free on_free, void *context);

/**
 * Copies the record with this key.
 * @param copy payload_size bytes
 * @param ref may be NULL
 * @return APR_SUCCESS, APR_NOTFOUND, or APR_TIMEUP where writers kept it busy
 */
apr_status_t st_table_read(const st_table *table, apr_uint64_t hash, st_match match, const void *key, void *copy,
                           st_ref *ref);

/** Copies the record at an index. @return as st_table_read; APR_NOTFOUND for no live record or a wild index. */
apr_status_t st_table_read_at(const st_table *table, apr_uint32_t index, void *copy, st_ref *ref);

/** A record to add. */
typedef struct st_insertion {
    apr_uint64_t hash;
    st_match match;
    const void *key;
    const void *payload;
    apr_time_t expires; /**< when the record may be reused (microseconds, not 0), or ST_NEVER */
    apr_uint32_t limit; /**< for st_admit */
} st_insertion;

/**
 * Adds a record unless its key exists.
 * @return APR_SUCCESS; APR_EEXIST; APR_EACCES not admitted; APR_ENOSPC no record is free or expired; APR_TIMEUP;
 *         APR_EGENERAL the chain is damaged
 */
apr_status_t st_table_insert(st_table *table, const st_insertion *what, apr_time_t now, st_ref *ref);

/** A record whose stripe is locked. */
typedef struct st_held {
    void *payload; /**< to change in place: whole aligned words only, in a crash-safe order */
    apr_uint64_t hash;
    st_ref ref;
} st_held;

/**
 * Locks the record's stripe. Only after APR_SUCCESS call st_table_release or st_table_remove.
 * @return APR_SUCCESS, APR_NOTFOUND when that life of the record is over, APR_TIMEUP
 */
apr_status_t st_table_hold(st_table *table, st_ref ref, st_held *held);

/** The same by key. @return also APR_EGENERAL when the chain is damaged */
apr_status_t st_table_hold_key(st_table *table, apr_uint64_t hash, st_match match, const void *key, st_held *held);

void st_table_release(st_table *table, const st_held *held);

/** Removes a held record and releases its lock. */
void st_table_remove(st_table *table, const st_held *held);

/** When a record may be reused; 0 for a wild index. */
apr_time_t st_table_expires(const st_table *table, st_ref ref);

/** Of a held record. `expires` as for an insertion. */
void st_table_set_expires(st_table *table, const st_held *held, apr_time_t expires);

/** The present life of what is at an index. @return 0 for nothing */
int st_table_ref_at(const st_table *table, apr_uint32_t index, st_ref *ref);

/** Frees every record whose time is over; once a second at most, less often the larger the table. */
void st_table_sweep(st_table *table, apr_time_t now);

/** Overwrites a live record under a version that readers wait for; for a single writer with a redo journal. */
apr_status_t st_table_overwrite(st_table *table, apr_uint32_t index, const void *payload);

/** Records in use; may miss those that killed processes left, until the next sweep or recount. */
apr_uint32_t st_table_live(const st_table *table);

/** Counts the live records anew; for a table that nobody else changes meanwhile. */
void st_table_recount(st_table *table);

/** One past the highest index ever used. */
apr_uint32_t st_table_high_water(const st_table *table);

#endif
