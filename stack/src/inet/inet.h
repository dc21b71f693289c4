/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The internet layer: ARP, routes, IPv4 in and out, ICMP echo.
 * `struct inet` is shared by all workers (addresses, routes, ARP table: any worker learns and answers);
 * `struct inet_worker` belongs to one (packets that wait for ARP, counters). No clock, no I/O: time comes as
 * now_us, frames go out and segments go up by the callbacks of struct inet_ops. */
#ifndef INET_INET_H
#define INET_INET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "base/pkt.h"
#include "base/status.h"
#include "wire/eth.h"
#include "wire/ipv4.h"

struct inet;
struct inet_worker;

struct inet_route {
    ipv4_addr_t prefix;
    uint8_t prefix_len;  /**< 0..32 */
    ipv4_addr_t gateway; /**< 0: on link */
};

struct inet_params {
    struct eth_addr mac;
    ipv4_addr_t addr;
    uint8_t prefix_len;
    uint16_t mtu;
    const struct inet_route *routes; /**< the connected network is added by itself */
    size_t num_routes;
    const struct inet_arp_entry {
        ipv4_addr_t addr;
        struct eth_addr mac;
    } * static_arp;
    size_t num_static_arp;
    struct log *log;
};

struct inet_ops {
    /** A fresh packet for what inet itself sends (ARP, ICMP); NULL when none is free. */
    struct pkt *(*alloc)(void *ctx);
    /** Takes a complete Ethernet frame, with the flags PKT_TX_* that it came to inet_output() with. */
    void (*xmit)(void *ctx, struct pkt *frame);
    /** A checked IPv4 packet for TCP, UDP or another protocol than ICMP. pkt->data stands at the transport
     * header and pkt->len covers the transport part only; the callee owns the packet. */
    void (*deliver)(void *ctx, const struct ipv4_hdr *ip, struct pkt *pkt, uint64_t now_us);
    /** A datagram was put together from fragments, which all come to one worker: true when it was taken, for
     * it is another worker's. pkt->data stands at the IPv4 header, behind an Ethernet header. May be NULL. */
    bool (*reassembled)(void *ctx, const struct ipv4_hdr *ip, struct pkt *pkt);
    /** The next hop of packets to dst did not answer ARP (they were dropped); may be NULL. */
    void (*unreachable)(void *ctx, ipv4_addr_t dst, uint64_t now_us);
};

/** ST_INVALID (the log says what) when an address, prefix, route or static entry makes no sense. */
enum status inet_create(const struct inet_params *params, struct inet **out);
void inet_destroy(struct inet *inet);
/** May be called while other workers run. The first one announces our address to the network. */
enum status inet_worker_create(struct inet *inet, const struct inet_ops *ops, void *ctx,
                               struct inet_worker **out);
void inet_worker_destroy(struct inet_worker *iw);

/** Consumes a received Ethernet frame. */
void inet_input(struct inet_worker *iw, struct pkt *frame, uint64_t now_us);
/** Sends a transport packet (pkt->data at the transport header, headroom for IPv4 and Ethernet before it).
 * Consumes the packet in every case. With PKT_TX_SEG it may be longer than the MTU. While ARP is under way
 * the packet waits in a bounded queue. */
enum status inet_output(struct inet_worker *iw, struct pkt *pkt, ipv4_addr_t src, ipv4_addr_t dst,
                        uint8_t proto, uint64_t now_us);
/** Which source address and how large an IP packet towards dst; ST_NO_ROUTE. */
enum status inet_route_lookup(const struct inet *inet, ipv4_addr_t dst, ipv4_addr_t *src, uint16_t *mtu);
/** Whether the address is one of ours. */
bool inet_is_local(const struct inet *inet, ipv4_addr_t addr);

/** Answers a datagram that nobody takes with ICMP port unreachable, at a limited rate (RFC 1122 3.2.2.1). pkt
 * stands at the transport header and stays the caller's. */
void inet_port_unreachable(struct inet_worker *iw, const struct ipv4_hdr *ip, const struct pkt *pkt,
                           uint64_t now_us);

/** When inet_worker_timers() must run next; UINT64_MAX = no need. */
uint64_t inet_worker_next_deadline(const struct inet_worker *iw);
void inet_worker_timers(struct inet_worker *iw, uint64_t now_us);

/** Counters of the layer, in the order of inet/counters.def. */
struct inet_counters {
#define COUNTER(name, text) uint64_t name;
#include "inet/counters.def"
#undef COUNTER
};
const struct inet_counters *inet_worker_counters(const struct inet_worker *iw);

#endif
