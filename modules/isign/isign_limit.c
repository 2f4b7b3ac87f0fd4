/*
 * Limits how much time a child spends on signatures. After too many failures with one keyid from one address, further
 * signatures are refused without a verification, whether or not the keyid is known. The memory for failures is bounded: the
 * client whose last failure is the oldest is forgotten first.
 */
#include <httpd.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <string.h>
#include <unistd.h>
#include "interauth/mac.h"
#include "isign_limit.h"

#define SETS  512
#define WAYS  4
#define BURST 200                     /* failures in a row */
#define PAUSE (APR_USEC_PER_SEC / 20) /* after which one failure is forgotten */
#define WAIT  apr_time_from_sec(1)    /* until another verification ends */

/* A leaky bucket: all its failures are forgotten at `empty_at`. */
typedef struct bucket {
    apr_uint64_t who;
    apr_time_t empty_at;
} bucket;

static struct {
    apr_thread_mutex_t *lock;
    apr_thread_cond_t *left;
    unsigned under_way, most;
    bucket sets[SETS][WAYS];
} limit;

void isign_limit_child_init(apr_pool_t *p)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    memset(&limit, 0, sizeof limit);
    limit.most = processors > 2 ? (unsigned)processors * 2 : 4;
    if (apr_thread_mutex_create(&limit.lock, APR_THREAD_MUTEX_DEFAULT, p) || apr_thread_cond_create(&limit.left, p))
        limit.lock = NULL;
}

static apr_uint64_t name_of(const char *address, const ia_sfv_text *keyid)
{
    ia_bytes parts[] = {{address, strlen(address) + 1}, {keyid->data, keyid->len}};
    unsigned char digest[IA_SHA256_LEN];
    apr_uint64_t who;

    ia_sha256(digest, parts, 2);
    memcpy(&who, digest, sizeof who);
    return who;
}

/* A time further ahead than possible was written before the clock was set back. */
static int is_full(const bucket *b, apr_time_t now)
{
    return b->empty_at - now > BURST * PAUSE && b->empty_at - now < 2 * BURST * PAUSE;
}

static bucket *find(apr_uint64_t who)
{
    bucket *set = limit.sets[who % SETS];
    int i;

    for (i = 0; i < WAYS; i++)
        if (set[i].who == who)
            return &set[i];
    return NULL;
}

static void count_failure(apr_uint64_t who, apr_time_t now)
{
    bucket *set = limit.sets[who % SETS], *b = find(who);
    int i;

    if (!b) {
        for (b = set, i = 1; i < WAYS; i++)
            if (set[i].empty_at < b->empty_at)
                b = &set[i];
        b->who = who;
        b->empty_at = now;
    }
    if (b->empty_at < now || b->empty_at - now >= 2 * BURST * PAUSE)
        b->empty_at = now;
    b->empty_at += PAUSE;
}

ia_result isign_limit_enter(isign_limit *out, const char *address, const ia_sfv_text *keyid, apr_time_t now)
{
    apr_status_t rv = APR_SUCCESS;
    const bucket *b;

    if (out->entered)
        return IA_OK;
    if (!limit.lock)
        return IA_FAULT_INTERNAL;
    out->who = name_of(address, keyid);
    apr_thread_mutex_lock(limit.lock);
    b = find(out->who);
    if (b && is_full(b, now))
        rv = APR_EAGAIN;
    while (!rv && limit.under_way >= limit.most)
        rv = apr_thread_cond_timedwait(limit.left, limit.lock, WAIT);
    if (!rv) {
        limit.under_way++;
        out->entered = 1;
    }
    apr_thread_mutex_unlock(limit.lock);
    return rv ? IA_VERIFICATIONS_FULL : IA_OK;
}

static int is_failure(ia_result rc)
{
    return rc >= IA_SIG_KEY_UNKNOWN && rc <= IA_SIG_MISMATCH;
}

void isign_limit_leave(isign_limit *out, ia_result rc, apr_time_t now)
{
    if (!out->entered)
        return;
    out->entered = 0;
    apr_thread_mutex_lock(limit.lock);
    limit.under_way--;
    if (is_failure(rc))
        count_failure(out->who, now);
    apr_thread_cond_signal(limit.left);
    apr_thread_mutex_unlock(limit.lock);
}
