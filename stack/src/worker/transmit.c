/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Frames on their way to the interface. A worker gathers them in its array. A transmit queue of its own takes
 * them from there; one that is shared is guarded by a lock which nobody waits for: who gets it sends what
 * waits in the rings of the queue's workers, then its own array; who does not puts its frames into its ring,
 * for whoever has the lock. A dedicated thread empties the rings of all.
 * Invariants: a worker's frames leave in their order (ring before array); a ring that is not empty has its
 * bit in `waits`, or the holder of the lock is about to see to it; who lets go of the lock looks at `waits`
 * again, so that no frame stays behind when all go to sleep. */
#include "worker/transmit.h"

#include <stdlib.h>

#include "base/minmax.h"
#include "worker/worker_priv.h"

#define LOCK_TURNS 4u /**< how often in a row one worker sees to the frames of others */

/** A transmit queue that several workers use. */
struct tx_port {
    alignas(64) atomic_bool held;
    unsigned turn;                      /**< of the holder: whose ring comes first */
    alignas(64) _Atomic uint64_t waits; /**< bit w: there are frames in the ring of worker w */
};

static uint64_t bytes_of(struct pkt *const *pkts, unsigned n)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < n; i++)
        bytes += pkt_total(pkts[i]);
    return bytes;
}

/** The first `done` frames of the array have gone. */
static void array_done(struct worker *w, unsigned done)
{
    for (unsigned i = done; i < w->tx_count; i++)
        w->tx[i - done] = w->tx[i];
    w->tx_count -= done;
}

/** From the array to the interface. */
static bool send_array(struct worker *w)
{
    unsigned done = 0;

    while (done < w->tx_count) {
        unsigned n = min_u32(w->tx_count - done, WORKER_TX_BURST), sent;
        uint64_t bytes = bytes_of(w->tx + done, n); /* before the hand-over: after it they are not ours */

        sent = netif_tx_burst(w->nif, w->tx_queue, w->tx + done, n);
        w->cnt.tx_bytes += bytes - bytes_of(w->tx + done + sent, n - sent);
        w->cnt.tx_frames += sent;
        done += sent;
        if (sent < n) {
            w->cnt.tx_again++;
            break;
        }
    }
    array_done(w, done);
    return w->tx_count == 0;
}

/** From the array to the worker's ring. */
static void array_to_ring(struct worker *w)
{
    uint64_t bytes = bytes_of(w->tx, w->tx_count);
    unsigned put = spsc_ring_put(w->tx_ring, (void *const *)w->tx, w->tx_count);

    w->cnt.tx_bytes += bytes - bytes_of(w->tx + put, w->tx_count - put);
    w->cnt.tx_frames += put;
    w->cnt.tx_ring_frames += put;
    w->cnt.tx_ring_full += put < w->tx_count;
    array_done(w, put);
}

/** From a ring to the interface, no more than one ring full: what arrives meanwhile waits for the next turn.
 * True when nothing is left; *sent grows. */
static bool send_ring(struct mtcp_stack *st, unsigned worker, uint64_t *sent)
{
    struct spsc_ring *ring = st->tx_rings[worker];
    unsigned queue = worker % st->design.queues;
    struct pkt *pkts[WORKER_TX_BURST];

    for (unsigned total = 0; total < WORKER_TX_QUEUE;) {
        unsigned n = spsc_ring_peek(ring, (void **)pkts, WORKER_TX_BURST), done;

        if (n == 0)
            return true;
        done = netif_tx_burst(st->nif, queue, pkts, n);
        spsc_ring_skip(ring, done);
        *sent += done;
        total += n;
        if (done < n)
            return false;
    }
    return false;
}

/* ---- a queue with a lock ---- */

static bool port_try(struct tx_port *port)
{
    return !atomic_load_explicit(&port->held, memory_order_seq_cst) &&
           !atomic_exchange_explicit(&port->held, true, memory_order_seq_cst);
}

static void port_release(struct tx_port *port)
{
    atomic_store_explicit(&port->held, false, memory_order_seq_cst);
}

/** Bits of `set` in turn, beginning at bit `from`. */
static unsigned next_bit(uint64_t set, unsigned from)
{
    uint64_t behind = set & ~UINT64_C(0) << from;

    return (unsigned)__builtin_ctzll(behind ? behind : set);
}

/** The holder sends what waits in the rings. False: some is left, the interface takes no more now. */
static bool port_drain(struct worker *w)
{
    struct tx_port *port = w->tx_port;
    uint64_t waits = 0;

    if (atomic_load_explicit(&port->waits, memory_order_relaxed))
        waits = atomic_exchange(&port->waits, 0);
    while (waits) {
        unsigned from = next_bit(waits, port->turn);

        port->turn = (from + 1) % STACK_MAX_WORKERS;
        if (!send_ring(w->stack, from, &w->cnt.tx_from_rings)) {
            atomic_fetch_or(&port->waits, waits);
            return false;
        }
        waits &= ~(UINT64_C(1) << from);
    }
    return true;
}

static void flush_shared(struct worker *w)
{
    struct tx_port *port = w->tx_port;
    bool in_ring = false;

    for (unsigned turn = 0; turn < LOCK_TURNS; turn++) {
        if (w->tx_count == 0 && !atomic_load(&port->waits))
            return;
        if (port_try(port)) {
            bool done = port_drain(w) && send_array(w);

            port_release(port);
            if (!done)
                return;
        } else if (!in_ring) {
            in_ring = true;
            array_to_ring(w);
            atomic_fetch_or(&port->waits, UINT64_C(1) << w->index);
        } else {
            return; /* the holder has yet to look at `waits` */
        }
    }
}

/* ---- a dedicated thread ---- */

unsigned transmit_all(struct mtcp_stack *st, struct worker_counters *cnt)
{
    uint64_t before = cnt->tx_from_rings;

    for (unsigned i = 0; i < st->num_workers; i++)
        if (!send_ring(st, i, &cnt->tx_from_rings))
            cnt->tx_again++;
    return (unsigned)(cnt->tx_from_rings - before);
}

bool transmit_waits(const struct mtcp_stack *st)
{
    for (unsigned i = 0; i < st->num_workers; i++)
        if (spsc_ring_count(st->tx_rings[i]) > 0)
            return true;
    return false;
}

/* ---- a worker ---- */

bool worker_tx_flush(struct worker *w)
{
    if (!w->tx_ring)
        return w->tx_count == 0 || send_array(w);
    if (w->tx_port) {
        flush_shared(w);
    } else if (w->tx_count > 0) {
        array_to_ring(w);
        dedicated_wake(w->stack, DEDICATED_TRANSMITS);
    }
    return w->tx_count == 0;
}

bool worker_tx_done(const struct worker *w)
{
    return w->tx_count == 0 && (!w->tx_ring || spsc_ring_count(w->tx_ring) == 0);
}

void worker_xmit(struct worker *w, struct pkt *frame)
{
    if (w->tx_count >= WORKER_TX_BURST && (w->tx_count % WORKER_TX_BURST) == 0)
        worker_tx_flush(w);
    if (w->tx_count == WORKER_TX_QUEUE) {
        w->cnt.drop_tx_full++;
        pkt_free(frame);
        return;
    }
    w->tx[w->tx_count++] = frame;
}

void worker_tx_init(struct worker *w)
{
    struct mtcp_stack *st = w->stack;

    w->tx_queue = w->index % st->design.queues;
    w->tx_ring = st->tx_rings[w->index];
    w->tx_port = st->tx_ports ? &st->tx_ports[w->tx_queue] : NULL;
}

void worker_tx_fini(struct worker *w)
{
    for (unsigned i = 0; i < w->tx_count; i++)
        pkt_free(w->tx[i]);
    w->tx_count = 0;
}

/* ---- a stack ---- */

enum status transmit_create(struct mtcp_stack *st)
{
    const struct design *d = &st->design;

    if (!d->steering || d->design == STEER_DIRECT)
        return ST_OK;
    for (unsigned i = 0; i < st->num_workers; i++) {
        st->tx_rings[i] = spsc_ring_create(WORKER_TX_QUEUE);
        if (!st->tx_rings[i])
            return ST_NO_MEMORY;
    }
    if (d->dedicated > 0)
        return ST_OK;
    st->tx_ports = aligned_alloc(alignof(struct tx_port), d->queues * sizeof(*st->tx_ports));
    if (!st->tx_ports)
        return ST_NO_MEMORY;
    for (unsigned i = 0; i < d->queues; i++) {
        st->tx_ports[i].turn = 0;
        atomic_init(&st->tx_ports[i].held, false);
        atomic_init(&st->tx_ports[i].waits, 0);
    }
    return ST_OK;
}

void transmit_destroy(struct mtcp_stack *st)
{
    void *frame;

    for (unsigned i = 0; i < st->num_workers; i++) {
        while (st->tx_rings[i] && spsc_ring_take(st->tx_rings[i], &frame, 1))
            pkt_free(frame);
        free(st->tx_rings[i]);
    }
    free(st->tx_ports);
}
