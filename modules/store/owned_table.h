/**
 * Records in shared memory that belong to participants, several for each: public keys and texts. Those of one owner
 * are in one chain, in which they are found and replaced together. There is one writer at a time, which changes the
 * participants first.
 *
 * Records are not changed in place: the new record is added before the old one is removed, so that readers always find
 * one of them. Only if the table is full, the old one is removed first.
 */
#ifndef INTERAUTH_ST_OWNED_TABLE_H
#define INTERAUTH_ST_OWNED_TABLE_H

#include <apr_pools.h>
#include "interauth/participant.h"
#include "participant_table.h"
#include "st_result.h"

/** The beginning of every record. */
typedef struct st_owner {
    apr_uint64_t generation;
    apr_uint32_t index;
    apr_uint32_t pad;
} st_owner;

/** Implemented by the user of a table. All functions except `make` may be NULL. The writer lock is held. */
typedef struct st_owned_kind {
    apr_size_t size; /**< of a record, a multiple of 8 */
    unsigned max;    /**< maximum number of records of one owner */
    /** Initializes at most `max` records, which are zeroed except their owner, and sets `count`. */
    st_result (*make)(void *records, unsigned *count, const ia_participant *owner);
    /** Called after a record was added, at least once. */
    st_result (*added)(void *context, const void *record, apr_uint32_t place, apr_time_t now);
    /** Called before a record is removed. */
    st_result (*leaving)(void *context, const void *record, apr_uint32_t place);
    /** Called at the end of a load. */
    void (*loaded)(void *context);
} st_owned_kind;

typedef struct st_owned {
    struct st_owned_shared *shared;
    st_table table;
    const st_owned_kind *kind;
    void *context; /**< argument of the functions in `kind` */
} st_owned;

apr_size_t st_owned_size(apr_uint32_t capacity, apr_size_t record_size);

/** @param hash_key random; stored if the memory is new */
void st_owned_attach(st_owned *t, void *memory, apr_uint32_t capacity, const ia_mac_key *hash_key,
                     const st_owned_kind *kind, void *context);

/** Returns a keyed hash for the second table of a kind. */
apr_uint64_t st_owned_hash(const st_owned *t, const void *data, apr_size_t len);

/** Copies the matching record of this owner. `match` does not need to compare the generation. */
apr_status_t st_owned_find(const st_owned *t, const st_owner *owner, st_match match, const void *key, void *copy);

/**
 * Replaces the records of these participants, and removes those of removed participants. Records of participants of
 * other sources are kept.
 * @return ST_OK; ST_FULL; ST_FAULT; results of `make`, `added` and `leaving`
 */
st_result st_owned_load(st_owned *t, st_participants *owners, const ia_participants *list, apr_time_t now,
                        apr_pool_t *ptemp);

/** Replaces all records of one owner. @return as above; ST_NOT_FOUND */
st_result st_owned_put(st_owned *t, st_participants *owners, const ia_participant *owner, apr_time_t now,
                       apr_pool_t *ptemp);

#endif
