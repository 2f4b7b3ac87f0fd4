/* The lock: its owner, takeover from dead owners, and limited waiting. Built with a short patience. */
#include "unit/support.h"
#include "store.h"

typedef struct board {
    st_lock_word lock;
    apr_uint64_t word; /* owner word of a child */
    apr_uint64_t count;
    int ready;
} board;

static board *b;

static int board_open(void **state)
{
    (void)state;
    b = shared_memory(sizeof *b);
    st_owner_init();
    return 0;
}

static int board_clear(void **state)
{
    (void)state;
    memset(b, 0, sizeof *b);
    return 0;
}

static void wait_ready(void)
{
    while (!__atomic_load_n(&b->ready, __ATOMIC_ACQUIRE))
        usleep(200);
}

static void lock_and_wait(void *unused)
{
    (void)unused;
    CHECK_EQ(st_lock(&b->lock), APR_SUCCESS);
    b->word = st_owner_self();
    __atomic_store_n(&b->ready, 1, __ATOMIC_RELEASE);
    for (;;)
        pause();
}

static pid_t holder(void)
{
    pid_t pid = spawn(lock_and_wait, NULL, 30);

    wait_ready();
    return pid;
}

static void test_free_lock(void **state)
{
    (void)state;
    assert_int_equal(st_lock(&b->lock), APR_SUCCESS);
    assert_true(b->lock == st_owner_self());
    st_unlock(&b->lock);
    assert_true(b->lock == 0);
}

static void test_live_owner_keeps_it(void **state)
{
    pid_t pid = holder();
    apr_int64_t before = clock_micros();

    (void)state;
    assert_int_equal(st_lock(&b->lock), APR_TIMEUP);
    assert_true(clock_micros() - before >= ST_LOCK_PATIENCE);
    assert_true(b->lock == b->word);
    kill(pid, SIGSTOP); /* a stopped process is not dead */
    assert_int_equal(st_lock(&b->lock), APR_TIMEUP);
    kill(pid, SIGKILL);
    reap(pid);
}

static void test_killed_owner_loses_it(void **state)
{
    pid_t pid = holder();

    (void)state;
    assert_int_equal(st_owner_is_dead(b->word), 0);
    kill(pid, SIGKILL);
    reap(pid);
    assert_int_equal(st_owner_is_dead(b->word), 1);
    assert_int_equal(st_lock(&b->lock), APR_SUCCESS);
    assert_true(b->lock == st_owner_self());
}

static void test_zombie_loses_it(void **state)
{
    pid_t pid = holder();
    siginfo_t info;

    (void)state;
    kill(pid, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(st_lock(&b->lock), APR_SUCCESS);
    reap(pid);
}

static void *report_ready(void *unused)
{
    __atomic_store_n(&b->ready, 1, __ATOMIC_RELEASE);
    for (;;)
        pause();
    return unused;
}

static void lock_and_leave_a_thread(void *unused)
{
    pthread_t thread;

    (void)unused;
    CHECK_EQ(st_lock(&b->lock), APR_SUCCESS);
    b->word = st_owner_self();
    CHECK_EQ(pthread_create(&thread, NULL, report_ready, NULL), 0);
    pthread_exit(NULL);
}

static char state_of(pid_t pid)
{
    char path[40], text[400] = "", *at;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    file = fopen(path, "r");
    if (file) {
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        fclose(file);
    }
    at = strrchr(text, ')');
    return at ? at[2] : '?';
}

/* The first thread is a zombie, but another thread of the process may still hold the lock. */
static void test_zombie_leader_with_a_thread_keeps_it(void **state)
{
    pid_t pid = spawn(lock_and_leave_a_thread, NULL, 30);
    int i;

    (void)state;
    wait_ready();
    for (i = 0; i < 1000 && state_of(pid) != 'Z'; i++)
        usleep(1000);
    assert_int_equal(state_of(pid), 'Z');
    assert_int_equal(st_owner_is_dead(b->word), 0);
    assert_int_equal(st_lock(&b->lock), APR_TIMEUP);
    kill(pid, SIGKILL);
    reap(pid);
    assert_int_equal(st_lock(&b->lock), APR_SUCCESS);
}

static void test_recycled_pid(void **state)
{
    pid_t pid = holder();
    apr_uint64_t other = b->word ^ APR_UINT64_C(1) << 40; /* same pid, another start time */

    (void)state;
    assert_int_equal(st_owner_is_dead(other), 1);
    b->lock = other;
    assert_int_equal(st_lock(&b->lock), APR_SUCCESS);
    kill(pid, SIGKILL);
    reap(pid);
}

/* An owner without a start time is dead only if its pid does not exist. */
static void test_unknown_start(void **state)
{
    pid_t pid = holder();
    apr_uint64_t word = APR_UINT64_C(0x80000000) << 32 | (apr_uint32_t)pid;

    (void)state;
    assert_int_equal(st_owner_is_dead(word), 0);
    kill(pid, SIGKILL);
    reap(pid);
    assert_int_equal(st_owner_is_dead(word), 1);
}

static void test_nobody_and_self(void **state)
{
    (void)state;
    assert_int_equal(st_owner_is_dead(0), 0);
    assert_int_equal(st_owner_is_dead(1), 0);
    assert_int_equal(st_owner_is_dead(st_owner_self()), 0);
    assert_true(st_owner_self() > 1 && (apr_uint32_t)st_owner_self() == (apr_uint32_t)getpid());
    assert_int_equal(st_lock(&b->lock), APR_SUCCESS);
    assert_int_equal(st_lock(&b->lock), APR_TIMEUP); /* another thread of this process holds it */
}

static void test_invalid_words(void **state)
{
    static const apr_uint64_t wild[] = {1,
                                        2,
                                        0xffffffff,
                                        0x80000000,
                                        APR_UINT64_C(0xffffffff00000000),
                                        APR_UINT64_C(0xffffffffffffffff),
                                        APR_UINT64_C(0x7fffffff00000001)};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(wild); i++) {
        apr_int64_t before = clock_micros();

        b->lock = wild[i];
        st_lock(&b->lock);
        assert_true(clock_micros() - before < 100 * ST_LOCK_PATIENCE + SEC);
    }
}

static void test_total_patience(void **state)
{
    pid_t pid = holder();
    apr_time_t patience = ST_LOCK_PATIENCE;
    apr_int64_t before;

    (void)state;
    assert_int_equal(st_lock_within(&b->lock, &patience), APR_TIMEUP);
    assert_true(patience <= 0);
    before = clock_micros();
    for (int i = 0; i < 1000; i++)
        assert_int_equal(st_lock_within(&b->lock, &patience), APR_TIMEUP);
    assert_true(clock_micros() - before < SEC / 4);
    kill(pid, SIGKILL);
    reap(pid);
    b->lock = 0;
    assert_int_equal(st_lock_within(&b->lock, &patience), APR_SUCCESS); /* a free lock needs no patience */
}

#define ROUNDS 20000

static void *count_up(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        while (st_lock(&b->lock) != APR_SUCCESS)
            ;
        b->count++; /* not atomic on purpose: only the lock protects it */
        st_unlock(&b->lock);
    }
    return unused;
}

static void count_up_in_threads(void *unused)
{
    pthread_t threads[4];

    (void)unused;
    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, count_up, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

static void test_one_at_a_time(void **state)
{
    pid_t pids[3];

    (void)state;
    for (int i = 0; i < 3; i++)
        pids[i] = spawn(count_up_in_threads, NULL, 60);
    for (int i = 0; i < 3; i++)
        reap_well(pids[i]);
    assert_true(b->count == 12 * ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_free_lock, board_clear),
        cmocka_unit_test_setup(test_live_owner_keeps_it, board_clear),
        cmocka_unit_test_setup(test_killed_owner_loses_it, board_clear),
        cmocka_unit_test_setup(test_zombie_loses_it, board_clear),
        cmocka_unit_test_setup(test_zombie_leader_with_a_thread_keeps_it, board_clear),
        cmocka_unit_test_setup(test_recycled_pid, board_clear),
        cmocka_unit_test_setup(test_unknown_start, board_clear),
        cmocka_unit_test_setup(test_nobody_and_self, board_clear),
        cmocka_unit_test_setup(test_invalid_words, board_clear),
        cmocka_unit_test_setup(test_total_patience, board_clear),
        cmocka_unit_test_setup(test_one_at_a_time, board_clear),
    };

    return cmocka_run_group_tests(tests, board_open, NULL);
}
