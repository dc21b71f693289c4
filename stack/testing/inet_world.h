/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One internet layer with its workers between two recorders: what it sends and what it delivers is kept for
 * the test to look at. Ours: 10.0.0.1/24, 02:00:00:00:00:01, gateway 10.0.0.254; neighbours 10.0.0.N have
 * the MAC 02:00:00:00:00:N. Frames that the test gives in are built from values. */
#ifndef TESTING_INET_WORLD_H
#define TESTING_INET_WORLD_H

#include "inet/inet.h"
#include "testing/test_pkt.h"
#include "wire/arp.h"

#define WORLD_ADDR 0x0a000001u
#define WORLD_GATEWAY 0x0a0000feu
#define WORLD_STATIC 0x0a000063u /**< 10.0.0.99 has a static ARP entry */
#define WORLD_WORKERS 2
#define WORLD_FRAMES 1024

struct world_frame {
    unsigned worker;
    struct pkt *pkt; /**< sent: at the Ethernet header; delivered: at the transport header */
    struct eth_hdr eth;
    struct ipv4_hdr ip; /**< of IPv4 frames */
    struct arp_pkt arp; /**< of ARP frames */
};

struct world_port {
    struct inet_world *world;
    unsigned worker;
    struct inet_worker *iw;
};

struct inet_world {
    struct test_pkts pkts;
    struct inet *inet;
    struct world_port port[WORLD_WORKERS];
    struct world_frame sent[WORLD_FRAMES], delivered[WORLD_FRAMES];
    unsigned num_sent, num_delivered, num_unreachable;
    ipv4_addr_t last_unreachable;
    uint64_t now_us;
};

/** NULL when the memory is out. The announcement of the address is already sent and forgotten. */
struct inet_world *inet_world_create(void);
/** The same with other addresses and routes. */
struct inet_world *inet_world_create_with(const struct inet_params *params);
/** Frees all; returns the number of packets that leaked. */
size_t inet_world_destroy(struct inet_world *w);
/** Frees and forgets what was recorded. */
void inet_world_forget(struct inet_world *w);
/** Turns the clock forward, running the timers of both workers whenever they are due. */
void inet_world_run(struct inet_world *w, uint64_t duration_us);

struct eth_addr world_mac(unsigned n); /**< 02:00:00:00:00:n */

/** Gives a raw frame to a worker. */
void world_input(struct inet_world *w, unsigned worker, const void *frame, size_t len);
/** Gives an ARP packet to a worker, Ethernet source = sender_mac. */
void world_input_arp(struct inet_world *w, unsigned worker, const struct arp_pkt *arp, struct eth_addr to);
/** Gives an IPv4 packet from a neighbour to a worker; total_len is filled in. */
void world_input_ip(struct inet_world *w, unsigned worker, struct ipv4_hdr ip, const void *payload,
                    size_t len);
/** An ARP reply of 10.0.0.n to us. */
void world_input_reply(struct inet_world *w, unsigned worker, unsigned n);
/** Sends `len` bytes of a made-up transport packet. */
enum status world_output(struct inet_world *w, unsigned worker, ipv4_addr_t dst, size_t len);

#endif
