/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Which memory and which arguments DPDK's environment (EAL) is started with. Pure: facts in, arguments out,
 * so that every rule has a test. What the user gives in `eal` wins over what we would choose. */
#ifndef NETIF_DPDK_EAL_ARGS_H
#define NETIF_DPDK_EAL_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "netif/dpdk/port_name.h"

#define EAL_MAX_ARGS 64

struct eal_request {
    const struct port_name *port;
    const char *extra;          /**< key `eal`, or NULL */
    int hugepages;              /**< -1 auto, 0 off, 1 on */
    unsigned num_mem_ch;        /**< 0 = EAL's choice */
    unsigned cpu;               /**< where the main lcore lives */
    unsigned pid;               /**< makes the file prefix unique */
    uint64_t need_mb;           /**< memory for packets and rings */
    uint64_t free_huge_mb;      /**< free hugepages of the machine */
    bool device_needs_physical; /**< bound to a driver without an IOMMU: hugepages are a must */
};

struct eal_args {
    int argc;
    char *argv[EAL_MAX_ARGS + 1];
    char text[2048]; /**< where the arguments stand */
    char why[200];   /**< which memory was chosen and why, or what is wrong */
    bool hugepages;
    bool own_prefix; /**< the file prefix is ours, not the user's */
};

/** ST_INVALID (too many or too long), ST_NO_MEMORY (hugepages wanted and not there): why tells. */
enum status eal_args_build(const struct eal_request *req, struct eal_args *out);

#endif
