/**
 * What the client remembers: its grants with their tokens and unspent nonces, in a JSON file of mode 0600
 * that is locked from state_open to state_close, and replaced in one step. Secrets are not in it, only where
 * they lie.
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
    RECORD_GRANT, /**< asked for with an access request */
    RECORD_LOGIN  /**< a token of the challenge protocol */
} record_kind;

/** What a login keeps beside its token. */
typedef struct login_terms {
    const char *profile;   /**< by its name; NULL for a grant */
    const char *separator; /**< NULL for none */
    const char *domain;    /**< as the server told it; NULL before the first login */
    apr_int64_t lifetime;  /**< seconds of a window; a login expires with its token's window */
} login_terms;

/** One grant or login, and how to ask for it again. Keyed by endpoint and uid. Lists are of const char *. */
typedef struct grant_record {
    const char *name;
    const char *endpoint; /**< base of the grant endpoints, canonical; of a login its endpoint */
    const char *uid;
    const char *secret_file; /**< absolute; NULL: the secret came from the environment; of a login: the password */
    const char *ca_file;     /**< absolute, or NULL */
    ia_hash hash;
    apr_array_header_t *access_for; /**< capabilities asked for */
    apr_int64_t lifespan;           /**< seconds asked for; 0 leaves it to the server */
    apr_int64_t nonces_wanted;
    int with_id;
    const char *audience; /**< NULL for none */
    login_terms login;

    const char *token; /**< NULL where there is no grant yet */
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

/** Locks and loads; a file that does not exist is an empty state. `path` NULL is the default. @return an exit
 * status */
int state_open(state **out, apr_pool_t *p, const char *path);
int state_save(state *s);
/** Unlocks. NULL is allowed. */
void state_close(state *s);

grant_record *state_find(const state *s, const char *endpoint, const char *uid);

/** The record of that key, added where there was none. */
grant_record *state_add(state *s, const char *endpoint, const char *uid);

/** Gives a record its name: NULL keeps the one it has, or makes one. CL_USAGE where another grant has that
 * name. */
int state_name(state *s, grant_record *record, const char *name);

/**
 * Finds one record of a kind: by `name`; or by `endpoint` and `uid`, each where not NULL; or by the origin of a request
 * where that is not NULL. Says so where there is none or more than one.
 */
int state_select(grant_record **out, state *s, record_kind kind, const char *name, const char *endpoint,
                 const char *uid, const char *origin);

record_kind record_kind_of(const grant_record *record);

/** Takes the oldest nonce of a grant, or NULL. */
const char *record_take_nonce(grant_record *record);

/** Adds a nonce; beyond STATE_NONCES_MAX the oldest is dropped. */
void record_add_nonce(grant_record *record, apr_pool_t *p, const char *nonce);

#endif
