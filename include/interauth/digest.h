/**
 * Content-Digest and Want-Content-Digest (RFC 9530). sha-256 and sha-512 are active. md5, sha, unixsum, unixcksum, adler
 * and crc32c are deprecated: a field with these alone is refused. Other algorithms are ignored beside an active one.
 */
#ifndef INTERAUTH_DIGEST_H
#define INTERAUTH_DIGEST_H

#include <apr_pools.h>
#include "interauth/mac.h"

#ifdef __cplusplus
extern "C" {
#endif

#define IA_DIGEST_SHA256    1u
#define IA_DIGEST_SHA512    2u
#define IA_SHA512_LEN       64
#define IA_DIGEST_FIELD_MAX 4096 /**< bytes of the field value */
/** The Want-Content-Digest of a refusal (RFC 9530 section 4). */
#define IA_WANT_CONTENT_DIGEST "sha-512=3, sha-256=10"

/** The digests of a Content-Digest field. Plain data. */
typedef struct ia_digest_claim {
    unsigned algorithms; /**< IA_DIGEST_* bits of the active ones present */
    unsigned char sha256[IA_SHA256_LEN];
    unsigned char sha512[IA_SHA512_LEN];
} ia_digest_claim;

/**
 * @return IA_OK (at least one active algorithm), IA_DIGEST_MALFORMED (also a repeated key or a value of the wrong
 *         length), IA_DIGEST_DEPRECATED or IA_DIGEST_UNSUPPORTED
 */
ia_result ia_digest_parse(ia_digest_claim *out, apr_pool_t *p, const char *value, apr_size_t len);

/** The computation of digests over one content, in parts. Freed with its pool. */
typedef struct ia_digest ia_digest;

/** @return IA_OK or IA_FAULT_CRYPTO */
ia_result ia_digest_create(ia_digest **out, apr_pool_t *p, unsigned algorithms);
ia_result ia_digest_update(ia_digest *digest, const void *data, apr_size_t len);
/** Ends the computation; `out->algorithms` are those given to ia_digest_create. */
ia_result ia_digest_finish(ia_digest_claim *out, ia_digest *digest);

/** Every claimed digest must have been computed and be equal. @return IA_OK or IA_DIGEST_MISMATCH */
ia_result ia_digest_compare(const ia_digest_claim *claimed, const ia_digest_claim *computed);

/** Formats a Content-Digest field value with the algorithms of `claim`, in `p`. @return NULL if it has none */
char *ia_digest_format(apr_pool_t *p, const ia_digest_claim *claim);

/** "sha-256", "sha-512" or both separated by a space. */
const char *ia_digest_names(unsigned algorithms);

#ifdef __cplusplus
}
#endif
#endif
