/* SPDX-License-Identifier: BSD-3-Clause */
/* See inc.h. */
#include "inc.h"

#include <errno.h>
#include <string.h>

#include "dataplane.h"

int inc_command(struct module *m, const char *name, const int64_t *args, unsigned n_args, int64_t *result)
{
    struct inc *inc = m->priv;

    (void)result;
    if (strcmp(name, "set_burst") != 0)
        return -EOPNOTSUPP;
    if (n_args != 1 || args[0] < 1 || args[0] > DP_BURST_MAX)
        return -EINVAL;
    __atomic_store_n(&inc->burst, (uint16_t)args[0], __ATOMIC_RELAXED);
    return 0;
}

int inc_init(struct dataplane *dp, struct module *m, int64_t port_id, int64_t burst)
{
    struct inc *inc = m->priv;
    int64_t unused;

    inc->port = dataplane_port(dp, port_id);
    if (inc->port == NULL)
        return -ENODEV;
    return inc_command(m, "set_burst", &burst, 1, &unused);
}

void inc_deinit(struct dataplane *dp, struct module *m)
{
    (void)dp;
    port_release(((struct inc *)m->priv)->port, m);
}

unsigned inc_run(struct run_ctx *ctx, struct module *m, unsigned task)
{
    const struct inc *inc = m->priv;
    struct batch b;
    unsigned n;

    n = b.n = rte_eth_rx_burst(inc->port->dpdk_id, inc->first_qid + task, b.pkt,
                               __atomic_load_n(&inc->burst, __ATOMIC_RELAXED));
    module_send(ctx, m, 0, &b);
    return n;
}

bool inc_arm(struct module *m, unsigned task, int epoll_fd)
{
    const struct inc *inc = m->priv;

    return port_notify_arm(&inc->port->notify, inc->first_qid + task, epoll_fd);
}

void inc_disarm(struct module *m, unsigned task)
{
    const struct inc *inc = m->priv;

    port_notify_disarm(&inc->port->notify, inc->first_qid + task);
}

uint32_t inc_generation(const struct module *m)
{
    const struct inc *inc = m->priv;

    return port_notify_generation(&inc->port->notify);
}
