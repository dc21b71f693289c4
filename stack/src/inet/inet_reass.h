/* SPDX-License-Identifier: BSD-3-Clause
 *
 * IPv4 reassembly (RFC 791 3.2, RFC 815, RFC 1122 3.3.2, RFC 6864) of one worker. Fragments are copied and
 * given back to their interface at once, so that waiting ones hold no device buffers. A datagram whose
 * fragments overlap or contradict each other is lost, with all of it that is still to come (as RFC 5722 has
 * it for IPv6); exact duplicates are harmless. Bounded by bytes and datagrams in all and per peer, fragments
 * per datagram, and 30 s. Every fragment ends in a datagram or in exactly one counter. */
#ifndef INET_INET_REASS_H
#define INET_INET_REASS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/pkt.h"
#include "wire/eth.h"
#include "wire/ipv4.h"

#define REASS_CHAINS 256u
#define REASS_MAX_BYTES (4u << 20)      /**< in all, the bookkeeping included */
#define REASS_MAX_PEER_BYTES (1u << 20) /**< of one source address */
#define REASS_MAX_DATAGRAMS 1024u
#define REASS_MAX_PEER_DATAGRAMS 64u
#define REASS_MAX_FRAGMENTS 256u /**< per datagram: 256 bytes each, on the average of the longest */
#define REASS_TIMEOUT_US UINT64_C(30000000)

struct inet_counters;

struct reass {
    struct inet_counters *count;
    struct list chain[REASS_CHAINS]; /**< by source address */
    struct list by_age;              /**< the oldest first */
    uint32_t bytes, datagrams;
};

void reass_init(struct reass *r, struct inet_counters *count);
void reass_fini(struct reass *r);
/** A checked fragment for us: data at its IPv4 header, the Ethernet header before it. Consumes it. Returns
 * the datagram when it is complete, otherwise NULL: a packet of its own memory, data at the IPv4 header
 * (options of the first fragment, right length and checksum), the Ethernet header before it, not more than
 * 65535 bytes. */
struct pkt *reass_input(struct reass *r, const struct ipv4_hdr *ip, struct pkt *frag, uint64_t now_us);
/** Whether the packet was put together here: such a one cannot be handed to an interface. */
bool reass_made(const struct pkt *pkt);

/** What is told of a datagram that timed out. */
struct reass_expired {
    struct ipv4_hdr ip; /**< of the first fragment */
    uint8_t head[8];    /**< the first bytes behind its header */
};
/** Gives up one datagram whose time is over; false: there is none. *tell: its first fragment was there, so
 * that its source is to be told (RFC 1122 3.3.2). */
bool reass_expire(struct reass *r, uint64_t now_us, struct reass_expired *out, bool *tell);
/** UINT64_MAX: nothing waits. */
uint64_t reass_next_deadline(const struct reass *r);

#endif
