/** The destination of the response body: standard output or a file, opened when the final response is known. */
#ifndef CLIENT_OUTPUT_H
#define CLIENT_OUTPUT_H

#include "http.h"

typedef struct output {
    const char *path;    /**< NULL is standard output */
    int with_header;     /**< write the header before the body */
    int fd;              /**< -1 until it is opened */
    apr_int64_t written; /**< bytes of the body */
} output;

/** The path in --output; NULL, for standard output, if it is "-" or not given. */
const char *output_path(const char *option);

/** An http_sink whose context is an output. Keeps 401 and problem+json in the response. */
http_choice output_sink(void *context, const http_response *response, const void *data, apr_size_t len);

/** Writes what was kept of the final response, and closes the file. @return an exit status */
int output_end(output *out, const http_response *response);

/** Prints a JSON object on standard output: status, content_type, bytes and, from status 400, error. */
int output_summary(const output *out, apr_pool_t *p, const http_response *response);

#endif
