/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK ports: created from a device string, owned queue by queue by modules, removed again.
 *
 * Invariant: every receive queue and every transmit queue has at most one owning module. A transmit queue
 * needs its lock only when several workers run that module.
 */
#ifndef DP_PORT_H
#define DP_PORT_H

#include <rte_ethdev.h>
#include <rte_spinlock.h>

#include "batch.h"
#include "module.h"
#include "port_notify.h"

#define PORT_MAX_QUEUES 128

struct txq {
    rte_spinlock_t lock;
    uint64_t dropped;
} __rte_cache_aligned;

struct port {
    uint16_t dpdk_id;
    uint16_t n_rxq, n_txq;
    uint16_t rxq_size, txq_size;
    struct module *rxq_owner[PORT_MAX_QUEUES];
    struct module *txq_owner[PORT_MAX_QUEUES];
    struct txq txq[PORT_MAX_QUEUES];
    struct port_notify notify;
};

enum port_dir { PORT_INC, PORT_OUT };

struct port_request {
    const char *device; /* "net_vhost0,iface=/run/v0,queues=1" */
    uint16_t n_rxq, n_txq;
    uint16_t rxq_size, txq_size; /* 0: default */
};

/* On failure `*step` names the step that failed. */
int port_create(struct rte_mempool *pool, const struct port_request *req, struct port **out,
                const char **step);
/* -EBUSY while a module owns a queue. */
int port_destroy(struct port *p);

/* Take or give back one queue, or all of a direction: -EINVAL no such queue, -EBUSY owned by another. */
int port_acquire(struct port *p, enum port_dir dir, uint64_t qid, struct module *owner);
int port_acquire_all(struct port *p, enum port_dir dir, struct module *owner);
void port_release(struct port *p, struct module *owner);

uint64_t port_tx_dropped(const struct port *p);

/* Takes the batch over; what the device refuses is freed and counted. */
static inline void port_tx(struct port *p, uint16_t qid, bool shared, struct batch *b)
{
    struct txq *q = &p->txq[qid];
    uint16_t sent;

    if (shared)
        rte_spinlock_lock(&q->lock);
    sent = rte_eth_tx_burst(p->dpdk_id, qid, b->pkt, b->n);
    q->dropped += b->n - sent;
    if (shared)
        rte_spinlock_unlock(&q->lock);
    if (unlikely(sent < b->n))
        rte_pktmbuf_free_bulk(&b->pkt[sent], b->n - sent);
    b->n = 0;
}

#endif
