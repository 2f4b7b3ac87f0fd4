/**
 * A lock that is one word of shared memory: the owner's process id and start time, taken by compare-and-swap.
 *
 * Whoever waits for long looks whether the owner still lives, and takes the lock over from a dead one; what it guards
 * must therefore be sound after a kill at any instruction. Nothing waits for ever: after ST_LOCK_PATIENCE the caller
 * gets APR_TIMEUP and fails closed. No pthread mutex is used: its lists lie in memory that children can write, and
 * the root parent would follow them.
 */
#ifndef INTERAUTH_ST_CAS_LOCK_H
#define INTERAUTH_ST_CAS_LOCK_H

#include <apr.h>
#include <apr_errno.h>
#include <apr_time.h>

#ifndef ST_LOCK_PATIENCE
#define ST_LOCK_PATIENCE apr_time_from_sec(2)
#endif

/** 0 is free. */
typedef apr_uint64_t st_lock_word;

/** Learns who this process is. Call it in every process that will lock, after its fork. */
void st_owner_init(void);

/** The word of this process. */
apr_uint64_t st_owner_self(void);

/**
 * Whether the process behind a word has ended, with all its threads. A zombie counts as ended. 0 and 1 are nobody:
 * not dead. Costs two system calls or more.
 */
int st_owner_is_dead(apr_uint64_t word);

/** @return APR_SUCCESS with the lock held, or APR_TIMEUP */
apr_status_t st_lock(st_lock_word *word);

/**
 * The same for a caller that takes many locks and will not wait for ever in sum: what it waited goes off `patience`
 * (microseconds). Without any left it only tries.
 */
apr_status_t st_lock_within(st_lock_word *word, apr_time_t *patience);

void st_unlock(st_lock_word *word);

#endif
