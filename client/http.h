/**
 * One HTTP exchange over libcurl: http and https only, no redirects, time limits on everything, bounded
 * responses.
 */
#ifndef CLIENT_HTTP_H
#define CLIENT_HTTP_H

#include <apr_pools.h>
#include <apr_tables.h>

#define HTTP_KEEP_MAX (1024 * 1024) /**< bytes of a body kept in memory */
#define HTTP_TIMEOUT  30            /**< seconds for an exchange with a grant endpoint */

typedef struct http_response {
    long status;
    apr_array_header_t *lines; /**< of const char *: status line and header lines of the final response */
    char *body;                /**< what the sink kept, NUL-terminated; never NULL after a response */
    apr_size_t body_len;
} http_response;

typedef enum http_choice { HTTP_CONSUMED, HTTP_KEEP, HTTP_ABORT } http_choice;

/** Receives each piece of the body, after the header: consumes it, keeps it in the response, or aborts the transfer. */
typedef http_choice (*http_sink)(void *context, const http_response *response, const void *data, apr_size_t len);

/** The body of a request: memory, or a file from its start if `data` is NULL. */
typedef struct http_body {
    const char *data;
    int fd;
    apr_int64_t len;
} http_body;

typedef struct http_call {
    const char *method;
    const char *url;
    const apr_array_header_t *headers; /**< of const char *, "Name: value"; may be NULL */
    const http_body *body;             /**< NULL for none */
    const char *ca_file;               /**< NULL for the system's */
    apr_int64_t timeout;               /**< seconds */
    http_sink sink;                    /**< NULL keeps every body */
    void *sink_context;
} http_call;

/** @return CL_OK if there was a response, whatever its status, else CL_FAULT, reported */
int http_send(http_response *out, apr_pool_t *p, const http_call *call);

/** The value of the header field, or NULL. `index` counts the fields of that name from 0. */
const char *http_field(const http_response *response, const char *name, int index);

#endif
