/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a network interface is to the stack: a table of operations. Implementations: dpdk, tap, pair; wrappers
 * that stand in front of any other: pcap, fault. One thread at a time receives from a queue, and one sends to
 * it, which may be two at once; different queues are used by different threads at once.
 * The protocol layers never see this header; worker wires the two together. */
#ifndef NETIF_NETIF_H
#define NETIF_NETIF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/pkt.h"
#include "base/status.h"
#include "wire/eth.h"

/** Bytes of the longest frame: Ethernet header, one VLAN tag, packet. */
#define NETIF_MAX_FRAME(mtu) (ETH_HDR_LEN + 4u + (mtu))

/** Bytes behind the headroom of a long packet (netif_alloc_long): IPv4's limit, less what headers may take.
 */
#define NETIF_LONG_BYTES 65280u

#define NETIF_NO_WORKER UINT32_MAX

struct netif;
struct log;

/** What an interface does for the stack; each one includes those before. */
enum netif_offload {
    NETIF_OFFLOAD_NONE,
    NETIF_OFFLOAD_CSUM, /**< finishes TCP and UDP checksums: takes PKT_TX_L4_CSUM */
    NETIF_OFFLOAD_SEG,  /**< cuts long TCP segments: takes PKT_TX_SEG; received ones may be merged */
};

/** What to open; filled from the configuration. Strings are borrowed during open, the log until close. */
struct netif_params {
    const char *port;           /**< key `port`: which interface */
    const char *eal;            /**< key `eal`: extra EAL arguments, or NULL (dpdk) */
    int hugepages;              /**< key `hugepages`: -1 auto, 0 off, 1 on (dpdk) */
    unsigned num_mem_ch;        /**< key `num_mem_ch`: memory channels, 0 = EAL's choice (dpdk) */
    unsigned num_queues;        /**< queues wanted: one a worker */
    uint16_t mtu;               /**< bytes of IP packet a frame can carry */
    bool has_mac;               /**< mac is given */
    struct eth_addr mac;        /**< key `mac` */
    unsigned num_workers;       /**< threads that allocate, numbered from 0; 0 = num_queues */
    unsigned num_bufs;          /**< packet buffers wanted in total, 0 = implementation's choice */
    enum netif_offload offload; /**< at most this; what the device has not is not used */
    struct log *log;
};

struct netif_stats {
    uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
    uint64_t rx_dropped; /**< frames that the device lost for want of buffers or room */
    uint64_t tx_dropped; /**< frames that the interface took and could not send */
};

struct netif_ops {
    const char *name;
    /** Takes up to n received frames; the caller owns them. Never blocks. */
    unsigned (*rx_burst)(struct netif *nif, unsigned queue, struct pkt **pkts, unsigned n);
    /** Hands over the first k frames and returns k; the caller still owns the others. Never blocks. */
    unsigned (*tx_burst)(struct netif *nif, unsigned queue, struct pkt **pkts, unsigned n);
    /** A fresh packet with PKT_HEADROOM and room for mtu + Ethernet header; NULL when none is free. Threads
     * that allocate at once give different numbers: a worker its own, others NETIF_NO_WORKER. */
    struct pkt *(*alloc)(struct netif *nif, unsigned worker);
    /** The same with room for NETIF_LONG_BYTES; NULL when the interface cuts no segments. */
    struct pkt *(*alloc_long)(struct netif *nif, unsigned worker);
    bool (*link_up)(struct netif *nif);
    void (*stats)(struct netif *nif, struct netif_stats *out);
    /** Called once by each thread that will poll, before its first burst; may be NULL. */
    enum status (*attach_thread)(struct netif *nif);
    /** A file descriptor that becomes readable when frames wait, -1 when the interface can only be polled. */
    int (*rx_fd)(struct netif *nif, unsigned queue);
    /** For interfaces that hold frames back (fault): when to poll again, UINT64_MAX = never; may be NULL. */
    uint64_t (*next_deadline_us)(struct netif *nif);
    void (*close)(struct netif *nif);
};

/** Common head of every implementation. */
struct netif {
    const struct netif_ops *ops;
    struct eth_addr mac;
    uint16_t mtu;
    unsigned num_queues;        /**< queues really there; may be fewer than asked */
    enum netif_offload offload; /**< of packets to be sent */
};

static inline unsigned netif_rx_burst(struct netif *n, unsigned q, struct pkt **p, unsigned c)
{
    return n->ops->rx_burst(n, q, p, c);
}
static inline unsigned netif_tx_burst(struct netif *n, unsigned q, struct pkt **p, unsigned c)
{
    return n->ops->tx_burst(n, q, p, c);
}
static inline enum status netif_attach_thread(struct netif *n)
{
    return n->ops->attach_thread ? n->ops->attach_thread(n) : ST_OK;
}
static inline uint64_t netif_next_deadline_us(struct netif *n)
{
    return n->ops->next_deadline_us ? n->ops->next_deadline_us(n) : UINT64_MAX;
}
static inline struct pkt *netif_alloc(struct netif *n, unsigned worker)
{
    return n->ops->alloc(n, worker);
}
static inline struct pkt *netif_alloc_long(struct netif *n, unsigned worker)
{
    return n->ops->alloc_long(n, worker);
}

#endif
