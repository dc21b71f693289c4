/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What wires inet, TCP, UDP and sockets of a worker to each other, to the interface and to those who
 * distribute. */
#include <string.h>
#include <sys/random.h>

#include "base/byteorder.h"
#include "wire/tcp.h"
#include "wire/udp.h"
#include "worker/worker_priv.h"

#define SECONDS_US UINT64_C(1000000)
#define UDP_DST_PORT 2u /**< where it stands in the header */

/* ---- towards the interface ---- */

static void on_xmit(void *ctx, struct pkt *frame)
{
    worker_xmit(ctx, frame);
}

static struct pkt *on_alloc_raw(void *ctx)
{
    struct worker *w = ctx;
    struct pkt *p = netif_alloc(w->nif, w->index);

    if (!p)
        w->cnt.alloc_failed++;
    return p;
}

/** Room for one more packet of TCP and UDP: none while the interface does not take what is there, so that the
 * pressure reaches the sender instead of becoming loss. */
static bool tx_has_room(struct worker *w)
{
    if (w->tx_count < WORKER_TX_LIMIT)
        return true;
    if (w->tx_tried_round != w->cnt.rounds + 1) { /* once a round: a full interface is expensive to ask */
        w->tx_tried_round = w->cnt.rounds + 1;
        worker_tx_flush(w);
        if (w->tx_count < WORKER_TX_LIMIT)
            return true;
    }
    w->cnt.alloc_backpressure++;
    return false;
}

static struct pkt *on_alloc(void *ctx)
{
    return tx_has_room(ctx) ? on_alloc_raw(ctx) : NULL;
}

static struct pkt *on_alloc_long(void *ctx)
{
    struct worker *w = ctx;

    return tx_has_room(w) ? netif_alloc_long(w->nif, w->index) : NULL;
}

/* ---- between inet and the transports ---- */

static void on_deliver(void *ctx, const struct ipv4_hdr *ip, struct pkt *pkt, uint64_t now_us)
{
    struct worker *w = ctx;

    if (ip->proto == IP_PROTO_TCP) {
        tcp_input(w->tcp, ip, pkt, now_us);
    } else if (ip->proto == IP_PROTO_UDP) {
        udp_input(w->udp, ip, pkt, now_us);
    } else {
        w->cnt.drop_protocol++;
        pkt_free(pkt);
    }
}

/** Fragments come to the worker of the addresses alone: what they make up goes to its flow's. */
static bool on_reassembled(void *ctx, const struct ipv4_hdr *ip, struct pkt *pkt)
{
    struct worker *w = ctx;
    const uint8_t *l4 = pkt->data + ip->hdr_len;
    struct steer_flow flow = {.proto = ip->proto, .local = ip->dst, .peer = ip->src};
    bool opening;
    unsigned to;

    if (!w->stack->steer || (ip->proto != IP_PROTO_TCP && ip->proto != IP_PROTO_UDP) ||
        pkt->len < ip->hdr_len + UDP_HDR_LEN)
        return false;
    flow.peer_port = get_be16(l4);
    flow.local_port = get_be16(l4 + 2);
    opening = ip->proto == IP_PROTO_UDP ||
              (pkt->len >= ip->hdr_len + TCP_HDR_LEN && (l4[13] & (TCP_SYN | TCP_ACK)) == TCP_SYN);
    to = steer_target(w->stack->steer, &flow, opening);
    if (to == STEER_NOBODY || to == w->index)
        return false;
    pkt_push(pkt, ETH_HDR_LEN);
    steer_give(w->stack->steer, w->index, to, pkt);
    workers_wake_waiting(w->stack);
    return true;
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

static void on_port_unreachable(void *ctx, const struct ipv4_hdr *ip, const struct pkt *pkt)
{
    struct worker *w = ctx;

    inet_port_unreachable(w->inet, ip, pkt, w->now_us);
}

/* ---- between the transports and those who distribute ---- */

/** The same for several workers: only when none of them has the port. */
static void on_port_unreachable_by_all(void *ctx, const struct ipv4_hdr *ip, const struct pkt *pkt)
{
    struct worker *w = ctx;
    uint16_t port = get_be16(pkt->data + UDP_DST_PORT);

    if (steer_port_holders(w->stack->steer, IP_PROTO_UDP, port) == 0)
        inet_port_unreachable(w->inet, ip, pkt, w->now_us);
}

static bool on_owns_flow(void *ctx, ipv4_addr_t local, uint16_t local_port, ipv4_addr_t peer,
                         uint16_t peer_port)
{
    const struct steer_flow flow = {IP_PROTO_TCP, local, peer, local_port, peer_port};
    struct worker *w = ctx;

    /* With queues of their own: a connection that begins by another worker's queue goes on by it, whoever
     * listens meanwhile. */
    return !w->foreign && steer_owns(w->stack->steer, w->index, &flow);
}

static enum status on_flow_pin(void *ctx, ipv4_addr_t local, uint16_t local_port, ipv4_addr_t peer,
                               uint16_t peer_port)
{
    const struct steer_flow flow = {IP_PROTO_TCP, local, peer, local_port, peer_port};
    struct worker *w = ctx;
    enum status st = steer_pin(w->stack->steer, &flow, w->index);

    w->cnt.pins += st == ST_OK;
    w->cnt.pin_failed += st != ST_OK;
    return st;
}

static void on_flow_unpin(void *ctx, ipv4_addr_t local, uint16_t local_port, ipv4_addr_t peer,
                          uint16_t peer_port)
{
    const struct steer_flow flow = {IP_PROTO_TCP, local, peer, local_port, peer_port};
    struct worker *w = ctx;

    steer_unpin(w->stack->steer, &flow);
}

static void port_bound(struct worker *w, uint8_t proto, uint16_t port, bool on)
{
    if (on)
        steer_port_hold(w->stack->steer, proto, port, w->index);
    else
        steer_port_release(w->stack->steer, proto, port, w->index);
}

static void on_tcp_port(void *ctx, uint16_t port, bool on)
{
    port_bound(ctx, IP_PROTO_TCP, port, on);
}

static void on_udp_port(void *ctx, uint16_t port, bool on)
{
    port_bound(ctx, IP_PROTO_UDP, port, on);
}

static const struct inet_ops inet_callbacks = {
    .alloc = on_alloc_raw,
    .xmit = on_xmit,
    .deliver = on_deliver,
    .reassembled = on_reassembled,
    .unreachable = on_unreachable,
};
/* For each transport twice: a lone worker asks nobody whose a flow is. */
#define TCP_OPS                                                                                 \
    .alloc = on_alloc, .alloc_long = on_alloc_long, .output = on_tcp_output, .route = on_route, \
    .conn_event = on_conn_event, .acceptable = on_acceptable
#define UDP_OPS .alloc = on_alloc, .output = on_udp_output, .route = on_route, .readable = on_udp_readable
static const struct tcp_ops tcp_alone = {TCP_OPS};
static const struct tcp_ops tcp_steered = {
    TCP_OPS,
    .owns_flow = on_owns_flow,
    .flow_pin = on_flow_pin,
    .flow_unpin = on_flow_unpin,
    .port_bound = on_tcp_port,
};
static const struct udp_ops udp_alone = {UDP_OPS, .port_unreachable = on_port_unreachable};
static const struct udp_ops udp_steered = {
    UDP_OPS,
    .port_unreachable = on_port_unreachable_by_all,
    .port_bound = on_udp_port,
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

/** The worker's share of a range of ports, which no other worker takes; into *first and *last. */
static void own_ports(const struct worker *w, uint16_t *first, uint16_t *last)
{
    unsigned share = (*last - *first + 1u) / w->stack->num_workers;

    *first = (uint16_t)(*first + w->index * share);
    *last = (uint16_t)(*first + share - 1);
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
        .csum_offload = w->nif->offload >= NETIF_OFFLOAD_CSUM,
        .long_bytes = w->nif->offload >= NETIF_OFFLOAD_SEG ? NETIF_LONG_BYTES : 0,
        .log = &w->stack->log,
        .ephemeral_first = EPHEMERAL_FIRST,
        .ephemeral_last = EPHEMERAL_LAST,
    };

    /* Else the flow's hash says which of all ports are the worker's, for this peer: none, when all its
     * buckets have moved away. */
    if (w->stack->design.design == STEER_DIRECT) {
        own_ports(w, &p.ephemeral_first, &p.ephemeral_last);
    } else if (w->stack->steer) {
        p.spare_first = SPARE_FIRST;
        p.spare_last = SPARE_LAST;
        own_ports(w, &p.spare_first, &p.spare_last);
    }
    memcpy(p.isn_key, w->stack->tcp_key, sizeof(p.isn_key));
    return tcp_create(&p, w->stack->steer ? &tcp_steered : &tcp_alone, w, &w->tcp);
}

static enum status create_udp(struct worker *w)
{
    struct udp_params p = {
        .max_socks = w->max_socks,
        .rcvbuf_bytes = w->stack->cfg->rcvbuf,
        .csum_offload = w->nif->offload >= NETIF_OFFLOAD_CSUM,
        .ephemeral_first = EPHEMERAL_FIRST,
        .ephemeral_last = EPHEMERAL_LAST,
    };

    own_ports(w, &p.ephemeral_first, &p.ephemeral_last);
    if (getrandom(&p.seed, sizeof(p.seed), 0) != (ssize_t)sizeof(p.seed))
        return ST_IO;
    return udp_create(&p, w->stack->steer ? &udp_steered : &udp_alone, w, &w->udp);
}

enum status worker_create_layers(struct worker *w)
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
