/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Flows change their worker: what a worker does when steer moves buckets from or to it, and key `rebalance`.
 * Connections without a user go with their flow, those with one when he declared them movable and is inside a
 * wait that tells him; unread datagrams go when the other worker has a socket of their port. What stays is
 * pinned by TCP, or held by its port.
 * Invariant: the destination reads the clock anew before it takes cargo over, so that no time in it lies
 * ahead (the clock is one for all threads). */
#include <stdlib.h>

#include "config/config.h"
#include "steer/flow_hash.h"
#include "worker/worker_priv.h"

#define RESTS_ONE_IN 4u /* a worker that is idle for less than this share of its busy time does not rest */

struct cargo {
    struct tcp_cargo *tcp; /**< NULL: none */
    struct udp_cargo *udp;
};

/** Flows that move from a worker. */
struct departure {
    struct worker *w;
    const struct steer_buckets *set;
    unsigned to;
};

static bool flow_in(const struct steer_buckets *set, ipv4_addr_t local, uint16_t local_port, ipv4_addr_t peer,
                    uint16_t peer_port)
{
    return steer_buckets_has(set, flow_hash_ipv4(local, peer, local_port, peer_port) % STEER_BUCKETS);
}

static bool held_there(const struct departure *d, uint8_t proto, uint16_t port)
{
    return steer_port_holders(d->w->stack->steer, proto, port) >> d->to & 1;
}

static bool conn_wanted(void *ctx, struct tcp_endpoint local, struct tcp_endpoint peer)
{
    const struct departure *d = ctx;

    return flow_in(d->set, local.addr, local.port, peer.addr, peer.port);
}

static bool conn_listens(void *ctx, struct tcp_endpoint local)
{
    return held_there(ctx, IP_PROTO_TCP, local.port);
}

static bool conn_let_go(void *ctx, struct tcp_conn *c)
{
    const struct departure *d = ctx;

    return d->w->let_move && sock_let_go(c);
}

static bool datagram_wanted(void *ctx, struct udp_addr local, struct udp_addr from)
{
    const struct departure *d = ctx;
    ipv4_addr_t addr = local.addr ? local.addr : d->w->stack->cfg->address;

    return flow_in(d->set, addr, local.port, from.addr, from.port) && held_there(d, IP_PROTO_UDP, local.port);
}

static void *on_detach(void *ctx, const struct steer_buckets *set, unsigned to)
{
    static const struct tcp_move_ops conns = {conn_wanted, conn_listens, conn_let_go},
                                     nobody = {.wanted = conn_wanted};
    static const struct udp_move_ops datagrams = {datagram_wanted};
    struct departure d = {.w = ctx, .set = set, .to = to};
    struct cargo *cargo = calloc(1, sizeof(*cargo));

    if (!cargo) {
        tcp_detach(d.w->tcp, &nobody, &d);
        return NULL;
    }
    cargo->tcp = tcp_detach(d.w->tcp, &conns, &d);
    cargo->udp = udp_detach(d.w->udp, &datagrams, &d);
    if (cargo->tcp || cargo->udp)
        return cargo;
    free(cargo);
    return NULL;
}

static void on_attach(void *ctx, void *arg)
{
    struct worker *w = ctx;
    struct cargo *cargo = arg;

    w->now_us = worker_clock_us();
    if (cargo->udp)
        udp_attach(w->udp, cargo->udp);
    if (cargo->tcp)
        tcp_attach(w->tcp, cargo->tcp, w->now_us);
    free(cargo);
}

/** What the other worker sends on these flows shall not overtake what this one has sent. */
static bool on_sent_all(void *ctx, uint64_t *mark)
{
    struct worker *w = ctx;
    unsigned in_ring = w->tx_ring ? spsc_ring_count(w->tx_ring) : 0;

    if (*mark == 0)
        *mark = w->cnt.tx_frames + w->tx_count + 1;
    return w->cnt.tx_frames - in_ring + 1 >= *mark;
}

const struct steer_ops rebalance_ops = {on_detach, on_attach, on_sent_all};

void worker_let_move(struct worker *w, bool on)
{
    w->let_move = on;
}

/** A worker that rests is not slow, however much each of its few frames costs: only time without rest counts.
 */
static void account(struct worker *w)
{
    const struct worker_counters *c = &w->cnt;
    struct worker_load *l = &w->load;
    uint64_t busy =
        c->cycles_receive + c->cycles_steer + c->cycles_protocol + c->cycles_transmit + c->cycles_application;

    if (w->now_us < l->next_us)
        return;
    l->next_us = w->now_us + STEER_BALANCE_US / 2;
    if (c->cycles_idle - l->last_idle < (busy - l->last_busy) / RESTS_ONE_IN)
        l->busy_cycles += busy - l->last_busy;
    l->last_busy = busy;
    l->last_idle = c->cycles_idle;
}

/** A connection came when the listener here had been closed already: whoever listens shall have it. The
 * bucket cannot move while it is still on its way here; then this is asked again in the next round. */
static bool moves_on(void *ctx, struct tcp_endpoint local, struct tcp_endpoint peer)
{
    struct worker *w = ctx;
    struct steer *steer = w->stack->steer;
    uint64_t others = steer_port_holders(steer, IP_PROTO_TCP, local.port) & ~(UINT64_C(1) << w->index);

    if (!others)
        return false;
    steer_move(steer, flow_hash_ipv4(local.addr, peer.addr, local.port, peer.port) % STEER_BUCKETS,
               (unsigned)__builtin_ctzll(others));
    return true;
}

void rebalance_round(struct worker *w)
{
    struct steer *steer = w->stack->steer;

    steer_moves(steer, w->index);
    if (tcp_has_adrift(w->tcp))
        tcp_adrift(w->tcp, moves_on, w, w->now_us);
    if (w->stack->cfg->rebalance != CONFIG_REBALANCE_ON)
        return;
    account(w);
    steer_report(steer, w->index, w->load.busy_cycles, w->cnt.rx_frames);
    steer_balance(steer, w->now_us);
}
