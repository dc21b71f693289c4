/* SPDX-License-Identifier: BSD-3-Clause */
/* QueueOut: sends to one transmit queue of a port. args: port, queue. */
#include <errno.h>

#include "dataplane.h"

struct queue_out {
    struct port *port;
    uint16_t qid;
};

static int queue_out_init(struct dataplane *dp, struct module *m, const int64_t *args, unsigned n_args)
{
    struct queue_out *out = m->priv;

    if (n_args != 2)
        return -EINVAL;
    out->port = dataplane_port(dp, args[0]);
    if (out->port == NULL)
        return -ENODEV;
    out->qid = args[1];
    return port_acquire(out->port, PORT_OUT, args[1], m);
}

static void queue_out_deinit(struct dataplane *dp, struct module *m)
{
    (void)dp;
    port_release(((struct queue_out *)m->priv)->port, m);
}

static void queue_out_process(struct run_ctx *ctx, struct module *m, uint16_t igate, struct batch *b)
{
    const struct queue_out *out = m->priv;

    (void)ctx;
    (void)igate;
    port_tx(out->port, out->qid, m->shared, b);
}

const struct module_class queue_out_class = {
    .name = "QueueOut",
    .igates = 1,
    .priv_size = sizeof(struct queue_out),
    .init = queue_out_init,
    .deinit = queue_out_deinit,
    .process = queue_out_process,
};
