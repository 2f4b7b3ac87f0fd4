/**
 * Words of shared memory. Everything that another process may read or write meanwhile goes through these: single
 * words are stored in an order that others see, payloads are copied word by word, so that a copy can mix two states
 * (a version tells) but never tears a word. Every store is a crash point of the crash test.
 */
#ifndef INTERAUTH_ST_SHM_WORD_H
#define INTERAUTH_ST_SHM_WORD_H

#include <apr.h>
#include <string.h>
#include "crash_point.h"

#define LOAD(where)         __atomic_load_n(&(where), __ATOMIC_ACQUIRE)
#define STORE(where, value) (ST_CRASH_POINT(), __atomic_store_n(&(where), (value), __ATOMIC_RELEASE))
/** Adds, and gives what was there before. */
#define ADD(where, n) (ST_CRASH_POINT(), __atomic_fetch_add(&(where), (n), __ATOMIC_ACQ_REL))
/** Stores where `seen` is what was seen there, else updates `seen`. */
#define SWAP(where, seen, value)                                                                                       \
    (ST_CRASH_POINT(), __atomic_compare_exchange_n(&(where), &(seen), (value), 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
/** Between a version that says "moving" and the first word that moves. */
#define FENCE_BEFORE_WORDS() __atomic_thread_fence(__ATOMIC_SEQ_CST)
/** Between the last word that was copied and the look whether the version held still. */
#define FENCE_AFTER_WORDS() __atomic_thread_fence(__ATOMIC_ACQUIRE)

/**
 * Part of a payload, whatever type it has: in shared memory payloads are aligned to words, and their size is a multiple
 * of them. The private side of a copy may lie anywhere.
 */
typedef apr_uint64_t __attribute__((may_alias)) st_word;

static inline void st_words_load(void *to, const void *shared, apr_size_t size)
{
    const st_word *from = shared;
    apr_size_t i;

#pragma GCC unroll 8 /* each request copies two records so */
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
