/*
 * A load generator. Each connection has its own chain of nonces, as required for one-time nonces. Closed loop with
 * epoll, keep-alive, 127.0.0.1 only. It prints "ready" when each connection has received a response with status 200,
 * waits for a line, runs, and prints the results as JSON.
 */
#include <apr_general.h>
#include <apr_strings.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "interauth/encoding.h"
#include "schemes.h"

#define HEAD_MAX    8192
#define CHUNK       65536
#define SAMPLES_MAX 4000000
#define TRIES_MAX   3   /* maximum number of challenges before the first 200 */
#define LIMIT       600 /* seconds; longer than any run */

typedef struct connection {
    int fd;
    int tries; /* responses before the first 200 */
    chain chain;
    char out[HEAD_MAX];
    size_t out_len, out_sent;
    apr_off_t body_left; /* of the request */
    char in[HEAD_MAX + 1];
    size_t in_len;
    apr_off_t skip; /* of the response's body */
    int in_body;    /* the status, after the header was read */
    double began;
} connection;

static struct {
    credentials credentials;
    const char *host;
    int port;
    unsigned connections;
    unsigned long requests; /* 0: run for `seconds` */
    double seconds;
    apr_off_t body;
    const char *fields; /* further header fields */
} want = {.host = "127.0.0.1", .connections = 1};

static struct {
    int epoll;
    apr_pool_t *pool; /* of one request */
    char chunk[CHUNK];
    int measuring;
    double began, deadline;
    unsigned long started, answered, refused;
    unsigned busy;
    float *samples;
    unsigned long sample_count;
} run;

static void die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, errno ? strerror(errno) : "unexpected");
    exit(1);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void watch(connection *c, unsigned events, int operation)
{
    struct epoll_event e = {.events = events, .data.ptr = c};

    if (epoll_ctl(run.epoll, operation, c->fd, &e))
        die("epoll_ctl");
}

/* Sends as much as possible, and waits for the socket to become writable if necessary. */
static void flush(connection *c)
{
    while (c->out_sent < c->out_len || c->body_left) {
        ssize_t n;

        if (c->out_sent < c->out_len) {
            n = send(c->fd, c->out + c->out_sent, c->out_len - c->out_sent, c->body_left ? MSG_MORE : 0);
            if (n > 0)
                c->out_sent += (size_t)n;
        } else {
            size_t from = (size_t)((want.body - c->body_left) % CHUNK), left = CHUNK - from;

            n = send(c->fd, run.chunk + from, c->body_left < (apr_off_t)left ? (size_t)c->body_left : left, 0);
            if (n > 0)
                c->body_left -= n;
        }
        if (n < 0 && errno == EAGAIN) {
            watch(c, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
            return;
        }
        if (n < 0)
            die("send");
    }
}

static void begin(connection *c)
{
    const credentials *k = &want.credentials;
    char length[64] = "";

    apr_pool_clear(run.pool);
    if (want.body)
        apr_snprintf(length, sizeof length, "Content-Length: %" APR_OFF_T_FMT "\r\n", want.body);
    c->out_len = (size_t)apr_snprintf(c->out, sizeof c->out, "%s %s HTTP/1.1\r\nHost: %s:%d\r\n%s%s%s\r\n",
                                      want.body ? "POST" : "GET", k->path, want.host, want.port, length, want.fields,
                                      scheme_field(&want.credentials, &c->chain, run.pool));
    c->out_sent = c->in_len = 0;
    c->in_body = 0;
    c->body_left = want.body;
    c->began = now();
    run.busy++;
    run.started++;
    flush(c);
}

static int may_begin(void)
{
    return want.requests ? run.started < want.requests : now() < run.deadline;
}

/* A response is complete. */
static void finish(connection *c, int status)
{
    run.busy--;
    if (run.measuring) {
        run.answered++;
        run.refused += status != 200;
        if (run.sample_count < SAMPLES_MAX)
            run.samples[run.sample_count++] = (float)((now() - c->began) * 1e6);
        if (may_begin())
            begin(c);
        return;
    }
    if (status == 200)
        return;
    if (status != 401 || ++c->tries > TRIES_MAX)
        die("no 200 before the run");
    begin(c);
}

/* The header is complete; parses it. */
static void read_head(connection *c, char *end)
{
    const char *length = NULL;
    size_t head_len = (size_t)(end - c->in) + 4;
    int status;

    end[2] = '\0';
    if (sscanf(c->in, "HTTP/1.1 %d", &status) != 1 || !(length = strcasestr(c->in, "\r\nContent-Length:")))
        die("response without status or length");
    c->skip = strtoll(length + 17, NULL, 10) - (apr_off_t)(c->in_len - head_len);
    c->in_body = status;
    scheme_learn(&want.credentials, &c->chain, c->in);
}

static void receive(connection *c)
{
    ssize_t n = recv(c->fd, c->in + c->in_len, HEAD_MAX - c->in_len, 0);
    char *end;

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        die("connection closed by the server");
    if (c->in_body) {
        c->skip -= n;
    } else {
        c->in_len += (size_t)n;
        c->in[c->in_len] = '\0';
        if (!(end = strstr(c->in, "\r\n\r\n"))) {
            if (c->in_len == HEAD_MAX)
                die("header too long");
            return;
        }
        read_head(c, end);
        c->in_len = 0;
    }
    if (c->skip > 0)
        return;
    if (c->out_sent < c->out_len || c->body_left)
        die("response before the request was sent");
    finish(c, c->in_body);
}

static void pump(void)
{
    struct epoll_event events[256];

    while (run.busy) {
        int i, n = epoll_wait(run.epoll, events, 256, 1000 * LIMIT);

        if (n <= 0)
            die("epoll_wait");
        for (i = 0; i < n; i++) {
            connection *c = events[i].data.ptr;

            if (events[i].events & EPOLLOUT) {
                watch(c, EPOLLIN, EPOLL_CTL_MOD);
                flush(c);
            }
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                receive(c);
        }
    }
}

static void open_connection(connection *c, unsigned number)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)want.port)};
    int on = 1;

    inet_pton(AF_INET, want.host, &to.sin_addr);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to))
        die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    if (want.credentials.token_count)
        c->chain.token = want.credentials.tokens[number % want.credentials.token_count];
    watch(c, EPOLLIN, EPOLL_CTL_ADD);
}

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

static double quantile(double q)
{
    return run.sample_count ? (double)run.samples[(unsigned long)(q * (double)(run.sample_count - 1))] : 0;
}

static void measure(connection *all)
{
    char line[16];
    double seconds;
    unsigned i;

    puts("ready");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin))
        exit(1);
    run.measuring = 1;
    run.started = 0;
    run.began = now();
    run.deadline = run.began + want.seconds;
    for (i = 0; i < want.connections && may_begin(); i++)
        begin(&all[i]);
    pump();
    seconds = now() - run.began;
    qsort(run.samples, run.sample_count, sizeof *run.samples, compare);
    printf("{\"requests\": %lu, \"refused\": %lu, \"seconds\": %.6f, \"p50\": %.1f, \"p99\": %.1f}\n", run.answered,
           run.refused, seconds, quantile(0.5), quantile(0.99));
    fflush(stdout);
}

/* Returns the Content-Digest header for the body of every request. */
static const char *digest_field(apr_pool_t *p, apr_off_t body)
{
    unsigned count = (unsigned)((body + CHUNK - 1) / CHUNK), i;
    ia_bytes *parts = apr_palloc(p, count * sizeof *parts);
    unsigned char digest[IA_SHA256_LEN];
    char text[IA_BASE64_SIZE(IA_SHA256_LEN)];

    for (i = 0; i < count; i++, body -= CHUNK) {
        parts[i].data = run.chunk;
        parts[i].len = body < CHUNK ? (apr_size_t)body : CHUNK;
    }
    ia_sha256(digest, parts, count);
    ia_base64_encode(text, digest, sizeof digest);
    return apr_pstrcat(p, "Content-Digest: sha-256=:", text, ":\r\n", NULL);
}

static void usage(void)
{
    fputs("usage: load -p PORT -u PATH [-m none|basic|digest|bearer|sauth] [-c CONNECTIONS] -n REQUESTS | -s "
          "SECONDS\n"
          "            [-U USER -P PASSWORD] [-t FILE OF TOKENS] [-k SECRET] [-b BODY BYTES [-d]]\n",
          stderr);
    exit(2);
}

static void read_options(int argc, char **argv, apr_pool_t *p)
{
    credentials *k = &want.credentials;
    int option, digest = 0;

    want.fields = "";
    while ((option = getopt(argc, argv, "p:u:m:c:n:s:U:P:t:k:b:d")) != -1) {
        switch (option) {
        case 'p':
            want.port = (int)strtol(optarg, NULL, 10);
            break;
        case 'u':
            k->path = optarg;
            break;
        case 'm':
            if (scheme_named(optarg) < 0)
                usage();
            k->scheme = (scheme)scheme_named(optarg);
            break;
        case 'c':
            want.connections = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'n':
            want.requests = strtoul(optarg, NULL, 10);
            break;
        case 's':
            want.seconds = strtod(optarg, NULL);
            break;
        case 'U':
            k->user = optarg;
            break;
        case 'P':
            k->password = optarg;
            break;
        case 't':
            if (!scheme_read_tokens(k, p, optarg))
                die(optarg);
            break;
        case 'k':
            if (ia_mac_key_load(&k->key, optarg, strlen(optarg)))
                usage();
            break;
        case 'b':
            want.body = strtoll(optarg, NULL, 10);
            break;
        case 'd':
            digest = 1;
            break;
        default:
            usage();
        }
    }
    if (!want.port || !k->path || !want.connections || (!want.requests && want.seconds <= 0) || optind < argc)
        usage();
    if ((k->scheme == SCHEME_BASIC || k->scheme == SCHEME_DIGEST) && (!k->user || !k->password))
        usage();
    if ((k->scheme == SCHEME_BEARER || k->scheme == SCHEME_SAUTH) && !k->token_count)
        usage();
    if (digest && want.body)
        want.fields = digest_field(p, want.body);
    scheme_prepare(k);
}

int main(int argc, char **argv)
{
    apr_pool_t *pool;
    connection *all;
    unsigned i;

    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&pool, NULL);
    apr_pool_create(&run.pool, pool);
    for (i = 0; i < CHUNK; i++)
        run.chunk[i] = (char)(i * 31 + i / 251);
    read_options(argc, argv, pool);
    if ((run.epoll = epoll_create1(EPOLL_CLOEXEC)) < 0)
        die("epoll_create1");
    run.samples = calloc(SAMPLES_MAX, sizeof *run.samples);
    all = calloc(want.connections, sizeof *all);
    if (!run.samples || !all)
        die("memory");
    alarm(LIMIT);
    for (i = 0; i < want.connections; i++) {
        open_connection(&all[i], i);
        begin(&all[i]);
    }
    pump();
    measure(all);
    return 0;
}
