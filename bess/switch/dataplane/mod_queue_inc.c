/* SPDX-License-Identifier: BSD-3-Clause */
/* QueueInc: what arrives on one receive queue of a port. args: port, queue, burst. Command: set_burst N. */
#include <errno.h>

#include "dataplane.h"
#include "inc.h"

static int queue_inc_init(struct dataplane *dp, struct module *m, const int64_t *args, unsigned n_args)
{
    struct inc *inc = m->priv;
    int ret;

    if (n_args != 3)
        return -EINVAL;
    ret = inc_init(dp, m, args[0], args[2]);
    if (ret != 0)
        return ret;
    inc->first_qid = args[1];
    m->n_tasks = 1;
    return port_acquire(inc->port, PORT_INC, args[1], m);
}

const struct module_class queue_inc_class = {
    .name = "QueueInc",
    .ogates = 1,
    .priv_size = sizeof(struct inc),
    .init = queue_inc_init,
    .deinit = inc_deinit,
    .command = inc_command,
    .run_task = inc_run,
    .arm = inc_arm,
    .disarm = inc_disarm,
    .generation = inc_generation,
};
