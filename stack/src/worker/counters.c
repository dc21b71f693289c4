/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The counters of a worker and of its layers as lines of text. */
#include <inttypes.h>
#include <stdio.h>

#include "worker/worker_priv.h"

struct printer {
    void (*line)(void *ctx, const char *text);
    void *ctx;
};

static void print_one(const struct printer *p, const char *layer, const char *name, uint64_t value)
{
    char text[96];

    if (value == 0)
        return;
    snprintf(text, sizeof(text), "%s.%s %" PRIu64, layer, name, value);
    p->line(p->ctx, text);
}

/** What distribution did with the worker's frames. */
static void print_steer(const struct printer *p, const struct worker *w)
{
    struct steer_counters c;

    if (!w->stack->steer)
        return;
    steer_get_counters(w->stack->steer, w->index, &c);
    print_one(p, "steer", "frames", c.frames);
    print_one(p, "steer", "drop_ring_full", c.drop_ring_full);
    print_one(p, "steer", "drop_park_full", c.drop_park_full);
    print_one(p, "steer", "parked", c.parked);
    print_one(p, "steer", "buckets", c.buckets);
    print_one(p, "steer", "buckets_in", c.buckets_in);
    print_one(p, "steer", "buckets_out", c.buckets_out);
    print_one(p, "steer", "ring_most", c.ring_most);
}

void worker_print_counters(struct worker *w, void (*line)(void *ctx, const char *text), void *ctx)
{
    const struct printer p = {line, ctx};
    const struct inet_counters *inet = inet_worker_counters(w->inet);
    const struct tcp_counters *tcp = tcp_get_counters(w->tcp);
    const struct udp_counters *udp = udp_get_counters(w->udp);
    struct netif_stats nif = {0};

#define COUNTER(name, text) print_one(&p, "worker", #name, w->cnt.name);
#include "worker/counters.def"
#undef COUNTER
#define COUNTER(name, text) print_one(&p, "inet", #name, inet->name);
#include "inet/counters.def"
#undef COUNTER
#define COUNTER(name, text) print_one(&p, "tcp", #name, tcp->name);
#include "tcp/counters.def"
#undef COUNTER
#define COUNTER(name, text) print_one(&p, "udp", #name, udp->name);
#include "udp/counters.def"
#undef COUNTER
    print_steer(&p, w);
    w->nif->ops->stats(w->nif, &nif);
    print_one(&p, "netif", "rx_packets", nif.rx_packets);
    print_one(&p, "netif", "rx_bytes", nif.rx_bytes);
    print_one(&p, "netif", "tx_packets", nif.tx_packets);
    print_one(&p, "netif", "tx_bytes", nif.tx_bytes);
    print_one(&p, "netif", "rx_dropped", nif.rx_dropped);
    print_one(&p, "netif", "tx_dropped", nif.tx_dropped);
}
