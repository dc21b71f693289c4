/* SPDX-License-Identifier: BSD-3-Clause
 *
 * DPDK's environment in this process: started once, by the first interface, and never stopped (EAL cannot
 * start twice). Its state is the process's, not a stack's: the one place of the library where that cannot be
 * avoided. */
#ifndef NETIF_DPDK_EAL_H
#define NETIF_DPDK_EAL_H

#include "netif/dpdk/port_name.h"
#include "netif/netif.h"

/** Starts EAL unless it runs (ours, or the application's own). need_mb: memory for packets and rings. */
enum status eal_start(const struct netif_params *params, const struct port_name *port, uint64_t need_mb);
/** DPDK's messages go to log from now on; NULL = nowhere. */
void eal_log_to(struct log *log);
/** Makes the calling thread known to DPDK, so that it gets packet caches; undone when the thread ends. */
enum status eal_attach_thread(struct log *log);

#endif
