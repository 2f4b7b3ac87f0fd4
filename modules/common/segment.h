/**
 * Shared memory that survives restarts: anonymous, created once in the process pool, and found again in httpd's retained
 * data. Old workers that are still finishing requests use the same memory as new ones. The parent's copy of base, size
 * and layout is private: children cannot change it.
 */
#ifndef INTERAUTH_COMMON_SEGMENT_H
#define INTERAUTH_COMMON_SEGMENT_H

#include <httpd.h>

#define SEGMENT_NUMBERS 4

typedef struct segment {
    void *base;
    apr_size_t size;
    apr_uint64_t layout;                   /**< version of the code that created it */
    apr_uint32_t numbers[SEGMENT_NUMBERS]; /**< the capacities with which it was created */
} segment;

/** The segment retained under a key by code of the same layout, or NULL. */
segment *segment_find(const char *key, apr_uint64_t layout);

/**
 * Creates and retains a zeroed segment. Its pages use no memory before they are written. @return NULL with `*rv` set on
 * error
 */
segment *segment_create(server_rec *s, const char *key, apr_size_t size, apr_uint64_t layout, apr_status_t *rv);

#endif
