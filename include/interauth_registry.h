/**
 * How modules look up participants: an httpd provider, so that another module can take the place of mod_registry.
 *
 *   const ia_registry *registry = ap_lookup_provider(IA_REGISTRY_GROUP, IA_REGISTRY_NAME, IA_REGISTRY_VERSION);
 *
 * Look it up in post_config or later. Every function may be called from any thread of any child process, and waits for other
 * processes for a bounded time only. The results are copies; wipe entries and credentials after use, they contain secrets.
 */
#ifndef INTERAUTH_REGISTRY_H
#define INTERAUTH_REGISTRY_H

#include <apr_pools.h>
#include "interauth/grant.h"
#include "interauth/key.h"
#include "interauth/participant.h"

#define IA_REGISTRY_GROUP   "interauth"
#define IA_REGISTRY_NAME    "registry"
#define IA_REGISTRY_VERSION "2"

/** Kinds of credentials that a participant may have besides shared secrets and public keys. */
typedef enum ia_credential_kind {
    IA_CREDENTIAL_CHALLENGE_MD5,  /**< Secret of the challenge protocol, profile md5 */
    IA_CREDENTIAL_CHALLENGE_HMAC, /**< the same, profile hmac-sha256 */
    IA_CREDENTIAL_KINDS
} ia_credential_kind;

#define IA_CREDENTIAL_SIZE 65 /**< of the text, NUL included */

/** A credential, in the form that its protocol needs. */
typedef struct ia_credential {
    apr_uint64_t fingerprint; /**< one-way; equal credentials have equal fingerprints; 0: there is none */
    char text[IA_CREDENTIAL_SIZE];
} ia_credential;

/** A participant, as the registry has it now. */
typedef struct ia_registry_entry {
    apr_uint32_t index;      /**< below capacity(); fixed during this generation */
    apr_uint64_t generation; /**< never used twice: a participant that is removed and added again gets a new one */
    ia_entitlement entitlement;
    apr_uint64_t roles; /**< bits of role numbers */
    unsigned secret_count;
    ia_secret secrets[IA_PARTICIPANT_SECRETS];
    apr_uint64_t credentials[IA_CREDENTIAL_KINDS]; /**< by kind, the fingerprint of a credential; 0: there is none */
    char id[IA_NAME_MAX + 1];
} ia_registry_entry;

/** A participant's public key, as the registry has it now. */
typedef struct ia_registry_key {
    apr_uint32_t owner_index;
    apr_uint64_t owner_generation;
    apr_time_t not_before, not_after;        /**< microseconds; 0 is no limit */
    unsigned char thumbprint[IA_SHA256_LEN]; /**< RFC 7638: equal thumbprints are equal keys */
    ia_key_raw raw;
} ia_registry_key;

typedef struct ia_registry {
    /** @return IA_OK, IA_PARTICIPANT_UNKNOWN or a fault; `out` is zeroed unless IA_OK */
    ia_result (*find)(ia_registry_entry *out, const char *id);
    /** The participant with this index in this generation (0: in any). Results as above. */
    ia_result (*get)(ia_registry_entry *out, apr_uint32_t index, apr_uint64_t generation);
    /** The number of a capability or role, or -1 if no participant ever had it. */
    int (*capability_number)(const char *name);
    int (*role_number)(const char *name);
    /** The name of a number, or NULL. Valid as long as the process. */
    const char *(*capability_name)(int number);
    /** The key of this participant with this kid. @return IA_OK, IA_SIG_KEY_UNKNOWN or a fault */
    ia_result (*key)(ia_registry_key *out, apr_uint32_t owner_index, apr_uint64_t owner_generation, const char *kid,
                     apr_size_t kid_len);
    /** The key with this thumbprint, of any participant. Results as above. */
    ia_result (*key_by_thumbprint)(ia_registry_key *out, const unsigned char thumbprint[IA_SHA256_LEN]);
    /**
     * Some participant's key; the same for the same number, while keys do not change. Signatures with an unknown keyid are
     * verified with it, so that they take as long as others. Results as above; IA_SIG_KEY_UNKNOWN if there are few keys.
     */
    ia_result (*any_key)(ia_registry_key *out, apr_uint64_t number);
    /** The number of indexes. */
    apr_uint32_t (*capacity)(void);
    /**
     * A credential of this participant; `out` has fingerprint 0 if there is none of this kind. The caller wipes it.
     * @return IA_OK, IA_PARTICIPANT_UNKNOWN or a fault
     */
    ia_result (*credential)(ia_credential *out, apr_uint32_t index, apr_uint64_t generation, ia_credential_kind kind);
    /** Changes whenever a participant, a key or a text may have changed. */
    apr_uint64_t (*revision)(void);
    /**
     * The name in this participant's record, in the pool.
     * @return IA_OK, IA_PARTICIPANT_UNKNOWN if it is removed or has no name, or a fault; `*name` is NULL unless IA_OK
     */
    ia_result (*name)(const char **name, apr_pool_t *p, apr_uint32_t index, apr_uint64_t generation);
    /**
     * The URL of an endpoint of this participant that is valid at `now` (microseconds). `api_version` NULL is any, "" is an
     * endpoint without one. Results as above.
     */
    ia_result (*endpoint)(const char **url, apr_pool_t *p, apr_uint32_t index, apr_uint64_t generation,
                          const char *api_version, apr_time_t now);
} ia_registry;

#endif
