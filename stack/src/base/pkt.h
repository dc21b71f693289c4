/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A packet buffer as the protocol layers see it: one contiguous piece of memory that holds one frame.
 * The interface that made it owns the memory; the DPDK one keeps this struct in the mbuf's private area,
 * so that no layer above it knows rte_*.
 * Invariant: buf <= data, data + len <= buf + size. Whoever holds a pkt must hand it on or pkt_free() it. */
#ifndef BASE_PKT_H
#define BASE_PKT_H

#include <stddef.h>
#include <stdint.h>

/** Bytes kept free before the data of a fresh packet: room for TCP (60), IPv4 (60), VLAN and Ethernet (18).
 */
#define PKT_HEADROOM 144

enum pkt_flags {
    PKT_RX_IP_CSUM_OK = 1u << 0, /**< the device has verified the IPv4 header checksum */
    PKT_RX_L4_CSUM_OK =
        1u << 1, /**< the device has verified the TCP or UDP checksum (or the sender is local) */
};

struct pkt {
    uint8_t *buf;                  /**< start of the memory */
    uint8_t *data;                 /**< first valid byte */
    uint32_t size;                 /**< bytes of memory from buf */
    uint32_t len;                  /**< valid bytes from data */
    uint32_t flags;                /**< enum pkt_flags */
    uint32_t hash;                 /**< of the flow, set by who distributes frames to workers */
    struct pkt *next;              /**< for whoever holds the packet: queues */
    void (*release)(struct pkt *); /**< gives the memory back to its owner */
    void *owner;                   /**< for release(): pool, interface */
};

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

static inline void pkt_free(struct pkt *p)
{
    if (p)
        p->release(p);
}

#endif
