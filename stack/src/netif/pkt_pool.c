/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See pkt_pool.h. */
#include "netif/pkt_pool.h"

#include <stdlib.h>

#define PACKETS_PER_CHUNK 128

struct pool_pkt {
    struct pkt pkt;
    uint8_t mem[];
};

void pkt_pool_init(struct pkt_pool *p, uint32_t frame_bytes, unsigned limit)
{
    pthread_mutex_init(&p->lock, NULL);
    p->buf_bytes = PKT_HEADROOM + frame_bytes;
    pool_init(&p->pool, sizeof(struct pool_pkt) + p->buf_bytes, PACKETS_PER_CHUNK, limit);
}

void pkt_pool_fini(struct pkt_pool *p)
{
    pool_fini(&p->pool);
    pthread_mutex_destroy(&p->lock);
}

static void release(struct pkt *pkt)
{
    struct pkt_pool *p = pkt->owner;

    pthread_mutex_lock(&p->lock);
    pool_put(&p->pool, pkt);
    pthread_mutex_unlock(&p->lock);
}

struct pkt *pkt_pool_get(struct pkt_pool *p)
{
    struct pool_pkt *pp;

    pthread_mutex_lock(&p->lock);
    pp = pool_get(&p->pool);
    pthread_mutex_unlock(&p->lock);
    if (!pp)
        return NULL;
    pp->pkt = (struct pkt){
        .buf = pp->mem,
        .data = pp->mem + PKT_HEADROOM,
        .size = p->buf_bytes,
        .release = release,
        .owner = p,
    };
    return &pp->pkt;
}
