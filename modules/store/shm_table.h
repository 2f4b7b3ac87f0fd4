/**
 * A hash table of fixed records in shared memory, for many processes and threads at once.
 *
 * Zeroed memory is an empty table: nothing is touched before it is used. Readers never lock and never block; they
 * copy a record and check that it held still. Writers lock one of ST_STRIPES by the record's bucket. Each mutation is
 * published by a single store, in an order that leaves the table sound when its process is killed at any instruction:
 * a record that was being built or freed is found and finished by a later insert.
 *
 * Chains of record indexes are used instead of open addressing: removing is one store and leaves no tombstone.
 * Indexes read from the memory are checked against the private copy of the layout, because children can write it.
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

/** Called when a record is about to be reused or was removed, under its stripe's lock. */
typedef void (*st_on_free)(void *context, void *payload);

/** Whether a payload has this key. */
typedef int (*st_match)(const void *payload, const void *key);

/** This process's view of a table: a private copy of base and layout. */
typedef struct st_table {
    struct st_table_shared *shared;
    apr_uint32_t *buckets;
    char *records;
    apr_uint32_t capacity;
    apr_uint32_t bucket_mask;
    apr_size_t payload_size;
    apr_size_t record_size;
    st_on_free on_free;
    void *context;
} st_table;

/** Bytes of memory that a table needs. */
apr_size_t st_table_size(apr_uint32_t capacity, apr_size_t payload_size);

/** Makes a view of `memory` (zeroed when new; 64-byte aligned). `on_free` may be NULL. */
void st_table_attach(st_table *table, void *memory, apr_uint32_t capacity, apr_size_t payload_size,
                     st_on_free on_free, void *context);

/**
 * Copies the record with this key.
 * @param copy payload_size bytes
 * @param ref may be NULL
 * @return APR_SUCCESS, APR_NOTFOUND, or APR_TIMEUP where writers kept it busy
 */
apr_status_t st_table_read(const st_table *table, apr_uint64_t hash, st_match match, const void *key, void *copy,
                           st_ref *ref);

/** Copies the record at an index. @return as st_table_read; APR_NOTFOUND for a free record or a wild index. */
apr_status_t st_table_read_at(const st_table *table, apr_uint32_t index, void *copy, st_ref *ref);

/**
 * Adds a record unless its key exists.
 * @param expires when the record may be reused (microseconds), or ST_NEVER
 * @return APR_SUCCESS, APR_EEXIST, APR_ENOSPC when no record is free or expired, APR_TIMEUP
 */
apr_status_t st_table_insert(st_table *table, apr_uint64_t hash, st_match match, const void *key, const void *payload,
                             apr_time_t expires, apr_time_t now, st_ref *ref);

/**
 * Locks the record's stripe and gives the live payload to change in place: whole aligned words only, in a crash-safe
 * order. @return APR_SUCCESS, APR_NOTFOUND when the record has another life by now, APR_TIMEUP. Only after
 * APR_SUCCESS call st_table_release.
 */
apr_status_t st_table_hold(st_table *table, st_ref ref, void **payload);
void st_table_release(st_table *table, st_ref ref);

/** Of a held record. */
apr_time_t st_table_expires(const st_table *table, st_ref ref);
void st_table_set_expires(st_table *table, st_ref ref, apr_time_t expires);

/** Removes a held record and releases its lock. */
void st_table_remove(st_table *table, st_ref ref);

/** Frees every record whose time is over; at most once a second, whoever asks. */
void st_table_sweep(st_table *table, apr_time_t now);

/** Overwrites a record's payload under a version that readers wait for; for a single writer with a redo journal. */
apr_status_t st_table_overwrite(st_table *table, apr_uint32_t index, const void *payload);

/** Records in use, and one past the highest index ever used. */
apr_uint32_t st_table_live(const st_table *table);
apr_uint32_t st_table_high_water(const st_table *table);

#endif
