/* A lock in one word of shared memory that recovers if its owner dies. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cas_lock.h"
#include "crash_point.h"

#define SPINS  200 /* attempts before sched_yield() */
#define YIELDS 10  /* attempts before the owner's state is read; each may take a time slice */
#define NAP    200 /* microseconds between further attempts */

#define UNKNOWN 0x80000000u /* unknown start time; as this bit is always set, owner words are greater than 1 */

static apr_uint64_t self;

typedef struct process {
    char state;
    long threads;
    apr_uint32_t start; /* ticks after boot */
} process;

/* Parses the fields after the process name. Returns 0 if they cannot be read. */
static int read_stat(long pid, process *out)
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
    if (!at || sscanf(at + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %ld %*s %llu",
                      &out->state, &out->threads, &ticks) != 3)
        return 0;
    out->start = (apr_uint32_t)ticks | UNKNOWN;
    return 1;
}

void st_owner_init(void)
{
    process me = {0, 0, UNKNOWN};

    read_stat((long)getpid(), &me);
    __atomic_store_n(&self, (apr_uint64_t)me.start << 32 | (apr_uint32_t)getpid(), __ATOMIC_RELAXED);
}

apr_uint64_t st_owner_self(void)
{
    apr_uint64_t word = __atomic_load_n(&self, __ATOMIC_RELAXED);

    if (word)
        return word;
    st_owner_init();
    return __atomic_load_n(&self, __ATOMIC_RELAXED);
}

/* A fast check that does not detect zombies. */
static int is_gone(apr_uint64_t word)
{
    return word > 1 && kill((pid_t)(apr_uint32_t)word, 0) < 0 && errno == ESRCH;
}

/* If the main thread is a zombie, other threads may still run, and the process has not ended. */
int st_owner_is_dead(apr_uint64_t word)
{
    apr_uint32_t start = (apr_uint32_t)(word >> 32);
    process now;

    if (word <= 1 || word == st_owner_self())
        return 0;
    if (is_gone(word))
        return 1;
    if (!read_stat((long)(apr_uint32_t)word, &now))
        return 0;
    if (start != UNKNOWN && now.start != start)
        return 1;
    return (now.state == 'Z' || now.state == 'X') && now.threads <= 1;
}

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

static int try_acquire(st_lock_word *word, apr_uint64_t from)
{
    return __atomic_compare_exchange_n(word, &from, st_owner_self(), 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

apr_status_t st_lock_within(st_lock_word *word, apr_time_t *patience)
{
    unsigned round;

    if (try_acquire(word, 0))
        return APR_SUCCESS;
    for (round = 0; round<SPINS && * patience> 0; round++) {
        if (!__atomic_load_n(word, __ATOMIC_RELAXED) && try_acquire(word, 0))
            return APR_SUCCESS;
        relax();
    }
    for (round = 0; round<YIELDS && * patience> 0; round++) {
        apr_uint64_t held = __atomic_load_n(word, __ATOMIC_RELAXED);

        if (try_acquire(word, 0) || (is_gone(held) && try_acquire(word, held)))
            return APR_SUCCESS;
        sched_yield();
    }
    while (*patience > 0) {
        apr_uint64_t held = __atomic_load_n(word, __ATOMIC_RELAXED);

        if (try_acquire(word, 0) || (st_owner_is_dead(held) && try_acquire(word, held)))
            return APR_SUCCESS;
        usleep(NAP);
        *patience -= NAP;
    }
    return APR_TIMEUP;
}

apr_status_t st_lock(st_lock_word *word)
{
    apr_time_t patience = ST_LOCK_PATIENCE;

    return st_lock_within(word, &patience);
}

void st_unlock(st_lock_word *word)
{
    ST_CRASH_POINT();
    __atomic_store_n(word, 0, __ATOMIC_RELEASE);
}
