/**
 * Sets of capabilities. The registry gives each capability name a number and never changes it; a set is a bitmap of these
 * numbers. Plain data, for shared memory.
 */
#ifndef INTERAUTH_CAPABILITY_H
#define INTERAUTH_CAPABILITY_H

#include <apr.h>

#ifdef __cplusplus
extern "C" {
#endif

#define IA_CAPABILITIES_MAX 1024 /**< distinct capability names of one server */

typedef struct ia_capset {
    apr_uint64_t bits[IA_CAPABILITIES_MAX / 64];
} ia_capset;

void ia_capset_clear(ia_capset *set);
/** Numbers outside 0 .. IA_CAPABILITIES_MAX - 1 are ignored, and are in no set. */
void ia_capset_add(ia_capset *set, int index);
int ia_capset_has(const ia_capset *set, int index);
int ia_capset_is_empty(const ia_capset *set);
/** Whether every member of `part` is in `whole`. */
int ia_capset_contains(const ia_capset *whole, const ia_capset *part);
void ia_capset_intersect(ia_capset *out, const ia_capset *a, const ia_capset *b);
/** The lowest member above `after`, or -1. Start with -1. */
int ia_capset_next(const ia_capset *set, int after);

#ifdef __cplusplus
}
#endif
#endif
