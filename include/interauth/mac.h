/**
 * HMAC (RFC 2104) with SHA-256 and SHA-1, from keys reduced to their midstates.
 *
 * An `ia_mac_key` holds the hash states after the inner and the outer padded key, not the key itself. It is plain data:
 * it can be in shared memory, be copied, and be used by any number of threads at once. There is no context that could
 * keep one participant's key for the next. Whoever knows a midstate can forge MACs, so it is as secret as the key: wipe
 * copies with ia_wipe.
 */
#ifndef INTERAUTH_MAC_H
#define INTERAUTH_MAC_H

#include <apr.h>
#include "interauth/result.h"

#ifdef __cplusplus
extern "C" {
#endif

#define IA_SHA256_LEN 32
#define IA_SHA1_LEN   20
#define IA_MAC_MAX    32
#define IA_SECRET_MIN 16 /**< bytes; a shorter secret is refused before any MAC is computed */
#define IA_SECRET_MAX 1024

typedef enum ia_hash { IA_HASH_SHA256, IA_HASH_SHA1 } ia_hash;

typedef struct ia_mac_key {
    apr_uint32_t sha256_inner[8], sha256_outer[8];
    apr_uint32_t sha1_inner[5], sha1_outer[5];
} ia_mac_key;

/** One part of a message. */
typedef struct ia_bytes {
    const void *data;
    apr_size_t len;
} ia_bytes;

/** Bytes of a MAC or digest with this hash. */
apr_size_t ia_hash_len(ia_hash hash);

/**
 * @return IA_OK, or IA_SECRET_MISSING for a secret below IA_SECRET_MIN or above IA_SECRET_MAX bytes (`key` is wiped).
 */
ia_result ia_mac_key_load(ia_mac_key *key, const void *secret, apr_size_t len);

/** The HMAC of the parts, in their order; writes ia_hash_len(hash) bytes. Cannot fail. */
void ia_mac_compute(unsigned char *out, ia_hash hash, const ia_mac_key *key, const ia_bytes *parts, unsigned count);

/** Whether two byte strings of `len` bytes are equal, in constant time. */
int ia_mac_equal(const void *a, const void *b, apr_size_t len);

/** The SHA-256 of the parts, in their order. */
void ia_sha256(unsigned char out[IA_SHA256_LEN], const ia_bytes *parts, unsigned count);

/** Overwrites memory; the compiler cannot optimize it away. */
void ia_wipe(void *data, apr_size_t len);

#ifdef __cplusplus
}
#endif
#endif
