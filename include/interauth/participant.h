/**
 * Participants: the services that may be clients, as the participants file describes them.
 *
 *   {"participants": [{"id": .., "name": .., "status": "approved", "roles": [..], "capabilities": [..],
 *     "allow_refresh": true, "expires": "2035-12-20T00:00:00Z", "token_max_lifespan": 86400,
 *     "shared_secret": ".." or "shared_secrets": [{"value": "..", "not_after": ".."}],
 *     "challenge_secret": {"md5": "..", "hmac-sha256": ".."}, "keys": [JWK..],
 *     "endpoints": [{"url": .., "api_version": .., "valid_from": ..}]}]}
 *
 * Unknown members are errors. `id` is required. The default of `status` is approved. `challenge_secret` is Secret of the
 * challenge protocol in lower-case hex, for one profile or both.
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

#define IA_PARTICIPANT_SECRETS   3                    /**< shared secrets that one participant may have at once */
#define IA_PARTICIPANT_ROLES     32                   /**< roles in one record */
#define IA_PARTICIPANT_KEYS      16                   /**< public keys of one participant */
#define IA_PARTICIPANT_ENDPOINTS 16                   /**< endpoints of one participant */
#define IA_URL_MAX               2048                 /**< bytes of an endpoint's URL */
#define IA_API_VERSION_MAX       63                   /**< bytes of an endpoint's api_version */
#define IA_PARTICIPANTS_FILE_MAX (1024 * 1024 * 1024) /**< bytes */
#define IA_LIFESPAN_DEFAULT      3600                 /**< seconds; token_max_lifespan if absent */

typedef enum ia_participant_status {
    IA_STATUS_APPROVED,
    IA_STATUS_APPLIED,
    IA_STATUS_UNDER_REVIEW,
    IA_STATUS_REJECTED,
    IA_STATUS_SUSPENDED,
    IA_STATUS_OFFBOARDED
} ia_participant_status;

/** "approved", ..; "unknown" for a value outside the enum. */
const char *ia_participant_status_name(ia_participant_status status);

/** A shared secret, as verification needs it. */
typedef struct ia_secret {
    ia_mac_key mac;
    apr_uint64_t fingerprint; /**< one-way; equal secrets have equal fingerprints; never 0 */
    apr_time_t not_after;     /**< microseconds; 0 is never */
} ia_secret;

/** A public key of a participant. */
typedef struct ia_participant_key {
    const char *kid;
    ia_key_raw raw;         /**< of type IA_KEY_NONE if it is in a file that is not read yet */
    const char *file;       /**< path of a PEM public key or certificate, or NULL */
    ia_algorithm algorithm; /**< required of the key in the file; IA_ALGORITHM_NONE for the default of its type */
    apr_time_t not_before;  /**< microseconds; 0 is no limit */
    apr_time_t not_after;
} ia_participant_key;

/** The URL of a participant's own service. */
typedef struct ia_participant_endpoint {
    const char *url;         /**< absolute, http or https, without userinfo and fragment */
    const char *api_version; /**< "" if absent */
    apr_time_t valid_from;   /**< microseconds; 0 is no limit */
    apr_time_t valid_until;
} ia_participant_endpoint;

/** A parsed participant. All memory is in the pool of the parser. */
typedef struct ia_participant {
    const char *id;
    const char *name; /**< NULL if absent */
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
    unsigned secret_weaknesses;        /**< of all shared secrets: bits of secret_quality.h */
    ia_challenge_secret challenge_md5; /**< fingerprint 0 if there is none */
    ia_challenge_secret challenge_hmac;
    const ia_json *keys;             /**< in the document, or NULL */
    ia_participant_key *public_keys; /**< parsed */
    unsigned public_key_count;
    ia_participant_endpoint *endpoints;
    unsigned endpoint_count;
    unsigned line; /**< position in the list, from 1, for messages */
} ia_participant;

typedef struct ia_participants {
    ia_participant *list;
    unsigned count;
} ia_participants;

/** What is wrong, in English: which participant, which member, and what is expected. Contains no secret. */
typedef struct ia_participant_error {
    const char *text;
} ia_participant_error;

/**
 * Parses a participants document. Raw secrets become `ia_secret`, and their copies in the pool are wiped.
 * @return IA_OK, IA_JSON_MALFORMED, IA_JSON_DUPLICATE, IA_JSON_LIMIT or IA_MALFORMED; on refusal `error->text` is set.
 */
ia_result ia_participants_parse(ia_participants *out, apr_pool_t *p, const char *text, apr_size_t len,
                                ia_participant_error *error);

/** Reads one participant from a parsed object. `position` is its `line`. Results as above. */
ia_result ia_participant_parse(ia_participant *out, apr_pool_t *p, const ia_json *object, unsigned position,
                               ia_participant_error *error);

/** Wipes the secrets of a participant, which then has none. */
void ia_participant_wipe(ia_participant *one);

/**
 * Checks that no public key occurs twice, in two participants or under two kids. Call it after the keys in files are read.
 * @return IA_OK, or IA_MALFORMED with `error->text` set
 */
ia_result ia_participants_check_keys(const ia_participants *list, apr_pool_t *p, ia_participant_error *error);

/**
 * Loads a raw secret. `not_after` is in microseconds, 0 for never. @return IA_OK, or IA_SECRET_MISSING for a wrong
 * length
 */
ia_result ia_secret_load(ia_secret *out, const void *secret, apr_size_t len, apr_time_t not_after);

#ifdef __cplusplus
}
#endif
#endif
