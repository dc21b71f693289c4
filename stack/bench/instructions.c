/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How many instructions does one side of the stack take for a request, a short connection, a segment? Two
 * whole stacks with one worker each are driven by one thread through the API, over a cable in memory;
 * callgrind counts the server's side alone, application included, and the cable (frames, buffers) not at all.
 * Time is virtual and nothing is random, so that the count is the same every time.
 * Usage: bench_instructions rpc64|short_conn|segment1448; prints how many operations were counted. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <valgrind/callgrind.h>

#include "api/api_priv.h"
#include "base/log.h"
#include "netif/pair.h"

#define CONNS 100
#define WORKER_RX_BURST 64
#define PORT 80
#define RPC_BYTES 64
#define SEGMENT_BYTES 1448u /* payload of a full segment with timestamps */
#define BULK_BYTES 131072u  /* written at once */
#define WARM_ROUNDS 8
#define ROUNDS 200
#define TURNS 5       /* of the client: uncounted, so that a few too many do no harm */
#define ROUND_US 1000 /* virtual: slower than the real thing, so that timers have their full share */

enum { CLIENT, SERVER };

/** The end of a cable whose own work is not counted. */
struct uncounted {
    struct netif nif; /* first: the interface is this */
    struct netif *inner;
};

static struct mtcp_stack *stacks[2];
static struct config cfgs[2];
static mctx_t ctxs[2];
static struct uncounted ends[2];
static int epolls[2];
static int listener;
static char buf[BULK_BYTES];
static uint64_t clock_us = 1000000;
static bool counting;
static void (*release)(struct pkt *);

static void fail(const char *what)
{
    fprintf(stderr, "bench_instructions: %s\n", what);
    exit(1);
}

static void check(bool ok, const char *what)
{
    if (!ok)
        fail(what);
}

/* ---- a world without chance: these take the place of libc's ---- */

int clock_gettime(clockid_t clock, struct timespec *t)
{
    (void)clock;
    t->tv_sec = (time_t)(clock_us / 1000000);
    t->tv_nsec = (long)(clock_us % 1000000) * 1000;
    return 0;
}

ssize_t getrandom(void *out, size_t len, unsigned flags)
{
    (void)flags;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)out)[i] = (uint8_t)(0x5b * (i + 1));
    return (ssize_t)len;
}

enum status stack_open_netif(const struct config *cfg, unsigned num_workers, struct log *log,
                             struct netif **out)
{
    (void)cfg, (void)num_workers, (void)log;
    *out = NULL;
    return ST_NO_DEVICE; /* no mtcp_init() here */
}

/* ---- what is counted ---- */

static void switch_counting(void)
{
    if (counting)
        CALLGRIND_TOGGLE_COLLECT;
}

/** From here to count_end() instructions count, unless the round is a warm-up. */
static void count_begin(int round)
{
    counting = round >= 0;
    switch_counting();
}

static void count_end(void)
{
    switch_counting();
    counting = false;
}

static unsigned end_rx_burst(struct netif *nif, unsigned queue, struct pkt **pkts, unsigned n)
{
    switch_counting();
    n = netif_rx_burst(((struct uncounted *)nif)->inner, queue, pkts, n);
    switch_counting();
    return n;
}

static unsigned end_tx_burst(struct netif *nif, unsigned queue, struct pkt **pkts, unsigned n)
{
    switch_counting();
    n = netif_tx_burst(((struct uncounted *)nif)->inner, queue, pkts, n);
    switch_counting();
    return n;
}

static void end_release(struct pkt *p)
{
    switch_counting();
    release(p);
    switch_counting();
}

static struct pkt *end_alloc(struct netif *nif, unsigned queue)
{
    struct pkt *p;

    switch_counting();
    p = netif_alloc(((struct uncounted *)nif)->inner, queue);
    check(p, "the cable has no buffer left");
    release = p->release;
    p->release = end_release;
    switch_counting();
    return p;
}

static void end_stats(struct netif *nif, struct netif_stats *out)
{
    struct netif *inner = ((struct uncounted *)nif)->inner;

    switch_counting();
    inner->ops->stats(inner, out);
    switch_counting();
}

static bool end_link_up(struct netif *nif)
{
    (void)nif;
    return true;
}

static int end_rx_fd(struct netif *nif, unsigned queue)
{
    (void)nif, (void)queue;
    return -1;
}

static void end_close(struct netif *nif)
{
    struct netif *inner = ((struct uncounted *)nif)->inner;

    inner->ops->close(inner);
}

static const struct netif_ops end_ops = {
    .name = "uncounted",
    .rx_burst = end_rx_burst,
    .tx_burst = end_tx_burst,
    .alloc = end_alloc,
    .link_up = end_link_up,
    .stats = end_stats,
    .rx_fd = end_rx_fd,
    .close = end_close,
};

/* ---- two hosts ---- */

static struct sockaddr_in address(int host)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(PORT),
                                .sin_addr.s_addr = htonl(0x0a000001u + (uint32_t)host)};
}

static void open_host(int host, struct netif *cable)
{
    struct log log = {.level = LOG_ERROR, .sink = log_stderr};
    struct config *cfg = &cfgs[host];

    config_defaults(cfg);
    cfg->has_address = true;
    cfg->address = 0x0a000001u + (uint32_t)host;
    cfg->prefix_len = 24;
    cfg->num_cores = 1;
    cfg->idle = CONFIG_IDLE_POLL;
    ends[host].nif = *cable;
    ends[host].nif.ops = &end_ops;
    ends[host].inner = cable;
    check(stack_create(cfg, &ends[host].nif, &log, &stacks[host]) == ST_OK &&
              api_ctx_create(stacks[host], host, &ctxs[host]) == ST_OK,
          "no stack");
    epolls[host] = mtcp_epoll_create(ctxs[host], CONNS);
    check(epolls[host] >= 0, "no epoll");
}

static void open_world(void)
{
    struct netif_params p = {.num_queues = 1, .mtu = 1500};
    struct netif *cable[2];

    check(pair_open(&p, &cable[0], &cable[1]) == ST_OK, "no cable");
    open_host(CLIENT, cable[0]);
    open_host(SERVER, cable[1]);
}

static void close_world(void)
{
    for (int i = 0; i < 2; i++) {
        api_ctx_destroy(ctxs[i], 0);
        stack_destroy(stacks[i]);
        config_free(&cfgs[i]);
    }
}

static void watch(int host, int fd)
{
    struct mtcp_epoll_event ev = {.events = MTCP_EPOLLIN, .data.sockid = fd};

    check(mtcp_epoll_ctl(ctxs[host], epolls[host], MTCP_EPOLL_CTL_ADD, fd, &ev) == 0, "epoll_ctl");
}

static void round_of(int host)
{
    worker_round(((struct api_ctx *)ctxs[host])->worker);
}

static void start_server(void)
{
    struct sockaddr_in a = address(SERVER);

    listener = mtcp_socket(ctxs[SERVER], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    check(mtcp_bind(ctxs[SERVER], listener, (struct sockaddr *)&a, sizeof(a)) == 0 &&
              mtcp_listen(ctxs[SERVER], listener, 4 * CONNS) == 0,
          "listen");
    watch(SERVER, listener);
}

static int start_connect(void)
{
    struct sockaddr_in a = address(SERVER);
    int fd = mtcp_socket(ctxs[CLIENT], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    check(fd >= 0, "socket");
    mtcp_connect(ctxs[CLIENT], fd, (struct sockaddr *)&a, sizeof(a));
    return fd;
}

/* ---- the server's application ---- */

static void serve_accept(void)
{
    int fd;

    while ((fd = mtcp_accept(ctxs[SERVER], listener, NULL, NULL)) >= 0) {
        mtcp_setsock_nonblock(ctxs[SERVER], fd);
        watch(SERVER, fd);
    }
}

/** What an event-driven server does in one turn: wait, then accept, answer or close. */
static void serve_turn(void)
{
    struct mtcp_epoll_event ev[CONNS];
    int n = mtcp_epoll_wait(ctxs[SERVER], epolls[SERVER], ev, CONNS, 0);

    for (int i = 0; i < n; i++) {
        int fd = ev[i].data.sockid;
        ssize_t got;

        if (fd == listener) {
            serve_accept();
            continue;
        }
        got = mtcp_read(ctxs[SERVER], fd, buf, sizeof(buf));
        if (got == 0)
            mtcp_close(ctxs[SERVER], fd);
        else if (got > 0)
            mtcp_write(ctxs[SERVER], fd, buf, (size_t)got);
    }
}

/** As many turns as it takes to receive so many frames a connection, and one more that sends the answers. */
static void serve(int frames, int round)
{
    int turns = (frames * CONNS + WORKER_RX_BURST - 1) / WORKER_RX_BURST + 1;

    count_begin(round);
    for (int i = 0; i < turns; i++)
        serve_turn();
    count_end();
}

/** The client's segments, so many a connection, reach the server and are processed; the answers come back. */
static void exchange(int frames, int round)
{
    for (int i = 0; i < TURNS; i++)
        round_of(CLIENT);
    serve(frames, round);
    for (int i = 0; i < TURNS; i++)
        round_of(CLIENT);
}

static void connect_all(int n, int *fds)
{
    for (int i = 0; i < n; i++)
        fds[i] = start_connect();
    for (int i = 0; i < 4; i++)
        exchange(2, -1);
}

static size_t read_all(int host, int fd)
{
    size_t sum = 0;
    ssize_t got;

    while ((got = mtcp_read(ctxs[host], fd, buf, sizeof(buf))) > 0)
        sum += (size_t)got;
    return sum;
}

/* ---- the cases: each returns how many operations were counted ---- */

static unsigned rpc64(void)
{
    int fds[CONNS];

    connect_all(CONNS, fds);
    for (int round = -WARM_ROUNDS; round < ROUNDS; round++, clock_us += ROUND_US) {
        for (int i = 0; i < CONNS; i++)
            check(mtcp_write(ctxs[CLIENT], fds[i], buf, RPC_BYTES) == RPC_BYTES, "write");
        exchange(1, round);
        for (int i = 0; i < CONNS; i++)
            check(read_all(CLIENT, fds[i]) == RPC_BYTES, "a request was not answered");
    }
    return CONNS * ROUNDS;
}

static unsigned short_conn(void)
{
    int fds[CONNS];

    connect_all(1, fds); /* both ends learn the other one's MAC */
    mtcp_close(ctxs[CLIENT], fds[0]);
    for (int round = -WARM_ROUNDS; round < ROUNDS; round++, clock_us += ROUND_US) {
        for (int i = 0; i < CONNS; i++)
            fds[i] = start_connect();
        exchange(1, round); /* SYN */
        for (int i = 0; i < CONNS; i++)
            check(mtcp_write(ctxs[CLIENT], fds[i], buf, RPC_BYTES) == RPC_BYTES, "write");
        exchange(2, round); /* ACK, request */
        for (int i = 0; i < CONNS; i++) {
            check(read_all(CLIENT, fds[i]) == RPC_BYTES, "a request was not answered");
            mtcp_close(ctxs[CLIENT], fds[i]);
        }
        exchange(1, round); /* FIN */
        serve(1, round);    /* ACK */
    }
    return CONNS * ROUNDS;
}

/** Bytes one way as fast as both ends go; the server's side is counted. */
static size_t bulk(int from, const int *fds, size_t bytes, int round)
{
    int to = from == CLIENT ? SERVER : CLIENT;
    size_t written = 0, arrived = 0;

    while (arrived < bytes) {
        for (int host = CLIENT; host <= SERVER; host++) {
            if (host == SERVER)
                count_begin(round);
            round_of(host);
            if (host == from && written < bytes) {
                size_t want = bytes - written < BULK_BYTES ? bytes - written : BULK_BYTES;
                ssize_t put = mtcp_write(ctxs[host], fds[host], buf, want);

                written += put > 0 ? (size_t)put : 0;
            } else if (host == to) {
                arrived += read_all(host, fds[host]);
            }
            if (host == SERVER)
                count_end();
        }
        clock_us += 10;
    }
    return arrived;
}

/** Half of the segments are received and read, half are written and sent. */
static unsigned segment1448(void)
{
    size_t bytes = 16 * BULK_BYTES, sum = 0;
    int fds[2];

    fds[CLIENT] = start_connect();
    for (int i = 0; i < 4; i++) {
        round_of(CLIENT);
        round_of(SERVER);
    }
    fds[SERVER] = mtcp_accept(ctxs[SERVER], listener, NULL, NULL);
    check(fds[SERVER] >= 0, "accept");
    mtcp_setsock_nonblock(ctxs[SERVER], fds[SERVER]);
    for (int round = -2; round < 6; round++) {
        size_t moved = bulk(round & 1 ? SERVER : CLIENT, fds, bytes, round);

        sum += round >= 0 ? moved : 0;
    }
    return (unsigned)(sum / SEGMENT_BYTES);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        unsigned (*run)(void);
    } cases[] = {{"rpc64", rpc64}, {"short_conn", short_conn}, {"segment1448", segment1448}};

    for (size_t i = 0; argc == 2 && i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (strcmp(argv[1], cases[i].name) != 0)
            continue;
        open_world();
        start_server();
        printf("%u\n", cases[i].run());
        close_world();
        return 0;
    }
    fprintf(stderr, "usage: bench_instructions rpc64|short_conn|segment1448\n");
    return 2;
}
