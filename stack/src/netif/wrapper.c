/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See wrapper.h. */
#include "netif/wrapper.h"

void wrapper_init(struct wrapper *w, const struct netif_ops *ops, struct netif *inner)
{
    w->nif = *inner;
    w->nif.ops = ops;
    w->inner = inner;
}

struct pkt *wrapper_alloc(struct netif *nif, unsigned worker)
{
    return netif_alloc(wrapper_inner(nif), worker);
}

struct pkt *wrapper_alloc_long(struct netif *nif, unsigned worker)
{
    return netif_alloc_long(wrapper_inner(nif), worker);
}

bool wrapper_link_up(struct netif *nif)
{
    struct netif *inner = wrapper_inner(nif);

    return inner->ops->link_up(inner);
}

void wrapper_stats(struct netif *nif, struct netif_stats *out)
{
    struct netif *inner = wrapper_inner(nif);

    inner->ops->stats(inner, out);
}

enum status wrapper_attach_thread(struct netif *nif)
{
    return netif_attach_thread(wrapper_inner(nif));
}

int wrapper_rx_fd(struct netif *nif, unsigned queue)
{
    struct netif *inner = wrapper_inner(nif);

    return inner->ops->rx_fd(inner, queue);
}

uint64_t wrapper_next_deadline_us(struct netif *nif)
{
    return netif_next_deadline_us(wrapper_inner(nif));
}
