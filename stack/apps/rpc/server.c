/* SPDX-License-Identifier: BSD-3-Clause
 *
 * rpc_server: answers each request of SIZE bytes with SIZE bytes, over any number of connections. One thread
 * a core with a context and an epoll of its own; no memory is allocated after the start. Connections are
 * found by descriptor. With -m they may move between the threads (key rebalance): then each has its memory
 * on the heap, which goes along as its user data. Sockets stay in blocking mode: each call says MSG_DONTWAIT,
 * which on kernel sockets saves a call for each connection. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/threads.h"
#include "rpc/rpc.h"

#define MAX_EVENTS 1024
#define WAIT_MS 100
#define BACKLOG 4096

static const char usage[] = "usage: rpc_server [-l PORT] [-s SIZE] [-m] -f CONF [-N CORES] [--json]\n"
                            "  -l PORT   listen (7)\n"
                            "  -s SIZE   bytes of a request and of its answer, 8 to 65536 (64)\n"
                            "  -m        connections may move from thread to thread (key rebalance = on)\n"
                            "  -N CORES  cores of the stack, a thread for each (1)\n"
                            "  --json    JSON lines on standard output\n";

static struct {
    struct app_options options;
    long port, size;
    bool movable;
    atomic_int listening; /**< threads that do */
} plan = {.options = {.name = "rpc_server", .cores = 1}, .port = RPC_DEFAULT_PORT, .size = RPC_DEFAULT_SIZE};

struct conn {
    uint32_t got;  /**< bytes of the request under way */
    uint32_t owed; /**< bytes of the answer not yet written */
    uint64_t mark; /**< the first bytes of the request */
};

struct server {
    struct thread *t;
    mctx_t mctx;
    int ep, listener, max_conns;
    uint32_t size;
    struct conn *fixed;  /**< one for each descriptor; NULL: on the heap */
    struct conn **conns; /**< by descriptor */
    char in[RPC_MAX_SIZE], out[RPC_MAX_SIZE];
};

static bool watch(struct server *s, int op, int fd, uint32_t events)
{
    struct mtcp_epoll_event ev = {.events = events, .data.sockid = fd};

    return mtcp_epoll_ctl(s->mctx, s->ep, op, fd, &ev) == 0;
}

/** The peer has ended, or the connection is dead. */
static void conn_end(struct server *s, int fd, bool failed)
{
    count(&s->t->counts.errors, failed);
    mtcp_close(s->mctx, fd);
    if (!s->fixed) {
        free(s->conns[fd]);
        s->conns[fd] = NULL;
    }
}

/** Writes what is owed. False when the connection is dead. */
static bool answer(struct server *s, int fd, struct conn *c)
{
    uint32_t from = s->size - c->owed;
    ssize_t n;

    memcpy(s->out, &c->mark, sizeof(c->mark));
    n = mtcp_send(s->mctx, fd, s->out + from, c->owed, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN)
        return false;
    if (n > 0)
        c->owed -= (uint32_t)n;
    if (c->owed == 0)
        count(&s->t->counts.completes, 1);
    return true;
}

/** The peer takes nothing for now: the answer goes on when there is room. */
static void on_writable(struct server *s, int fd, struct conn *c)
{
    if (c->owed && !answer(s, fd, c))
        conn_end(s, fd, true);
    else if (c->owed == 0)
        watch(s, MTCP_EPOLL_CTL_MOD, fd, MTCP_EPOLLIN);
}

static void on_readable(struct server *s, int fd, struct conn *c)
{
    ssize_t n = mtcp_recv(s->mctx, fd, s->in, s->size - c->got, MSG_DONTWAIT);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        conn_end(s, fd, n < 0 && c->got > 0);
        return;
    }
    if (c->got < sizeof(c->mark)) {
        size_t room = sizeof(c->mark) - c->got;

        memcpy((char *)&c->mark + c->got, s->in, (size_t)n < room ? (size_t)n : room);
    }
    c->got += (uint32_t)n;
    if (c->got < s->size)
        return;
    c->got = 0;
    c->owed = s->size;
    if (!answer(s, fd, c))
        conn_end(s, fd, true);
    else if (c->owed)
        watch(s, MTCP_EPOLL_CTL_MOD, fd, MTCP_EPOLLOUT);
}

/** The memory of a connection on the heap: it has come along, or the connection is new. NULL: no memory. */
static struct conn *heap_conn(struct server *s, int fd)
{
    struct conn *c = NULL;
    socklen_t len = sizeof(c);

    if (mtcp_getsockopt(s->mctx, fd, SOL_MTCP, MTCP_USER_DATA, &c, &len) != 0)
        return NULL;
    if (c)
        return c;
    c = calloc(1, sizeof(*c));
    if (c && mtcp_setsockopt(s->mctx, fd, SOL_MTCP, MTCP_USER_DATA, &c, sizeof(c)) == 0) {
        count(&s->t->counts.connects, 1);
        return c;
    }
    free(c);
    return NULL;
}

static struct conn *fixed_conn(struct server *s, int fd)
{
    count(&s->t->counts.connects, 1);
    s->fixed[fd] = (struct conn){0};
    return &s->fixed[fd];
}

static void on_acceptable(struct server *s)
{
    int fd;

    while ((fd = mtcp_accept(s->mctx, s->listener, NULL, NULL)) >= 0) {
        struct conn *c = s->fixed ? fixed_conn(s, fd) : heap_conn(s, fd);

        s->conns[fd] = c;
        if (!c || !watch(s, MTCP_EPOLL_CTL_ADD, fd, c->owed ? MTCP_EPOLLOUT : MTCP_EPOLLIN))
            conn_end(s, fd, true);
    }
    if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
        count(&s->t->counts.errors, 1);
}

static void on_event(struct server *s, const struct mtcp_epoll_event *ev)
{
    int fd = ev->data.sockid;

    if (fd == s->listener)
        on_acceptable(s);
    else if (ev->events & MTCP_EPOLLMOVED)
        s->conns[fd] = NULL; /* another thread has it, and may have freed it */
    else if (ev->events & MTCP_EPOLLERR)
        conn_end(s, fd, s->conns[fd]->got > 0 || s->conns[fd]->owed > 0);
    else if (ev->events & MTCP_EPOLLIN)
        on_readable(s, fd, s->conns[fd]);
    else if (ev->events & MTCP_EPOLLOUT)
        on_writable(s, fd, s->conns[fd]);
    else
        conn_end(s, fd, false);
}

static bool listen_here(struct server *s)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons((uint16_t)plan.port)};
    int backlog = s->max_conns < BACKLOG ? s->max_conns : BACKLOG, movable = plan.movable;

    s->listener = mtcp_socket(s->mctx, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (s->listener >= 0 &&
        (!movable ||
         !mtcp_setsockopt(s->mctx, s->listener, SOL_MTCP, MTCP_MOVABLE, &movable, sizeof(movable))) &&
        !mtcp_bind(s->mctx, s->listener, (struct sockaddr *)&addr, sizeof(addr)) &&
        !mtcp_listen(s->mctx, s->listener, backlog) &&
        watch(s, MTCP_EPOLL_CTL_ADD, s->listener, MTCP_EPOLLIN))
        return true;
    app_complain(s->t->options, "cannot listen on port %ld: %s", plan.port, strerror(errno));
    return false;
}

static void run_events(struct server *s)
{
    struct mtcp_epoll_event events[MAX_EVENTS];

    /* Whoever hears it may rely on every thread: connections are spread over those that listen. */
    if (atomic_fetch_add(&plan.listening, 1) + 1 == plan.options.cores)
        json_listening(plan.options.json, "rpc_server", (unsigned)plan.port);
    while (!app_stopping()) {
        int n = thread_wait(s->t, s->ep, events, MAX_EVENTS, WAIT_MS);

        for (int i = 0; i < n; i++)
            on_event(s, &events[i]);
    }
}

static void run(struct thread *t)
{
    struct server *s = calloc(1, sizeof(*s));
    struct mtcp_conf conf;

    mtcp_getconf(&conf);
    t->failed = true;
    if (s) {
        s->t = t;
        s->mctx = t->mctx;
        s->size = (uint32_t)plan.size;
        s->max_conns = conf.max_concurrency;
        s->conns = calloc((size_t)s->max_conns, sizeof(*s->conns));
        s->ep = mtcp_epoll_create(s->mctx, MAX_EVENTS);
        s->fixed = plan.movable ? NULL : calloc((size_t)s->max_conns, sizeof(*s->fixed));
        t->failed = !s->conns || (!s->fixed && !plan.movable) || s->ep < 0 || !listen_here(s);
        if (!t->failed)
            run_events(s);
        for (int fd = 0; s->conns && !s->fixed && fd < s->max_conns; fd++)
            free(s->conns[fd]);
        free(s->fixed);
        free(s->conns);
    }
    if (t->failed)
        app_stop();
    free(s);
}

static bool take_option(int opt, const char *arg)
{
    switch (opt) {
    case 'l':
        return app_number("-l", arg, 1, 65535, &plan.port);
    case 's':
        return app_number("-s", arg, RPC_MIN_SIZE, RPC_MAX_SIZE, &plan.size);
    case 'm':
        return plan.movable = true;
    default:
        return false;
    }
}

static const struct app_command_line command_line = {
    .options = &plan.options, .usage = usage, .letters = "l:s:m", .take = take_option};

static void report(const struct thread *threads)
{
    static struct json j;
    struct thread_counts all;

    threads_sum(threads, plan.options.cores, &all);
    app_say(&plan.options, "rpc_server: %lu connections, %lu requests, %lu errors", counted(&all.connects),
            counted(&all.completes), counted(&all.errors));
    if (!plan.options.json)
        return;
    json_begin(&j, "result", "rpc_server");
    json_u64(&j, "connections", counted(&all.connects));
    json_u64(&j, "requests", counted(&all.completes));
    json_u64(&j, "errors", counted(&all.errors));
    json_open(&j, "workers", '[');
    for (int i = 0; i < plan.options.cores; i++) {
        json_open(&j, NULL, '{');
        json_u64(&j, "connections", counted(&threads[i].counts.connects));
        json_u64(&j, "requests", counted(&threads[i].counts.completes));
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_end(&j);
}

int main(int argc, char **argv)
{
    static struct thread threads[THREADS_MAX];
    int cores[THREADS_MAX], rc = app_parse(argc, argv, &command_line);
    bool ok;

    if (rc)
        return rc;
    rc = app_start(&plan.options, 0);
    if (rc)
        return rc;
    for (int i = 0; i < plan.options.cores; i++)
        cores[i] = i;
    ok = threads_run(&plan.options, threads, cores, plan.options.cores, run);
    report(threads);
    mtcp_destroy();
    return ok ? 0 : APP_EXIT_FAILED;
}
