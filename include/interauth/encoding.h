/**
 * Strict text encodings of bytes: base64url (RFC 4648 section 5, unpadded), base64 (section 4, padded), hex (section 8).
 *
 * Decoders accept exactly one text for each byte string: no white space, no missing or superfluous padding, no
 * non-zero pad bits. Lengths are in bytes; input need not be NUL-terminated. Nothing here allocates memory. The
 * time of decoding valid base64 depends on its length only.
 */
#ifndef INTERAUTH_ENCODING_H
#define INTERAUTH_ENCODING_H

#include <apr.h>
#include "interauth/result.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The size of a buffer for the text of n bytes and its NUL. */
#define IA_BASE64URL_SIZE(n) (((n)*4 + 2) / 3 + 1)
#define IA_BASE64_SIZE(n)    (((n) + 2) / 3 * 4 + 1)
#define IA_HEX_SIZE(n)       ((n)*2 + 1)

/** Writes the text and a NUL to `out`, of IA_BASE64URL_SIZE(len) bytes. @return the text's length */
apr_size_t ia_base64url_encode(char *out, const void *data, apr_size_t len);

/** As ia_base64url_encode, for padded base64; `out` has IA_BASE64_SIZE(len) bytes. */
apr_size_t ia_base64_encode(char *out, const void *data, apr_size_t len);

/** As ia_base64url_encode, for lower-case hex; `out` has IA_HEX_SIZE(len) bytes. */
apr_size_t ia_hex_encode(char *out, const void *data, apr_size_t len);

/**
 * Decodes `text` into `out`, which holds `capacity` bytes; `*len` is set to the number written.
 * @return IA_OK, IA_MALFORMED, or IA_TOO_LONG if it does not fit. On refusal `*len` is 0.
 */
ia_result ia_base64url_decode(unsigned char *out, apr_size_t capacity, apr_size_t *len, const char *text,
                              apr_size_t text_len);
ia_result ia_base64_decode(unsigned char *out, apr_size_t capacity, apr_size_t *len, const char *text,
                           apr_size_t text_len);

/** Decodes hex in either case. Results as above. */
ia_result ia_hex_decode(unsigned char *out, apr_size_t capacity, apr_size_t *len, const char *text,
                        apr_size_t text_len);

#ifdef __cplusplus
}
#endif
#endif
