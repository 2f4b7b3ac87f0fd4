/**
 * What every unit test needs: cmocka, a pool per test, and inputs in exact-size heap blocks, so that
 * AddressSanitizer sees a read of one byte too many.
 */
#ifndef TESTS_UNIT_SUPPORT_H
#define TESTS_UNIT_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <apr_general.h>
#include <apr_pools.h>
#include <apr_strings.h>
#include "interauth/result.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
/** A literal as text and length, NULs inside it included. */
#define LIT(text) (text), (sizeof(text) - 1)

/** Compares two outcomes by their tags, so that a failure reads well. */
#define assert_result(actual, expected) assert_string_equal(ia_outcome_of(actual)->tag, ia_outcome_of(expected)->tag)

/** head, `times` times part, tail. */
static inline char *repeat_text(apr_pool_t *p, const char *head, const char *part, const char *tail, unsigned times)
{
    size_t step = strlen(part), len = strlen(head);
    char *text = apr_palloc(p, len + step * times + strlen(tail) + 1);

    memcpy(text, head, len);
    for (unsigned i = 0; i < times; i++, len += step) {
        memcpy(text + len, part, step);
    }
    memcpy(text + len, tail, strlen(tail) + 1);
    return text;
}

/** A test that gets a pool of its own in *state. */
#define pool_test(function) cmocka_unit_test_setup_teardown(function, pool_open, pool_close)

static inline int pool_open(void **state)
{
    apr_pool_t *p;

    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&p, NULL) != APR_SUCCESS) {
        return -1;
    }
    *state = p;
    return 0;
}

static inline int pool_close(void **state)
{
    apr_pool_destroy(*state);
    apr_terminate();
    return 0;
}

static inline apr_status_t exact_free(void *block)
{
    free(block);
    return APR_SUCCESS;
}

/** A copy of `len` bytes that ends where its heap block ends; freed with the pool. */
static inline char *exact(apr_pool_t *p, const void *data, size_t len)
{
    char *block = malloc(len > 0 ? len : 1);

    assert_non_null(block);
    apr_pool_cleanup_register(p, block, exact_free, apr_pool_cleanup_null);
    if (len == 0) {
        return block + 1;
    }
    memcpy(block, data, len);
    return block;
}

/** The same for a string, its NUL included. */
static inline char *exact_string(apr_pool_t *p, const char *text)
{
    return exact(p, text, strlen(text) + 1);
}

/** A reproducible sequence (xorshift64*): the same run every time. */
static inline uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * UINT64_C(2685821657736338717);
}

static inline void random_fill(uint64_t *seed, void *out, size_t len)
{
    unsigned char *bytes = out;

    for (size_t i = 0; i < len; i++) {
        bytes[i] = (unsigned char)(random_next(seed) >> 32);
    }
}

#endif
