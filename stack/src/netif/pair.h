/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A cable in memory: two interfaces, each with N queues; what is sent on queue q of one end arrives on queue
 * q of the other. The ends may be used by different threads. Frames are handed over, not copied. */
#ifndef NETIF_PAIR_H
#define NETIF_PAIR_H

#include "netif/netif.h"

#define PAIR_RING_FRAMES 1024

/** params: num_queues, mtu and num_bufs of both ends; mac goes to the first end when given. Memory goes back
 * when both ends are closed, packets that are still held included. */
enum status pair_open(const struct netif_params *params, struct netif **first, struct netif **second);

#endif
