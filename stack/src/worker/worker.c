/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Creation and destruction of a worker, and the callbacks that wire inet, TCP, UDP, sockets and the interface
 * together. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "worker/worker_priv.h"

#define SECONDS_US UINT64_C(1000000)

/* ---- towards the interface ---- */

bool worker_tx_flush(struct worker *w)
{
    unsigned done = 0;

    while (done < w->tx_count) {
        uint64_t bytes = 0;
        unsigned n = w->tx_count - done, sent;

        if (n > WORKER_TX_BURST)
            n = WORKER_TX_BURST;
        for (unsigned i = 0; i < n; i++) /* before the hand-over: after it they are the interface's */
            bytes += w->tx[done + i]->len;
        sent = netif_tx_burst(w->nif, w->index, w->tx + done, n);
        for (unsigned i = sent; i < n; i++)
            bytes -= w->tx[done + i]->len;
        w->cnt.tx_bytes += bytes;
        w->cnt.tx_frames += sent;
        done += sent;
        if (sent < n) {
            w->cnt.tx_again++;
            break;
        }
    }
    for (unsigned i = done; i < w->tx_count; i++)
        w->tx[i - done] = w->tx[i];
    w->tx_count -= done;
    return w->tx_count == 0;
}

static void on_xmit(void *ctx, struct pkt *frame)
{
    struct worker *w = ctx;

    if (w->tx_count >= WORKER_TX_BURST && (w->tx_count % WORKER_TX_BURST) == 0)
        worker_tx_flush(w);
    if (w->tx_count == WORKER_TX_QUEUE) {
        w->cnt.drop_tx_full++;
        pkt_free(frame);
        return;
    }
    w->tx[w->tx_count++] = frame;
}

static struct pkt *on_alloc_raw(void *ctx)
{
    struct worker *w = ctx;
    struct pkt *p = netif_alloc(w->nif, w->index);

    if (!p)
        w->cnt.alloc_failed++;
    return p;
}

/** Buffers for TCP and UDP: none while the interface does not take what is there, so that the pressure
 * reaches the sender instead of becoming loss. */
static struct pkt *on_alloc(void *ctx)
{
    struct worker *w = ctx;

    if (w->tx_count >= WORKER_TX_LIMIT) {
        worker_tx_flush(w);
        if (w->tx_count >= WORKER_TX_LIMIT) {
            w->cnt.alloc_backpressure++;
            return NULL;
        }
    }
    return on_alloc_raw(w);
}

/* ---- between inet and the transports ---- */

void worker_deliver(struct worker *w, const struct ipv4_hdr *ip, struct pkt *pkt, uint64_t now_us)
{
    if (ip->proto == IP_PROTO_TCP)
        tcp_input(w->tcp, ip, pkt, now_us);
    else
        udp_input(w->udp, ip, pkt, now_us);
}

static void on_deliver(void *ctx, const struct ipv4_hdr *ip, struct pkt *pkt, uint64_t now_us)
{
    struct worker *w = ctx;

    if (ip->proto != IP_PROTO_TCP && ip->proto != IP_PROTO_UDP) {
        w->cnt.drop_protocol++;
        pkt_free(pkt);
    } else if (!handover_give(w, ip, pkt)) {
        worker_deliver(w, ip, pkt, now_us);
    }
}

static void on_unreachable(void *ctx, ipv4_addr_t dst, uint64_t now_us)
{
    struct worker *w = ctx;

    tcp_unreachable(w->tcp, dst, now_us);
}

static enum status on_tcp_output(void *ctx, struct pkt *pkt, ipv4_addr_t src, ipv4_addr_t dst,
                                 uint64_t now_us)
{
    return inet_output(((struct worker *)ctx)->inet, pkt, src, dst, IP_PROTO_TCP, now_us);
}

static enum status on_udp_output(void *ctx, struct pkt *pkt, ipv4_addr_t src, ipv4_addr_t dst,
                                 uint64_t now_us)
{
    return inet_output(((struct worker *)ctx)->inet, pkt, src, dst, IP_PROTO_UDP, now_us);
}

static enum status on_route(void *ctx, ipv4_addr_t dst, ipv4_addr_t *src, uint16_t *mtu)
{
    return inet_route_lookup(((struct worker *)ctx)->stack->inet, dst, src, mtu);
}

static void on_conn_event(void *ctx, struct tcp_conn *c, unsigned events)
{
    (void)ctx;
    sock_on_tcp_event(c, events);
}

static void on_acceptable(void *ctx, struct tcp_listener *l)
{
    (void)ctx;
    sock_on_acceptable(l);
}

static void on_udp_readable(void *ctx, struct udp_sock *u)
{
    (void)ctx;
    sock_on_readable(u);
}

static bool on_is_local(void *ctx, ipv4_addr_t addr)
{
    return inet_is_local(((struct worker *)ctx)->stack->inet, addr);
}

static bool on_can_send(void *ctx)
{
    struct worker *w = ctx;

    w->send_refused = w->send_refused || w->tx_count >= WORKER_TX_LIMIT;
    return w->tx_count < WORKER_TX_LIMIT;
}

/* With several workers the port may be held by another one, so only a lone worker may say that nobody has it.
 */
static void on_port_unreachable(void *ctx, const struct ipv4_hdr *ip, const struct pkt *pkt)
{
    struct worker *w = ctx;

    if (w->stack->num_workers == 1)
        inet_port_unreachable(w->inet, ip, pkt, w->now_us);
}

static const struct inet_ops inet_callbacks = {
    .alloc = on_alloc_raw,
    .xmit = on_xmit,
    .deliver = on_deliver,
    .unreachable = on_unreachable,
};
static const struct tcp_ops tcp_callbacks = {
    .alloc = on_alloc,
    .output = on_tcp_output,
    .route = on_route,
    .conn_event = on_conn_event,
    .acceptable = on_acceptable,
};
static const struct udp_ops udp_callbacks = {
    .alloc = on_alloc,
    .output = on_udp_output,
    .route = on_route,
    .readable = on_udp_readable,
    .port_unreachable = on_port_unreachable,
};
static const struct socktab_ops sock_callbacks = {
    .is_local = on_is_local,
    .can_send = on_can_send,
};

/* ---- life ---- */

static uint64_t seconds_or_never(int seconds)
{
    return seconds < 0 ? UINT64_MAX : (uint64_t)seconds * SECONDS_US;
}

static enum status create_tcp(struct worker *w)
{
    const struct config *cfg = w->stack->cfg;
    struct tcp_params p = {
        .max_conns = cfg->max_concurrency,
        .rcvbuf_bytes = cfg->rcvbuf,
        .sndbuf_bytes = cfg->sndbuf,
        .time_wait_us = cfg->tcp_timewait < 0 ? 0 : seconds_or_never(cfg->tcp_timewait),
        .user_timeout_us = seconds_or_never(cfg->tcp_timeout),
        .no_delay = true,
        .log = &w->stack->log,
    };

    handover_ports(w->stack, w->index, &p.ephemeral_first, &p.ephemeral_last);
    memcpy(p.isn_key, w->stack->tcp_key, sizeof(p.isn_key));
    return tcp_create(&p, &tcp_callbacks, w, &w->tcp);
}

static enum status create_udp(struct worker *w)
{
    struct udp_params p = {
        .max_socks = w->max_socks,
        .rcvbuf_bytes = w->stack->cfg->rcvbuf,
    };

    handover_ports(w->stack, w->index, &p.ephemeral_first, &p.ephemeral_last);
    if (getrandom(&p.seed, sizeof(p.seed), 0) != (ssize_t)sizeof(p.seed))
        return ST_IO;
    return udp_create(&p, &udp_callbacks, w, &w->udp);
}

static enum status create_layers(struct worker *w)
{
    enum status rc;

    pthread_mutex_lock(&w->stack->lock); /* inet counts its workers */
    rc = inet_worker_create(w->stack->inet, &inet_callbacks, w, &w->inet);
    pthread_mutex_unlock(&w->stack->lock);
    if (rc == ST_OK)
        rc = create_tcp(w);
    if (rc == ST_OK)
        rc = create_udp(w);
    if (rc == ST_OK)
        rc = socktab_init(&w->socks, w->max_socks, w->tcp, w->udp, &sock_callbacks, w);
    return rc;
}

static void worker_free(struct worker *w)
{
    socktab_fini(&w->socks);
    if (w->udp)
        udp_destroy(w->udp);
    if (w->tcp)
        tcp_destroy(w->tcp);
    if (w->inet) {
        pthread_mutex_lock(&w->stack->lock);
        inet_worker_destroy(w->inet);
        pthread_mutex_unlock(&w->stack->lock);
    }
    for (unsigned i = 0; i < w->tx_count; i++)
        pkt_free(w->tx[i]);
    if (w->wake_fd >= 0)
        close(w->wake_fd);
    free(w);
}

enum status worker_create(struct mtcp_stack *st, unsigned index, struct worker **out)
{
    struct worker *w = calloc(1, sizeof(*w));
    enum status rc;

    if (!w)
        return ST_NO_MEMORY;
    w->stack = st;
    w->index = index;
    w->nif = st->nif;
    w->max_socks = st->cfg->max_concurrency;
    w->now_us = worker_clock_us();
    rates_init(w);
    w->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    rc = w->wake_fd < 0 ? ST_IO : create_layers(w);
    if (rc != ST_OK) {
        log_say(&st->log, LOG_ERROR, "worker %u: %s", index, status_text(rc));
        worker_free(w);
        return rc;
    }
    *out = w;
    return ST_OK;
}

/** Nothing is left to send or to wait for; connections in TIME-WAIT only guard against old segments. */
static bool drained(void *arg)
{
    struct worker *w = arg;

    return w->tx_count == 0 && tcp_num_conns(w->tcp) == tcp_get_counters(w->tcp)->now_time_wait;
}

static void log_line(void *ctx, const char *text)
{
    struct worker *w = ctx;

    log_say(&w->stack->log, LOG_DEBUG, "worker %u: %s", w->index, text);
}

void worker_destroy(struct worker *w, uint64_t linger_us)
{
    socktab_close_all(&w->socks, w->now_us);
    atomic_store(&w->interrupted, false);
    if (linger_us > 0)
        worker_wait(w, drained, w, linger_us);
    else
        worker_round(w);
    tcp_abort_all(w->tcp, w->now_us);
    worker_tx_flush(w);
    if (w->stack->log.level >= LOG_DEBUG)
        worker_print_counters(w, log_line, w);
    worker_free(w);
}

struct socktab *worker_socks(struct worker *w)
{
    return &w->socks;
}

uint64_t worker_now(const struct worker *w)
{
    return w->now_us;
}

unsigned worker_index(const struct worker *w)
{
    return w->index;
}

unsigned worker_max_socks(const struct worker *w)
{
    return w->max_socks;
}

const struct config *worker_config(const struct worker *w)
{
    return w->stack->cfg;
}
