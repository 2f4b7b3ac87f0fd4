/**
 * A lock in one word of shared memory: the owner's process id and start time, set by compare-and-swap.
 *
 * A process that waits for long checks whether the owner is alive, and takes over the lock of a dead owner. The
 * protected data must therefore be valid after a kill at any instruction. After ST_LOCK_PATIENCE, the caller gets
 * APR_TIMEUP and must fail closed. pthread mutexes are not used, because their lists are in memory that children can
 * write, and the parent process, which runs as root, would follow them.
 */
#ifndef INTERAUTH_ST_CAS_LOCK_H
#define INTERAUTH_ST_CAS_LOCK_H

#include <apr.h>
#include <apr_errno.h>
#include <apr_time.h>

#ifndef ST_LOCK_PATIENCE
#define ST_LOCK_PATIENCE apr_time_from_sec(2)
#endif

/** 0: free */
typedef apr_uint64_t st_lock_word;

/** Determines the owner word of this process. Must be called after fork in every process that locks. */
void st_owner_init(void);

/** Returns the owner word of this process. */
apr_uint64_t st_owner_self(void);

/**
 * Whether the process of an owner word has ended with all its threads. A zombie has ended; 0 and 1 are not processes
 * and not dead. Needs at least two system calls.
 */
int st_owner_is_dead(apr_uint64_t word);

/** @return APR_SUCCESS with the lock held, or APR_TIMEUP */
apr_status_t st_lock(st_lock_word *word);

/**
 * The same with a limit for several locks: `patience`, in microseconds, is reduced by the time spent waiting. If it is
 * 0, the function does not wait.
 */
apr_status_t st_lock_within(st_lock_word *word, apr_time_t *patience);

void st_unlock(st_lock_word *word);

#endif
