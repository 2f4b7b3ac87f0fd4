/**
 * A hash table of fixed-size records in shared memory, for concurrent use by processes and threads.
 *
 * Zeroed memory is an empty table; pages are not touched before they are used. Readers do not lock or block: they copy
 * a record and check that it did not change meanwhile. Writers lock one of ST_STRIPES, selected by the bucket. Each
 * mutation is published by a single store, and the table is valid if a process is killed at any instruction: a record
 * that was being built or freed is found and completed by a later insert.
 *
 * Chains of record indexes are used instead of open addressing, because removal is one store and leaves no tombstone.
 * Indexes in the memory are checked against a private copy of the layout, because children can write to the memory.
 * Whatever they write, every call returns in bounded time and accesses only this memory.
 */
#ifndef INTERAUTH_ST_SHM_TABLE_H
#define INTERAUTH_ST_SHM_TABLE_H

#include <apr.h>
#include <apr_errno.h>
#include <apr_time.h>
#include "cas_lock.h"

#define ST_STRIPES 256
#define ST_NEVER   APR_INT64_C(0x7fffffffffffffff) /**< value of expires: never */

/** Refers to one life of a record. */
typedef struct st_ref {
    apr_uint32_t index;
    apr_uint32_t version;
} st_ref;

/** Whether a payload has this key. */
typedef int (*st_match)(const void *payload, const void *key);

/** Called before a new record is linked, with its stripe locked; 0 refuses it. on_free releases what it allocated. */
typedef int (*st_admit)(void *context, void *payload, apr_uint32_t limit);

/** Called when the life of a record has ended; again if the process that called it was killed. */
typedef void (*st_on_free)(void *context, void *payload);

/** The view of a table in this process: a private copy of base address and layout. */
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
    apr_time_t *patience; /**< total time to wait for locks of this view; NULL: ST_LOCK_PATIENCE for each */
} st_table;

/** Returns the size of a table in bytes. If it would overflow, a size that cannot be allocated. */
apr_size_t st_table_size(apr_uint32_t capacity, apr_size_t payload_size);

/** Adds sizes. If the sum would overflow, returns a size that cannot be allocated. */
apr_size_t st_size_sum(apr_uint64_t a, apr_uint64_t b);

/**
 * Initializes a view of `memory`, which is zeroed when new, and aligned to words, preferably to 64 bytes.
 * @param payload_size a multiple of 8; payloads are aligned to 8
 * @param admit, on_free may be NULL
 */
void st_table_attach(st_table *table, void *memory, apr_uint32_t capacity, apr_size_t payload_size, st_admit admit,
                     st_on_free on_free, void *context);

/**
 * Copies the record with this key.
 * @param copy payload_size bytes
 * @param ref may be NULL
 * @return APR_SUCCESS, APR_NOTFOUND, or APR_TIMEUP if writers kept changing it
 */
apr_status_t st_table_read(const st_table *table, apr_uint64_t hash, st_match match, const void *key, void *copy,
                           st_ref *ref);

/** Copies the record at an index. @return as st_table_read; APR_NOTFOUND if it is not live or the index is invalid */
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
 * @return APR_SUCCESS; APR_EEXIST; APR_EACCES: not admitted; APR_ENOSPC: no record is free or expired; APR_TIMEUP;
 *         APR_EGENERAL: the chain is damaged
 */
apr_status_t st_table_insert(st_table *table, const st_insertion *what, apr_time_t now, st_ref *ref);

/** A record whose stripe is locked. */
typedef struct st_held {
    void *payload; /**< may be changed in place: only whole aligned words, in a crash-safe order */
    apr_uint64_t hash;
    st_ref ref;
} st_held;

/**
 * Locks the stripe of a record. After APR_SUCCESS, call st_table_release or st_table_remove.
 * @return APR_SUCCESS, APR_NOTFOUND if that life of the record has ended, APR_TIMEUP
 */
apr_status_t st_table_hold(st_table *table, st_ref ref, st_held *held);

/** The same by key. @return also APR_EGENERAL if the chain is damaged */
apr_status_t st_table_hold_key(st_table *table, apr_uint64_t hash, st_match match, const void *key, st_held *held);

void st_table_release(st_table *table, const st_held *held);

/** Removes a held record and releases its lock. */
void st_table_remove(st_table *table, const st_held *held);

/** Returns when a record may be reused; 0 if the index is invalid. */
apr_time_t st_table_expires(const st_table *table, st_ref ref);

/** Sets when a held record may be reused, as in st_insertion. */
void st_table_set_expires(st_table *table, const st_held *held, apr_time_t expires);

/** Gets a reference to the record at an index. @return 0 if there is none */
int st_table_ref_at(const st_table *table, apr_uint32_t index, st_ref *ref);

/** Frees all expired records. Does so at most once a second, and less often for large tables. */
void st_table_sweep(st_table *table, apr_time_t now);

/** Overwrites a live record, while readers wait. For a single writer with a redo journal. */
apr_status_t st_table_overwrite(st_table *table, apr_uint32_t index, const void *payload);

/** Returns the number of records in use. After a kill, it may be inexact until the next sweep or recount. */
apr_uint32_t st_table_live(const st_table *table);

/** Recounts the live records. There must be no concurrent writers. */
void st_table_recount(st_table *table);

/** Returns the highest index ever used plus one. */
apr_uint32_t st_table_high_water(const st_table *table);

#endif
