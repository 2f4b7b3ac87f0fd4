/**
 * Bodies on their way to the app: read whole before its handler runs (spool), or looked at in passing (stream).
 */
#ifndef ISIGN_SPOOL_H
#define ISIGN_SPOOL_H

#include <httpd.h>
#include "interauth/digest.h"

/* --- the spool: a body that was read before its handler ------------------------------------------------------- */

/** A body read whole: in memory, or behind that in an unlinked temporary file. Lives as long as its request. */
typedef struct isign_spool isign_spool;

/** Sees each piece of the body as it is read. */
typedef ia_result (*isign_on_data)(void *context, const void *data, apr_size_t len);

/** How much of a body is read. */
typedef struct isign_spool_limits {
    apr_off_t memory;        /**< bytes that stay in memory */
    apr_off_t max;           /**< bytes of a body */
    const char *participant; /**< who sends it, or NULL */
    int is_stranger;         /**< nobody knows yet who sends it */
} isign_spool_limits;

/**
 * Reads the request's body to its end. Its trailers do not become headers.
 * @param status httpd's own status for a broken body, else 0
 * @return IA_OK, IA_BODY_TOO_LARGE, IA_BODY_BROKEN, IA_FAULT_SPOOL, IA_FAULT_BODY_TAKEN if another module has read some
 * of it, or the result of `on_data`
 */
ia_result isign_spool_read(isign_spool **out, request_rec *r, const isign_spool_limits *limits, isign_on_data on_data,
                           void *context, int *status);

apr_off_t isign_spool_length(const isign_spool *spool);

/** Whether the request announces a body of more than `max` bytes. */
int isign_announces_more(request_rec *r, apr_off_t max);

/** The body in one piece. @return IA_OK, IA_BODY_TOO_LARGE, IA_FAULT_SPOOL */
ia_result isign_spool_text(isign_spool *spool, apr_size_t max, const char **text, apr_size_t *len);

/** Gives the body to whoever reads the request next, with a Content-Length. Again after an internal redirect. */
void isign_spool_replay(isign_spool *spool, request_rec *r);

/* --- the stream -------------------------------------------------------------------------------------------------- */

/** A body that is hashed on its way to the handler. Lives as long as its request. */
typedef struct isign_stream isign_stream;

isign_stream *isign_stream_create(request_rec *r, const ia_digest_claim *claim, ia_digest *digest);
/** Hashes what is read of the request from now on. */
void isign_stream_insert(isign_stream *s, request_rec *r);
/** Whether the body was read to its end, and is what its digest says. */
int isign_stream_is_verified(const isign_stream *s);
void isign_stream_register(apr_pool_t *p);

#endif
