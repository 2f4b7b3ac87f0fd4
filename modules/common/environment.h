/** Passes notes to the application, as environment variables or as request headers. */
#ifndef INTERAUTH_COMMON_ENVIRONMENT_H
#define INTERAUTH_COMMON_ENVIRONMENT_H

#include <httpd.h>

typedef enum environment_way { ENVIRONMENT_VARIABLES, ENVIRONMENT_HEADERS } environment_way;

typedef struct environment_row {
    const char *note;
    const char *variable;
    const char *header;
} environment_row;

/** Sets one row. sanitize_environment must have removed its variable before: this only appends. */
void environment_set(request_rec *r, const environment_row *row, const char *value, environment_way way);

/** Sets each row whose note this request or one above it has. `rows` ends with a NULL note. */
void environment_export(request_rec *r, const environment_row *rows, environment_way way);

#endif
