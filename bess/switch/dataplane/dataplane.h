/* SPDX-License-Identifier: BSD-3-Clause */
/* All that a running data plane holds. The control plane's single thread writes it. */
#ifndef DP_DATAPLANE_H
#define DP_DATAPLANE_H

#include "module.h"
#include "port.h"
#include "worker.h"

#define DP_MAX_MODULES 4096

struct dataplane {
    struct rte_mempool *pool;
    struct port *ports[RTE_MAX_ETHPORTS];
    struct module *modules[DP_MAX_MODULES];
    struct worker *workers[DP_MAX_WORKERS];
    uint32_t held_packets; /* by all modules that hold some; see dataplane_hold */
    struct hook **hooks;   /* [n_hooks], NULL where a number is free; grown on demand */
    unsigned n_hooks;
};

/* NULL when there is none by this number. */
static inline struct port *dataplane_port(struct dataplane *dp, int64_t id)
{
    return id >= 0 && id < RTE_MAX_ETHPORTS ? dp->ports[id] : NULL;
}

/*
 * Half of the packet buffers may be held back by modules; the rest is for the ports. False: not this one.
 * Every success is given back by dataplane_let_go.
 */
static inline bool dataplane_hold(struct dataplane *dp)
{
    if (__atomic_add_fetch(&dp->held_packets, 1, __ATOMIC_RELAXED) <= dp->pool->size / 2)
        return true;
    __atomic_sub_fetch(&dp->held_packets, 1, __ATOMIC_RELAXED);
    return false;
}

static inline void dataplane_let_go(struct dataplane *dp, uint32_t n)
{
    __atomic_sub_fetch(&dp->held_packets, n, __ATOMIC_RELAXED);
}

#endif
