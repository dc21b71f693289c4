/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A DPDK port as an interface. The only header of this folder for the layers above; it knows no rte_*.
 * The first open starts DPDK's environment in this process; it stays until the process ends. */
#ifndef NETIF_DPDK_DPDK_NETIF_H
#define NETIF_DPDK_DPDK_NETIF_H

#include "netif/netif.h"

/** params->port: dpdkN, PCI address, MAC or vdev:STRING. What goes wrong is said through params->log, with a
 *  hint. The CPUs that the calling thread may use are the same after as before. */
enum status dpdk_open(const struct netif_params *params, struct netif **out);

#endif
