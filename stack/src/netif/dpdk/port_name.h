/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The value of the key `port` for io = dpdk, taken apart. Pure functions. */
#ifndef NETIF_DPDK_PORT_NAME_H
#define NETIF_DPDK_PORT_NAME_H

#include <stdbool.h>

#include "base/status.h"
#include "wire/eth.h"

enum port_kind { PORT_BY_INDEX, PORT_BY_PCI, PORT_BY_MAC, PORT_BY_VDEV };

struct port_name {
    enum port_kind kind;
    unsigned index;      /**< dpdkN */
    struct eth_addr mac; /**< MAC */
    char device[64];     /**< DPDK's name of the device: PCI address with domain, or vdev without arguments */
    const char *devargs; /**< vdev with its arguments; part of the text that was parsed */
};

/** Exact forms only: ST_INVALID for anything else. */
enum status port_name_parse(const char *text, struct port_name *out);
/** Value of `path=` of a virtio_user device, false when there is none. */
bool port_name_vhost_path(const struct port_name *name, char *path, unsigned len);

#endif
