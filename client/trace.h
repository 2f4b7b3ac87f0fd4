/**
 * Prints exchanges on standard error for -v, as curl does, without credentials.
 *
 * It masks the values of Authorization, Proxy-Authorization, Cookie and Set-Cookie and, in bodies, of every form field,
 * JSON member and XML element named token, access_token, hmac, signature, secret or password.
 */
#ifndef CLIENT_TRACE_H
#define CLIENT_TRACE_H

#include <apr_pools.h>

/** Turns tracing on or off. */
void trace_begin(int on);

int trace_is_on(void);

/** One or more lines of a header; `mark` is '>' for a request and '<' for a response. */
void trace_header(apr_pool_t *p, char mark, const char *data, apr_size_t len);

/** A body in memory; if it is long or binary, only its length. */
void trace_body(apr_pool_t *p, char mark, const char *data, apr_size_t len);

/** The length of a body that is not shown. */
void trace_length(apr_pool_t *p, char mark, apr_int64_t len);

/** The row of -v in a table of options whose struct has the field `verbose`. */
#define TRACE_ROW                                                                                                      \
    OPTION(FLAG, 'v', "verbose", NULL, verbose, "show the exchange on standard error, without credentials")

#endif
