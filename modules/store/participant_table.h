/**
 * Participants in shared memory, for look-ups that never block. One writer at a time.
 *
 * A record keeps its place while its participant lives, so that a grant can name it by index and generation. A
 * generation is given once: a participant that was removed and comes back is another one.
 * A writer killed in the middle of an overwrite leaves a redo journal that the next reader or writer finishes.
 *
 * Records come from more than one source and stand side by side. A load replaces those of its own source only. The file
 * goes before the database: its record of an id shadows the database's.
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

/** Where a record comes from. */
typedef enum st_source { ST_SOURCE_FILE = 1, ST_SOURCE_DATABASE = 2 } st_source;

/** A participant as it lies in memory: plain data. */
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

/** @param hash_key from random bytes; kept when the memory is new (ids are chosen by clients) */
void st_participants_attach(st_participants *t, void *memory, apr_uint32_t capacity, const ia_mac_key *hash_key);

/** @return ST_OK, ST_NOT_FOUND, ST_FAULT. `index` may be NULL. */
st_result st_participant_find(st_participants *t, const char *id, apr_size_t len, st_participant *copy,
                              apr_uint32_t *index);

/** Generation 0 is whoever has the place. @return ST_OK, ST_GONE when that generation is gone, ST_FAULT */
st_result st_participant_get(st_participants *t, apr_uint32_t index, apr_uint64_t generation, st_participant *copy);

/** What a load changed. */
typedef struct st_load_report {
    apr_uint32_t added, changed, removed, kept;
    apr_uint32_t shadowed; /**< left alone, because the file has a record of the same id */
} st_load_report;

/**
 * Makes the table hold exactly these participants of this source. Readers see each record before or after, never
 * between.
 * @param ptemp for the time of the call
 * @return ST_OK; ST_FULL, ST_NAMES_FULL (nothing changed then); ST_FAULT
 */
st_result st_participants_load(st_participants *t, st_source source, const ia_participants *list, apr_time_t now,
                               apr_pool_t *ptemp, st_load_report *report);

/** Adds or changes one participant of this source. Parameters and results as st_participants_load. */
st_result st_participant_put(st_participants *t, st_source source, const ia_participant *one, apr_time_t now,
                             apr_pool_t *ptemp, st_load_report *report);

/**
 * Removes one participant of this source.
 * @return ST_OK; ST_NOT_FOUND where there is none, or only one of another source; ST_FAULT
 */
st_result st_participant_drop(st_participants *t, st_source source, const char *id);

/** Participants held. */
apr_uint32_t st_participants_count(const st_participants *t);

/** When the content in force was loaded; 0 never. */
apr_time_t st_participants_loaded(const st_participants *t);

/** Changes with every load, put and drop. */
apr_uint64_t st_participants_revision(const st_participants *t);

#endif
