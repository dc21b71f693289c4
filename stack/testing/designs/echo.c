/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See echo.h. */
#include "testing/designs/echo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/minmax.h"
#include "testing/stream.h"

#define AT_ONCE 64u  /**< datagrams; then the others have their turn */
#define BALANCE_MS 2 /**< between two looks at the counters of a flood */
#define ADDR_LEN ((socklen_t)sizeof(struct sockaddr_in))

struct client {
    struct twin_handler h;
    struct echo_worker *w;
    struct echo_flow *flow;
    int fd;
    bool blocked, done;
};

struct echo_worker {
    struct echo *echo;
    struct twin_worker *tw;
    struct twin_handler on_server;
    int server;
    bool answer_waits; /**< of what came last: the interface had no room */
    uint8_t last[ECHO_MAX_LEN];
    size_t last_len;
    struct sockaddr_in last_from;
    struct client *clients;
    unsigned num_clients;
    bool begun;
};

/* ---- the table ---- */

void echo_init(struct echo *e, unsigned room, const struct echo_params *p)
{
    memset(e, 0, sizeof(*e));
    e->p = *p;
    e->room = room;
    e->flows = calloc(room, sizeof(*e->flows));
}

void echo_fini(struct echo *e)
{
    free(e->flows);
}

void echo_add(struct echo *e, unsigned side, unsigned worker)
{
    struct echo_flow *f = &e->flows[e->num_flows++];

    if (e->num_flows > e->room)
        abort();
    f->side = side;
    f->worker = worker;
    f->connected = e->num_flows % 2;
}

uint64_t echo_work(const struct echo *e)
{
    return e->num_flows + (e->num_flows && e->p.window == 0);
}

/* ---- datagrams ---- */

static size_t len_of(const struct echo *e, uint64_t number)
{
    if (e->p.len)
        return e->p.len;
    return number == 0 ? ECHO_HEADER : (number * 7 + 3) % (ECHO_MAX_LEN + 1); /* 7 and 1473 have no divisor */
}

static void make(const struct echo *e, unsigned flow, uint64_t number, uint8_t *buf)
{
    for (unsigned i = 0; i < 8; i++) {
        buf[i] = (uint8_t)(number >> (8 * i));
        buf[8 + i] = (uint8_t)((uint64_t)flow >> (8 * i));
    }
    if (len_of(e, number) > ECHO_HEADER)
        stream_fill(flow, number * ECHO_MAX_LEN, buf + ECHO_HEADER, len_of(e, number) - ECHO_HEADER);
}

static bool is_right(const struct echo *e, unsigned flow, uint64_t number, const uint8_t *buf, size_t len)
{
    uint8_t right[ECHO_MAX_LEN];

    make(e, flow, number, right);
    return len == len_of(e, number) && memcmp(buf, right, len) == 0;
}

static uint64_t number_in(const uint8_t *buf, unsigned offset)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < 8; i++)
        v |= (uint64_t)buf[offset + i] << (8 * i);
    return v;
}

#define FAIL(w, flow, format, ...)                                                                      \
    twin_fail((w)->tw->twin, "UDP %u, side %u worker %u: " format, flow, (w)->tw->side, (w)->tw->index, \
              __VA_ARGS__)

/* ---- servers ---- */

/** Whose datagram it is, by its port; the first one of a flow says so itself. */
static struct echo_flow *flow_of(struct echo_worker *w, const uint8_t *buf, size_t len, uint16_t port)
{
    struct echo *e = w->echo;
    _Atomic uint32_t *slot = &e->by_port[!w->tw->side][port];

    if (atomic_load(slot) == 0 && len >= ECHO_HEADER && number_in(buf, 8) < e->num_flows)
        atomic_store(slot, (uint32_t)number_in(buf, 8) + 1);
    return atomic_load(slot) ? &e->flows[atomic_load(slot) - 1] : NULL;
}

static void check_served(struct echo_worker *w, const uint8_t *buf, size_t len, uint16_t port)
{
    struct echo *e = w->echo;
    struct echo_flow *f = flow_of(w, buf, len, port);
    unsigned flow = f ? (unsigned)(f - e->flows) : 0;
    uint64_t number;

    if (!f) {
        FAIL(w, 0u, "%zu bytes from port %u, which is nobody's", len, port);
        return;
    }
    number = e->p.window ? atomic_load(&f->served) : number_in(buf, 0);
    if (number < atomic_load(&f->served))
        FAIL(w, flow, "datagram %" PRIu64 " came when %" PRIu64 " was next", number, atomic_load(&f->served));
    else if (!is_right(e, flow, number, buf, len))
        FAIL(w, flow, "%zu bytes that begin with %u instead of datagram %" PRIu64, len, len ? buf[0] : 0,
             number);
    atomic_store(&f->served, number + 1);
    atomic_store(&f->server, w->tw->index);
    atomic_fetch_add(&e->received, 1);
    atomic_fetch_add_explicit(&e->served[w->tw->side][w->tw->index], 1, memory_order_relaxed);
    twin_progress(w->tw);
}

/** False when the interface has no room now. */
static bool answer(struct echo_worker *w)
{
    ssize_t n = mtcp_sendto(w->tw->ctx, w->server, w->last, w->last_len, 0, (struct sockaddr *)&w->last_from,
                            ADDR_LEN);

    if (n < 0 && errno != EAGAIN)
        FAIL(w, 0u, "sendto: %s", strerror(errno));
    if ((n < 0 && errno == EAGAIN) != w->answer_waits) {
        w->answer_waits = !w->answer_waits;
        twin_rewatch(w->tw, w->server, w->answer_waits ? MTCP_EPOLLOUT : MTCP_EPOLLIN, &w->on_server);
    }
    return !w->answer_waits;
}

static void on_server(struct twin_handler *h, uint32_t events)
{
    struct echo_worker *w = container_of(h, struct echo_worker, on_server);

    (void)events;
    if (w->echo->p.slow_us && w->tw->side == 1 && w->tw->index == 0)
        usleep(w->echo->p.slow_us);
    if (w->answer_waits && !answer(w))
        return;
    for (unsigned i = 0; i < AT_ONCE; i++) {
        socklen_t len = ADDR_LEN;
        ssize_t n = mtcp_recvfrom(w->tw->ctx, w->server, w->last, sizeof(w->last), 0,
                                  (struct sockaddr *)&w->last_from, &len);

        if (n < 0)
            return;
        w->last_len = (size_t)n;
        check_served(w, w->last, w->last_len, ntohs(w->last_from.sin_port));
        if (w->echo->p.window && !answer(w))
            return;
    }
}

static void start_server(struct echo_worker *w)
{
    struct twin_worker *tw = w->tw;
    struct sockaddr_in a = twin_addr(tw->side, ECHO_PORT);

    w->server = mtcp_socket(tw->ctx, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (mtcp_bind(tw->ctx, w->server, (struct sockaddr *)&a, sizeof(a)) != 0)
        twin_fail(tw->twin, "bind: %s", strerror(errno));
    w->on_server.on = on_server;
    twin_watch(tw, w->server, MTCP_EPOLLIN, &w->on_server);
}

/* ---- clients ---- */

static uint64_t may_send_up_to(const struct client *c)
{
    const struct echo_params *p = &c->w->echo->p;
    uint64_t echoed = atomic_load(&c->flow->echoed);

    if (p->window == 0)
        return p->datagrams;
    return min_u64(p->datagrams, echoed == 0 ? 1 : echoed + p->window); /* one alone makes the way known */
}

static void client_send(struct client *c)
{
    struct echo *e = c->w->echo;
    unsigned flow = (unsigned)(c->flow - e->flows);
    struct sockaddr_in a = twin_addr(!c->w->tw->side, ECHO_PORT);
    uint64_t sent = atomic_load(&c->flow->sent);
    uint8_t buf[ECHO_MAX_LEN];

    c->blocked = false;
    for (unsigned i = 0; i < AT_ONCE && sent < may_send_up_to(c) && !c->blocked; i++) {
        ssize_t n;

        make(e, flow, sent, buf);
        n = c->flow->connected
                ? mtcp_send(c->w->tw->ctx, c->fd, (char *)buf, len_of(e, sent), 0)
                : mtcp_sendto(c->w->tw->ctx, c->fd, buf, len_of(e, sent), 0, (struct sockaddr *)&a, ADDR_LEN);
        c->blocked = n < 0 && errno == EAGAIN;
        if (n >= 0)
            sent++;
        else if (!c->blocked)
            FAIL(c->w, flow, "send: %s", strerror(errno));
        if (c->w->tw->twin->failed)
            return;
    }
    atomic_store(&c->flow->sent, sent);
}

static void client_receive(struct client *c)
{
    unsigned flow = (unsigned)(c->flow - c->w->echo->flows);
    uint8_t buf[ECHO_MAX_LEN];
    ssize_t n;

    while ((n = mtcp_recvfrom(c->w->tw->ctx, c->fd, buf, sizeof(buf), 0, NULL, NULL)) >= 0) {
        uint64_t number = atomic_load(&c->flow->echoed);

        if (number >= atomic_load(&c->flow->sent) || !is_right(c->w->echo, flow, number, buf, (size_t)n)) {
            FAIL(c->w, flow, "%zd bytes that begin with %u instead of the echo of %" PRIu64, n,
                 n ? buf[0] : 0, number);
            return;
        }
        atomic_store(&c->flow->echoed, number + 1);
        twin_progress(c->w->tw);
    }
}

static void on_client(struct twin_handler *h, uint32_t events)
{
    struct client *c = container_of(h, struct client, h);
    const struct echo_params *p = &c->w->echo->p;
    bool more;

    (void)events;
    client_receive(c);
    client_send(c);
    more = atomic_load(&c->flow->sent) < may_send_up_to(c);
    twin_rewatch(c->w->tw, c->fd, MTCP_EPOLLIN | (more ? MTCP_EPOLLOUT : 0), h);
    if (!c->done && atomic_load(p->window ? &c->flow->echoed : &c->flow->sent) == p->datagrams) {
        c->done = true;
        twin_done(c->w->tw, 1);
    }
}

static void start_client(struct echo_worker *w, struct echo_flow *f)
{
    struct client *c = &w->clients[w->num_clients++];
    struct sockaddr_in a = twin_addr(!w->tw->side, ECHO_PORT);

    *c = (struct client){.h.on = on_client, .w = w, .flow = f};
    c->fd = mtcp_socket(w->tw->ctx, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (f->connected && mtcp_connect(w->tw->ctx, c->fd, (struct sockaddr *)&a, sizeof(a)) != 0)
        FAIL(w, (unsigned)(f - w->echo->flows), "connect: %s", strerror(errno));
    twin_watch(w->tw, c->fd, MTCP_EPOLLIN | MTCP_EPOLLOUT, &c->h);
}

/* ---- a worker ---- */

struct echo_worker *echo_start(struct echo *e, struct twin_worker *tw)
{
    struct echo_worker *w = calloc(1, sizeof(*w));

    w->echo = e;
    w->tw = tw;
    w->server = -1;
    w->clients = calloc(e->num_flows + 1, sizeof(*w->clients));
    if (e->p.server_worker == ECHO_ALL || e->p.server_worker == tw->index)
        start_server(w);
    return w;
}

static uint64_t sum_now(struct echo_worker *w, const char *const names[], unsigned n)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < n; i++)
        sum += twin_counter_now(w->tw, names[i]);
    return sum;
}
#define SUM_NOW(w, names) sum_now(w, names, sizeof(names) / sizeof((names)[0]))

/** Flood: everything that was sent has either arrived or is in a counter. ARP fills rings as well, and frames
 * of it that were sent and have not arrived are among the dropped ones, too. */
static void balance(struct echo_worker *w)
{
    static const char *const seen[] = {"udp.drop_rcvbuf_full", "worker.drop_handover_full",
                                       "steer.drop_ring_full", "steer.drop_park_full", "inet.rx_arp"};
    static const char *const arp_sent[] = {"inet.tx_arp_requests", "inet.tx_arp_replies"};
    struct echo *e = w->echo;
    uint64_t dropped = 0, sent = 0;

    /* Of one worker this may be below 0; the sum of all is right modulo 2^64. */
    atomic_store(&e->dropped[w->tw->side][w->tw->index], SUM_NOW(w, seen) - SUM_NOW(w, arp_sent));
    for (unsigned i = 0; i < TWIN_MAX_WORKERS; i++)
        dropped += atomic_load(&e->dropped[0][i]) + atomic_load(&e->dropped[1][i]);
    for (unsigned i = 0; i < e->num_flows; i++) {
        if (atomic_load(&e->flows[i].sent) < e->p.datagrams)
            return;
        sent += e->p.datagrams;
    }
    if (atomic_load(&e->received) + dropped == sent && !atomic_exchange(&e->balanced, true))
        twin_done(w->tw, 1);
}

bool echo_is_settled(const struct echo *e)
{
    return e->p.window || e->num_flows == 0 || atomic_load(&((struct echo *)e)->balanced);
}

int echo_step(struct echo_worker *w)
{
    struct echo *e = w->echo;

    for (unsigned i = 0; i < e->num_flows && !w->begun; i++)
        if (e->flows[i].side == w->tw->side && e->flows[i].worker == w->tw->index)
            start_client(w, &e->flows[i]);
    w->begun = true;
    if (echo_is_settled(e))
        return -1;
    balance(w);
    return BALANCE_MS;
}

void echo_stop(struct echo_worker *w)
{
    for (unsigned i = 0; i < w->num_clients; i++)
        mtcp_close(w->tw->ctx, w->clients[i].fd);
    if (w->server >= 0)
        mtcp_close(w->tw->ctx, w->server);
    free(w->clients);
    free(w);
}

void echo_dump(const struct echo *e, FILE *out)
{
    struct echo *t = (struct echo *)e;

    for (unsigned i = 0; i < e->num_flows; i++) {
        struct echo_flow *f = &t->flows[i];

        if (atomic_load(&f->echoed) < e->p.datagrams)
            fprintf(out,
                    "  UDP %u from side %u worker %u to worker %u: sent %" PRIu64 " served %" PRIu64
                    " echoed %" PRIu64 "\n",
                    i, f->side, f->worker, atomic_load(&f->server), atomic_load(&f->sent),
                    atomic_load(&f->served), atomic_load(&f->echoed));
    }
    fprintf(out, "  UDP: %" PRIu64 " received\n", atomic_load(&t->received));
}
