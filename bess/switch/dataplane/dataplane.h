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
};

/* NULL when there is none by this number. */
static inline struct port *dataplane_port(struct dataplane *dp, int64_t id)
{
    return id >= 0 && id < RTE_MAX_ETHPORTS ? dp->ports[id] : NULL;
}

#endif
