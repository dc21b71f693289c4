/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Routes: a handful of them, so a sorted array is the fastest table. */
#include "inet/route.h"

#include <stdlib.h>

enum status route_table_init(struct route_table *t, const struct inet_route *routes, size_t num)
{
    t->num = 0;
    t->routes = calloc(num ? num : 1, sizeof(*routes));
    if (!t->routes)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < num; i++) {
        size_t at = t->num++;

        for (; at > 0 && t->routes[at - 1].prefix_len < routes[i].prefix_len; at--)
            t->routes[at] = t->routes[at - 1];
        t->routes[at] = routes[i];
    }
    return ST_OK;
}

void route_table_fini(struct route_table *t)
{
    free(t->routes);
    t->routes = NULL;
    t->num = 0;
}

bool route_next_hop(const struct route_table *t, ipv4_addr_t dst, ipv4_addr_t *hop)
{
    for (size_t i = 0; i < t->num; i++) {
        const struct inet_route *r = &t->routes[i];

        if ((dst ^ r->prefix) & route_mask(r->prefix_len))
            continue;
        *hop = r->gateway ? r->gateway : dst;
        return true;
    }
    return false;
}
