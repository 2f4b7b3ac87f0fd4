/**
 * Names that were given a number: append-only, in shared memory, zeroed when new. A number never changes its name
 * while the memory lives, so that bitmaps of numbers stay true. One writer at a time (the caller sees to it).
 */
#ifndef INTERAUTH_ST_NAME_TABLE_H
#define INTERAUTH_ST_NAME_TABLE_H

#include <apr.h>
#include "interauth/name.h"

typedef struct st_names {
    apr_uint32_t *count;
    char (*names)[IA_NAME_MAX + 1];
    apr_uint32_t capacity;
} st_names;

apr_size_t st_names_size(apr_uint32_t capacity);
void st_names_attach(st_names *names, void *memory, apr_uint32_t capacity);

apr_uint32_t st_names_count(const st_names *names);

/** The name's number, or -1. */
int st_names_find(const st_names *names, const char *name);

/** The name's number, given now if it had none; -1 when full or too long. A number is given by a single store. */
int st_names_intern(st_names *names, const char *name);

/** The name of a number, NULL outside the table. Lives as long as the memory. */
const char *st_names_get(const st_names *names, int number);

#endif
