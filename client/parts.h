/** The parts of a message: where each is found, its value, and its meaning. */
#ifndef CLIENT_PARTS_H
#define CLIENT_PARTS_H

#include <apr_tables.h>
#include "interauth/result.h"

typedef struct part {
    const char *where, *name, *value, *meaning; /**< `value` is safe to print; `name` NULL for an error */
    const char *code;                           /**< of an error: `meaning` is its text */
} part;

typedef struct parts {
    apr_pool_t *p;
    apr_array_header_t *list; /**< of part */
} parts;

/** Adds a value, escaped, and shortened if it is very long. NULL is ignored. */
void part_add(parts *all, const char *where, const char *name, const char *value, const char *meaning);

/** Adds the first characters of a secret and its length. NULL is ignored. */
void part_add_secret(parts *all, const char *where, const char *name, const char *value, const char *meaning);

/** Adds a time, in seconds since 1970. A negative one is ignored. */
void part_add_time(parts *all, const char *where, const char *name, apr_int64_t seconds, const char *meaning);

/** Adds an error: the tag of an outcome, its meaning, and a detail, which may be NULL. */
void part_add_refusal(parts *all, const char *where, ia_result result, const char *detail);

/** Adds an error. */
void part_add_error(parts *all, const char *where, const char *code, const char *text);

/** The first error, or NULL. */
const part *parts_error(const parts *all);

#endif
