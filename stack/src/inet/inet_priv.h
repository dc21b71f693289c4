/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the files of the internet layer share. */
#ifndef INET_INET_PRIV_H
#define INET_INET_PRIV_H

#include "base/list.h"
#include "inet/inet.h"
#include "inet/inet_reass.h"
#include "inet/neigh.h"
#include "inet/route.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/ipv4.h"

#define INET_TTL 64u           /**< RFC 1700 */
#define PENDING_HOPS 64u       /**< next hops that a worker waits for at once */
#define PENDING_PER_HOP 128u   /**< packets that wait for one of them */
#define PENDING_TOTAL 512u     /**< packets that wait in a worker */
#define LOCAL_QUEUE 256u       /**< packets to ourselves */
#define PENDING_POLL_US 1000u  /**< how often a worker looks for answers that reached another worker */
#define PATHS 64u              /**< destinations whose headers a worker keeps ready */
#define PATH_CHECK_US 1000000u /**< how long before the neighbour table is asked again */
#define ICMP_ERRORS_PER_S 100u
#define ICMP_ERROR_BURST 20u

struct inet {
    struct eth_addr mac;
    uint64_t mac_word;           /**< the same, by eth_addr_word() */
    ipv4_addr_t addr, broadcast; /**< broadcast: of the connected network, 0 when it has none (/31, /32) */
    uint8_t prefix_len;
    uint16_t mtu;
    struct route_table routes;
    struct neigh_table *neigh;
    struct log *log;
    _Atomic unsigned num_workers; /**< they come and go while others run */
    bool log_conflict;            /**< the first address conflict is still to be reported */
};

struct pkt_queue {
    struct pkt *head, **tail;
    unsigned count;
};

/** Packets that wait for the MAC of one next hop. */
struct pending_hop {
    ipv4_addr_t hop;
    struct pkt_queue queue; /**< empty: the slot is free */
};

/** Everything in front of the transport header for one destination: only the length and with it the checksum
 * differ from packet to packet. */
struct path {
    ipv4_addr_t src, dst;
    uint32_t version;  /**< of the neighbour table when the MAC was looked up */
    uint32_t sum;      /**< of the IPv4 header without its length, as of checksum_add() */
    uint64_t until_us; /**< to be looked up again then; 0 = empty */
    uint8_t proto;
    uint8_t frame[ETH_HDR_LEN + IPV4_HDR_LEN];
};

struct inet_worker {
    struct inet *inet;
    const struct inet_ops *ops;
    void *ctx;
    struct pending_hop pending[PENDING_HOPS];
    unsigned num_pending;     /**< packets in all of them */
    uint32_t seen_generation; /**< of the neighbour table, at the last look */
    uint64_t poll_us;         /**< next look at them, UINT64_MAX = none */
    struct pkt_queue local;   /**< packets to ourselves, delivered from the timers */
    bool announce;            /**< the announcement of our address is still to be sent */
    uint16_t next_id;
    uint64_t icmp_tokens_us; /**< credit of the ICMP error limiter, in microseconds */
    uint64_t icmp_last_us;
    struct reass reass;
    struct path paths[PATHS];
    struct inet_counters count;
};

static inline void pkt_queue_init(struct pkt_queue *q)
{
    q->head = NULL;
    q->tail = &q->head;
    q->count = 0;
}

static inline void pkt_queue_push(struct pkt_queue *q, struct pkt *p)
{
    p->next = NULL;
    *q->tail = p;
    q->tail = &p->next;
    q->count++;
}

static inline struct pkt *pkt_queue_pop(struct pkt_queue *q)
{
    struct pkt *p = q->head;

    if (!p)
        return NULL;
    q->head = p->next;
    if (!q->head)
        q->tail = &q->head;
    q->count--;
    return p;
}

static inline void pkt_queue_free(struct pkt_queue *q)
{
    for (struct pkt *p; (p = pkt_queue_pop(q));)
        pkt_free(p);
}

/** Counts the reason and frees the packet. */
static inline void inet_drop(uint64_t *counter, struct pkt *p)
{
    ++*counter;
    pkt_free(p);
}

/* inet_arp.c */
/** An ARP packet; data at the ARP header. Consumes it. */
void inet_arp_input(struct inet_worker *iw, const struct eth_hdr *eth, struct pkt *pkt, uint64_t now_us);
void inet_arp_send(struct inet_worker *iw, const struct arp_pkt *arp, struct eth_addr to);
void inet_arp_ask(struct inet_worker *iw, const struct neigh_ask *ask);

/* inet_icmp.c */
/** An ICMP message; data at the ICMP header. Consumes it. */
void inet_icmp_input(struct inet_worker *iw, const struct ipv4_hdr *ip, struct pkt *pkt, uint64_t now_us);

/** A datagram was given up, its first fragment having come (RFC 1122 3.3.2). */
void inet_icmp_time_exceeded(struct inet_worker *iw, const struct reass_expired *about, uint64_t now_us);

/* inet_in.c */
/** The packets to ourselves that wait. */
void inet_local_deliver(struct inet_worker *iw, uint64_t now_us);

/* inet_out.c */
/** Sends or drops what waited for neighbours that are resolved or given up. */
void inet_pending_check(struct inet_worker *iw, uint64_t now_us);

#endif
