/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the files of the DPDK interface share: dpdk_netif.c sets a port up, dpdk_offload.c decides what the
 * device does for us, dpdk_io.c moves packets, dpdk_cut.c cuts long segments where the device does not. */
#ifndef NETIF_DPDK_PRIV_H
#define NETIF_DPDK_PRIV_H

#include <stdalign.h>
#include <stdatomic.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "netif/netif_counters.h"

#define DPDK_BURST 64u
#define DPDK_STASH 32u

/** Buffers that one thread has taken ahead: cheaper than asking DPDK for each. */
struct dpdk_stash {
    alignas(64) unsigned count;
    struct rte_mbuf *mbuf[DPDK_STASH];
};

struct dpdk_netif {
    struct netif nif; /* first: the interface is the port */
    uint16_t port;
    bool made_vdev;            /* the device goes with the interface */
    bool seg_ip_csum;          /* the device wants to make the IPv4 checksums of the segments that it cuts */
    bool seg_prepare;          /* and its driver wants to look at them first */
    atomic_bool cuts;          /* the device cuts long segments now; a vhost port's peer decides */
    struct rte_mempool *pool;  /* of frames */
    struct rte_mempool *longs; /* of long packets, NULL when the device gets none */
    unsigned num_stashes;
    struct dpdk_stash *stashes;
    struct netif_counters *counters; /* a queue each; only the drops of our own */
    bool started, watched;           /* watched: link changes call back */
    struct log *log;
    char vhost_path[108]; /* socket of a vhost port, "" of another */
};

static inline struct dpdk_netif *dpdk_of(struct netif *nif)
{
    return (struct dpdk_netif *)nif;
}

static inline struct rte_mbuf *dpdk_mbuf_of(struct pkt *p)
{
    return (struct rte_mbuf *)((char *)p - sizeof(struct rte_mbuf));
}

/* dpdk_io.c */
/** Writes what never changes into the struct pkt of each buffer of a pool. */
void dpdk_prepare_pool(struct rte_mempool *pool);
void dpdk_free_stashes(struct dpdk_netif *d);
unsigned dpdk_rx_burst(struct netif *nif, unsigned queue, struct pkt **pkts, unsigned n);
unsigned dpdk_tx_burst(struct netif *nif, unsigned queue, struct pkt **pkts, unsigned n);
struct pkt *dpdk_alloc(struct netif *nif, unsigned worker);
struct pkt *dpdk_alloc_long(struct netif *nif, unsigned worker);
/** Brings the mbuf of a packet to be sent up to date. */
void dpdk_fill_mbuf(const struct dpdk_netif *d, struct pkt *p);

/* dpdk_cut.c */
/** Cuts a long TCP segment and sends the pieces. True: all are gone, and so is the packet. False: the packet
 * is still the caller's and holds what the device did not take. */
bool dpdk_cut_and_send(struct dpdk_netif *d, uint16_t queue, struct pkt *p);

/* dpdk_offload.c */
/** Chooses offloads of at most `most` from what the device has: into conf and d. */
void dpdk_offload_choose(struct dpdk_netif *d, const struct rte_eth_dev_info *info, enum netif_offload most,
                         struct rte_eth_conf *conf);
/** After the device is configured and before its queues: a vhost port offers its peer no more than that, and
 * is asked what the peer takes whenever one comes. */
void dpdk_offload_settle(struct dpdk_netif *d, const char *device);
void dpdk_offload_end(struct dpdk_netif *d);

#endif
