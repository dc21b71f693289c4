/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See pair.h. A direction of a queue is one single-producer ring; a full ring refuses, as a device would. */
#include "netif/pair.h"

#include <stdlib.h>
#include <string.h>

#include "base/spsc_ring.h"
#include "netif/netif_counters.h"
#include "netif/pkt_pool.h"

#define DEFAULT_BUFS 16384

struct cable;

struct pair_end {
    struct netif nif; /* first: the interface is the end */
    struct cable *cable;
    struct pair_end *peer;
    struct spsc_ring **rx; /* a queue each */
    struct netif_counters *counters;
};

struct cable {
    struct pkt_pool pool;
    struct pair_end end[2];
    _Atomic int open_ends;
};

static struct pair_end *end_of(struct netif *nif)
{
    return (struct pair_end *)nif;
}

static unsigned pair_rx_burst(struct netif *nif, unsigned queue, struct pkt **pkts, unsigned n)
{
    struct pair_end *e = end_of(nif);

    n = spsc_ring_take(e->rx[queue], (void **)pkts, n);
    for (unsigned i = 0; i < n; i++)
        netif_count_rx(&e->counters[queue], pkts[i]);
    return n;
}

static unsigned pair_tx_burst(struct netif *nif, unsigned queue, struct pkt **pkts, unsigned n)
{
    struct pair_end *e = end_of(nif);
    uint64_t bytes[64];

    if (n > 64)
        n = 64;
    for (unsigned i = 0; i < n; i++) /* after the hand-over they are the peer's */
        bytes[i] = pkts[i]->len;
    n = spsc_ring_put(e->peer->rx[queue], (void *const *)pkts, n);
    for (unsigned i = 0; i < n; i++)
        netif_count(&e->counters[queue].tx_bytes, bytes[i]);
    netif_count(&e->counters[queue].tx_packets, n);
    return n;
}

static struct pkt *pair_alloc(struct netif *nif, unsigned queue)
{
    (void)queue;
    return pkt_pool_get(&end_of(nif)->cable->pool);
}

static bool pair_link_up(struct netif *nif)
{
    return atomic_load(&end_of(nif)->cable->open_ends) == 2;
}

static void pair_stats(struct netif *nif, struct netif_stats *out)
{
    *out = (struct netif_stats){0};
    for (unsigned q = 0; q < nif->num_queues; q++)
        netif_counters_add(&end_of(nif)->counters[q], out);
}

static int pair_rx_fd(struct netif *nif, unsigned queue)
{
    (void)nif;
    (void)queue;
    return -1;
}

static void end_fini(struct pair_end *e)
{
    for (unsigned q = 0; e->rx && q < e->nif.num_queues; q++)
        free(e->rx[q]);
    free(e->rx);
    free(e->counters);
}

static void cable_free(struct cable *c)
{
    end_fini(&c->end[0]);
    end_fini(&c->end[1]);
    pkt_pool_fini(&c->pool);
    free(c);
}

static void pair_close(struct netif *nif)
{
    struct cable *c = end_of(nif)->cable;

    if (atomic_fetch_sub(&c->open_ends, 1) == 1)
        cable_free(c);
}

static const struct netif_ops pair_ops = {
    .name = "pair",
    .rx_burst = pair_rx_burst,
    .tx_burst = pair_tx_burst,
    .alloc = pair_alloc,
    .link_up = pair_link_up,
    .stats = pair_stats,
    .rx_fd = pair_rx_fd,
    .close = pair_close,
};

static enum status end_init(struct pair_end *e, struct pair_end *peer, struct cable *c,
                            const struct netif_params *params)
{
    unsigned queues = params->num_queues ? params->num_queues : 1;

    e->nif = (struct netif){.ops = &pair_ops, .mtu = params->mtu, .num_queues = queues};
    e->cable = c;
    e->peer = peer;
    e->rx = calloc(queues, sizeof(*e->rx));
    e->counters = aligned_alloc(64, queues * sizeof(*e->counters));
    if (!e->rx || !e->counters)
        return ST_NO_MEMORY;
    memset(e->counters, 0, queues * sizeof(*e->counters));
    for (unsigned q = 0; q < queues; q++) {
        e->rx[q] = spsc_ring_create(PAIR_RING_FRAMES);
        if (!e->rx[q])
            return ST_NO_MEMORY;
    }
    return ST_OK;
}

enum status pair_open(const struct netif_params *params, struct netif **first, struct netif **second)
{
    struct cable *c = calloc(1, sizeof(*c));
    enum status st;

    if (!c)
        return ST_NO_MEMORY;
    pkt_pool_init(&c->pool, NETIF_MAX_FRAME(params->mtu), params->num_bufs ? params->num_bufs : DEFAULT_BUFS);
    atomic_init(&c->open_ends, 2);
    st = end_init(&c->end[0], &c->end[1], c, params);
    if (st == ST_OK)
        st = end_init(&c->end[1], &c->end[0], c, params);
    if (st != ST_OK) {
        cable_free(c);
        return st;
    }
    c->end[0].nif.mac = params->has_mac ? params->mac : (struct eth_addr){{2, 0, 0, 0, 0, 1}};
    c->end[1].nif.mac = (struct eth_addr){{2, 0, 0, 0, 0, 2}};
    *first = &c->end[0].nif;
    *second = &c->end[1].nif;
    return ST_OK;
}
