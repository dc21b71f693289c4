/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See cable.h. Between every sending queue of one end and every receiving queue of the other lies a ring of
 * its own, so that each has one producer and one consumer. */
#include "testing/designs/cable.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/byteorder.h"
#include "base/spsc_ring.h"
#include "wire/ipv4.h"

/** One direction of a queue. */
struct lane {
    atomic_flag busy;
    uint64_t frames; /**< not atomic on purpose: a second thread is a race that ThreadSanitizer tells */
    _Atomic uint64_t shown_frames, shown_bytes;
    unsigned turn; /**< receiving: the sender's queue that is asked first */
    int fd;        /**< receiving: eventfd, -1 = none */
};

struct cable_end {
    struct netif nif; /* first: the interface is the end */
    struct cable *cable;
    struct cable_end *peer;
    struct lane rx[CABLE_MAX_QUEUES], tx[CABLE_MAX_QUEUES];
    struct spsc_ring *in[CABLE_MAX_QUEUES][CABLE_MAX_QUEUES]; /**< [receiving queue][peer's sending queue] */
};

struct cable {
    struct cable_params p;
    struct cable_end end[2];
    atomic_uint frames, breaches;
};

struct cable_pkt {
    struct pkt pkt;
    uint8_t mem[];
};

static struct cable_end *end_of(struct netif *nif)
{
    return (struct cable_end *)nif;
}

/* ---- memory ---- */

static void release(struct pkt *pkt)
{
    struct cable *c = pkt->owner;

    free(pkt);
    atomic_fetch_sub_explicit(&c->frames, 1, memory_order_relaxed);
}

static struct pkt *cable_alloc(struct netif *nif, unsigned queue)
{
    struct cable *c = end_of(nif)->cable;
    uint32_t size = PKT_HEADROOM + NETIF_MAX_FRAME(c->p.mtu);
    struct cable_pkt *p = NULL;

    (void)queue;
    if (atomic_fetch_add_explicit(&c->frames, 1, memory_order_relaxed) < c->p.num_bufs)
        p = malloc(sizeof(*p) + size);
    if (!p) {
        atomic_fetch_sub_explicit(&c->frames, 1, memory_order_relaxed);
        return NULL;
    }
    p->pkt = (struct pkt){
        .buf = p->mem, .data = p->mem + PKT_HEADROOM, .size = size, .release = release, .owner = c};
    return &p->pkt;
}

/* ---- traffic ---- */

static void lane_enter(struct cable *c, struct lane *l)
{
    if (atomic_flag_test_and_set_explicit(&l->busy, memory_order_relaxed))
        atomic_fetch_add_explicit(&c->breaches, 1, memory_order_relaxed);
}

static void lane_leave(struct lane *l, unsigned frames, uint64_t bytes)
{
    l->frames += frames;
    atomic_fetch_add_explicit(&l->shown_frames, frames, memory_order_relaxed);
    atomic_fetch_add_explicit(&l->shown_bytes, bytes, memory_order_relaxed);
    atomic_flag_clear_explicit(&l->busy, memory_order_relaxed);
}

static uint32_t mix(uint32_t h, uint32_t v)
{
    return (h ^ v) * 0x9e3779b1u ^ h >> 15;
}

/** As a device without knowledge of the stack's hash; not symmetric, as theirs often are not. Fragments have
 * no ports, ARP no addresses. */
static uint32_t device_hash(const struct pkt *p)
{
    const uint8_t *ip = p->data + ETH_HDR_LEN;
    uint32_t h = 1;

    if (p->len < ETH_HDR_LEN + IPV4_HDR_LEN + 4 || get_be16(p->data + 12) != ETH_TYPE_IPV4)
        return 0;
    h = mix(mix(h, get_be32(ip + 12)), get_be32(ip + 16));
    if ((get_be16(ip + 6) & 0x3fff) == 0)
        h = mix(h, get_be32(ip + IPV4_HDR_LEN));
    return h >> 7;
}

static unsigned queue_for(const struct cable_end *from, unsigned queue, const struct pkt *p)
{
    unsigned queues = from->peer->nif.num_queues;

    return (from->cable->p.spread == CABLE_BY_FLOW ? device_hash(p) : queue) % queues;
}

static void wake(struct cable_end *e, uint32_t queues)
{
    uint64_t one = 1;

    for (unsigned q = 0; queues; q++, queues >>= 1)
        if ((queues & 1) && e->rx[q].fd >= 0 && write(e->rx[q].fd, &one, sizeof(one)) < 0)
            continue; /* the counter is full: it is readable already */
}

static unsigned cable_tx_burst(struct netif *nif, unsigned queue, struct pkt **pkts, unsigned n)
{
    struct cable_end *e = end_of(nif);
    uint64_t bytes = 0;
    uint32_t woken = 0;
    unsigned sent = 0;

    lane_enter(e->cable, &e->tx[queue]);
    while (sent < n) {
        struct pkt *p = pkts[sent];
        unsigned to = queue_for(e, queue, p);
        uint32_t len = p->len;
        void *item = p;

        p->flags = 0; /* what the sender knows of it does not travel */
        p->hash = 0x5eed5eed;
        p->next = NULL;
        if (!spsc_ring_put(e->peer->in[to][queue], &item, 1))
            break;
        bytes += len;
        woken |= 1u << to;
        sent++;
    }
    lane_leave(&e->tx[queue], sent, bytes);
    wake(e->peer, woken);
    return sent;
}

static unsigned take(struct cable_end *e, unsigned queue, struct pkt **pkts, unsigned n)
{
    unsigned senders = e->peer->nif.num_queues, first = e->rx[queue].turn++, got = 0;

    for (unsigned i = 0; i < senders && got < n; i++)
        got += spsc_ring_take(e->in[queue][(first + i) % senders], (void **)pkts + got, n - got);
    return got;
}

static unsigned cable_rx_burst(struct netif *nif, unsigned queue, struct pkt **pkts, unsigned n)
{
    struct cable_end *e = end_of(nif);
    uint64_t bytes = 0, count;
    unsigned got;

    lane_enter(e->cable, &e->rx[queue]);
    got = take(e, queue, pkts, n);
    if (got == 0 && e->rx[queue].fd >= 0 && read(e->rx[queue].fd, &count, sizeof(count)) > 0)
        got = take(e, queue, pkts, n); /* what came before the descriptor was emptied */
    for (unsigned i = 0; i < got; i++)
        bytes += pkts[i]->len;
    lane_leave(&e->rx[queue], got, bytes);
    return got;
}

/* ---- the rest of an interface ---- */

static bool cable_link_up(struct netif *nif)
{
    (void)nif;
    return true;
}

static void cable_stats(struct netif *nif, struct netif_stats *out)
{
    struct cable_end *e = end_of(nif);

    *out = (struct netif_stats){0};
    for (unsigned q = 0; q < nif->num_queues; q++) {
        out->rx_packets += atomic_load_explicit(&e->rx[q].shown_frames, memory_order_relaxed);
        out->rx_bytes += atomic_load_explicit(&e->rx[q].shown_bytes, memory_order_relaxed);
        out->tx_packets += atomic_load_explicit(&e->tx[q].shown_frames, memory_order_relaxed);
        out->tx_bytes += atomic_load_explicit(&e->tx[q].shown_bytes, memory_order_relaxed);
    }
}

static int cable_rx_fd(struct netif *nif, unsigned queue)
{
    return end_of(nif)->rx[queue].fd;
}

/** The frames and rings stay until cable_destroy(). */
static void cable_close(struct netif *nif)
{
    (void)nif;
}

static const struct netif_ops cable_ops = {
    .name = "cable",
    .rx_burst = cable_rx_burst,
    .tx_burst = cable_tx_burst,
    .alloc = cable_alloc,
    .link_up = cable_link_up,
    .stats = cable_stats,
    .rx_fd = cable_rx_fd,
    .close = cable_close,
};

/* ---- life ---- */

static enum status end_init(struct cable *c, unsigned i)
{
    struct cable_end *e = &c->end[i];

    e->nif = (struct netif){.ops = &cable_ops,
                            .mac = {{2, 0, 0, 0, 0, (uint8_t)(i + 1)}},
                            .mtu = c->p.mtu,
                            .num_queues = c->p.queues[i]};
    e->cable = c;
    e->peer = &c->end[!i];
    for (unsigned q = 0; q < CABLE_MAX_QUEUES; q++)
        e->rx[q].fd = e->tx[q].fd = -1;
    for (unsigned q = 0; q < c->p.queues[i]; q++) {
        if (c->p.wakes && (e->rx[q].fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) < 0)
            return ST_IO;
        for (unsigned s = 0; s < c->p.queues[!i]; s++)
            if (!(e->in[q][s] = spsc_ring_create(c->p.ring_frames)))
                return ST_NO_MEMORY;
    }
    return ST_OK;
}

static void end_fini(struct cable_end *e)
{
    for (unsigned q = 0; q < CABLE_MAX_QUEUES; q++) {
        for (unsigned s = 0; s < CABLE_MAX_QUEUES; s++) {
            void *item;

            while (e->in[q][s] && spsc_ring_take(e->in[q][s], &item, 1))
                pkt_free(item);
            free(e->in[q][s]);
        }
        if (e->rx[q].fd >= 0)
            close(e->rx[q].fd);
    }
}

enum status cable_create(const struct cable_params *p, struct cable **out)
{
    struct cable *c = calloc(1, sizeof(*c));
    struct cable_report ignored;
    enum status st;

    if (!c)
        return ST_NO_MEMORY;
    c->p = *p;
    st = end_init(c, 0);
    if (st == ST_OK)
        st = end_init(c, 1);
    if (st == ST_OK)
        *out = c;
    else
        cable_destroy(c, &ignored);
    return st;
}

struct netif *cable_end(struct cable *c, unsigned end)
{
    return &c->end[end].nif;
}

unsigned cable_frames(const struct cable *c)
{
    return atomic_load_explicit(&((struct cable *)c)->frames, memory_order_relaxed);
}

void cable_destroy(struct cable *c, struct cable_report *out)
{
    end_fini(&c->end[0]);
    end_fini(&c->end[1]);
    out->frames_left = atomic_load(&c->frames);
    out->breaches = atomic_load(&c->breaches);
    free(c);
}
