/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A packet buffer as the protocol layers see it: one piece of memory that holds a frame. A received frame
 * that is longer than a piece (a device merged segments) goes on in `more`; its headers always stand in the
 * first piece, and only TCP gets such frames. The interface that made a packet owns the memory; the DPDK one
 * keeps this struct in the mbuf's private area, so that no layer above it knows rte_*. Invariants: buf <=
 * data, data + len <= buf + size; more_len is the sum of len over the pieces behind. Whoever holds a pkt must
 * hand it on or pkt_free() it, which frees all pieces. */
#ifndef BASE_PKT_H
#define BASE_PKT_H

#include <stddef.h>
#include <stdint.h>

/** Bytes kept free before the data of a fresh packet: room for TCP (60), IPv4 (60), VLAN and Ethernet (18).
 */
#define PKT_HEADROOM 144

enum pkt_flags {
    PKT_RX_IP_CSUM_OK = 1u << 0,      /**< the device has verified the IPv4 header checksum */
    PKT_RX_L4_CSUM_OK = 1u << 1,      /**< the device has verified the TCP or UDP checksum (or the sender is
                                         local) */
    PKT_RX_L4_CSUM_PARTIAL = 1u << 2, /**< with the former: the sender is local and its checksum field holds
                                         the sum of the pseudo header only */
    PKT_TX_L4_CSUM = 1u << 3, /**< the device finishes the TCP or UDP checksum: the field holds the sum of the
                                 pseudo header, not inverted */
    PKT_TX_SEG = 1u << 4,     /**< with the former: the device cuts the text into seg_bytes long segments */
};

/** One cache line, because every packet touches it in every layer. */
struct pkt {
    uint8_t *buf;        /**< start of the memory */
    uint8_t *data;       /**< first valid byte */
    uint32_t len;        /**< valid bytes from data */
    uint32_t more_len;   /**< bytes of the frame in the pieces behind */
    uint32_t size : 20;  /**< bytes of memory from buf: a whole IP datagram and its headroom */
    uint32_t flags : 12; /**< enum pkt_flags */
    union {
        uint32_t hash;      /**< received: of the flow, set by who distributes frames to workers */
        uint32_t seg_bytes; /**< to be sent, with PKT_TX_SEG: TCP text of a segment */
    };
    struct pkt *more;              /**< next piece of the frame, NULL mostly */
    struct pkt *next;              /**< for whoever holds the packet: queues */
    void (*release)(struct pkt *); /**< gives the memory back to its owner, with all pieces */
    void *owner;                   /**< for release(): pool, interface */
};

_Static_assert(sizeof(struct pkt) <= 64, "struct pkt fits a cache line");

/** Bytes of the frame over all pieces. */
static inline uint32_t pkt_total(const struct pkt *p)
{
    return p->len + p->more_len;
}

static inline uint32_t pkt_headroom(const struct pkt *p)
{
    return (uint32_t)(p->data - p->buf);
}

static inline uint32_t pkt_tailroom(const struct pkt *p)
{
    return p->size - pkt_headroom(p) - p->len;
}

/** Gives n bytes in front of the data; NULL when the headroom is too small. */
static inline uint8_t *pkt_push(struct pkt *p, uint32_t n)
{
    if (n > pkt_headroom(p))
        return NULL;
    p->data -= n;
    p->len += n;
    return p->data;
}

/** Drops n bytes from the front; NULL when there are fewer. */
static inline uint8_t *pkt_pull(struct pkt *p, uint32_t n)
{
    if (n > p->len)
        return NULL;
    p->data += n;
    p->len -= n;
    return p->data;
}

/** Appends n bytes and returns where they start; NULL when the tailroom is too small. */
static inline uint8_t *pkt_put(struct pkt *p, uint32_t n)
{
    uint8_t *tail = p->data + p->len;

    if (n > pkt_tailroom(p))
        return NULL;
    p->len += n;
    return tail;
}

/** Cuts the frame's end so that `total` bytes are left (no more than it has). Pieces that become empty stay.
 */
static inline void pkt_trim(struct pkt *p, uint32_t total)
{
    uint32_t left = total;

    if (!p->more_len) {
        p->len = total;
        return;
    }
    for (struct pkt *at = p; at; at = at->more) {
        if (at->len > left)
            at->len = left;
        left -= at->len;
    }
    p->more_len = total - p->len;
}

static inline void pkt_free(struct pkt *p)
{
    if (p)
        p->release(p);
}

#endif
