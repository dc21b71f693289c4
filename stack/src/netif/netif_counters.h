/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Traffic counters of one queue: written by the queue's thread, summed by any. */
#ifndef NETIF_NETIF_COUNTERS_H
#define NETIF_NETIF_COUNTERS_H

#include <stdalign.h>
#include <stdatomic.h>

#include "netif/netif.h"

struct netif_counters {
    alignas(64) _Atomic uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes, rx_dropped, tx_dropped;
};

/** One writer a counter: a plain add that readers may see at any time. */
static inline void netif_count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static inline void netif_count_rx(struct netif_counters *c, const struct pkt *p)
{
    netif_count(&c->rx_packets, 1);
    netif_count(&c->rx_bytes, p->len);
}

static inline void netif_count_tx(struct netif_counters *c, const struct pkt *p)
{
    netif_count(&c->tx_packets, 1);
    netif_count(&c->tx_bytes, p->len);
}

static inline void netif_counters_add(struct netif_counters *c, struct netif_stats *out)
{
    out->rx_packets += atomic_load_explicit(&c->rx_packets, memory_order_relaxed);
    out->rx_bytes += atomic_load_explicit(&c->rx_bytes, memory_order_relaxed);
    out->tx_packets += atomic_load_explicit(&c->tx_packets, memory_order_relaxed);
    out->tx_bytes += atomic_load_explicit(&c->tx_bytes, memory_order_relaxed);
    out->rx_dropped += atomic_load_explicit(&c->rx_dropped, memory_order_relaxed);
    out->tx_dropped += atomic_load_explicit(&c->tx_dropped, memory_order_relaxed);
}

#endif
