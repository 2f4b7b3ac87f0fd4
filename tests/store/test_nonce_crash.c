/*
 * A process may be killed between any two stores to the state of nonces. This test takes a snapshot after every store:
 * the state is on a write-protected page, and each store faults and is single-stepped. In no snapshot may a nonce be
 * accepted that was accepted before.
 */
#include "unit/support.h"
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#include "nonce_window.h"

#define LIFETIME APR_UINT64_C(300000000)
#define NOW      APR_UINT64_C(1763800000000000)

#if defined(__x86_64__) && defined(__linux__)

#define TRAP_FLAG     0x100
#define SNAPSHOTS_MAX 400

static st_nonces *guarded;
static size_t page;
static st_nonces snapshots[SNAPSHOTS_MAX];
static volatile sig_atomic_t snapshot_count;

static void on_store(int number, siginfo_t *info, void *context)
{
    ucontext_t *at = context;
    char *address = info->si_addr;

    (void)number;
    if (address < (char *)guarded || address >= (char *)guarded + page) {
        _exit(99);
    }
    mprotect(guarded, page, PROT_READ | PROT_WRITE);
    at->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
}

static void on_step(int number, siginfo_t *info, void *context)
{
    ucontext_t *at = context;

    (void)number;
    (void)info;
    if (snapshot_count < SNAPSHOTS_MAX) {
        snapshots[snapshot_count++] = *guarded;
    }
    mprotect(guarded, page, PROT_READ);
    at->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)TRAP_FLAG;
}

/* Called by each test, because cmocka installs its own fault handler before each. */
static void watch(void)
{
    struct sigaction fault = {.sa_sigaction = on_store, .sa_flags = SA_SIGINFO};
    struct sigaction step = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};

    assert_int_equal(sigaction(SIGSEGV, &fault, NULL), 0);
    assert_int_equal(sigaction(SIGTRAP, &step, NULL), 0);
}

static int guard_open(void **state)
{
    (void)state;
    page = (size_t)sysconf(_SC_PAGESIZE);
    guarded = mmap(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return guarded == MAP_FAILED;
}

static int guard_close(void **state)
{
    (void)state;
    return munmap(guarded, page);
}

/* Uses a nonce on the protected page, with one snapshot per store. */
static st_result use_watched(st_nonces *s, const ia_nonce_claim *claim)
{
    st_result rc;

    mprotect(guarded, page, PROT_READ | PROT_WRITE);
    *guarded = *s;
    mprotect(guarded, page, PROT_READ);
    snapshot_count = 0;
    rc = st_nonces_use(guarded, claim, NOW, LIFETIME);
    assert_true(snapshot_count < SNAPSHOTS_MAX);
    *s = *guarded;
    return rc;
}

#define PAST_MAX 3000

static void check_snapshots(const ia_nonce_claim *past, unsigned count)
{
    for (int i = 0; i < snapshot_count; i++) {
        for (unsigned k = count > 700 ? count - 700 : 0; k < count; k++) {
            st_nonces copy = snapshots[i];

            if (st_nonces_use(&copy, &past[k], NOW, LIFETIME) == ST_OK) {
                fail_msg("killed after store %d, nonce %" APR_UINT64_T_FMT " is accepted again", i + 1, past[k].value);
            }
        }
    }
}

static void run(uint64_t seed, unsigned steps, int fresh)
{
    static ia_nonce_claim past[PAST_MAX];
    st_nonces s = {0};
    unsigned count = 0, stores = 0;

    for (unsigned step = 0; step < steps; step++) {
        ia_nonce_claim claim = {IA_NONCE_NEXT, 0};

        if (fresh) {
            claim.kind = IA_NONCE_FRESH;
            claim.value = NOW - 4000 + step * 2 + random_next(&seed) % 64;
        } else {
            unsigned ahead = 1 + (unsigned)(random_next(&seed) % (random_next(&seed) % 6 ? 4 : 300));

            while (ahead-- > 0) {
                s.issued++;
            }
            claim.value = s.issued - random_next(&seed) % (s.issued < 40 ? s.issued : 40);
        }
        if (use_watched(&s, &claim) == ST_OK) {
            /* The current nonce may be used or not, because the client got no response. The older ones are used. */
            assert_true(snapshot_count > 0);
            stores += (unsigned)snapshot_count;
            check_snapshots(past, count);
            past[count++] = claim;
            snapshots[0] = s;
            snapshot_count = 1;
            check_snapshots(past, count);
        }
    }
    assert_true(count > steps / 4 && stores > count);
}

static void test_kill_while_using_next_nonces(void **state)
{
    (void)state;
    watch();
    run(1, 300, 0);
    run(2, 300, 0);
}

static void test_kill_while_using_fresh_nonces(void **state)
{
    (void)state;
    watch();
    run(3, 400, 1);
    run(4, 400, 1);
}

/* After a kill at each store, the server continues with the remaining state, and accepts no nonce twice. */
static void test_life_after_a_kill(void **state)
{
    uint64_t seed = 8;

    (void)state;
    watch();
    for (unsigned round = 0; round < 60; round++) {
        static ia_nonce_claim past[PAST_MAX];
        st_nonces s = {0};
        unsigned count = 0;

        for (unsigned step = 0; step < 60; step++) {
            int fresh = round % 2;
            ia_nonce_claim claim = {fresh ? IA_NONCE_FRESH : IA_NONCE_NEXT, 0};

            s.issued += 1 + random_next(&seed) % (step % 10 == 9 ? 200 : 3);
            claim.value = fresh ? NOW - 100 + random_next(&seed) % 100 : s.issued - random_next(&seed) % 2;
            if (claim.value == 0 || use_watched(&s, &claim) != ST_OK) {
                continue;
            }
            check_snapshots(past, count);
            if (random_next(&seed) % 3 == 0) {
                s = snapshots[random_next(&seed) % (unsigned)snapshot_count];
            } else {
                past[count++] = claim;
            }
        }
        assert_true(count > 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kill_while_using_next_nonces),
        cmocka_unit_test(test_kill_while_using_fresh_nonces),
        cmocka_unit_test(test_life_after_a_kill),
    };

    return cmocka_run_group_tests(tests, guard_open, guard_close);
}

#else

int main(void)
{
    puts("SKIP: single-stepping is only known here for Linux on x86-64");
    return 77;
}

#endif
