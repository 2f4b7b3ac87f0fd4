/**
 * The state file: grants and logins with their tokens and unused nonces, as JSON with mode 0600. It is locked from
 * state_open to state_close, and replaced atomically. It holds the paths of secrets, not the secrets.
 */
#ifndef CLIENT_STATE_H
#define CLIENT_STATE_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>
#include "interauth/mac.h"

#define STATE_FILE_MAX   (4 * 1024 * 1024) /**< bytes */
#define STATE_NONCES_MAX 64                /**< of one grant */

typedef enum record_kind {
    RECORD_GRANT, /**< obtained with an access request */
    RECORD_LOGIN  /**< a token of the challenge protocol */
} record_kind;

/** What is stored of a login beside its token. */
typedef struct login_terms {
    const char *profile;   /**< its name; NULL for a grant */
    const char *separator; /**< NULL for none */
    const char *domain;    /**< as the server named it; NULL before the first login */
    apr_int64_t lifetime;  /**< seconds of a window; a login expires with its token's window */
} login_terms;

/** A grant or login, and how to request it again. The key is endpoint and uid. Lists are of const char *. */
typedef struct grant_record {
    const char *name;
    const char *endpoint; /**< base of the grant endpoints, canonical; of a login its endpoint */
    const char *uid;
    const char *secret_file; /**< absolute; NULL: the secret came from the environment; of a login: the password */
    const char *ca_file;     /**< absolute, or NULL */
    ia_hash hash;
    apr_array_header_t *access_for; /**< requested capabilities */
    apr_int64_t lifespan;           /**< requested seconds; 0 lets the server decide */
    apr_int64_t nonces_wanted;
    int with_id;
    const char *audience; /**< NULL for none */
    login_terms login;

    const char *token; /**< NULL if there is no grant yet */
    apr_time_t expires;
    int can_refresh;
    apr_array_header_t *access_to;
    apr_array_header_t *nonces; /**< oldest first */
} grant_record;

typedef struct state {
    apr_pool_t *p;
    const char *path;
    int lock;
    apr_array_header_t *grants; /**< of grant_record * */
} state;

/** Locks and loads the file; a missing one is an empty state. NULL is the default path. @return an exit status */
int state_open(state **out, apr_pool_t *p, const char *path);
int state_save(state *s);
/** Unlocks. NULL is allowed. */
void state_close(state *s);

grant_record *state_find(const state *s, const char *endpoint, const char *uid);

/** The record with that key, added if there is none. */
grant_record *state_add(state *s, const char *endpoint, const char *uid);

/** Names a record: NULL keeps its name or makes one. CL_USAGE if another grant has that name. */
int state_name(state *s, grant_record *record, const char *name);

/**
 * Finds the record of a kind by `name`; or by `endpoint` and `uid`, each if not NULL; or by the origin of a request, if
 * not NULL. Reports if there is none or more than one.
 */
int state_select(grant_record **out, state *s, record_kind kind, const char *name, const char *endpoint,
                 const char *uid, const char *origin);

record_kind record_kind_of(const grant_record *record);

/** Removes and returns the oldest nonce of a grant, or NULL. */
const char *record_take_nonce(grant_record *record);

/** Adds a nonce; beyond STATE_NONCES_MAX, the oldest is removed. */
void record_add_nonce(grant_record *record, apr_pool_t *p, const char *nonce);

#endif
