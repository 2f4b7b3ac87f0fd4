/* Opens the destination of a response body once the final response is known. */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "files.h"
#include "interauth/json.h"
#include "response.h"
#include "say.h"

const char *output_path(const char *option)
{
    return option && strcmp(option, "-") != 0 ? option : NULL;
}

static int header_write(const output *out, const http_response *response)
{
    for (int i = 0; i < response->lines->nelts; i++) {
        const char *line = APR_ARRAY_IDX(response->lines, i, const char *);

        if (file_write_all(out->fd, line, strlen(line)) != 0 || file_write_all(out->fd, "\r\n", 2) != 0)
            return -1;
    }
    return file_write_all(out->fd, "\r\n", 2);
}

static int output_open(output *out, const http_response *response)
{
    out->fd = out->path ? open(out->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : STDOUT_FILENO;
    if (out->fd < 0)
        return -1;
    return out->with_header ? header_write(out, response) : 0;
}

static int body_write(output *out, const http_response *response, const void *data, apr_size_t len)
{
    if (out->fd < 0 && output_open(out, response) != 0)
        return -1;
    out->written += (apr_int64_t)len;
    if (len > 0 && !out->path && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO))
        say_line_is_open(((const char *)data)[len - 1] != '\n');
    return file_write_all(out->fd, data, len);
}

static int output_fault(const output *out)
{
    return say_fault("%s: %s", out->path ? out->path : "standard output", strerror(errno));
}

http_choice output_sink(void *context, const http_response *response, const void *data, apr_size_t len)
{
    static const char media_type[] = "application/problem+json";
    const char *type = http_field(response, "Content-Type", 0);

    if (strstr(APR_ARRAY_IDX(response->lines, 0, const char *), " 401"))
        return HTTP_KEEP;
    if (type && strncasecmp(type, media_type, sizeof media_type - 1) == 0)
        return HTTP_KEEP;
    if (body_write(context, response, data, len) == 0)
        return HTTP_CONSUMED;
    output_fault(context);
    return HTTP_ABORT;
}

int output_end(output *out, const http_response *response)
{
    int failed = body_write(out, response, response->body, response->body_len) != 0;

    if (out->path && out->fd >= 0 && close(out->fd) != 0)
        failed = 1;
    return failed ? output_fault(out) : CL_OK;
}

int output_summary(const output *out, apr_pool_t *p, const http_response *response)
{
    ia_json_writer *w = ia_json_writer_create(p);
    const char *type = http_field(response, "Content-Type", 0);
    problem found;

    problem_read(&found, p, response);
    ia_json_write_object(w);
    ia_json_write_name(w, "status");
    ia_json_write_integer(w, response->status);
    if (type)
        ia_json_write_member(w, "content_type", type);
    ia_json_write_name(w, "bytes");
    ia_json_write_integer(w, out->written);
    if (response->status >= 400)
        error_write(w, problem_code(p, &found, response->status), problem_message(p, &found, response->status));
    ia_json_write_end(w);
    return say_out(ia_json_writer_text(w, NULL));
}
