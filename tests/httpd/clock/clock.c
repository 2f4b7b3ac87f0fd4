/*
 * A clock that tests can set: the system's clock and an offset in microseconds, which lies in the file that the environment
 * variable INTERAUTH_TEST_CLOCK names. Every process of a server maps the file, so that all see a change at once.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "clock.h"

static const apr_int64_t *offset;

static void map_offset(void)
{
    const char *path = getenv("INTERAUTH_TEST_CLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *mapped = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, fd, 0);

    if (fd >= 0)
        close(fd);
    if (mapped != MAP_FAILED)
        offset = mapped;
}

apr_time_t clock_now(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, map_offset);
    return apr_time_now() + (offset ? __atomic_load_n(offset, __ATOMIC_RELAXED) : 0);
}
