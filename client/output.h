/** Where the response of a call goes: standard output or a file, opened once it is known which answer is the
 * last. */
#ifndef CLIENT_OUTPUT_H
#define CLIENT_OUTPUT_H

#include "http.h"

typedef struct output {
    const char *path;    /**< NULL is standard output */
    int with_header;     /**< the header goes ahead of the body */
    int fd;              /**< -1 until it is opened */
    apr_int64_t written; /**< bytes of the body */
} output;

/** The path that --output names: NULL, for standard output, where it is "-" or was not given. */
const char *output_path(const char *option);

/** An http_sink with an output as context. A 401, and any problem+json, is kept in the response. */
http_choice output_sink(void *context, const http_response *response, const void *data, apr_size_t len);

/** Writes what was kept of the last response and closes. @return an exit status */
int output_end(output *out, const http_response *response);

/** Prints an object on standard output: status, content_type, bytes and, of a refusal, error. */
int output_summary(const output *out, apr_pool_t *p, const http_response *response);

#endif
