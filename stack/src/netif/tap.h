/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Linux tap interface: the kernel is the other end of the cable. Creates the named interface or attaches to
 * one that exists (`ip tuntap add`), with one kernel queue for each of ours. Bare Ethernet frames: no packet
 * information, no virtio header, no offloads. */
#ifndef NETIF_TAP_H
#define NETIF_TAP_H

#include "netif/netif.h"

/** Without params->mac the address is made from the interface's name, so that it survives a restart. What
 * goes wrong is said through params->log, with a hint. */
enum status tap_open(const struct netif_params *params, struct netif **out);

#endif
