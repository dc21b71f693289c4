/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Source: endless packets of zeros. args: packet size, burst. Commands: set_pkt_size SIZE, set_burst N.
 * (bessd leaves the content uninitialised; here that would show one guest's old frames to another.)
 */
#include "module.h"

#include <errno.h>
#include <string.h>

#define PKT_SIZE_MAX 1518

struct source {
    uint16_t pkt_size;
    uint16_t burst;
};

static int source_command(struct module *m, const char *name, const int64_t *args, unsigned n_args,
                          int64_t *result)
{
    struct source *s = m->priv;

    (void)result;
    if (n_args != 1 || args[0] < 1)
        return -EINVAL;
    if (strcmp(name, "set_burst") == 0) {
        if (args[0] > DP_BURST_MAX)
            return -EINVAL;
        __atomic_store_n(&s->burst, (uint16_t)args[0], __ATOMIC_RELAXED);
        return 0;
    }
    if (strcmp(name, "set_pkt_size") != 0)
        return -EOPNOTSUPP;
    if (args[0] > PKT_SIZE_MAX)
        return -EINVAL;
    __atomic_store_n(&s->pkt_size, (uint16_t)args[0], __ATOMIC_RELAXED);
    return 0;
}

static int source_init(struct dataplane *dp, struct module *m, const int64_t *args, unsigned n_args)
{
    int64_t unused;
    int ret;

    (void)dp;
    if (n_args != 2)
        return -EINVAL;
    m->n_tasks = 1;
    ret = source_command(m, "set_pkt_size", &args[0], 1, &unused);
    return ret != 0 ? ret : source_command(m, "set_burst", &args[1], 1, &unused);
}

static unsigned source_run(struct run_ctx *ctx, struct module *m, unsigned task)
{
    const struct source *s = m->priv;
    uint16_t burst = __atomic_load_n(&s->burst, __ATOMIC_RELAXED);
    uint16_t size = __atomic_load_n(&s->pkt_size, __ATOMIC_RELAXED);
    struct batch b;

    (void)task;
    if (rte_pktmbuf_alloc_bulk(ctx->pool, b.pkt, burst) != 0)
        return 0;
    b.n = burst;
    for (uint16_t i = 0; i < burst; i++)
        memset(rte_pktmbuf_append(b.pkt[i], size), 0, size);
    module_send(ctx, m, 0, &b);
    return burst;
}

const struct module_class source_class = {
    .name = "Source",
    .ogates = 1,
    .priv_size = sizeof(struct source),
    .init = source_init,
    .command = source_command,
    .run_task = source_run,
};
