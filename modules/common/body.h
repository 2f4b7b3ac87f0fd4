/** Reads the body of a request to its end, up to a limit. */
#ifndef INTERAUTH_COMMON_BODY_H
#define INTERAUTH_COMMON_BODY_H

#include <httpd.h>
#include <apr_buckets.h>
#include "interauth/result.h"

/** Where a body comes from, and where it goes. */
typedef struct body_reader {
    /** Appends the next part of the body to `bb`. */
    apr_status_t (*fetch)(void *context, apr_bucket_brigade *bb);
    /** Takes `len` > 0 bytes. They are in `b`, which may be removed from its brigade. A refusal ends the reading. */
    ia_result (*take)(void *context, apr_bucket *b, const char *data, apr_size_t len);
    void *context;
} body_reader;

/**
 * Reads a body of at most `max` bytes.
 * @param status httpd's own status for a broken body, else 0
 * @return IA_OK, IA_BODY_TOO_LARGE, IA_BODY_BROKEN, or a refusal of `take`
 */
ia_result body_read(request_rec *r, const body_reader *reader, apr_off_t max, int *status);

/**
 * Reads a body of at most `max` bytes into memory, NUL-terminated, from the input filters of the request.
 * @param text NULL unless IA_OK
 * @param status as above
 * @return IA_OK, IA_BODY_TOO_LARGE, IA_BODY_BROKEN
 */
ia_result request_read_body(request_rec *r, apr_size_t max, const char **text, apr_size_t *len, int *status);

#endif
