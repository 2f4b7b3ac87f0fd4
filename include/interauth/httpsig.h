/**
 * HTTP message signatures (RFC 9421): read, verified, made.
 *
 * Everything is a pure function of a message given as plain data, of a policy, and of `now`. Texts are
 * borrowed: what comes out points into the message's bytes or into the pool, and lives as long as both.
 *
 * What cannot be told is refused. httpd joins the lines of a repeated field with ", " before any module sees
 * them: say so (`merged`), and `;bs` over a value with a comma is refused (IA_SIG_FIELD_LINES). Trailers
 * (`;tr`) are never covered. `;sf` and `;key` work on registered structured fields only. A covered value has
 * printable ASCII and, in a field, tabs: a line break could forge a line of the base.
 *
 * Order of a verification, so that answers are no oracle: grammar, look-up, signature, time, nonce, policy.
 * Only one signature is verified per message.
 */
#ifndef INTERAUTH_HTTPSIG_H
#define INTERAUTH_HTTPSIG_H

#include <apr_pools.h>
#include <apr_time.h>
#include "interauth/sfv.h"
#include "interauth/sign.h"

#ifdef __cplusplus
extern "C" {
#endif

#define IA_HTTPSIG_FIELD_MAX      16384  /**< bytes of Signature-Input, and of Signature */
#define IA_HTTPSIG_SIGNATURES_MAX 8      /**< in one message */
#define IA_HTTPSIG_COMPONENTS_MAX 64     /**< in one signature */
#define IA_HTTPSIG_PARAMETERS_MAX 16     /**< of a component, and of a signature */
#define IA_HTTPSIG_NONCE_MAX      128    /**< bytes */
#define IA_HTTPSIG_BASE_MAX       131072 /**< bytes of a signature base */

/** A field as received; of several with one name, each line in order. */
typedef struct ia_httpsig_field {
    const char *name; /**< in any case */
    const char *value;
} ia_httpsig_field;

/** A request, or a response with the request that it answers. */
typedef struct ia_httpsig_message {
    const char *method;    /**< of a request; NULL in a response */
    const char *scheme;    /**< "https", as the outside sees it */
    const char *authority; /**< host[:port], as the outside sees it */
    const char *target;    /**< as on the request line: /path?query, an absolute URI, or * */
    int status;            /**< of a response */
    const ia_httpsig_field *fields;
    unsigned field_count;
    int merged;                               /**< several lines may have been joined with ", " */
    const struct ia_httpsig_message *request; /**< of a response; NULL where it is not known */
    int normalized;                           /**< @target-uri: host in lower case, no default port, "/" as path */
} ia_httpsig_message;

/** One signature of a message. `created` and `expires` are -1 where absent, texts {NULL, 0}. */
typedef struct ia_httpsig {
    ia_sfv_text label;
    ia_sfv_text signature;        /**< decoded */
    apr_int64_t created, expires; /**< seconds since 1970 */
    ia_sfv_text nonce, alg, keyid, tag;
    const ia_sfv_member *input; /**< the covered components and all parameters, in order */
    ia_algorithm algorithm;     /**< that verified; IA_ALGORITHM_NONE before */
    ia_sfv_text base;           /**< what was verified; {NULL, 0} before */
} ia_httpsig;

/** What a place demands. Zeroed, it demands a signature by a known key with a creation time. */
typedef struct ia_httpsig_policy {
    const char *label, *tag, *keyid; /**< which signature, each NULL for any */
    const char *const *required;     /**< names of components that must be covered, wholly */
    unsigned required_count;
    unsigned algorithms; /**< bits 1u << ia_algorithm; 0 for all */
    apr_time_t max_age;  /**< microseconds since `created`; 0 for no bound but `expires` */
    apr_time_t skew;     /**< how far clocks may differ */
    int needs_nonce;
    int is_keyless;                 /**< a signature need not name its key: find_key knows it without */
    int has_body;                   /**< content-digest must be covered */
    const char *const *authorities; /**< the hosts this place answers for; none: any */
    unsigned authority_count;
} ia_httpsig_policy;

/** A key as the registry knows it: exactly one of `key` and `secret`. They must live until the verification
 * ends. */
typedef struct ia_httpsig_key {
    const ia_key *key;
    const ia_mac_key *secret;
    apr_time_t not_before, not_after; /**< microseconds; 0 for open ends */
} ia_httpsig_key;

/** What a verification asks others. */
typedef struct ia_httpsig_ports {
    void *context;
    /**
     * Finds the key of a keyid. @return IA_OK, IA_SIG_KEY_UNKNOWN, IA_SIG_KEY_REVOKED, IA_SIG_KEY_FOREIGN or
     * a fault. A refusal may fill `out` all the same: it is then verified with and the outcome ignored, so
     * that the refusal takes as long as a wrong signature.
     */
    ia_result (*find_key)(void *context, ia_httpsig_key *out, const ia_httpsig *signature);
    /**
     * Uses the nonce up until that time, in microseconds. @return IA_OK, IA_SIG_NONCE_REPLAYED, or what the
     * store says. NULL: replays are not looked for.
     */
    ia_result (*use_nonce)(void *context, const ia_httpsig *signature, apr_time_t until);
} ia_httpsig_ports;

/** All signatures of a message, with their grammar checked as far as the fields go. */
typedef struct ia_httpsig_set {
    ia_httpsig *list;
    unsigned count;
} ia_httpsig_set;

/** @return IA_OK, IA_SIG_MISSING (neither field) or a refusal of grammar; `out` is empty on refusal */
ia_result ia_httpsig_read(ia_httpsig_set *out, apr_pool_t *p, const ia_httpsig_message *message);

/** The one signature that label, tag and keyid of the policy ask for; NULL in `*out` on refusal. */
ia_result ia_httpsig_choose(ia_httpsig **out, const ia_httpsig_set *set, const ia_httpsig_policy *policy);

/** The signature base (section 2.5), NUL-terminated; `out` is {NULL, 0} on refusal. */
ia_result ia_httpsig_base(ia_sfv_text *out, apr_pool_t *p, const ia_httpsig_message *message,
                          const ia_sfv_member *input);

/**
 * Reads, chooses and verifies. `@target-uri` may be signed as received (section 2.2.2) or normalized. `*out` is the signature that was chosen, also on refusals after that (for
 * logs), else NULL; only IA_OK makes anything in it true.
 */
ia_result ia_httpsig_verify(const ia_httpsig **out, apr_pool_t *p, const ia_httpsig_message *message,
                            const ia_httpsig_policy *policy, const ia_httpsig_ports *ports, apr_time_t now);

/** The same for a signature that ia_httpsig_choose chose. */
ia_result ia_httpsig_verify_chosen(ia_httpsig *signature, apr_pool_t *p, const ia_httpsig_message *message,
                                   const ia_httpsig_policy *policy, const ia_httpsig_ports *ports, apr_time_t now);

/**
 * What a policy says of a verified signature, which may have been verified under another policy: its label and tag,
 * algorithm, age, nonce and coverage. ia_httpsig_verify ends with it.
 * @return IA_OK, IA_SIG_LABEL_ABSENT, IA_SIG_TAG_ABSENT, IA_SIG_ALG_NOT_ALLOWED, IA_SIG_CREATED_MISSING,
 *         IA_SIG_CREATED_FUTURE, IA_SIG_CREATED_OLD, IA_SIG_EXPIRED, IA_SIG_NONCE_MISSING, IA_SIG_COMPONENT_MISSING,
 *         IA_SIG_DIGEST_UNCOVERED
 */
ia_result ia_httpsig_judge(const ia_httpsig *signature, const ia_httpsig_policy *policy, apr_time_t now);

/** Whether a verified signature covers a whole component, such as "content-digest", of the message itself. */
int ia_httpsig_covers(const ia_httpsig *signature, const char *component);

/** Whether a signature covers anything of a component, such as one member of a field. */
int ia_httpsig_mentions(const ia_httpsig *signature, const char *component);

/** What to sign, and what to say about it. */
typedef struct ia_httpsig_plan {
    const char *label;             /**< a structured field key, such as "sig1" */
    const char *const *components; /**< names, or identifiers such as "\"@path\";req" with their quotes */
    unsigned component_count;
    apr_int64_t created, expires;    /**< seconds; 0 for none */
    const char *nonce, *keyid, *tag; /**< NULL for none */
    int names_algorithm;             /**< write `alg` */
} ia_httpsig_plan;

/** Values of the two fields with one member; append to what is there already with ", ". */
typedef struct ia_httpsig_minted {
    char *input;     /**< of Signature-Input */
    char *signature; /**< of Signature */
} ia_httpsig_minted;

/**
 * Signs a message. `key` says with what; its dates are not looked at.
 * @return IA_OK, a refusal of grammar, IA_KEY_PUBLIC, or a fault; `out` is empty on refusal
 */
ia_result ia_httpsig_mint(ia_httpsig_minted *out, apr_pool_t *p, const ia_httpsig_message *message,
                          const ia_httpsig_plan *plan, const ia_httpsig_key *key);

/**
 * A value of Accept-Signature (section 5.1) that asks for such a signature: `created` and `expires` become
 * flags.
 * @param algorithm named where `names_algorithm` is set
 */
ia_result ia_httpsig_format_accept(char **out, apr_pool_t *p, const ia_httpsig_plan *plan, ia_algorithm algorithm);

#ifdef __cplusplus
}
#endif
#endif
