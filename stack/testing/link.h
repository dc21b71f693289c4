/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One direction of a bad network on the virtual clock: a rate, then the faults of netif/fault_model.h, then
 * delivery at the due time. Equal due times keep the order of sending. Deterministic. */
#ifndef TESTING_LINK_H
#define TESTING_LINK_H

#include "base/pkt.h"
#include "base/prng.h"
#include "netif/fault_model.h"
#include "testing/test_pkt.h"
#include "wire/ipv4.h"

struct link_params {
    struct fault_params fault;
    uint64_t bits_per_s; /**< 0 = no limit */
    double corrupt;      /**< probability that one bit of a packet flips */
};

struct link_frame {
    struct link_frame *next;
    struct pkt *pkt;
    ipv4_addr_t src, dst;
    uint64_t due_us;
};

struct link {
    struct link_params params;
    struct fault_model model;
    struct prng corrupter;
    struct test_pkts *pkts; /**< where copies come from */
    uint64_t free_us;       /**< when the line has sent all it has taken */
    struct link_frame *first, *last;
    uint64_t taken, lost, duplicated, reordered, corrupted;
};

void link_init(struct link *l, const struct link_params *p, struct test_pkts *pkts);
void link_fini(struct link *l);
/** Consumes the packet. */
void link_send(struct link *l, struct pkt *pkt, ipv4_addr_t src, ipv4_addr_t dst, uint64_t now_us);
/** When the next packet arrives, UINT64_MAX = none is on its way. */
uint64_t link_next_us(const struct link *l);
/** Takes a packet that is due, NULL when there is none. */
struct pkt *link_receive(struct link *l, uint64_t now_us, ipv4_addr_t *src, ipv4_addr_t *dst);

#endif
