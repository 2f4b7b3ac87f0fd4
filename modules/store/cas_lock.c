#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cas_lock.h"

#define SPINS  200 /* before the processor is given away */
#define YIELDS 50  /* before the owner is looked at */
#define NAP    200 /* microseconds between looks */

static apr_uint64_t self;

/* State letter and start time of a process, from the fields behind its name. 0 where it cannot be read. */
static int read_stat(long pid, char *state, apr_uint32_t *start)
{
    char path[40], text[512], *at;
    unsigned long long ticks;
    size_t len;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    if (!(file = fopen(path, "re")))
        return 0;
    len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = '\0';
    at = strrchr(text, ')');
    if (!at || sscanf(at + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", state,
                      &ticks) != 2)
        return 0;
    *start = (apr_uint32_t)ticks;
    return 1;
}

void st_owner_init(void)
{
    apr_uint32_t start = 0;
    char state;

    read_stat((long)getpid(), &state, &start);
    self = (apr_uint64_t)start << 32 | (apr_uint32_t)getpid();
}

apr_uint64_t st_owner_self(void)
{
    if (!self)
        st_owner_init();
    return self;
}

int st_owner_is_dead(apr_uint64_t word)
{
    apr_uint32_t start, pid = (apr_uint32_t)word;
    char state;

    if (word <= 1 || word == self)
        return 0;
    if (kill((pid_t)pid, 0) < 0 && errno == ESRCH)
        return 1;
    if (!read_stat((long)pid, &state, &start))
        return 0;
    return state == 'Z' || state == 'X' || start != (apr_uint32_t)(word >> 32);
}

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

static int take(st_lock_word *word, apr_uint64_t from)
{
    return __atomic_compare_exchange_n(word, &from, st_owner_self(), 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

apr_status_t st_lock(st_lock_word *word)
{
    unsigned round;
    apr_time_t waited = 0;

    for (round = 0; round < SPINS; round++) {
        if (!__atomic_load_n(word, __ATOMIC_RELAXED) && take(word, 0))
            return APR_SUCCESS;
        relax();
    }
    for (round = 0; round < YIELDS; round++) {
        if (take(word, 0))
            return APR_SUCCESS;
        sched_yield();
    }
    while (waited < ST_LOCK_PATIENCE) {
        apr_uint64_t held = __atomic_load_n(word, __ATOMIC_RELAXED);

        if (take(word, 0) || (st_owner_is_dead(held) && take(word, held)))
            return APR_SUCCESS;
        usleep(NAP);
        waited += NAP;
    }
    return APR_TIMEUP;
}

void st_unlock(st_lock_word *word)
{
    __atomic_store_n(word, 0, __ATOMIC_RELEASE);
}
