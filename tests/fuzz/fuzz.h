/**
 * Shared by the fuzz targets: the entry point, a pool for each input, and an assertion that is active in any build.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <apr_general.h>
#include <apr_pools.h>
#include <apr_strings.h>
#include "interauth/result.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                            \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

static inline apr_pool_t *fuzz_pool(void)
{
    static int ready;
    apr_pool_t *p = NULL;

    if (!ready) {
        CHECK(apr_initialize() == APR_SUCCESS);
        ready = 1;
    }
    CHECK(apr_pool_create(&p, NULL) == APR_SUCCESS);
    return p;
}

#endif
