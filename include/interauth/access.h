/**
 * SAuth access requests: the form of request_access and refresh_access, and the JSON in its `body` field.
 *
 *   uid, timestamp (Unix seconds), hmac = hex HMAC(secret, timestamp + " " + body), body
 *
 * The hmac has 64 hex digits with SHA-256, 40 with SHA-1 (the published client).
 */
#ifndef INTERAUTH_ACCESS_H
#define INTERAUTH_ACCESS_H

#include <apr_pools.h>
#include <apr_time.h>
#include "interauth/mac.h"
#include "interauth/token.h"

#ifdef __cplusplus
extern "C" {
#endif

#define IA_ACCESS_BODY_MAX   (64 * 1024) /**< bytes of the whole form */
#define IA_ACCESS_NAMES_MAX  64          /**< capabilities in one access request */
#define IA_ACCESS_NONCES_MAX 32

typedef struct ia_access_form {
    const char *uid;
    const char *timestamp_text;
    apr_time_t timestamp; /**< microseconds */
    const char *body;
    apr_size_t body_len;
    ia_hash hash;
    unsigned char mac[IA_MAC_MAX]; /**< as sent, decoded */
} ia_access_form;

typedef enum ia_access_kind { IA_ACCESS_REQUEST, IA_ACCESS_REFRESH } ia_access_kind;

typedef struct ia_access_body {
    const char *uid;
    const char **access_for; /**< REQUEST only, at least one */
    unsigned access_for_count;
    apr_int64_t lifespan; /**< seconds; 0 if absent */
    unsigned nonces;      /**< how many are requested; 0 if absent */
    const char *token;    /**< REFRESH only */
    const char *id;       /**< NULL if absent; our extension: makes two requests of the same second differ */
    const char *audience; /**< NULL if absent; our extension, `aud`: the URL of the endpoint */
} ia_access_body;

/**
 * Parses the form. `*detail` names the wrong member, or is NULL; static.
 * @return IA_OK, IA_FORM_MALFORMED, IA_FIELD_MISSING, IA_FIELD_REPEATED, IA_FIELD_UNKNOWN, IA_TIMESTAMP_MALFORMED,
 *         IA_HMAC_MALFORMED, IA_MALFORMED (uid)
 */
ia_result ia_access_form_parse(ia_access_form *out, apr_pool_t *p, const char *text, apr_size_t len,
                               const char **detail);

/**
 * Parses the JSON in the `body` field. Its uid must be that of the form. `*detail` as above.
 * @return IA_OK, IA_JSON_*, IA_ACCESS_MALFORMED, IA_UID_MISMATCH
 */
ia_result ia_access_body_parse(ia_access_body *out, apr_pool_t *p, const ia_access_form *form, ia_access_kind kind,
                               const char **detail);

/** HMAC(secret, timestamp + " " + body); writes ia_hash_len(hash) bytes. */
void ia_access_mac(unsigned char *out, ia_hash hash, const ia_mac_key *key, const char *timestamp, const char *body,
                   apr_size_t body_len);

#ifdef __cplusplus
}
#endif
#endif
