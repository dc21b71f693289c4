/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's environment: started once in a thread of its own, because rte_eal_init pins the thread that calls
 * it. */
#ifndef DP_EAL_H
#define DP_EAL_H

#include <stdbool.h>
#include <stdint.h>

struct rte_mempool;

struct eal_config {
    const char *file_prefix;
    const char *plugin_dir; /* NULL: DPDK's own */
    uint32_t mem_mb;
    uint32_t n_buffers;
    int32_t hugepages; /* 0 or 1 */
    int32_t log_fd;    /* -1: DPDK's own choice */
};

/* On failure `*why` says what to change. */
int eal_start(const struct eal_config *cfg, struct rte_mempool **pool, const char **why);
void eal_stop(void);

#endif
