/* SPDX-License-Identifier: BSD-3-Clause */
/* PortInc: what arrives on all receive queues of a port, one task a queue. args: port, burst. Command:
 * set_burst N. */
#include <errno.h>

#include "dataplane.h"
#include "inc.h"

static int port_inc_init(struct dataplane *dp, struct module *m, const int64_t *args, unsigned n_args)
{
    struct inc *inc = m->priv;
    int ret;

    if (n_args != 2)
        return -EINVAL;
    ret = inc_init(dp, m, args[0], args[1]);
    if (ret != 0)
        return ret;
    m->n_tasks = inc->port->n_rxq;
    return port_acquire_all(inc->port, PORT_INC, m);
}

const struct module_class port_inc_class = {
    .name = "PortInc",
    .ogates = 1,
    .priv_size = sizeof(struct inc),
    .init = port_inc_init,
    .deinit = inc_deinit,
    .command = inc_command,
    .run_task = inc_run,
    .arm = inc_arm,
    .disarm = inc_disarm,
    .generation = inc_generation,
};
