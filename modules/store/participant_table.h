/**
 * Participants in shared memory, with non-blocking look-ups. There is one writer at a time.
 *
 * The index of a record does not change, so that grants can refer to a participant by index and generation.
 * Generations are unique: a participant that was removed and added again has a new one. If a writer is killed while it
 * overwrites a record, the next reader or writer completes the change from a redo journal.
 *
 * Records have several sources. A load replaces only those of its own source. The file takes precedence over the
 * database: its record shadows the one with the same id in the database.
 */
#ifndef INTERAUTH_ST_PARTICIPANT_TABLE_H
#define INTERAUTH_ST_PARTICIPANT_TABLE_H

#include <apr_pools.h>
#include "interauth/capability.h"
#include "interauth/grant.h"
#include "interauth/participant.h"
#include "challenge_record.h"
#include "name_table.h"
#include "st_result.h"
#include "shm_table.h"

#define ST_ROLES_MAX 64 /* distinct role names of one server */

/** Source of a record. */
typedef enum st_source { ST_SOURCE_FILE = 1, ST_SOURCE_DATABASE = 2 } st_source;

/** A participant in memory: plain data. */
typedef struct st_participant {
    apr_uint64_t generation;
    ia_entitlement entitlement;
    apr_uint64_t roles; /* bits of role numbers */
    apr_uint32_t secret_count;
    apr_uint32_t id_len;
    apr_uint64_t source; /* st_source */
    ia_secret secrets[IA_PARTICIPANT_SECRETS];
    st_challenge_secrets challenge;
    char id[IA_NAME_MAX + 1];
} st_participant;

typedef struct st_participants {
    struct st_participants_shared *shared;
    st_table table;
    st_names capabilities;
    st_names roles;
} st_participants;

apr_size_t st_participants_size(apr_uint32_t capacity);

/** @param hash_key random, because clients choose ids; stored if the memory is new */
void st_participants_attach(st_participants *t, void *memory, apr_uint32_t capacity, const ia_mac_key *hash_key);

/** @return ST_OK, ST_NOT_FOUND, ST_FAULT. `index` may be NULL. */
st_result st_participant_find(st_participants *t, const char *id, apr_size_t len, st_participant *copy,
                              apr_uint32_t *index);

/** Generation 0: the current one. @return ST_OK, ST_GONE if that generation has ended, ST_FAULT */
st_result st_participant_get(st_participants *t, apr_uint32_t index, apr_uint64_t generation, st_participant *copy);

/** Numbers of changes by a load. */
typedef struct st_load_report {
    apr_uint32_t added, changed, removed, kept;
    apr_uint32_t shadowed; /**< ignored, because the file has a record with the same id */
} st_load_report;

/**
 * Replaces all participants of this source. Readers get each record either before or after its change.
 * @param ptemp for allocations during the call
 * @return ST_OK; ST_FULL, ST_NAMES_FULL (nothing is changed then); ST_FAULT
 */
st_result st_participants_load(st_participants *t, st_source source, const ia_participants *list, apr_time_t now,
                               apr_pool_t *ptemp, st_load_report *report);

/** Adds or changes one participant of this source. Parameters and results as st_participants_load. */
st_result st_participant_put(st_participants *t, st_source source, const ia_participant *one, apr_time_t now,
                             apr_pool_t *ptemp, st_load_report *report);

/**
 * Removes one participant of this source.
 * @return ST_OK; ST_NOT_FOUND if there is none, or only one of another source; ST_FAULT
 */
st_result st_participant_drop(st_participants *t, st_source source, const char *id);

/** Returns the number of participants. */
apr_uint32_t st_participants_count(const st_participants *t);

/** Returns when the current participants were loaded; 0: never. */
apr_time_t st_participants_loaded(const st_participants *t);

/** Returns a number that changes with every load, put and drop. */
apr_uint64_t st_participants_revision(const st_participants *t);

#endif
