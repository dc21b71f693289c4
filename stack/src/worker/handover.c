/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Packets that a device put into another worker's queue. A device that spreads packets by a hash of its own
 * knows nothing of who opened a connection; so every worker takes the ports of its active opens from a range
 * of its own, and a packet to such a port that arrives elsewhere, where nobody wants it, goes to its worker
 * over a ring. Invariants: a ring has one producer and one consumer; a full ring drops and counts. The IPv4
 * header travels in the packet's headroom. */
#include <stdlib.h>
#include <string.h>

#include "base/byteorder.h"
#include "worker/worker_priv.h"

#define RING_FRAMES 512u
#define PORTS_LEN 4u /**< both ports stand first in TCP's and UDP's header */

static struct spsc_ring **ring_at(const struct mtcp_stack *st, unsigned from, unsigned to)
{
    return &st->rings[from * st->num_workers + to];
}

enum status handover_create(struct mtcp_stack *st)
{
    unsigned n = st->num_workers;

    if (n < 2)
        return ST_OK;
    st->rings = calloc((size_t)n * n, sizeof(struct spsc_ring *));
    if (!st->rings)
        return ST_NO_MEMORY;
    for (unsigned i = 0; i < n * n; i++) {
        st->rings[i] = spsc_ring_create(RING_FRAMES);
        if (!st->rings[i])
            return ST_NO_MEMORY;
    }
    return ST_OK;
}

void handover_destroy(struct mtcp_stack *st)
{
    unsigned count = st->rings ? st->num_workers * st->num_workers : 0;
    void *pkt;

    for (unsigned i = 0; i < count && st->rings[i]; i++) {
        while (spsc_ring_take(st->rings[i], &pkt, 1))
            pkt_free(pkt);
        free(st->rings[i]);
    }
    free(st->rings);
    st->rings = NULL;
}

void handover_ports(const struct mtcp_stack *st, unsigned index, uint16_t *first, uint16_t *last)
{
    unsigned share = (EPHEMERAL_LAST - EPHEMERAL_FIRST + 1) / st->num_workers;

    *first = (uint16_t)(EPHEMERAL_FIRST + index * share);
    *last = (uint16_t)(*first + share - 1);
}

/** The worker that opens connections from this port, or the asker itself when no one in particular does. */
static unsigned owner_of(const struct worker *w, uint16_t port)
{
    unsigned share = (EPHEMERAL_LAST - EPHEMERAL_FIRST + 1) / w->stack->num_workers, index;

    if (port < EPHEMERAL_FIRST)
        return w->index;
    index = (port - EPHEMERAL_FIRST) / share;
    return index < w->stack->num_workers ? index : w->index;
}

static bool wanted_here(struct worker *w, const struct ipv4_hdr *ip, uint16_t src_port, uint16_t dst_port)
{
    if (ip->proto == IP_PROTO_TCP)
        return tcp_takes(w->tcp, (struct tcp_endpoint){ip->dst, dst_port},
                         (struct tcp_endpoint){ip->src, src_port});
    return udp_takes(w->udp, (struct udp_addr){ip->dst, dst_port}, (struct udp_addr){ip->src, src_port});
}

bool handover_give(struct worker *w, const struct ipv4_hdr *ip, struct pkt *pkt)
{
    uint16_t src_port, dst_port;
    unsigned owner;
    void *item = pkt;

    if (!w->stack->rings || pkt->len < PORTS_LEN || pkt_headroom(pkt) < sizeof(*ip))
        return false;
    src_port = get_be16(pkt->data);
    dst_port = get_be16(pkt->data + 2);
    owner = owner_of(w, dst_port);
    if (owner == w->index || !atomic_load(&w->stack->workers[owner]) ||
        wanted_here(w, ip, src_port, dst_port))
        return false;
    memcpy(pkt->data - sizeof(*ip), ip, sizeof(*ip));
    if (spsc_ring_put(*ring_at(w->stack, w->index, owner), &item, 1) == 1) {
        w->cnt.handed_over++;
    } else {
        w->cnt.drop_handover_full++;
        pkt_free(pkt);
    }
    return true;
}

unsigned handover_take(struct worker *w)
{
    void *items[WORKER_RX_BURST];
    unsigned total = 0;

    for (unsigned from = 0; w->stack->rings && from < w->stack->num_workers; from++) {
        unsigned n = spsc_ring_take(*ring_at(w->stack, from, w->index), items, WORKER_RX_BURST);

        for (unsigned i = 0; i < n; i++) {
            struct pkt *pkt = items[i];
            struct ipv4_hdr ip;

            memcpy(&ip, pkt->data - sizeof(ip), sizeof(ip));
            worker_deliver(w, &ip, pkt, w->now_us);
        }
        total += n;
    }
    return total;
}
