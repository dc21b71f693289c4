/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See fault.h. Held frames stand in a binary heap by (due time, arrival), so frames due together keep their
 * order. Invariant: the heap of a direction is touched by one thread at a time. A direction is taken by who
 * receives or sends, and the sending one also by who receives, to send what is due; who finds it taken does
 * without. due_us is for all to read. */
#include "netif/fault.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "netif/netif_counters.h"
#include "netif/wrapper.h"

#define FAULT_BURST 64u

struct held {
    uint64_t due_us, arrival;
    struct pkt *pkt;
};

/* One direction of one queue. */
struct lane {
    atomic_flag taken;
    struct fault_model model;
    uint64_t arrivals;
    unsigned num_held;
    struct held heap[FAULT_MAX_HELD];
    _Atomic uint64_t due_us; /* of the first held frame, UINT64_MAX = none */
    _Atomic uint64_t lost, reordered, doubled, overflow, no_buffer;
};

struct fault_netif {
    struct wrapper wrap; /* first: the interface is the wrapper */
    uint64_t (*clock_us)(void *ctx);
    void *clock_ctx;
    struct lane *lanes; /* rx and tx of queue 0, of queue 1, ... */
};

static struct fault_netif *fault_of(struct netif *nif)
{
    return (struct fault_netif *)nif;
}

static uint64_t monotonic_us(void *ctx)
{
    struct timespec now;

    (void)ctx;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static bool sooner(const struct held *a, const struct held *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->arrival < b->arrival;
}

static bool lane_enter(struct lane *l)
{
    return !atomic_flag_test_and_set_explicit(&l->taken, memory_order_acquire);
}

static void lane_leave(struct lane *l)
{
    atomic_flag_clear_explicit(&l->taken, memory_order_release);
}

static void lane_publish(struct lane *l)
{
    atomic_store_explicit(&l->due_us, l->num_held ? l->heap[0].due_us : UINT64_MAX, memory_order_relaxed);
}

static void lane_hold(struct lane *l, struct pkt *pkt, uint64_t due_us)
{
    struct held h = {due_us, l->arrivals++, pkt};
    unsigned i = l->num_held++;

    while (i && sooner(&h, &l->heap[(i - 1) / 2])) {
        l->heap[i] = l->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    l->heap[i] = h;
}

static struct pkt *lane_pop(struct lane *l)
{
    struct pkt *first = l->heap[0].pkt;
    struct held last = l->heap[--l->num_held];
    unsigned i = 0;

    for (;;) {
        unsigned child = 2 * i + 1;

        if (child + 1 < l->num_held && sooner(&l->heap[child + 1], &l->heap[child]))
            child++;
        if (child >= l->num_held || !sooner(&l->heap[child], &last))
            break;
        l->heap[i] = l->heap[child];
        i = child;
    }
    l->heap[i] = last;
    return first;
}

static struct pkt *copy_frame(struct netif *inner, const struct pkt *from)
{
    struct pkt *to = netif_alloc(inner, NETIF_NO_WORKER);
    uint8_t *data = to ? pkt_put(to, from->len) : NULL;

    if (!data) {
        pkt_free(to);
        return NULL;
    }
    memcpy(data, from->data, from->len);
    to->flags = from->flags;
    return to;
}

/* Takes a frame over and does with it what the model says. */
static void lane_take(struct lane *l, struct fault_netif *w, struct pkt *pkt, uint64_t now_us)
{
    struct fault_verdict v;
    struct pkt *twin;

    fault_model_decide(&l->model, now_us, &v);
    if (v.copies == 0) {
        netif_count(&l->lost, 1);
        pkt_free(pkt);
        return;
    }
    if (l->num_held + v.copies > FAULT_MAX_HELD) {
        netif_count(&l->overflow, 1);
        pkt_free(pkt);
        return;
    }
    netif_count(&l->reordered, v.reordered);
    twin = v.copies == 2 ? copy_frame(w->wrap.inner, pkt) : NULL;
    lane_hold(l, pkt, v.due_us[0]);
    if (twin)
        lane_hold(l, twin, v.due_us[1]);
    if (v.copies == 2)
        netif_count(twin ? &l->doubled : &l->no_buffer, 1);
}

/* Sends the frames that are due; what inner refuses stays first in line. */
static void flush_tx(struct fault_netif *w, struct lane *l, unsigned queue, uint64_t now_us)
{
    while (l->num_held && l->heap[0].due_us <= now_us) {
        struct pkt *pkt = l->heap[0].pkt;

        if (!netif_tx_burst(w->wrap.inner, queue, &pkt, 1))
            break;
        lane_pop(l);
    }
    lane_publish(l);
}

static unsigned fault_rx_burst(struct netif *nif, unsigned queue, struct pkt **pkts, unsigned n)
{
    struct fault_netif *w = fault_of(nif);
    struct lane *rx = &w->lanes[2 * queue];
    uint64_t now_us = w->clock_us(w->clock_ctx);
    struct pkt *fresh[FAULT_BURST];
    unsigned got = netif_rx_burst(w->wrap.inner, queue, fresh, FAULT_BURST), out = 0;

    for (unsigned i = 0; i < got; i++)
        lane_take(rx, w, fresh[i], now_us);
    while (out < n && rx->num_held && rx->heap[0].due_us <= now_us)
        pkts[out++] = lane_pop(rx);
    lane_publish(rx);
    if (lane_enter(rx + 1)) {
        flush_tx(w, rx + 1, queue, now_us);
        lane_leave(rx + 1);
    }
    return out;
}

static unsigned fault_tx_burst(struct netif *nif, unsigned queue, struct pkt **pkts, unsigned n)
{
    struct fault_netif *w = fault_of(nif);
    struct lane *tx = &w->lanes[2 * queue + 1];
    uint64_t now_us = w->clock_us(w->clock_ctx);

    if (!lane_enter(tx))
        return 0;
    for (unsigned i = 0; i < n; i++)
        lane_take(tx, w, pkts[i], now_us);
    flush_tx(w, tx, queue, now_us);
    lane_leave(tx);
    return n;
}

static uint64_t fault_next_deadline_us(struct netif *nif)
{
    struct fault_netif *w = fault_of(nif);
    uint64_t due_us = netif_next_deadline_us(w->wrap.inner);

    for (unsigned i = 0; i < 2 * nif->num_queues; i++) {
        uint64_t lane_due_us = atomic_load_explicit(&w->lanes[i].due_us, memory_order_relaxed);

        if (lane_due_us < due_us)
            due_us = lane_due_us;
    }
    return due_us;
}

void fault_get_counters(struct netif *nif, struct fault_counters *out)
{
    struct fault_netif *w = fault_of(nif);

    *out = (struct fault_counters){0};
    for (unsigned i = 0; i < 2 * nif->num_queues; i++) {
        out->lost += atomic_load_explicit(&w->lanes[i].lost, memory_order_relaxed);
        out->reordered += atomic_load_explicit(&w->lanes[i].reordered, memory_order_relaxed);
        out->doubled += atomic_load_explicit(&w->lanes[i].doubled, memory_order_relaxed);
        out->overflow += atomic_load_explicit(&w->lanes[i].overflow, memory_order_relaxed);
        out->no_buffer += atomic_load_explicit(&w->lanes[i].no_buffer, memory_order_relaxed);
    }
}

static void fault_close(struct netif *nif)
{
    struct fault_netif *w = fault_of(nif);
    struct netif *inner = w->wrap.inner;

    for (unsigned i = 0; i < 2 * nif->num_queues; i++)
        while (w->lanes[i].num_held)
            pkt_free(lane_pop(&w->lanes[i]));
    free(w->lanes);
    free(w);
    inner->ops->close(inner);
}

static const struct netif_ops fault_ops = {
    .name = "fault",
    .rx_burst = fault_rx_burst,
    .tx_burst = fault_tx_burst,
    .alloc = wrapper_alloc,
    .alloc_long = wrapper_alloc_long,
    .link_up = wrapper_link_up,
    .stats = wrapper_stats,
    .attach_thread = wrapper_attach_thread,
    .rx_fd = wrapper_rx_fd,
    .next_deadline_us = fault_next_deadline_us,
    .close = fault_close,
};

enum status fault_wrap(struct netif *inner, const struct fault_params *params,
                       uint64_t (*clock_us)(void *ctx), void *clock_ctx, struct netif **out)
{
    struct fault_netif *w = calloc(1, sizeof(*w));
    unsigned num_lanes = 2 * inner->num_queues;
    struct fault_params seeded = *params;

    if (w)
        w->lanes = calloc(num_lanes, sizeof(*w->lanes));
    if (!w || !w->lanes) {
        free(w);
        return ST_NO_MEMORY;
    }
    wrapper_init(&w->wrap, &fault_ops, inner);
    w->clock_us = clock_us ? clock_us : monotonic_us;
    w->clock_ctx = clock_ctx;
    for (unsigned i = 0; i < num_lanes; i++) {
        /* Apart in the generator's sequence, so that no lane repeats another one's decisions. */
        seeded.seed = params->seed + i * 0x5851f42d4c957f2du;
        fault_model_init(&w->lanes[i].model, &seeded);
        lane_leave(&w->lanes[i]);
        lane_publish(&w->lanes[i]);
    }
    *out = &w->wrap.nif;
    return ST_OK;
}
