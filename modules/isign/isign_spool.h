/** Bodies on their way to the application: read to the end before the handler runs (spool), or hashed in passing (stream). */
#ifndef ISIGN_SPOOL_H
#define ISIGN_SPOOL_H

#include <httpd.h>
#include "interauth/digest.h"

/* --- the spool ---------------------------------------------------------------------------------------------------- */

/** A whole body: its beginning in memory, the rest in an unlinked temporary file. Lives as long as its request. */
typedef struct isign_spool isign_spool;

/** Called with each piece of the body as it is read. */
typedef ia_result (*isign_on_data)(void *context, const void *data, apr_size_t len);

/** How much of a body is read. */
typedef struct isign_spool_limits {
    apr_off_t memory;        /**< bytes that stay in memory */
    apr_off_t max;           /**< bytes of a body */
    const char *participant; /**< who sends it, or NULL */
    int is_unidentified;     /**< it is read before its sender is known */
} isign_spool_limits;

/**
 * Reads the body of a request to its end. Its trailers do not become headers.
 * @param on_data or NULL
 * @param status httpd's own status for a broken body, else 0
 * @return IA_OK, IA_BODY_TOO_LARGE, IA_BODY_BROKEN, IA_SPOOL_FULL, IA_SPOOL_QUOTA, IA_FAULT_SPOOL, IA_FAULT_BODY_TAKEN if
 *         another module has read some of it, or a refusal of `on_data`
 */
ia_result isign_spool_read(isign_spool **out, request_rec *r, const isign_spool_limits *limits, isign_on_data on_data,
                           void *context, int *status);

apr_off_t isign_spool_length(const isign_spool *spool);

/** The body in one piece. @return IA_OK, IA_BODY_TOO_LARGE, IA_FAULT_SPOOL */
ia_result isign_spool_text(isign_spool *spool, apr_size_t max, const char **text, apr_size_t *len);

/** Makes the body readable again for the handler, with a Content-Length; once more after an internal redirect. */
void isign_spool_replay(isign_spool *spool, request_rec *r);

/* --- the stream -------------------------------------------------------------------------------------------------- */

/** A body that is hashed while the handler reads it. Lives as long as its request. */
typedef struct isign_stream isign_stream;

isign_stream *isign_stream_create(request_rec *r, const ia_digest_claim *claim, ia_digest *digest);
/** Hashes what is read of the request from now on. */
void isign_stream_insert(isign_stream *s, request_rec *r);
/** Whether the body was read to its end and agrees with its digest. */
int isign_stream_is_verified(const isign_stream *s);
void isign_stream_register(apr_pool_t *p);

#endif
