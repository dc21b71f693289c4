/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See telemetry.h. All counters are structs of 64-bit numbers in the order of the layers' lists, and so are
 * their names. */
#include "worker/telemetry.h"

#include <stdio.h>

#include "worker/worker_priv.h"

static const char *const names[] = {
#define COUNTER(name, text) "worker." #name,
#include "worker/counters.def"
#undef COUNTER
#define COUNTER(name, text) "inet." #name,
#include "inet/counters.def"
#undef COUNTER
#define COUNTER(name, text) "tcp." #name,
#include "tcp/counters.def"
#undef COUNTER
#define COUNTER(name, text) "udp." #name,
#include "udp/counters.def"
#undef COUNTER
#define GAUGE(field, name, text) name,
#include "worker/gauges.def"
};
#define NUM_NAMES (sizeof(names) / sizeof(names[0]))

struct gauges {
#define GAUGE(field, name, text) uint64_t field;
#include "worker/gauges.def"
};

/** How many numbers a struct has, and where it stands among all. */
#define NUM_IN(type) ((unsigned)(sizeof(struct type) / sizeof(uint64_t)))
#define AT_INET NUM_IN(worker_counters)
#define AT_TCP (AT_INET + NUM_IN(inet_counters))
#define AT_UDP (AT_TCP + NUM_IN(tcp_counters))
#define AT_GAUGES (AT_UDP + NUM_IN(udp_counters))
#define CLOCKS 2u /**< gauges that every thread has; the first ones */

_Static_assert(offsetof(struct gauges, clock_us) == (CLOCKS - 1) * sizeof(uint64_t), "the clocks come first");
_Static_assert(AT_GAUGES + NUM_IN(gauges) == NUM_NAMES, "every number has a name");

static enum mtcp_stat_kind kind_of(const struct mtcp_stack *st, unsigned thread)
{
    unsigned d = thread - st->num_workers;

    if (thread < st->num_workers)
        return MTCP_STAT_WORKER;
    if (d >= st->design.dedicated)
        return MTCP_STAT_INTERFACE;
    if (st->design.dedicated == 1)
        return MTCP_STAT_DISTRIBUTOR;
    return d == 0 ? MTCP_STAT_RECEIVER : MTCP_STAT_TRANSMITTER;
}

void telemetry_open(struct mtcp_stack *st)
{
    const struct design *d = &st->design;
    struct mtcp_stat_header head = {
        .num_workers = st->num_workers,
        .num_dedicated = d->dedicated,
        .num_queues = d->queues,
        .num_threads = st->num_workers + d->dedicated + 1,
        .num_counters = NUM_NAMES,
        .num_buckets = st->steer && d->design != STEER_DIRECT ? STEER_BUCKETS : 0,
        .started_us = worker_clock_us(),
    };

    snprintf(head.design, sizeof(head.design), "%s", design_name(d->design));
    snprintf(head.reason, sizeof(head.reason), "%s", d->reason);
    snprintf(head.port, sizeof(head.port), "%s", st->cfg->port ? st->cfg->port : "");
    atomic_init(&st->interface_next_us, 0);
    if (stat_file_create(&st->stat, &head, names) != ST_OK) {
        log_say(&st->log, LOG_WARN, "no memory file for mtcpstat: this stack will not be seen by it");
        return;
    }
    for (unsigned i = 0; i < head.num_threads; i++) {
        struct mtcp_stat_thread *t = stat_file_thread(&st->stat, i);

        t->kind = kind_of(st, i);
        t->index = t->kind == MTCP_STAT_WORKER ? i : 0;
        t->present = t->kind != MTCP_STAT_WORKER;
    }
}

void telemetry_close(struct mtcp_stack *st)
{
    stat_file_close(&st->stat);
}

/** The indirection table and the interface's counters, by whoever is due first. */
static void write_interface(struct mtcp_stack *st, uint64_t now_us)
{
    uint64_t due_us = atomic_load_explicit(&st->interface_next_us, memory_order_relaxed);
    struct mtcp_stat_thread *t = stat_file_thread(&st->stat, st->num_workers + st->design.dedicated);
    struct netif_stats n = {0};
    struct gauges g = {0};

    /* WORKER_FOREVER: somebody is at it. */
    if (now_us < due_us || due_us == WORKER_FOREVER ||
        !atomic_compare_exchange_strong(&st->interface_next_us, &due_us, WORKER_FOREVER))
        return;
    st->nif->ops->stats(st->nif, &n);
    g.netif_rx_packets = n.rx_packets;
    g.netif_rx_bytes = n.rx_bytes;
    g.netif_tx_packets = n.tx_packets;
    g.netif_tx_bytes = n.tx_bytes;
    g.netif_rx_dropped = n.rx_dropped;
    g.netif_tx_dropped = n.tx_dropped;
    g.steer_drop_absent = st->steer ? steer_dropped_absent(st->steer) : 0;
    for (unsigned b = 0; b < st->stat.header->num_buckets; b++)
        __atomic_store_n(&st->stat.buckets[b], (uint8_t)steer_bucket_worker(st->steer, b), __ATOMIC_RELAXED);
    stat_begin(t);
    stat_set(t, AT_GAUGES, (const uint64_t *)&g, NUM_IN(gauges));
    stat_end(t, true, now_us);
    atomic_store(&st->interface_next_us, now_us + TELEMETRY_US);
}

/** The two clocks at this moment. The thread's own time may be older: it has processed frames since. */
static struct gauges clocks(void)
{
    return (struct gauges){.clock_cycles = cycles_now(), .clock_us = worker_clock_us()};
}

static void gather(const struct worker *w, struct gauges *g)
{
    struct steer_counters c = {0};

    *g = clocks();
    g->tcp_connections = tcp_num_conns(w->tcp);
    g->transmit_waiting = w->tx_count;
    if (w->tx_ring)
        g->transmit_waiting += spsc_ring_count(w->tx_ring);
    if (!w->stack->steer)
        return;
    steer_get_counters(w->stack->steer, w->index, &c);
    g->ring_waiting = steer_waiting(w->stack->steer, w->index);
    g->ring_most = c.ring_most;
    g->ring_size = w->stack->cfg->steer_ring;
    g->steer_frames = c.frames;
    g->steer_drop_ring_full = c.drop_ring_full;
    g->steer_drop_park_full = c.drop_park_full;
    g->steer_parked = c.parked;
    g->steer_buckets_in = c.buckets_in;
    g->steer_buckets_out = c.buckets_out;
    g->steer_buckets = c.buckets;
}

void telemetry_worker(struct worker *w, bool present)
{
    struct mtcp_stat_thread *t;
    struct gauges g;

    if (!w->stack->stat.header)
        return;
    gather(w, &g);
    t = stat_file_thread(&w->stack->stat, w->index);
    stat_begin(t);
    stat_set(t, 0, (const uint64_t *)&w->cnt, NUM_IN(worker_counters));
    stat_set(t, AT_INET, (const uint64_t *)inet_worker_counters(w->inet), NUM_IN(inet_counters));
    stat_set(t, AT_TCP, (const uint64_t *)tcp_get_counters(w->tcp), NUM_IN(tcp_counters));
    stat_set(t, AT_UDP, (const uint64_t *)udp_get_counters(w->udp), NUM_IN(udp_counters));
    stat_set(t, AT_GAUGES, (const uint64_t *)&g, NUM_IN(gauges));
    stat_end(t, present, w->now_us);
    write_interface(w->stack, w->now_us);
}

void telemetry_dedicated(struct dedicated *d, uint64_t now_us)
{
    struct mtcp_stack *st = d->stack;
    struct gauges g = clocks();
    struct mtcp_stat_thread *t;

    if (!st->stat.header)
        return;
    t = stat_file_thread(&st->stat, st->num_workers + d->index);
    stat_begin(t);
    stat_set(t, 0, (const uint64_t *)&d->cnt, NUM_IN(worker_counters));
    stat_set(t, AT_GAUGES, (const uint64_t *)&g, CLOCKS);
    stat_end(t, true, now_us);
    write_interface(st, now_us);
}
