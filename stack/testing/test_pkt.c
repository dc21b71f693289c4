/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Packets for tests. */
#include "testing/test_pkt.h"

#include <stdlib.h>

static void release(struct pkt *p)
{
    struct test_pkts *pool = p->owner;

    pool->live--;
    free(p->buf);
    free(p);
}

struct pkt *test_pkt_alloc(struct test_pkts *pool)
{
    uint32_t size = PKT_HEADROOM + pool->room;
    struct pkt *p;

    if (pool->limit && pool->live >= pool->limit)
        return NULL;
    p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->buf = malloc(size);
    if (!p->buf) {
        free(p);
        return NULL;
    }
    p->data = p->buf + PKT_HEADROOM;
    p->size = size;
    p->release = release;
    p->owner = pool;
    pool->live++;
    return p;
}
