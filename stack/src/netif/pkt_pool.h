/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Packet memory for the interfaces that have no device of their own (tap, pair). Any thread may take packets
 * and give them back: a packet received by one end of a pair is released by the other end's thread. */
#ifndef NETIF_PKT_POOL_H
#define NETIF_PKT_POOL_H

#include <pthread.h>

#include "base/pkt.h"
#include "base/pool.h"

struct pkt_pool {
    pthread_mutex_t lock;
    struct pool pool;
    uint32_t buf_bytes; /**< headroom included */
};

/** frame_bytes: the largest frame. limit: packets at most; memory is taken as they are needed. */
void pkt_pool_init(struct pkt_pool *p, uint32_t frame_bytes, unsigned limit);
/** Frees all memory, packets in use included. */
void pkt_pool_fini(struct pkt_pool *p);
/** A packet with PKT_HEADROOM in front and no data, NULL at the limit. */
struct pkt *pkt_pool_get(struct pkt_pool *p);

#endif
