/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every design of distribution with one to four workers, a thread each, over a cable in memory: both ends of
 * the cable are stacks of the same design. TCP and UDP echo, with a listener at every worker and with one
 * listener for all: nothing is lost, nothing is out of order, and answers reach who has asked. Also run under
 * ThreadSanitizer. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "api/api_testkit.h"
#include "worker/worker_priv.h"

#define MAX_WORKERS 4u
#define CONNS 3       /**< connections of a client's worker */
#define ROUNDS 6      /**< blocks over each of them */
#define BLOCK 9000    /**< bytes of the longest block: several segments */
#define DATAGRAMS 60u /**< of a client's worker, WINDOW at once */
#define WINDOW 4u
#define DATAGRAM 1400
#define UDP_PORT 53
#define GIVE_UP_S 120 /**< a call that waits for ever ends the test */

struct trial {
    enum config_distribution distribution;
    enum config_idle idle;
    unsigned workers, queues;
    bool one_listener; /**< only worker 0 of the server has sockets */
};

struct end {
    struct config cfg;
    struct mtcp_stack *stack;
};

struct thread {
    pthread_t id;
    struct end *end;
    unsigned index;
    mctx_t ctx;
    char failed[128]; /**< empty: all is well; asserts belong to the main thread */
};

static struct {
    struct trial trial;
    struct end end[2]; /**< 0: clients, 1: servers */
    struct thread client[MAX_WORKERS], server[MAX_WORKERS];
    atomic_uint listening, clients_done;
} world;

/* ---- a pattern that tells where a byte belongs ---- */

static char pattern(unsigned stream, unsigned long at)
{
    return (char)(stream * 131u + at * 7u + (at >> 8) * 13u);
}

static void fill(char *buf, size_t len, unsigned stream, unsigned long at)
{
    for (size_t i = 0; i < len; i++)
        buf[i] = pattern(stream, at + i);
}

static bool right(const char *buf, size_t len, unsigned stream, unsigned long at)
{
    for (size_t i = 0; i < len; i++)
        if (buf[i] != pattern(stream, at + i))
            return false;
    return true;
}

static bool fails(struct thread *t, const char *step)
{
    if (!t->failed[0])
        snprintf(t->failed, sizeof(t->failed), "%s: %s", step, strerror(errno));
    return false;
}

/* ---- the server ---- */

struct server {
    struct thread *t;
    int ep, listener, udp;
    char buf[BLOCK];
};

static int add(struct server *s, int fd)
{
    struct mtcp_epoll_event ev = {.events = MTCP_EPOLLIN, .data.sockid = fd};

    mtcp_setsock_nonblock(s->t->ctx, fd);
    return mtcp_epoll_ctl(s->t->ctx, s->ep, MTCP_EPOLL_CTL_ADD, fd, &ev);
}

static bool server_open(struct server *s)
{
    struct sockaddr_in tcp = kit_addr(1, KIT_PORT), udp = kit_addr(1, UDP_PORT);
    mctx_t m = s->t->ctx;

    s->ep = mtcp_epoll_create(m, 64);
    s->listener = s->udp = -1;
    if (world.trial.one_listener && s->t->index > 0)
        return true;
    s->listener = mtcp_socket(m, AF_INET, SOCK_STREAM, 0);
    s->udp = mtcp_socket(m, AF_INET, SOCK_DGRAM, 0);
    if (mtcp_bind(m, s->listener, (struct sockaddr *)&tcp, sizeof(tcp)) || mtcp_listen(m, s->listener, 64) ||
        add(s, s->listener))
        return fails(s->t, "listen");
    if (mtcp_bind(m, s->udp, (struct sockaddr *)&udp, sizeof(udp)) || add(s, s->udp))
        return fails(s->t, "bind");
    return true;
}

static void serve_accept(struct server *s)
{
    int fd;

    while ((fd = mtcp_accept(s->t->ctx, s->listener, NULL, NULL)) >= 0)
        if (add(s, fd))
            fails(s->t, "accept");
}

static void serve_datagrams(struct server *s)
{
    struct sockaddr_in from;
    socklen_t len = sizeof(from);
    ssize_t n;

    while ((n = mtcp_recvfrom(s->t->ctx, s->udp, s->buf, sizeof(s->buf), 0, (struct sockaddr *)&from,
                              &len)) >= 0)
        if (mtcp_sendto(s->t->ctx, s->udp, s->buf, (size_t)n, 0, (struct sockaddr *)&from, len) != n)
            fails(s->t, "server's sendto");
}

/** The blocks in flight fit into the buffers: every write takes all. */
static void serve_stream(struct server *s, int fd)
{
    ssize_t n;

    while ((n = mtcp_read(s->t->ctx, fd, s->buf, sizeof(s->buf))) > 0)
        if (mtcp_write(s->t->ctx, fd, s->buf, (size_t)n) != n)
            fails(s->t, "server's write");
    if (n == 0 || errno != EAGAIN)
        mtcp_close(s->t->ctx, fd);
    if (n < 0 && errno != EAGAIN)
        fails(s->t, "server's read");
}

/** The drops of a worker's layers, none of which may happen here. */
static void no_drop(void *arg, const char *text)
{
    struct thread *t = arg;

    if (!strncmp(text, "worker.drop", 11) || !strncmp(text, "udp.drop", 8) ||
        !strncmp(text, "inet.drop", 9) || !strncmp(text, "netif.rx_dropped", 16))
        snprintf(t->failed, sizeof(t->failed), "%s", text);
}

static void leave(struct thread *t)
{
    worker_print_counters(((struct api_ctx *)t->ctx)->worker, no_drop, t);
    api_ctx_destroy(t->ctx, 1000000);
}

static void *serve(void *arg)
{
    struct server *s = calloc(1, sizeof(*s));
    struct mtcp_epoll_event ev[16];

    s->t = arg;
    if (server_open(s))
        atomic_fetch_add(&world.listening, 1);
    while (atomic_load(&world.clients_done) < world.trial.workers && !s->t->failed[0]) {
        int n = mtcp_epoll_wait(s->t->ctx, s->ep, ev, 16, 5);

        for (int i = 0; i < n; i++) {
            if (ev[i].data.sockid == s->listener)
                serve_accept(s);
            else if (ev[i].data.sockid == s->udp)
                serve_datagrams(s);
            else
                serve_stream(s, ev[i].data.sockid);
        }
    }
    leave(s->t);
    free(s);
    return NULL;
}

/* ---- the client ---- */

static bool read_all(struct thread *t, int fd, char *buf, size_t len)
{
    for (size_t got = 0; got < len;) {
        ssize_t n = mtcp_read(t->ctx, fd, buf + got, len - got);

        if (n <= 0)
            return fails(t, "client's read");
        got += (size_t)n;
    }
    return true;
}

static bool ask_streams(struct thread *t, const int *fd, char *buf)
{
    unsigned long at = 0;

    for (unsigned r = 0; r < ROUNDS; r++) {
        size_t len = 1 + (r * 2749u + t->index * 977u) % BLOCK;

        for (unsigned c = 0; c < CONNS; c++) {
            fill(buf, len, t->index * CONNS + c, at);
            if (mtcp_write(t->ctx, fd[c], buf, len) != (ssize_t)len)
                return fails(t, "client's write");
        }
        for (unsigned c = 0; c < CONNS; c++) {
            if (!read_all(t, fd[c], buf, len))
                return false;
            if (!right(buf, len, t->index * CONNS + c, at))
                return fails(t, "content of a stream");
        }
        at += len;
    }
    return true;
}

static bool streams(struct thread *t)
{
    struct sockaddr_in a = kit_addr(1, KIT_PORT);
    char *buf = malloc(BLOCK);
    int fd[CONNS];
    bool ok = true;

    for (unsigned c = 0; ok && c < CONNS; c++) {
        fd[c] = mtcp_socket(t->ctx, AF_INET, SOCK_STREAM, 0);
        if (fd[c] < 0 || mtcp_connect(t->ctx, fd[c], (struct sockaddr *)&a, sizeof(a)))
            ok = fails(t, "connect");
    }
    ok = ok && ask_streams(t, fd, buf);
    for (unsigned c = 0; ok && c < CONNS; c++)
        mtcp_close(t->ctx, fd[c]);
    free(buf);
    return ok;
}

static bool send_one(struct thread *t, int fd, char *buf, unsigned number)
{
    fill(buf, DATAGRAM, 1000 + t->index, number);
    memcpy(buf, &number, sizeof(number));
    return mtcp_write(t->ctx, fd, buf, DATAGRAM) == DATAGRAM || fails(t, "client's datagram");
}

static bool take_one(struct thread *t, int fd, char *buf, unsigned want)
{
    unsigned number;

    if (mtcp_read(t->ctx, fd, buf, DATAGRAM) != DATAGRAM)
        return fails(t, "answer");
    memcpy(&number, buf, sizeof(number));
    errno = 0;
    if (number != want)
        return fails(t, "order of datagrams");
    if (!right(buf + sizeof(number), DATAGRAM - sizeof(number), 1000 + t->index, number + sizeof(number)))
        return fails(t, "content of a datagram");
    return true;
}

static bool datagrams(struct thread *t)
{
    struct sockaddr_in a = kit_addr(1, UDP_PORT);
    char *buf = malloc(DATAGRAM);
    int fd = mtcp_socket(t->ctx, AF_INET, SOCK_DGRAM, 0);
    bool ok = mtcp_connect(t->ctx, fd, (struct sockaddr *)&a, sizeof(a)) == 0 || fails(t, "udp connect");

    for (unsigned sent = 0, got = 0; ok && got < DATAGRAMS;) {
        if (sent < DATAGRAMS && sent - got < WINDOW)
            ok = send_one(t, fd, buf, sent++);
        else
            ok = take_one(t, fd, buf, got++);
    }
    free(buf);
    return ok;
}

static void *ask(void *arg)
{
    struct thread *t = arg;

    while (atomic_load(&world.listening) < world.trial.workers)
        worker_round(((struct api_ctx *)t->ctx)->worker);
    if (streams(t))
        datagrams(t);
    leave(t);
    atomic_fetch_add(&world.clients_done, 1);
    return NULL;
}

/* ---- a world of one trial ---- */

static unsigned dedicated(enum config_distribution d)
{
    return d == CONFIG_DISTRIBUTION_1KB ? 1 : d == CONFIG_DISTRIBUTION_2KB ? 2 : 0;
}

static void open_end(struct end *e, int host, struct netif *nif)
{
    const struct trial *t = &world.trial;
    struct log log = {.level = LOG_ERROR, .sink = log_stderr};

    kit_config(&e->cfg, host, t->workers + dedicated(t->distribution));
    e->cfg.distribution = t->distribution;
    e->cfg.idle = t->idle;
    assert_int_equal(stack_create(&e->cfg, nif, &log, &e->stack), ST_OK);
    assert_int_equal(stack_num_workers(e->stack), t->workers);
}

static void check_steer(struct mtcp_stack *st)
{
    struct steer_counters c;

    for (unsigned w = 0; st->steer && w < st->num_workers; w++) {
        steer_get_counters(st->steer, w, &c);
        assert_int_equal(c.drop_ring_full, 0);
        assert_int_equal(c.drop_park_full, 0);
    }
}

static void start(struct thread *t, unsigned index, struct end *e)
{
    *t = (struct thread){.end = e, .index = index};
    assert_int_equal(api_ctx_create(e->stack, (int)index, &t->ctx), ST_OK);
}

static void run(const struct trial *trial)
{
    struct netif_params p = {.num_queues = trial->queues, .mtu = 1500};
    struct netif *nif[2];

    print_message("# distribution %d, idle %d, %u worker(s), %u queue(s), %s\n", trial->distribution,
                  trial->idle, trial->workers, trial->queues,
                  trial->one_listener ? "one listener" : "a listener each");
    world.trial = *trial;
    atomic_store(&world.listening, 0);
    atomic_store(&world.clients_done, 0);
    assert_int_equal(pair_open(&p, &nif[0], &nif[1]), ST_OK);
    for (int i = 0; i < 2; i++)
        open_end(&world.end[i], i, nif[i]);
    for (unsigned w = 0; w < trial->workers; w++) {
        start(&world.client[w], w, &world.end[0]);
        start(&world.server[w], w, &world.end[1]);
    }
    for (unsigned w = 0; w < trial->workers; w++) {
        assert_int_equal(pthread_create(&world.server[w].id, NULL, serve, &world.server[w]), 0);
        assert_int_equal(pthread_create(&world.client[w].id, NULL, ask, &world.client[w]), 0);
    }
    for (unsigned w = 0; w < trial->workers; w++) {
        pthread_join(world.client[w].id, NULL);
        pthread_join(world.server[w].id, NULL);
    }
    for (int i = 0; i < 2; i++) {
        check_steer(world.end[i].stack);
        stack_destroy(world.end[i].stack);
        config_free(&world.end[i].cfg);
    }
    for (unsigned w = 0; w < trial->workers; w++)
        if (world.client[w].failed[0] || world.server[w].failed[0])
            fail_msg("worker %u: client '%s', server '%s'", w, world.client[w].failed,
                     world.server[w].failed);
}

/** One to four workers; queues 0 = one each. */
static void run_all(enum config_distribution distribution, unsigned queues)
{
    for (unsigned workers = 1; workers <= MAX_WORKERS; workers++)
        for (int one = 0; one < 2; one++) {
            struct trial t = {distribution, one ? CONFIG_IDLE_SLEEP : CONFIG_IDLE_YIELD, workers,
                              queues ? queues : workers, one};

            run(&t);
            t.one_listener = !t.one_listener;
            if (workers == 2)
                run(&t);
        }
}

static void direct(void **state)
{
    (void)state;
    run_all(CONFIG_DISTRIBUTION_DIRECT, 0);
}

static void shared(void **state)
{
    (void)state;
    run_all(CONFIG_DISTRIBUTION_SHARED, 1);
}

static void shared_over_two_queues(void **state)
{
    (void)state;
    run_all(CONFIG_DISTRIBUTION_SHARED, 2);
}

static void one_dedicated_core(void **state)
{
    (void)state;
    run_all(CONFIG_DISTRIBUTION_1KB, 1);
}

static void two_dedicated_cores(void **state)
{
    (void)state;
    run_all(CONFIG_DISTRIBUTION_2KB, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(direct),
        cmocka_unit_test(shared),
        cmocka_unit_test(shared_over_two_queues),
        cmocka_unit_test(one_dedicated_core),
        cmocka_unit_test(two_dedicated_cores),
    };

    alarm(GIVE_UP_S);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
