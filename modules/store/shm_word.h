/**
 * Access to words of shared memory that other processes may access concurrently. Single words are stored in release
 * order. Payloads are copied word by word: a copy may contain words of two states, which the version reveals, but no
 * torn words. Every store is a crash point of the crash test.
 */
#ifndef INTERAUTH_ST_SHM_WORD_H
#define INTERAUTH_ST_SHM_WORD_H

#include <apr.h>
#include <string.h>
#include "crash_point.h"

#define LOAD(where)         __atomic_load_n(&(where), __ATOMIC_ACQUIRE)
#define STORE(where, value) (ST_CRASH_POINT(), __atomic_store_n(&(where), (value), __ATOMIC_RELEASE))
/** Adds, and returns the previous value. */
#define ADD(where, n) (ST_CRASH_POINT(), __atomic_fetch_add(&(where), (n), __ATOMIC_ACQ_REL))
/** Compare-and-swap: stores `value` if the word equals `seen`, otherwise updates `seen`. */
#define SWAP(where, seen, value)                                                                                       \
    (ST_CRASH_POINT(), __atomic_compare_exchange_n(&(where), &(seen), (value), 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
/** Between storing an odd version and the first word of the payload. */
#define FENCE_BEFORE_WORDS() __atomic_thread_fence(__ATOMIC_SEQ_CST)
/** Between copying the last word and reading the version again. */
#define FENCE_AFTER_WORDS() __atomic_thread_fence(__ATOMIC_ACQUIRE)

/**
 * Part of a payload of any type. In shared memory, payloads are aligned to words, and their size is a multiple of
 * words. The private copy may have any alignment.
 */
typedef apr_uint64_t __attribute__((may_alias)) st_word;

static inline void st_words_load(void *to, const void *shared, apr_size_t size)
{
    const st_word *from = shared;
    apr_size_t i;

#pragma GCC unroll 8 /* each request copies two records */
    for (i = 0; i < size / sizeof(st_word); i++) {
        st_word word = __atomic_load_n(&from[i], __ATOMIC_RELAXED);

        memcpy((char *)to + i * sizeof word, &word, sizeof word);
    }
}

static inline void st_words_store(void *shared, const void *from, apr_size_t size)
{
    st_word *to = shared, word;
    apr_size_t i;

    for (i = 0; i < size / sizeof(st_word); i++) {
        memcpy(&word, (const char *)from + i * sizeof word, sizeof word);
        ST_CRASH_POINT();
        __atomic_store_n(&to[i], word, __ATOMIC_RELAXED);
    }
}

static inline void st_words_clear(void *shared, apr_size_t size)
{
    st_word *to = shared;
    apr_size_t i;

    for (i = 0; i < size / sizeof(st_word); i++) {
        ST_CRASH_POINT();
        __atomic_store_n(&to[i], 0, __ATOMIC_RELAXED);
    }
}

#endif
