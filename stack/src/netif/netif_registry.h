/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How an interface is found by the value of the key `io`. Whoever wires the layers together writes the table,
 * because netif itself does not know netif/dpdk:
 *   static const struct netif_driver drivers[] = {{"dpdk", dpdk_open}, {"tap", tap_open}}; */
#ifndef NETIF_NETIF_REGISTRY_H
#define NETIF_NETIF_REGISTRY_H

#include <stddef.h>
#include <string.h>

#include "netif/netif.h"

struct netif_driver {
    const char *io;
    enum status (*open)(const struct netif_params *params, struct netif **out);
};

/** ST_NOT_FOUND when no driver has the name; else what its open() says. */
static inline enum status netif_open(const struct netif_driver *drivers, size_t num_drivers, const char *io,
                                     const struct netif_params *params, struct netif **out)
{
    for (size_t i = 0; i < num_drivers; i++)
        if (!strcmp(drivers[i].io, io))
            return drivers[i].open(params, out);
    return ST_NOT_FOUND;
}

#endif
