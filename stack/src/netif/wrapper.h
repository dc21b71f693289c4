/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What all wrappers share: an interface that stands in front of another one, and the operations that only
 * pass through. A wrapper owns its inner interface and closes it. */
#ifndef NETIF_WRAPPER_H
#define NETIF_WRAPPER_H

#include "netif/netif.h"

struct wrapper {
    struct netif nif; /**< first: the interface is the wrapper */
    struct netif *inner;
};

/** Takes MAC, MTU and queues from inner. */
void wrapper_init(struct wrapper *w, const struct netif_ops *ops, struct netif *inner);

struct pkt *wrapper_alloc(struct netif *nif, unsigned worker);
struct pkt *wrapper_alloc_long(struct netif *nif, unsigned worker);
bool wrapper_link_up(struct netif *nif);
void wrapper_stats(struct netif *nif, struct netif_stats *out);
enum status wrapper_attach_thread(struct netif *nif);
int wrapper_rx_fd(struct netif *nif, unsigned queue);
uint64_t wrapper_next_deadline_us(struct netif *nif);

static inline struct netif *wrapper_inner(struct netif *nif)
{
    return ((struct wrapper *)nif)->inner;
}

#endif
