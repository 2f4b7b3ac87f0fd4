/**
 * Assigns numbers to names: append-only, in shared memory, zeroed when new. The name of a number does not change
 * during the lifetime of the memory, so that bitmaps of numbers remain valid. The caller ensures that there is only
 * one writer.
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

/** Returns the number of a name, or -1. */
int st_names_find(const st_names *names, const char *name);

/**
 * Returns the number of a name, and assigns one if necessary, by a single store. -1 if the table is full or the name is
 * too long.
 */
int st_names_intern(st_names *names, const char *name);

/** Returns the name of a number, which lives as long as the memory, or NULL. */
const char *st_names_get(const st_names *names, int number);

#endif
