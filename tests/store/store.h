/**
 * Helpers for the tests of the store: shared memory between guard pages, child processes and threads with a time
 * limit, and assertions for child processes.
 */
#ifndef TESTS_STORE_STORE_H
#define TESTS_STORE_STORE_H

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_pools.h>
#include "grant_table.h"
#include "participant_table.h"
#include "replay_cache.h"
#include "shm_layout.h"

#define NOW APR_INT64_C(1763800000000000)
#define SEC APR_INT64_C(1000000)

/** Assertion for tests without cmocka and for child processes: reports the failure and exits. */
#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s is not true\n", __FILE__, __LINE__, #condition);                                \
            _exit(1);                                                                                                  \
        }                                                                                                              \
    } while (0)

#define CHECK_EQ(actual, expected)                                                                                     \
    do {                                                                                                               \
        long long actual_ = (long long)(actual), expected_ = (long long)(expected);                                    \
        if (actual_ != expected_) {                                                                                    \
            fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #actual, actual_, expected_);         \
            _exit(1);                                                                                                  \
        }                                                                                                              \
    } while (0)

/** Returns shared, zeroed memory between two guard pages, which is valid until the process ends. */
static inline void *shared_memory(apr_size_t size)
{
    apr_size_t page = (apr_size_t)sysconf(_SC_PAGESIZE), whole = (size + page - 1) / page * page;
    char *at = mmap(NULL, whole + 2 * page, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    CHECK(at != MAP_FAILED);
    CHECK_EQ(mprotect(at + page, whole, PROT_READ | PROT_WRITE), 0);
    return at + page;
}

static inline void shared_memory_free(void *memory, apr_size_t size)
{
    apr_size_t page = (apr_size_t)sysconf(_SC_PAGESIZE), whole = (size + page - 1) / page * page;

    CHECK_EQ(munmap((char *)memory - page, whole + 2 * page), 0);
}

/** Runs `work` in a child process, which is killed after `seconds`. */
static inline pid_t spawn(void (*work)(void *), void *argument, unsigned seconds)
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        alarm(seconds);
        st_owner_init();
        work(argument);
        _exit(0);
    }
    return pid;
}

/** Waits for a child. Returns the status from waitpid. */
static inline int reap(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0) {
        CHECK_EQ(errno, EINTR);
    }
    return status;
}

static inline void reap_well(pid_t pid)
{
    int status = reap(pid);

    if (status) {
        fprintf(stderr, "a child ended with status %#x\n", (unsigned)status);
        _exit(1);
    }
}

/** Returns the microseconds of a monotonic clock. */
static inline apr_int64_t clock_micros(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (apr_int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

/** Returns the next number of a reproducible sequence (xorshift64*). */
static inline uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * UINT64_C(2685821657736338717);
}

/** Derives 32 bytes that look random from a number. */
static inline void digest_of(unsigned char out[32], uint64_t number)
{
    uint64_t seed = number * UINT64_C(0x9e3779b97f4a7c15) + 1, word;
    int i;

    for (i = 0; i < 4; i++) {
        word = next_random(&seed);
        memcpy(out + 8 * i, &word, 8);
    }
}

static inline void key_of(ia_mac_key *key, const char *text)
{
    unsigned char secret[32] = {0};

    memcpy(secret, text, strlen(text) < 32 ? strlen(text) : 32);
    CHECK_EQ(ia_mac_key_load(key, secret, sizeof secret), IA_OK);
}

/** Creates a table of grants in new memory. */
static inline void *grants_open(st_grants *g, const st_grants_config *config)
{
    void *memory = shared_memory(st_grants_size(config));
    ia_mac_key nonce_key;

    key_of(&nonce_key, "nonce key");
    st_grants_attach(g, memory, config, &nonce_key);
    return memory;
}

/** Creates a replay cache in new memory. */
static inline void *replays_open(st_replay_cache *c, apr_uint32_t capacity, apr_uint32_t participants)
{
    void *memory = shared_memory(st_replays_size(capacity, participants));
    ia_mac_key key;

    key_of(&key, "hash of proofs");
    st_replays_attach(c, memory, capacity, participants, &key, NOW);
    return memory;
}

static inline void grant_make(st_grant *grant, uint64_t number, apr_uint32_t participant, unsigned nonces)
{
    memset(grant, 0, sizeof *grant);
    digest_of(grant->digest, number);
    grant->participant_index = participant;
    grant->participant_generation = participant + 1;
    grant->presentation = 1;
    grant->secret_fingerprint = number;
    grant->scope = number;
    grant->created = NOW;
    grant->expires = NOW + 3600 * SEC;
    grant->part = ST_GRANT_WITH_NONCES;
    grant->nonces.state.issued = nonces;
}

/** Returns the number of records in a participant's count. */
static inline apr_uint32_t count_of(const apr_uint64_t *counts, apr_uint32_t participant)
{
    return (apr_uint32_t)__atomic_load_n(&counts[participant], __ATOMIC_ACQUIRE);
}

static inline void *participants_open(st_participants *t, apr_uint32_t capacity)
{
    void *memory = shared_memory(st_participants_size(capacity));
    ia_mac_key key;

    key_of(&key, "hash");
    st_participants_attach(t, memory, capacity, &key);
    return memory;
}

/** Sets a challenge secret that consists of one repeated byte, which depends on the version. */
static inline void challenge_make(ia_challenge_secret *out, unsigned bytes, apr_uint64_t version)
{
    unsigned i;

    out->fingerprint = version;
    for (i = 0; i < bytes; i++)
        snprintf(out->text + 2 * i, 3, "%02x", (unsigned)(version & 0xff));
}

static inline int bytes_are(const void *bytes, apr_size_t len, apr_uint64_t version)
{
    apr_size_t i;

    for (i = 0; i < len; i++)
        if (((const unsigned char *)bytes)[i] != (version & 0xff))
            return 0;
    return 1;
}

/** Creates participants "p<from>" .. All fields depend on the version, so that torn records are detected. */
static inline void participants_make(ia_participants *out, apr_pool_t *p, unsigned from, unsigned count,
                                     apr_uint64_t version)
{
    unsigned i, k;

    out->count = count;
    out->list = apr_pcalloc(p, (count ? count : 1) * sizeof *out->list);
    for (i = 0; i < count; i++) {
        ia_participant *to = &out->list[i];
        char *id = apr_palloc(p, 16);

        snprintf(id, 16, "p%u", from + i);
        to->id = id;
        to->status = IA_STATUS_APPROVED;
        to->expires = (apr_time_t)version;
        to->token_max_lifespan = (apr_int64_t)version;
        to->secret_count = IA_PARTICIPANT_SECRETS;
        for (k = 0; k < IA_PARTICIPANT_SECRETS; k++) {
            memset(&to->secrets[k].mac, (int)(version & 0xff), sizeof to->secrets[k].mac);
            to->secrets[k].fingerprint = version;
            to->secrets[k].not_after = (apr_time_t)version;
        }
        challenge_make(&to->challenge_md5, IA_CHALLENGE_MD5_LEN / 2, version);
        challenge_make(&to->challenge_hmac, IA_CHALLENGE_HMAC_LEN / 2, version);
    }
}

/** Whether all fields are of the same version. */
static inline int participant_is_whole(const st_participant *p)
{
    apr_uint64_t version = (apr_uint64_t)p->entitlement.expires;
    unsigned k;

    if (p->entitlement.token_max_lifespan != (apr_int64_t)version || p->secret_count != IA_PARTICIPANT_SECRETS ||
        p->id_len != strlen(p->id))
        return 0;
    for (k = 0; k < IA_PARTICIPANT_SECRETS; k++) {
        if (p->secrets[k].fingerprint != version || p->secrets[k].not_after != (apr_time_t)version ||
            !bytes_are(&p->secrets[k].mac, sizeof p->secrets[k].mac, version))
            return 0;
    }
    return p->challenge.md5_fingerprint == version && p->challenge.hmac_fingerprint == version &&
           bytes_are(p->challenge.md5, sizeof p->challenge.md5, version) &&
           bytes_are(p->challenge.hmac, sizeof p->challenge.hmac, version);
}

#endif
