/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Packets for tests. */
#include "testing/test_pkt.h"

#include <stdlib.h>
#include <string.h>

static void release(struct pkt *p)
{
    while (p) {
        struct test_pkts *pool = p->owner;
        struct pkt *more = p->more;

        pool->live--;
        free(p->buf);
        free(p);
        p = more;
    }
}

static struct pkt *make(struct test_pkts *pool, uint32_t room)
{
    uint32_t size = PKT_HEADROOM + room;
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
    p->size = (uint16_t)size;
    p->release = release;
    p->owner = pool;
    pool->live++;
    return p;
}

struct pkt *test_pkt_alloc(struct test_pkts *pool)
{
    return make(pool, pool->room);
}

struct pkt *test_pkt_alloc_room(struct test_pkts *pool, uint32_t room)
{
    return make(pool, room);
}

struct pkt *test_pkt_from(struct test_pkts *pool, const void *data, size_t len)
{
    struct pkt *p = make(pool, (uint32_t)len);

    if (p && len)
        memcpy(pkt_put(p, (uint32_t)len), data, len);
    return p;
}
