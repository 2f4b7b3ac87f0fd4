/**
 * Shared memory that outlives restarts: anonymous, made once in the process pool, found again through httpd's
 * retained data. Workers of an old generation that still finish see the same memory as those of the new one.
 * The parent's copy of base, size and layout is private: children cannot change it.
 */
#ifndef INTERAUTH_COMMON_SEGMENT_H
#define INTERAUTH_COMMON_SEGMENT_H

#include <httpd.h>

#define SEGMENT_NUMBERS 4

typedef struct segment {
    void *base;
    apr_size_t size;
    apr_uint64_t layout;                   /**< of the code that made it */
    apr_uint32_t numbers[SEGMENT_NUMBERS]; /**< capacities it was made with */
} segment;

/** The segment retained under a key by code of the same layout, or NULL. */
segment *segment_find(const char *key, apr_uint64_t layout);

/** Makes and retains a new, zeroed segment; pages are charged when touched. NULL and `*rv` where memory is refused. */
segment *segment_create(server_rec *s, const char *key, apr_size_t size, apr_uint64_t layout, apr_status_t *rv);

#endif
