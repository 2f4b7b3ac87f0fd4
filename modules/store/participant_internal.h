/** Shared by the files that implement the table of participants. */
#ifndef INTERAUTH_ST_PARTICIPANT_INTERNAL_H
#define INTERAUTH_ST_PARTICIPANT_INTERNAL_H

#include "participant_table.h"

struct st_participants_shared {
    st_lock_word writer;
    apr_uint64_t generations;
    apr_uint64_t revision;
    apr_uint64_t ready;
    apr_time_t loaded;
    ia_mac_key hash_key;
    apr_uint32_t journal_valid;
    apr_uint32_t journal_index;
    st_participant journal;
};

/** The key of a look-up. */
typedef struct st_participant_id {
    const char *id;
    apr_size_t len;
} st_participant_id;

/** Returns a keyed hash, because clients choose ids. */
apr_uint64_t st_participant_hash(const st_participants *t, const char *id, apr_size_t len);

/** Whether a record has this id: an st_match whose key is a `st_participant_id`. */
int st_participant_match(const void *payload, const void *key);

/** Acquires the writer lock like st_lock_within, and completes the change of a killed writer. */
apr_status_t st_participants_lock(st_participants *t, apr_time_t *patience);

/** Copies the journal to its record if it is valid. The writer lock is held. */
void st_participants_redo(st_participants *t);

#endif
