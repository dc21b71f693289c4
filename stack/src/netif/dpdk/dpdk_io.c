/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Bursts and buffers. A struct pkt stands in the private area of its mbuf, one cache line behind the mbuf's
 * two. What never changes is written once, when the pool is made; a received packet costs one line written.
 * Invariant: an mbuf that tx_burst accepted is never touched again; one that it refused is still the
 * caller's. */
#include <rte_prefetch.h>

#include "netif/dpdk/dpdk_priv.h"

#define PREFETCH_AHEAD 4u
#define HEADERS_MOST (ETH_HDR_LEN + 60u + 60u) /* of a TCP segment: must stand in its first piece */
#define FRAME_MOST (ETH_HDR_LEN + 65535u)

static void release(struct pkt *p)
{
    rte_pktmbuf_free(dpdk_mbuf_of(p));
}

static void prepare_one(struct rte_mempool *pool, void *arg, void *obj, unsigned index)
{
    struct rte_mbuf *m = obj;
    struct pkt *p = rte_mbuf_to_priv(m);

    (void)pool;
    (void)arg;
    (void)index;
    *p = (struct pkt){.buf = m->buf_addr, .size = m->buf_len, .release = release};
}

void dpdk_prepare_pool(struct rte_mempool *pool)
{
    rte_mempool_obj_iter(pool, prepare_one, NULL);
}

/* ---- receiving ---- */

static uint16_t checksum_flags(const struct rte_mbuf *m)
{
    uint64_t l4 = m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
    uint16_t flags = 0;

    if ((m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD)
        flags |= PKT_RX_IP_CSUM_OK;
    if (l4 == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
        flags |= PKT_RX_L4_CSUM_OK;
    else if (l4 == RTE_MBUF_F_RX_L4_CKSUM_NONE) /* data known to be good, no finished checksum in the frame */
        flags |= PKT_RX_L4_CSUM_OK | PKT_RX_L4_CSUM_PARTIAL;
    return flags;
}

static struct pkt *pkt_of(struct rte_mbuf *m)
{
    struct pkt *p = rte_mbuf_to_priv(m);

    p->data = rte_pktmbuf_mtod(m, uint8_t *);
    p->len = m->data_len;
    p->more_len = 0;
    p->flags = checksum_flags(m);
    p->more = NULL;
    return p;
}

/* A frame in several mbufs: in one piece if it fits, because only TCP takes others. NULL when it makes no
 * sense to anybody: its headers are apart, or it is too long. */
static struct pkt *pkt_of_chain(struct rte_mbuf *m)
{
    struct pkt *p, *last;

    if (m->pkt_len - m->data_len <= rte_pktmbuf_tailroom(m))
        rte_pktmbuf_linearize(m);
    else if (m->data_len < HEADERS_MOST || m->pkt_len > FRAME_MOST)
        return NULL;
    p = last = pkt_of(m);
    for (m = m->next; m; m = m->next) {
        last->more = pkt_of(m);
        last = last->more;
        p->more_len += last->len;
    }
    return p;
}

unsigned dpdk_rx_burst(struct netif *nif, unsigned queue, struct pkt **pkts, unsigned n)
{
    struct dpdk_netif *d = dpdk_of(nif);
    struct rte_mbuf *m[DPDK_BURST];
    unsigned got = rte_eth_rx_burst(d->port, (uint16_t)queue, m, (uint16_t)RTE_MIN(n, DPDK_BURST)), kept = 0;

    for (unsigned i = 0; i < got && i < PREFETCH_AHEAD; i++)
        rte_prefetch0(rte_mbuf_to_priv(m[i]));
    for (unsigned i = 0; i < got; i++) {
        struct pkt *p;

        if (i + PREFETCH_AHEAD < got)
            rte_prefetch0(rte_mbuf_to_priv(m[i + PREFETCH_AHEAD]));
        p = likely(m[i]->nb_segs == 1) ? pkt_of(m[i]) : pkt_of_chain(m[i]);
        if (likely(p)) {
            rte_prefetch0(p->data);
            pkts[kept++] = p;
        } else {
            netif_count(&d->counters[queue].rx_dropped, 1);
            rte_pktmbuf_free(m[i]);
        }
    }
    return kept;
}

/* ---- sending ---- */

/* Tells the device what is left to do with the frame, which is one of our own: Ethernet without tags. */
static uint64_t offload_flags(const struct dpdk_netif *d, const struct pkt *p, struct rte_mbuf *m)
{
    const uint8_t *ip = p->data + ETH_HDR_LEN;
    unsigned ip_len = (ip[0] & 0xfu) * 4;

    m->tx_offload = 0;
    m->l2_len = ETH_HDR_LEN;
    m->l3_len = ip_len;
    if (ip[9] == IPPROTO_UDP) {
        m->l4_len = sizeof(struct rte_udp_hdr);
        return RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_UDP_CKSUM;
    }
    m->l4_len = (ip[ip_len + 12] >> 4) * 4u;
    if (!(p->flags & PKT_TX_SEG))
        return RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM;
    m->tso_segsz = (uint16_t)p->seg_bytes;
    return RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_TCP_SEG |
           (d->seg_ip_csum ? RTE_MBUF_F_TX_IP_CKSUM : 0);
}

void dpdk_fill_mbuf(const struct dpdk_netif *d, struct pkt *p)
{
    struct rte_mbuf *m = dpdk_mbuf_of(p);

    m->data_off = (uint16_t)pkt_headroom(p);
    m->data_len = (uint16_t)p->len;
    m->pkt_len = pkt_total(p);
    m->ol_flags = 0; /* a received packet may be sent back */
    if (p->flags & PKT_TX_L4_CSUM)
        m->ol_flags = offload_flags(d, p, m);
    for (const struct pkt *more = p->more; more; more = more->more) {
        m = m->next;
        m->data_off = (uint16_t)pkt_headroom(more);
        m->data_len = (uint16_t)more->len;
    }
}

static unsigned send_whole(struct dpdk_netif *d, uint16_t queue, struct pkt **pkts, unsigned n)
{
    struct rte_mbuf *m[DPDK_BURST];
    uint16_t count = (uint16_t)RTE_MIN(n, DPDK_BURST);

    for (unsigned i = 0; i < count; i++) {
        m[i] = dpdk_mbuf_of(pkts[i]);
        dpdk_fill_mbuf(d, pkts[i]);
    }
    if (d->seg_prepare)
        count = rte_eth_tx_prepare(d->port, queue, m, count);
    return rte_eth_tx_burst(d->port, queue, m, count);
}

static unsigned run_without_long(struct pkt **pkts, unsigned n)
{
    unsigned run = 0;

    while (run < n && !(pkts[run]->flags & PKT_TX_SEG))
        run++;
    return run;
}

unsigned dpdk_tx_burst(struct netif *nif, unsigned queue, struct pkt **pkts, unsigned n)
{
    struct dpdk_netif *d = dpdk_of(nif);
    unsigned done = 0;

    if (!d->longs || atomic_load_explicit(&d->cuts, memory_order_relaxed))
        return send_whole(d, (uint16_t)queue, pkts, n);
    while (done < n) {
        unsigned run = RTE_MIN(run_without_long(pkts + done, n - done), DPDK_BURST);
        unsigned sent = run ? send_whole(d, (uint16_t)queue, pkts + done, run) : 0;

        done += sent;
        if (sent < run)
            break;
        if (done == n || !(pkts[done]->flags & PKT_TX_SEG))
            continue;
        if (!dpdk_cut_and_send(d, (uint16_t)queue, pkts[done]))
            break;
        done++;
    }
    return done;
}

/* ---- buffers ---- */

static struct pkt *fresh(struct rte_mbuf *m)
{
    struct pkt *p = rte_mbuf_to_priv(m);

    p->data = p->buf + PKT_HEADROOM;
    p->len = 0;
    p->more_len = 0;
    p->flags = 0;
    p->more = NULL;
    return p;
}

struct pkt *dpdk_alloc(struct netif *nif, unsigned worker)
{
    struct dpdk_netif *d = dpdk_of(nif);
    struct dpdk_stash *s = &d->stashes[worker];
    struct rte_mbuf *m;

    if (unlikely(worker >= d->num_stashes)) {
        m = rte_mbuf_raw_alloc(d->pool);
        return m ? fresh(m) : NULL;
    }
    if (unlikely(!s->count)) { /* raw: what rte_pktmbuf_alloc() resets is written at sending */
        if (rte_mempool_get_bulk(d->pool, (void **)s->mbuf, DPDK_STASH))
            return NULL;
        s->count = DPDK_STASH;
    }
    return fresh(s->mbuf[--s->count]);
}

struct pkt *dpdk_alloc_long(struct netif *nif, unsigned worker)
{
    struct rte_mbuf *m = rte_mbuf_raw_alloc(dpdk_of(nif)->longs);

    (void)worker;
    return m ? fresh(m) : NULL;
}

void dpdk_free_stashes(struct dpdk_netif *d)
{
    for (unsigned i = 0; i < d->num_stashes; i++)
        while (d->stashes[i].count)
            rte_mbuf_raw_free(d->stashes[i].mbuf[--d->stashes[i].count]);
}
