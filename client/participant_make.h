/** `interauth participant make`: the record of a participant that logs in by challenge. */
#ifndef CLIENT_PARTICIPANT_MAKE_H
#define CLIENT_PARTICIPANT_MAKE_H

#include <apr_pools.h>
#include <apr_tables.h>

typedef struct participant_options {
    const char *password_file, *domain, *separator;
    int allow_refresh;
    apr_array_header_t *profiles, *capabilities; /**< of const char *; NULL if not given */
} participant_options;

/** The record as JSON, indented unless `compact`. It contains the derived secrets. @return an exit status */
int participant_make(const char **out, apr_pool_t *p, const char *id, const participant_options *options, int compact);

#endif
