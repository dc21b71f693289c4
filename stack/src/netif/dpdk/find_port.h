/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From the value of the key `port` to a DPDK port. Exact matches only; a miss lists what there is. */
#ifndef NETIF_DPDK_FIND_PORT_H
#define NETIF_DPDK_FIND_PORT_H

#include "netif/dpdk/port_name.h"

struct log;

/** Finds the port, making the virtual device when it is one. ST_NO_DEVICE, with the reason in the log. */
enum status find_port(const struct port_name *name, struct log *log, uint16_t *port);
/** What can be seen of a wrong name before EAL is started: no such device, no vhost-user socket. */
enum status find_port_precheck(const struct port_name *name, struct log *log);

#endif
