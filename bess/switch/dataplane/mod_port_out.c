/* SPDX-License-Identifier: BSD-3-Clause */
/* PortOut: sends to all transmit queues of a port, the workers spread over them. args: port. */
#include <errno.h>

#include "dataplane.h"

struct port_out {
    struct port *port;
};

static int port_out_init(struct dataplane *dp, struct module *m, const int64_t *args, unsigned n_args)
{
    struct port_out *out = m->priv;

    if (n_args != 1)
        return -EINVAL;
    out->port = dataplane_port(dp, args[0]);
    return out->port == NULL ? -ENODEV : port_acquire_all(out->port, PORT_OUT, m);
}

static void port_out_deinit(struct dataplane *dp, struct module *m)
{
    (void)dp;
    port_release(((struct port_out *)m->priv)->port, m);
}

static void port_out_process(struct run_ctx *ctx, struct module *m, uint16_t igate, struct batch *b)
{
    const struct port_out *out = m->priv;

    (void)igate;
    port_tx(out->port, ctx->slot % out->port->n_txq, m->shared, b);
}

const struct module_class port_out_class = {
    .name = "PortOut",
    .igates = DP_MAX_GATES,
    .priv_size = sizeof(struct port_out),
    .init = port_out_init,
    .deinit = port_out_deinit,
    .process = port_out_process,
};
