/**
 * HTTP message signatures (RFC 9421): reading, verifying and making them.
 *
 * Every function is a pure function of a message given as plain data, of a policy, and of `now`. Texts are borrowed:
 * results point into the bytes of the message or into the pool, and live as long as both.
 *
 * A value that is ambiguous is refused. httpd joins the lines of a repeated field with ", " before any module sees them:
 * set `merged` for such a message, and `;bs` over a value with a comma is refused (IA_SIG_FIELD_LINES). Trailers (`;tr`)
 * are never covered. `;sf` and `;key` are supported for registered structured fields only. A covered value consists of
 * printable ASCII and, in a field, tabs: a line break could forge a line of the signature base.
 *
 * A verification checks in this order, so that a client without a valid signature learns nothing about keys and policies:
 * grammar, key look-up, signature, time, nonce, policy. Only one signature is verified per message.
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

/* --- messages --- */

/** A field as received. A repeated field has one entry for each line, in order. */
typedef struct ia_httpsig_field {
    const char *name; /**< in any case */
    const char *value;
} ia_httpsig_field;

/** A request, or a response with its request. */
typedef struct ia_httpsig_message {
    const char *method;    /**< of a request; NULL in a response */
    const char *scheme;    /**< as clients see it, such as "https" */
    const char *authority; /**< host[:port] as clients see it */
    const char *target;    /**< as in the request line: /path?query, an absolute URI, or * */
    int status;            /**< of a response */
    const ia_httpsig_field *fields;
    unsigned field_count;
    int merged;                               /**< lines of a repeated field may have been joined with ", " */
    const struct ia_httpsig_message *request; /**< of a response; NULL if it is unknown */
    int normalized;                           /**< @target-uri: host in lower case, no default port, "/" as path */
} ia_httpsig_message;

/* --- signatures of a message --- */

/** One signature of a message. An absent `created` or `expires` is -1, an absent text {NULL, 0}. */
typedef struct ia_httpsig {
    ia_sfv_text label;
    ia_sfv_text signature;        /**< decoded */
    apr_int64_t created, expires; /**< seconds since 1970 */
    ia_sfv_text nonce, alg, keyid, tag;
    const ia_sfv_member *input; /**< the covered components and all parameters, in order */
    ia_algorithm algorithm;     /**< of the verified signature; IA_ALGORITHM_NONE until then */
    ia_sfv_text base;           /**< the signature base that verified; {NULL, 0} until then */
} ia_httpsig;

/** All signatures of a message, which agree with the grammar of the two fields. */
typedef struct ia_httpsig_set {
    ia_httpsig *list;
    unsigned count;
} ia_httpsig_set;

/** @return IA_OK, IA_SIG_MISSING (neither field is present) or a refusal of grammar; `out` is empty unless IA_OK */
ia_result ia_httpsig_read(ia_httpsig_set *out, apr_pool_t *p, const ia_httpsig_message *message);

/** The signature base (RFC 9421 section 2.5), NUL-terminated; `out` is {NULL, 0} unless IA_OK. */
ia_result ia_httpsig_base(ia_sfv_text *out, apr_pool_t *p, const ia_httpsig_message *message,
                          const ia_sfv_member *input);

/** Whether a signature covers the whole of a component of the message itself, such as "content-digest". */
int ia_httpsig_covers(const ia_httpsig *signature, const char *component);

/** Whether a signature covers any part of a component, such as one member of a field. */
int ia_httpsig_mentions(const ia_httpsig *signature, const char *component);

/* --- policy --- */

/** What a location or a client requires. A zeroed policy requires a signature by a known key, with a creation time. */
typedef struct ia_httpsig_policy {
    const char *label, *tag, *keyid; /**< select the signature; NULL: any */
    const char *const *required;     /**< names of components that must be covered as a whole */
    unsigned required_count;
    unsigned algorithms; /**< bits 1u << ia_algorithm; 0: all */
    apr_time_t max_age;  /**< microseconds since `created`; 0: only `expires` limits the age */
    apr_time_t skew;     /**< microseconds by which clocks may differ */
    int needs_nonce;
    int is_keyless; /**< `keyid` may be absent: find_key knows the key without it */
    int has_body;   /**< content-digest must be covered */
} ia_httpsig_policy;

/** Selects the one signature with the label, tag and keyid of the policy. `*out` is NULL unless IA_OK. */
ia_result ia_httpsig_choose(ia_httpsig **out, const ia_httpsig_set *set, const ia_httpsig_policy *policy);

/**
 * Applies a policy to a verified signature, which may have been verified under another policy: label and tag, algorithm,
 * age, nonce, coverage. ia_httpsig_verify ends with it.
 * @return IA_OK, IA_SIG_LABEL_ABSENT, IA_SIG_TAG_ABSENT, IA_SIG_ALG_NOT_ALLOWED, IA_SIG_CREATED_MISSING,
 *         IA_SIG_CREATED_FUTURE, IA_SIG_CREATED_OLD, IA_SIG_EXPIRED, IA_SIG_NONCE_MISSING, IA_SIG_COMPONENT_MISSING,
 *         IA_SIG_DIGEST_UNCOVERED
 */
ia_result ia_httpsig_judge(const ia_httpsig *signature, const ia_httpsig_policy *policy, apr_time_t now);

/* --- verification --- */

/** A key with which to verify or sign: exactly one of `key` and `secret`, which the caller owns. */
typedef struct ia_httpsig_key {
    const ia_key *key;
    const ia_mac_key *secret;
    apr_time_t not_before, not_after; /**< microseconds since 1970; 0: no limit */
} ia_httpsig_key;

/** Functions that a verification calls. */
typedef struct ia_httpsig_ports {
    void *context;
    /**
     * Finds the key of a keyid. The key must live until the verification ends.
     * @return IA_OK, IA_SIG_KEY_UNKNOWN or a fault. With a refusal, `out` may hold a dummy key: the signature is verified
     * with it and the result ignored, so that the refusal takes as long as that of a wrong signature.
     */
    ia_result (*find_key)(void *context, ia_httpsig_key *out, const ia_httpsig *signature);
    /**
     * Records the nonce as used until that time, in microseconds since 1970. NULL: replays are not detected.
     * @return IA_OK, IA_SIG_NONCE_REPLAYED, or another result of the store
     */
    ia_result (*use_nonce)(void *context, const ia_httpsig *signature, apr_time_t until);
} ia_httpsig_ports;

/**
 * Reads, chooses and verifies. `@target-uri` may be signed as received (RFC 9421 section 2.2.2) or normalized.
 * @param out the chosen signature, also if it was refused (for logs), or NULL. Its content is trustworthy only after IA_OK.
 */
ia_result ia_httpsig_verify(const ia_httpsig **out, apr_pool_t *p, const ia_httpsig_message *message,
                            const ia_httpsig_policy *policy, const ia_httpsig_ports *ports, apr_time_t now);

/** Verifies a signature that ia_httpsig_choose returned. */
ia_result ia_httpsig_verify_chosen(ia_httpsig *signature, apr_pool_t *p, const ia_httpsig_message *message,
                                   const ia_httpsig_policy *policy, const ia_httpsig_ports *ports, apr_time_t now);

/* --- signing --- */

/** What to sign, and the parameters of the signature. */
typedef struct ia_httpsig_plan {
    const char *label;             /**< a key of a structured field, such as "sig1" */
    const char *const *components; /**< names, or quoted identifiers with parameters such as "\"@path\";req" */
    unsigned component_count;
    apr_int64_t created, expires;    /**< seconds since 1970; 0: none */
    const char *nonce, *keyid, *tag; /**< NULL: none */
    int names_algorithm;             /**< write `alg` */
} ia_httpsig_plan;

/** Values of the two fields, with one member each. Append them with ", " to values that are present. */
typedef struct ia_httpsig_minted {
    char *input;     /**< of Signature-Input */
    char *signature; /**< of Signature */
} ia_httpsig_minted;

/**
 * Signs a message with `key`, whose dates are ignored.
 * @return IA_OK, a refusal of grammar, IA_KEY_PUBLIC, or a fault; `out` is empty unless IA_OK
 */
ia_result ia_httpsig_mint(ia_httpsig_minted *out, apr_pool_t *p, const ia_httpsig_message *message,
                          const ia_httpsig_plan *plan, const ia_httpsig_key *key);

/**
 * A value of Accept-Signature (RFC 9421 section 5.1) that requests such a signature: `created` and `expires` become flags.
 * @param algorithm written if `names_algorithm` is set
 */
ia_result ia_httpsig_format_accept(char **out, apr_pool_t *p, const ia_httpsig_plan *plan, ia_algorithm algorithm);

#ifdef __cplusplus
}
#endif
#endif
