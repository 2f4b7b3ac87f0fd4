/**
 * Records in shared memory that belong to participants, several to each: public keys, texts. Those of one owner lie in
 * one chain, so that they are found, and replaced together, without a search. One writer at a time, who changes the
 * participants first.
 *
 * A record never changes in place: a new value is a new record, added before the old one is removed, so that readers
 * always find one of them. Only where the table is full the old one goes first.
 */
#ifndef INTERAUTH_ST_OWNED_TABLE_H
#define INTERAUTH_ST_OWNED_TABLE_H

#include <apr_pools.h>
#include "interauth/participant.h"
#include "participant_table.h"
#include "st_result.h"

/** What every record begins with. */
typedef struct st_owner {
    apr_uint64_t generation;
    apr_uint32_t index;
    apr_uint32_t pad;
} st_owner;

/** What a table's user adds to it. Every function but `make` may be NULL; all are called under the writer's lock. */
typedef struct st_owned_kind {
    apr_size_t size; /**< of a record, a multiple of 8 */
    unsigned max;    /**< records of one owner */
    /** Fills at most `max` zeroed records, whose owner is set; gives their number. */
    st_result (*make)(void *records, unsigned *count, const ia_participant *owner);
    /** A record is there, at this place: called at least once. */
    st_result (*added)(void *context, const void *record, apr_uint32_t place, apr_time_t now);
    /** A record is about to go. */
    st_result (*leaving)(void *context, const void *record, apr_uint32_t place);
    /** A load is over. */
    void (*loaded)(void *context);
} st_owned_kind;

typedef struct st_owned {
    struct st_owned_shared *shared;
    st_table table;
    const st_owned_kind *kind;
    void *context; /**< of the kind's functions */
} st_owned;

apr_size_t st_owned_size(apr_uint32_t capacity, apr_size_t record_size);

/** @param hash_key from random bytes; kept when the memory is new */
void st_owned_attach(st_owned *t, void *memory, apr_uint32_t capacity, const ia_mac_key *hash_key,
                     const st_owned_kind *kind, void *context);

/** A keyed hash for a kind's second table. */
apr_uint64_t st_owned_hash(const st_owned *t, const void *data, apr_size_t len);

/** Copies the record of this owner that matches; `match` need not look at the owner's generation. */
apr_status_t st_owned_find(const st_owned *t, const st_owner *owner, st_match match, const void *key, void *copy);

/**
 * Makes the records of these participants exactly what the list says, and removes those of participants that are gone.
 * Records of participants of other sources stay.
 * @return ST_OK; ST_FULL; ST_FAULT; what `make`, `added` and `leaving` say
 */
st_result st_owned_load(st_owned *t, st_participants *owners, const ia_participants *list, apr_time_t now,
                        apr_pool_t *ptemp);

/** Replaces all records of one owner. @return as above; ST_NOT_FOUND */
st_result st_owned_put(st_owned *t, st_participants *owners, const ia_participant *owner, apr_time_t now,
                       apr_pool_t *ptemp);

#endif
