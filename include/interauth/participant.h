/**
 * Participants: the services that may call, as the participants file and the admin API describe them.
 *
 *   {"participants": [{"id": .., "name": .., "status": "approved", "roles": [..], "capabilities": [..],
 *     "allow_refresh": true, "expires": "2035-12-20T00:00:00Z", "token_max_lifespan": 86400,
 *     "shared_secret": ".." or "shared_secrets": [{"value": "..", "not_after": ".."}],
 *     "challenge_secret": {"md5": "..", "hmac-sha256": ".."}, "keys": [JWK..],
 *     "endpoints": [{"url": .., "api_version": .., "valid_from": ..}]}]}
 *
 * Unknown members are errors. `id` is required; the status defaults to approved. `challenge_secret` is Secret of the
 * challenge protocol in lower-case hex, for one profile or for both.
 */
#ifndef INTERAUTH_PARTICIPANT_H
#define INTERAUTH_PARTICIPANT_H

#include <apr_pools.h>
#include <apr_time.h>
#include "interauth/challenge.h"
#include "interauth/json.h"
#include "interauth/key.h"
#include "interauth/mac.h"
#include "interauth/name.h"
#include "interauth/secret_quality.h"
#include "interauth/token.h"

#ifdef __cplusplus
extern "C" {
#endif

#define IA_PARTICIPANT_SECRETS   3                    /**< overlapping shared secrets of one participant */
#define IA_PARTICIPANT_ROLES     32                   /**< roles in one record */
#define IA_PARTICIPANT_KEYS      16                   /**< public keys of one participant */
#define IA_PARTICIPANT_ENDPOINTS 16                   /**< endpoints of one participant */
#define IA_URL_MAX               2048                 /**< bytes of an endpoint's URL */
#define IA_API_VERSION_MAX       63                   /**< bytes of an endpoint's api_version */
#define IA_PARTICIPANTS_FILE_MAX (1024 * 1024 * 1024) /**< bytes */
#define IA_LIFESPAN_DEFAULT      3600                 /**< seconds, where token_max_lifespan is absent */

typedef enum ia_participant_status {
    IA_STATUS_APPROVED,
    IA_STATUS_APPLIED,
    IA_STATUS_UNDER_REVIEW,
    IA_STATUS_REJECTED,
    IA_STATUS_SUSPENDED,
    IA_STATUS_OFFBOARDED
} ia_participant_status;

/** "approved", .. ; a value outside the enum is "unknown". */
const char *ia_participant_status_name(ia_participant_status status);

/** A shared secret in the form that verifies: its midstates, a one-way fingerprint, and until when it is good. */
typedef struct ia_secret {
    ia_mac_key mac;
    apr_uint64_t fingerprint; /**< one-way fingerprint of the secret: equal secrets have equal fingerprints; never 0 */
    apr_time_t not_after;     /**< microseconds; 0 is for ever */
} ia_secret;

/** A public key of a participant. */
typedef struct ia_participant_key {
    const char *kid;
    ia_key_raw raw;         /**< of type IA_KEY_NONE where a file holds it and was not read yet */
    const char *file;       /**< path of a PEM public key or certificate, or NULL */
    ia_algorithm algorithm; /**< demanded of the file's key; IA_ALGORITHM_NONE for the type's default */
    apr_time_t not_before;  /**< microseconds; 0 is open */
    apr_time_t not_after;
} ia_participant_key;

/** A URL that a participant serves. */
typedef struct ia_participant_endpoint {
    const char *url;         /**< absolute, http or https, without user and fragment */
    const char *api_version; /**< "" where absent */
    apr_time_t valid_from;   /**< microseconds; 0 is open */
    apr_time_t valid_until;
} ia_participant_endpoint;

/** A participant as parsed; all memory belongs to the pool of the parse. */
typedef struct ia_participant {
    const char *id;
    const char *name; /**< NULL where absent */
    ia_participant_status status;
    const char **roles;
    unsigned role_count;
    const char **capabilities;
    unsigned capability_count;
    int allow_refresh;
    apr_time_t expires;             /**< microseconds; 0 is never */
    apr_int64_t token_max_lifespan; /**< seconds */
    ia_secret secrets[IA_PARTICIPANT_SECRETS];
    unsigned secret_count;
    unsigned secret_weaknesses;        /**< of all shared secrets together, bits of secret_quality.h */
    ia_challenge_secret challenge_md5; /**< of fingerprint 0 where there is none */
    ia_challenge_secret challenge_hmac;
    const ia_json *keys;             /**< as written, in the document, or NULL */
    ia_participant_key *public_keys; /**< as read */
    unsigned public_key_count;
    ia_participant_endpoint *endpoints;
    unsigned endpoint_count;
    unsigned line; /**< 1-based position in the list, for messages */
} ia_participant;

typedef struct ia_participants {
    ia_participant *list;
    unsigned count;
} ia_participants;

/** What is wrong, for people: which participant, which member, what was expected. Never a secret. */
typedef struct ia_participant_error {
    const char *text;
} ia_participant_error;

/**
 * Reads a participants document. Raw secrets are reduced to `ia_secret` and wiped from the pool's copy.
 * @return IA_OK, IA_JSON_MALFORMED, IA_JSON_DUPLICATE, IA_JSON_LIMIT or IA_MALFORMED; on refusal `error->text` is set.
 */
ia_result ia_participants_parse(ia_participants *out, apr_pool_t *p, const char *text, apr_size_t len,
                                ia_participant_error *error);

/** Reads one participant record (the same members) from a parsed object. */
ia_result ia_participant_parse(ia_participant *out, apr_pool_t *p, const ia_json *object, unsigned position,
                               ia_participant_error *error);

/** Overwrites the secrets of a record, which then has none. */
void ia_participant_wipe(ia_participant *one);

/**
 * Every public key has one owner: no two participants, and no two kids, may have the same. Call it once the keys in
 * files were read. @return IA_OK, or IA_MALFORMED with `error->text` set
 */
ia_result ia_participants_check_keys(const ia_participants *list, apr_pool_t *p, ia_participant_error *error);

/** @return IA_OK or IA_SECRET_MISSING for a secret of the wrong length. `not_after` in microseconds, 0 for ever. */
ia_result ia_secret_load(ia_secret *out, const void *secret, apr_size_t len, apr_time_t not_after);

#ifdef __cplusplus
}
#endif
#endif
