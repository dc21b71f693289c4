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

#endif
