/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Segmentation in software, for a device, or the guest behind a vhost port, that cuts no segments itself:
 * each piece gets the headers again, with its own sequence number and lengths; FIN and PSH stay with the last
 * one, CWR with the first (RFC 3168 6.1.2 counts one mark a window). */
#include <string.h>

#include "base/byteorder.h"
#include "netif/dpdk/dpdk_priv.h"
#include "wire/ipv4.h"
#include "wire/tcp.h"

#define PIECES 32u /* sent at once */

enum { IP_LEN = 2, IP_CSUM = 10, IP_SRC = 12, IP_DST = 16 };
enum { TCP_SEQ = 4, TCP_OFFSET = 12, TCP_FLAGS = 13, TCP_CSUM = 16 };

/* Headers of the long segment. */
struct head {
    uint32_t ip_len, l4_len, len; /* len: all, Ethernet included */
};

static struct head head_of(const struct pkt *p)
{
    const uint8_t *ip = p->data + ETH_HDR_LEN;
    struct head h = {.ip_len = (ip[0] & 0xfu) * 4};

    h.l4_len = (ip[h.ip_len + TCP_OFFSET] >> 4) * 4u;
    h.len = ETH_HDR_LEN + h.ip_len + h.l4_len;
    return h;
}

/* Makes the headers at `frame` those of `text` bytes from `off` bytes behind what they stood for. */
static void adapt(uint8_t *frame, const struct head *h, uint32_t off, uint32_t text)
{
    uint8_t *ip = frame + ETH_HDR_LEN, *tcp = ip + h->ip_len;
    uint16_t len = (uint16_t)(h->l4_len + text);

    put_be16(ip + IP_LEN, (uint16_t)(h->ip_len + len));
    put_be16(ip + IP_CSUM, 0);
    put_be16(ip + IP_CSUM, checksum(ip, h->ip_len));
    put_be32(tcp + TCP_SEQ, get_be32(tcp + TCP_SEQ) + off);
    put_be16(tcp + TCP_CSUM,
             ipv4_partial_csum(get_be32(ip + IP_SRC), get_be32(ip + IP_DST), IP_PROTO_TCP, len));
}

static struct rte_mbuf *piece(struct dpdk_netif *d, const struct pkt *p, const struct head *h, uint32_t off)
{
    uint32_t left = p->len - h->len - off, text = RTE_MIN(left, p->seg_bytes);
    struct rte_mbuf *m = rte_mbuf_raw_alloc(d->pool);
    struct pkt *out;
    uint8_t *tcp;

    if (!m)
        return NULL;
    out = rte_mbuf_to_priv(m);
    out->data = out->buf + PKT_HEADROOM;
    out->len = h->len + text;
    out->more_len = 0;
    out->more = NULL;
    out->flags = PKT_TX_L4_CSUM;
    memcpy(out->data, p->data, h->len);
    memcpy(out->data + h->len, p->data + h->len + off, text);
    adapt(out->data, h, off, text);
    tcp = out->data + ETH_HDR_LEN + h->ip_len;
    if (off)
        tcp[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
    if (text < left)
        tcp[TCP_FLAGS] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
    dpdk_fill_mbuf(d, out);
    return m;
}

/* The first `gone` bytes of text have left: the headers move up to the rest. */
static void advance(struct pkt *p, const struct head *h, uint32_t gone)
{
    memmove(p->data + gone, p->data, h->len);
    pkt_pull(p, gone);
    adapt(p->data, h, gone, p->len - h->len);
    p->data[ETH_HDR_LEN + h->ip_len + TCP_FLAGS] &= (uint8_t)~TCP_CWR;
}

bool dpdk_cut_and_send(struct dpdk_netif *d, uint16_t queue, struct pkt *p)
{
    const struct head h = head_of(p);
    uint32_t text = p->len - h.len, gone = 0;
    bool stuck = false;

    while (gone < text && !stuck) {
        struct rte_mbuf *m[PIECES];
        uint32_t built = gone;
        uint16_t n = 0, sent;

        for (; n < PIECES && built < text && (m[n] = piece(d, p, &h, built)); n++)
            built += RTE_MIN(text - built, p->seg_bytes);
        sent = rte_eth_tx_burst(d->port, queue, m, n);
        stuck = sent < n || !n;
        rte_pktmbuf_free_bulk(m + sent, n - sent);
        gone = RTE_MIN(gone + sent * p->seg_bytes, text);
    }
    if (gone == text) {
        pkt_free(p);
        return true;
    }
    if (gone)
        advance(p, &h, gone);
    return false;
}
