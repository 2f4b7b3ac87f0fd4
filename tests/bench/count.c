/*
 * Counts the user-mode instructions of a process by single-stepping its threads. This is slow but exact, works on any
 * machine, and includes the hash instructions of the processor, which emulators may not support. A repeated string
 * instruction counts once. Prints "ready" when it starts, and the count at the end of its standard input.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS_MAX 1024

#if defined(__x86_64__)
#define PROGRAM_COUNTER offsetof(struct user_regs_struct, rip)
#else
#error "count: only x86-64 is supported"
#endif

typedef struct thread {
    pid_t id;
    long at; /* address of the previous instruction */
} thread;

static thread threads[THREADS_MAX];
static unsigned thread_count;
static volatile sig_atomic_t ended;

static void die(const char *what)
{
    fprintf(stderr, "count: %s: %s\n", what, strerror(errno));
    exit(1);
}

static thread *find(pid_t id)
{
    unsigned i;

    for (i = 0; i < thread_count; i++)
        if (threads[i].id == id)
            return &threads[i];
    return NULL;
}

static void seize_all(const char *pid)
{
    char path[64];
    struct dirent *entry;
    DIR *dir;

    snprintf(path, sizeof path, "/proc/%s/task", pid);
    if (!(dir = opendir(path)))
        die(path);
    while ((entry = readdir(dir))) {
        pid_t id = (pid_t)strtol(entry->d_name, NULL, 10);

        if (id <= 0 || thread_count == THREADS_MAX)
            continue;
        if (ptrace(PTRACE_SEIZE, id, NULL, NULL))
            die("PTRACE_SEIZE");
        threads[thread_count++].id = id;
    }
    closedir(dir);
}

static void interrupt_all(void)
{
    unsigned i;

    for (i = 0; i < thread_count; i++)
        ptrace(PTRACE_INTERRUPT, threads[i].id, NULL, NULL);
}

/* Continues a stopped thread for one instruction. Returns 1 if one was executed before. */
static int step(thread *t, int status)
{
    int signal = WSTOPSIG(status), is_step = status >> 8 == SIGTRAP, counted = 0;

    if (is_step) {
        long at = ptrace(PTRACE_PEEKUSER, t->id, PROGRAM_COUNTER, NULL);

        counted = at != t->at;
        t->at = at;
    }
    if (status >> 16 || is_step)
        signal = 0;
    ptrace(PTRACE_SINGLESTEP, t->id, NULL, signal);
    return counted;
}

static void on_end(int signal)
{
    (void)signal;
    ended = 1;
}

/* A trap that was raised but not reported would kill the process when it is not traced any more. */
static int has_signal(pid_t id)
{
    struct __ptrace_peeksiginfo_args ask = {.off = 0, .flags = 0, .nr = 1};
    siginfo_t found;

    return ptrace(PTRACE_PEEKSIGINFO, id, &ask, &found) > 0;
}

/* Waits until each thread is stopped once more, and detaches it. */
static void release_all(void)
{
    unsigned left = thread_count;

    interrupt_all();
    while (left) {
        int status;
        pid_t id = waitpid(-1, &status, __WALL);

        if (id < 0 && errno == EINTR)
            continue;
        if (id < 0)
            break;
        if (!find(id))
            continue;
        if (WIFSTOPPED(status) && status >> 16 && has_signal(id)) {
            ptrace(PTRACE_CONT, id, NULL, NULL);
            continue;
        }
        ptrace(PTRACE_DETACH, id, NULL, NULL);
        left--;
    }
}

/*
 * A child process reads standard input, because the tracer blocks in waitpid; it interrupts the tracer until that
 * ends.
 */
static void watch_input(void)
{
    struct sigaction action = {.sa_handler = on_end};
    pid_t parent = getpid();

    sigaction(SIGUSR1, &action, NULL);
    if (fork() == 0) {
        char byte;

        while (read(0, &byte, 1) > 0)
            ;
        while (getppid() == parent && !kill(parent, SIGUSR1))
            usleep(10000);
        _exit(0);
    }
}

int main(int argc, char **argv)
{
    unsigned long long count = 0;

    if (argc != 2) {
        fputs("usage: count PID\n", stderr);
        return 2;
    }
    watch_input();
    seize_all(argv[1]);
    interrupt_all();
    puts("ready");
    fflush(stdout);
    while (!ended) {
        int status;
        pid_t id = waitpid(-1, &status, __WALL);
        thread *t = id > 0 ? find(id) : NULL;

        if (t && WIFSTOPPED(status))
            count += (unsigned)step(t, status);
    }
    release_all();
    printf("%llu\n", count);
    return 0;
}
