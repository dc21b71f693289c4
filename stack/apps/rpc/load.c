/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See load.h. A connection that fails is counted and replaced. What an open loop has not got answered when
 * the window ends is counted with the time it has waited until then: leaving it out would flatter a server
 * that does not keep up. */
#include "rpc/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_EVENTS 1024
#define WAIT_MS 20
#define CONNECTING_AT_ONCE 256
#define CLOCK_EVERY 8 /* events: how old the time may become that answers are given */
#define NS_PER_MS 1000000u
#define ERRORS_IN_WORDS 5
#define GIVE_UP_AFTER 100 /* failures before the first answer */

enum conn_state { CONN_NONE, CONN_CONNECTING, CONN_IDLE, CONN_WAITING };

static bool watch(struct load *l, int op, int fd, uint32_t events)
{
    struct mtcp_epoll_event ev = {.events = events, .data.sockid = fd};

    return mtcp_epoll_ctl(l->mctx, l->ep, op, fd, &ev) == 0;
}

/* ---- idle connections ---- */

static void idle_put(struct load *l, int fd)
{
    l->conns[fd].state = CONN_IDLE;
    l->conns[fd].since_ns = l->now_ns;
    l->idle[l->idle_tail++ % l->idle_size] = fd;
}

/** The connection that is idle for longest, -1 when there is none. One that died meanwhile is dropped. */
static int idle_first(struct load *l)
{
    while (l->idle_head != l->idle_tail) {
        int fd = l->idle[l->idle_head % l->idle_size];

        if (l->conns[fd].state == CONN_IDLE)
            return fd;
        l->idle_head++;
    }
    return -1;
}

/* ---- a connection's life ---- */

static void conn_close(struct load *l, int fd)
{
    struct load_conn *c = &l->conns[fd];

    l->connecting -= c->state == CONN_CONNECTING;
    l->open--;
    c->state = CONN_NONE;
    mtcp_close(l->mctx, fd);
}

static void conn_fail(struct load *l, int fd, const char *step, int err)
{
    if (l->result->errors++ < ERRORS_IN_WORDS)
        app_complain(l->t->options, "%s: %s", step, err ? strerror(err) : "the server ended the connection");
    conn_close(l, fd);
    if (l->result->errors >= GIVE_UP_AFTER && counted(&l->t->counts.completes) == 0) {
        l->t->failed = true;
        app_stop();
    }
}

static void send_rest(struct load *l, int fd, struct load_conn *c)
{
    ssize_t n;

    memcpy(l->out, &c->mark, sizeof(c->mark));
    n = mtcp_send(l->mctx, fd, l->out + (l->size - c->unsent), c->unsent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) {
        conn_fail(l, fd, "send", errno);
        return;
    }
    if (n > 0)
        c->unsent -= (uint32_t)n;
    if (c->unsent)
        watch(l, MTCP_EPOLL_CTL_MOD, fd, MTCP_EPOLLIN | MTCP_EPOLLOUT);
}

static void send_request(struct load *l, int fd, uint64_t meant_ns)
{
    struct load_conn *c = &l->conns[fd];

    c->state = CONN_WAITING;
    c->since_ns = meant_ns;
    c->mark = l->next_mark++;
    c->got = 0;
    c->unsent = l->size;
    send_rest(l, fd, c);
}

/** What the connection does next when it has nothing to do. */
static void next_request(struct load *l, int fd)
{
    bool sending = l->running && l->now_ns < l->end_ns;
    uint64_t meant_ns;

    if (sending && l->plan->rate == 0 && l->plan->pause_ms == 0)
        send_request(l, fd, l->now_ns);
    else if (sending && l->plan->rate && idle_first(l) < 0 && pace_take(&l->pace, l->now_ns, &meant_ns))
        send_request(l, fd, meant_ns);
    else
        idle_put(l, fd);
}

/** Open loop: what has no answer when the window ends has waited until then. */
static void note_unanswered(struct load *l, uint64_t meant_ns)
{
    if (!l->plan->rate || meant_ns >= l->end_ns)
        return;
    l->result->unanswered++;
    histogram_add(&l->result->latency_ns, l->end_ns - meant_ns);
}

static void note_answer(struct load *l, uint64_t since_ns)
{
    count(&l->t->counts.completes, 1);
    if (!l->begin_ns || l->now_ns < l->begin_ns)
        return;
    if (l->now_ns >= l->end_ns) { /* among the last events there are answers that came too late */
        note_unanswered(l, since_ns);
        return;
    }
    l->result->answers++;
    histogram_add(&l->result->latency_ns, l->now_ns > since_ns ? l->now_ns - since_ns : 0);
}

static void on_answer(struct load *l, int fd, struct load_conn *c)
{
    if (c->answer_mark != c->mark) {
        conn_fail(l, fd, "the answer is not to what was asked", EBADMSG);
        return;
    }
    note_answer(l, c->since_ns);
    if (l->plan->is_short)
        conn_close(l, fd);
    else
        next_request(l, fd);
}

static void on_readable(struct load *l, int fd, struct load_conn *c)
{
    ssize_t n = mtcp_recv(l->mctx, fd, l->in, l->size - c->got, MSG_DONTWAIT);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0 || c->state != CONN_WAITING) {
        conn_fail(l, fd, "receive", n < 0 ? errno : n > 0 ? EBADMSG : 0);
        return;
    }
    if (c->got < sizeof(c->mark)) {
        size_t room = sizeof(c->mark) - c->got;

        memcpy((char *)&c->answer_mark + c->got, l->in, (size_t)n < room ? (size_t)n : room);
    }
    c->got += (uint32_t)n;
    if (c->got == l->size)
        on_answer(l, fd, c);
}

static void on_connected(struct load *l, int fd, struct load_conn *c)
{
    l->connecting--;
    c->state = CONN_IDLE;
    watch(l, MTCP_EPOLL_CTL_MOD, fd, MTCP_EPOLLIN);
    if (l->plan->is_short)
        send_request(l, fd, c->since_ns);
    else
        next_request(l, fd);
}

static void on_event(struct load *l, int fd, uint32_t events)
{
    struct load_conn *c = &l->conns[fd];
    socklen_t len = sizeof(int);
    int err = 0;

    if (c->state == CONN_NONE)
        return;
    if (events & MTCP_EPOLLERR) {
        mtcp_getsockopt(l->mctx, fd, SOL_SOCKET, SO_ERROR, &err, &len);
        conn_fail(l, fd, c->state == CONN_CONNECTING ? "connect" : "connection", err);
    } else if (c->state == CONN_CONNECTING) {
        on_connected(l, fd, c);
    } else if (events & MTCP_EPOLLIN) {
        on_readable(l, fd, c);
    } else if (c->unsent) {
        send_rest(l, fd, c);
        if (c->state == CONN_WAITING && !c->unsent)
            watch(l, MTCP_EPOLL_CTL_MOD, fd, MTCP_EPOLLIN);
    }
}

/** Opens one more. False when there is no descriptor or port for it now. */
static bool conn_open(struct load *l)
{
    int fd = mtcp_socket(l->mctx, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return false;
    l->conns[fd] = (struct load_conn){.state = CONN_CONNECTING, .since_ns = l->now_ns};
    l->open++;
    l->connecting++;
    if (mtcp_connect(l->mctx, fd, (const struct sockaddr *)&l->plan->to, sizeof(l->plan->to)) < 0 &&
        errno != EINPROGRESS) {
        bool busy = errno == EADDRNOTAVAIL || errno == EAGAIN;

        if (busy)
            conn_close(l, fd);
        else
            conn_fail(l, fd, "connect", errno);
        return !busy;
    }
    if (!watch(l, MTCP_EPOLL_CTL_ADD, fd, MTCP_EPOLLOUT))
        conn_fail(l, fd, "epoll", errno);
    count(&l->t->counts.connects, 1);
    return true;
}

static void open_missing(struct load *l)
{
    long at_once = l->plan->is_short ? l->share : CONNECTING_AT_ONCE;

    while (l->open < l->share && l->connecting < at_once) {
        if (!conn_open(l)) {
            l->result->stalls++;
            return;
        }
    }
}

/* ---- phases ---- */

static void begin(struct load *l)
{
    l->running = true;
    l->now_ns = app_now_ns();
    l->begin_ns = l->now_ns + (uint64_t)(l->plan->warmup_s * 1e9);
    l->end_ns = l->begin_ns + (uint64_t)(l->plan->duration_s * 1e9);
    if (l->plan->rate && l->share)
        pace_begin(&l->pace, (double)l->plan->rate * (double)l->share / (double)l->plan->connections,
                   l->now_ns);
}

/** All threads begin together, when the last of them has its connections. */
static void begin_when_ready(struct load *l, bool *said)
{
    bool open = l->plan->is_short || (l->open == l->share && l->connecting == 0);

    if (open && !*said) {
        *said = true;
        atomic_fetch_add(&l->plan->ready, 1);
    }
    if (*said && atomic_load(&l->plan->ready) == l->plan->options.cores)
        begin(l);
}

/** Idle connections whose time has come send. */
static void send_due(struct load *l)
{
    uint64_t meant_ns, pause_ns = (uint64_t)l->plan->pause_ms * NS_PER_MS;
    int fd;

    while (l->running && !l->plan->is_short && (fd = idle_first(l)) >= 0) {
        if (l->plan->rate ? !pace_take(&l->pace, l->now_ns, &meant_ns)
                          : l->conns[fd].since_ns + pause_ns > l->now_ns)
            return;
        l->idle_head++;
        send_request(l, fd, l->plan->rate ? meant_ns : l->now_ns);
    }
}

/** Open loop: without an idle connection nothing leaves before an answer comes. Else not a millisecond too
 * long: waits know nothing finer. */
static int open_loop_wait_ms(struct load *l)
{
    uint64_t until_ns = idle_first(l) < 0 ? l->now_ns + WAIT_MS * NS_PER_MS : pace_next_ns(&l->pace);

    if (until_ns > l->end_ns)
        until_ns = l->end_ns;
    return until_ns > l->now_ns ? (int)((until_ns - l->now_ns) / NS_PER_MS) : 0;
}

/** How long a wait may last before something is due. */
static int wait_ms(struct load *l)
{
    int fd = l->running ? idle_first(l) : -1;
    uint64_t due_ns;

    if (l->running && l->plan->rate && l->share)
        return open_loop_wait_ms(l);
    if (fd < 0 || !l->plan->pause_ms)
        return WAIT_MS;
    due_ns = l->conns[fd].since_ns + (uint64_t)l->plan->pause_ms * NS_PER_MS;
    return due_ns > l->now_ns ? (int)((due_ns - l->now_ns + NS_PER_MS - 1) / NS_PER_MS) : 0;
}

/** What is still to be answered, and what should have left. */
static void count_unanswered(struct load *l)
{
    uint64_t meant_ns;

    for (int fd = 0; fd < l->max_conns; fd++)
        if (l->conns[fd].state == CONN_WAITING)
            note_unanswered(l, l->conns[fd].since_ns);
    l->result->due = pace_meant_before(&l->pace, l->end_ns) - pace_meant_before(&l->pace, l->begin_ns);
    while (pace_take(&l->pace, l->end_ns - 1, &meant_ns)) {
        l->result->unsent++;
        note_unanswered(l, meant_ns);
    }
}

void load_run(struct load *l)
{
    struct mtcp_epoll_event events[MAX_EVENTS];
    bool ready = false;

    l->now_ns = app_now_ns();
    while (!app_stopping() && (!l->running || l->now_ns < l->end_ns)) {
        int n;

        if (!l->running)
            begin_when_ready(l, &ready);
        open_missing(l);
        send_due(l);
        n = thread_wait(l->t, l->ep, events, MAX_EVENTS, wait_ms(l));
        l->now_ns = app_now_ns();
        for (int i = 0; i < n; i++) {
            if (i % CLOCK_EVERY == CLOCK_EVERY - 1)
                l->now_ns = app_now_ns();
            on_event(l, events[i].data.sockid, events[i].events);
        }
    }
    if (l->running && l->plan->rate && l->share && !app_stopping())
        count_unanswered(l);
}

bool load_init(struct load *l)
{
    struct mtcp_conf conf;

    mtcp_getconf(&conf);
    l->max_conns = conf.max_concurrency;
    l->size = (uint32_t)l->plan->size;
    /* A connection that dies while idle leaves its place, so there are never more places than descriptors
     * and replacements; a ring that runs full would lose a connection for the run. */
    l->idle_size = 2 * (unsigned)l->max_conns;
    l->conns = calloc((size_t)l->max_conns, sizeof(*l->conns));
    l->idle = calloc(l->idle_size, sizeof(*l->idle));
    l->ep = l->conns && l->idle ? mtcp_epoll_create(l->mctx, MAX_EVENTS) : -1;
    if (l->ep >= 0)
        return true;
    app_complain(l->t->options, "no epoll descriptor: %s", strerror(errno));
    load_fini(l);
    return false;
}

void load_fini(struct load *l)
{
    for (int fd = 0; l->conns && fd < l->max_conns; fd++)
        if (l->conns[fd].state != CONN_NONE)
            conn_close(l, fd);
    free(l->conns);
    free(l->idle);
    l->conns = NULL;
    l->idle = NULL;
}

void load_result_add(struct load_result *to, const struct load_result *from)
{
    to->answers += from->answers;
    to->errors += from->errors;
    to->due += from->due;
    to->unanswered += from->unanswered;
    to->unsent += from->unsent;
    to->stalls += from->stalls;
    histogram_merge(&to->latency_ns, &from->latency_ns);
}
