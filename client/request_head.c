/* Checks the header fields given with -H. */
#include "request_head.h"

#include <string.h>
#include <strings.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "say.h"

int head_is_token(const char *text, apr_size_t len)
{
    for (apr_size_t i = 0; i < len; i++)
        if (!apr_isalnum(text[i]) && (!text[i] || !strchr("!#$%&'*+-.^_`|~", text[i])))
            return 0;
    return len > 0;
}

static int head_add(apr_array_header_t *lines, const char *line, const char *const *reserved)
{
    const char *colon = strchr(line, ':'), *value;

    if (!colon || !head_is_token(line, (apr_size_t)(colon - line)))
        return say_usage("--header takes \"Name: value\"");
    for (value = colon + 1; *value; value++)
        if (((unsigned char)*value < 0x20 && *value != '\t') || *value == 0x7f)
            return say_usage("--header: a value must not contain control characters");
    for (; *reserved; reserved++)
        if (strncasecmp(line, *reserved, strlen(*reserved)) == 0 && line[strlen(*reserved)] == ':')
            return say_usage("--header %s: this field is set by interauth", *reserved);
    for (value = colon + 1; *value == ' ' || *value == '\t';)
        value++;
    /* libcurl takes "Name:" as a request to remove the field, and "Name;" as an empty one. */
    APR_ARRAY_PUSH(lines, const char *) =
        *value ? line
               : apr_pstrcat(lines->pool, apr_pstrmemdup(lines->pool, line, (apr_size_t)(colon - line)), ";", NULL);
    return CL_OK;
}

int head_read(apr_array_header_t **lines, apr_pool_t *p, const apr_array_header_t *given, const char *const *reserved)
{
    int rc = CL_OK;

    *lines = apr_array_make(p, 8, sizeof(const char *));
    for (int i = 0; given && i < given->nelts && rc == CL_OK; i++)
        rc = head_add(*lines, APR_ARRAY_IDX(given, i, const char *), reserved);
    return rc;
}

int head_has(const apr_array_header_t *lines, const char *name)
{
    apr_size_t len = strlen(name);

    for (int i = 0; i < lines->nelts; i++) {
        const char *line = APR_ARRAY_IDX(lines, i, const char *);

        if (strncasecmp(line, name, len) == 0 && (line[len] == ':' || line[len] == ';'))
            return 1;
    }
    return 0;
}

static void field_read(ia_httpsig_field *out, apr_pool_t *p, const char *line)
{
    apr_size_t len = strcspn(line, ":;");
    const char *value = line + len + 1;

    value += strspn(value, " \t");
    out->name = apr_pstrmemdup(p, line, len);
    out->value = line[len] == ':' ? value : "";
}

void head_message(ia_httpsig_message *out, apr_pool_t *p, const char *method, const address *at,
                  const apr_array_header_t *lines)
{
    ia_httpsig_field *fields = apr_pcalloc(p, (apr_size_t)(lines->nelts + 1) * sizeof *fields);
    const char *host;

    memset(out, 0, sizeof *out);
    for (int i = 0; i < lines->nelts; i++)
        field_read(&fields[i], p, APR_ARRAY_IDX(lines, i, const char *));
    out->fields = fields;
    out->field_count = (unsigned)lines->nelts;
    out->method = method;
    out->scheme = at->scheme;
    host = head_value(out, "Host");
    out->authority = host ? host : at->authority;
    out->target = at->target;
}

void head_append(ia_httpsig_message *message, apr_pool_t *p, const char *name, const char *value)
{
    ia_httpsig_field *fields = apr_palloc(p, (message->field_count + 1) * sizeof *fields);

    if (message->field_count > 0)
        memcpy(fields, message->fields, message->field_count * sizeof *fields);
    fields[message->field_count].name = name;
    fields[message->field_count].value = value;
    message->fields = fields;
    message->field_count++;
}

const char *head_value(const ia_httpsig_message *message, const char *name)
{
    for (unsigned i = 0; i < message->field_count; i++)
        if (strcasecmp(message->fields[i].name, name) == 0)
            return message->fields[i].value;
    return NULL;
}
