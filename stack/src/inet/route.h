/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The routing table of a host with one interface: longest prefix first. Filled at start, then only read. */
#ifndef INET_ROUTE_H
#define INET_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "inet/inet.h"

struct route_table {
    struct inet_route *routes; /**< by falling prefix_len; of equal ones the first given wins */
    size_t num;
};

/** /0../32 as a mask in host order. */
static inline ipv4_addr_t route_mask(uint8_t prefix_len)
{
    return prefix_len ? 0xffffffffu << (32 - prefix_len) : 0;
}

enum status route_table_init(struct route_table *t, const struct inet_route *routes, size_t num);
void route_table_fini(struct route_table *t);
/** The neighbour to hand a packet for dst to; false without a route. */
bool route_next_hop(const struct route_table *t, ipv4_addr_t dst, ipv4_addr_t *hop);

#endif
