/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Frames from the interface to the layers of a worker. One worker alone takes what its queues have. Several
 * take first what others have put into their rings, then try for the queues: who finds one free sorts a burst
 * of it for all, lets go, and runs its own frames to completion. Invariant: nobody waits for a queue or for a
 * full ring. */
#include "worker/worker_priv.h"

/** foreign: the frames came by another worker's queue. */
static void process(struct worker *w, struct pkt *const *pkts, unsigned n, bool foreign)
{
    w->foreign = foreign && w->stack->design.design == STEER_DIRECT;
    w->cnt.rx_frames += n;
    for (unsigned i = 0; i < n; i++) {
        w->cnt.rx_bytes += pkt_total(pkts[i]);
        inet_input(w->inet, pkts[i], w->now_us);
    }
    w->foreign = false;
}

static unsigned receive_alone(struct worker *w)
{
    struct pkt *pkts[WORKER_RX_BURST];
    unsigned total = 0;

    for (unsigned q = 0; q < w->stack->design.queues; q++) {
        unsigned n = netif_rx_burst(w->nif, q, pkts, w->burst);

        if (n == 0)
            continue;
        worker_spend(w, &w->cnt.cycles_receive);
        w->cnt.rx_bursts++;
        w->cnt.rx_polled += n;
        process(w, pkts, n, false);
        worker_spend(w, &w->cnt.cycles_protocol);
        total += n;
    }
    return total;
}

/** A burst of a queue, for all workers. */
static unsigned drain_queue(struct worker *w, unsigned queue)
{
    struct steer *steer = w->stack->steer;
    struct pkt *pkts[WORKER_RX_BURST];
    unsigned n, own;

    if (!steer_rx_enter(steer, queue))
        return 0;
    n = netif_rx_burst(w->nif, queue, pkts, w->burst);
    if (n == 0) {
        steer_rx_leave(steer, queue);
        return 0;
    }
    worker_spend(w, &w->cnt.cycles_receive);
    w->cnt.rx_bursts++;
    w->cnt.rx_polled += n;
    own = steer_distribute(steer, queue, w->index, pkts, n);
    steer_rx_leave(steer, queue);
    if (own < n)
        workers_wake_waiting(w->stack);
    worker_spend(w, &w->cnt.cycles_steer);
    process(w, pkts, own, queue % w->stack->num_workers != w->index);
    worker_spend(w, &w->cnt.cycles_protocol);
    return n;
}

/** DIRECT: a queue is polled by its worker, and by the others while that one is not there: a device goes on
 * using it. */
static bool polls(const struct worker *w, unsigned queue)
{
    struct mtcp_stack *st = w->stack;
    unsigned owner = queue % st->num_workers;

    if (owner == w->index || st->design.design != STEER_DIRECT)
        return true;
    return atomic_load_explicit(&st->absent, memory_order_relaxed) > 0 &&
           !atomic_load_explicit(&st->workers[owner], memory_order_relaxed);
}

static unsigned receive_steered(struct worker *w)
{
    struct mtcp_stack *st = w->stack;
    struct pkt *pkts[WORKER_RX_BURST];
    unsigned total = steer_take(st->steer, w->index, pkts, w->burst);

    if (total > 0) {
        w->cnt.rx_ring_frames += total;
        w->cnt.rx_ring_bursts++;
        worker_spend(w, &w->cnt.cycles_steer);
        process(w, pkts, total, true);
        worker_spend(w, &w->cnt.cycles_protocol);
    }
    if (st->design.dedicated > 0)
        return total;
    for (unsigned i = 0, q = w->index % st->design.queues; i < st->design.queues; i++) {
        if (polls(w, q))
            total += drain_queue(w, q);
        q = q + 1 < st->design.queues ? q + 1 : 0;
    }
    return total;
}

unsigned worker_receive(struct worker *w)
{
    return w->stack->steer ? receive_steered(w) : receive_alone(w);
}
