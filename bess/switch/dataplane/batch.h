/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The unit that travels between modules: up to DP_BURST_MAX packets that belong to whoever holds the batch.
 * Handing a batch on (module_send, port_tx, batch_free) gives its packets away.
 */
#ifndef DP_BATCH_H
#define DP_BATCH_H

#include <rte_mbuf.h>

#define DP_BURST_MAX 64

struct batch {
    uint16_t n;
    struct rte_mbuf *pkt[DP_BURST_MAX];
};

static inline void batch_add(struct batch *b, struct rte_mbuf *pkt)
{
    b->pkt[b->n++] = pkt;
}

static inline void batch_free(struct batch *b)
{
    if (b->n > 0)
        rte_pktmbuf_free_bulk(b->pkt, b->n);
    b->n = 0;
}

/*
 * Splits a batch, way by way, in the order of the ways' first packets: moves those of the first packet's way
 * to `out`, in their order, and what is left up. ways[i] is that of pkt[i]. Returns the way.
 */
static inline uint16_t batch_take_way(struct batch *b, uint16_t *ways, struct batch *out)
{
    uint16_t way = ways[0], kept = 0;

    out->n = 0;
    for (uint16_t i = 0; i < b->n; i++) {
        if (ways[i] == way) {
            batch_add(out, b->pkt[i]);
        } else {
            ways[kept] = ways[i];
            b->pkt[kept++] = b->pkt[i];
        }
    }
    b->n = kept;
    return way;
}

#endif
