/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Replicate: copies of every packet. As in bessd the original always leaves by gate 0, whatever gates[0]
 * says, and deep copies leave by gates[1..]. args and command set_gates: the list of gates. A packet that
 * cannot be copied for want of buffers counts as a deadend of this module.
 */
#include "module.h"

#include <errno.h>
#include <string.h>

#define MAX_GATES 32

struct replicate {
    unsigned n_gates;
    uint16_t gates[MAX_GATES];
};

static int set_gates(struct replicate *r, const int64_t *gates, unsigned n)
{
    if (n > MAX_GATES)
        return -EINVAL;
    for (unsigned i = 0; i < n; i++) {
        if (gates[i] < 0 || gates[i] >= MAX_GATES)
            return -EINVAL;
    }
    for (unsigned i = 0; i < n; i++)
        r->gates[i] = gates[i];
    r->n_gates = n;
    return 0;
}

static int replicate_init(struct dataplane *dp, struct module *m, const int64_t *args, unsigned n_args)
{
    (void)dp;
    return set_gates(m->priv, args, n_args);
}

static int replicate_command(struct module *m, const char *name, const int64_t *args, unsigned n_args,
                             int64_t *result)
{
    (void)result;
    return strcmp(name, "set_gates") == 0 ? set_gates(m->priv, args, n_args) : -EOPNOTSUPP;
}

static void replicate_process(struct run_ctx *ctx, struct module *m, uint16_t igate, struct batch *b)
{
    const struct replicate *r = m->priv;

    (void)igate;
    for (unsigned g = 1; g < r->n_gates; g++) {
        struct batch copies = {.n = 0};

        for (uint16_t i = 0; i < b->n; i++) {
            struct rte_mbuf *copy = rte_pktmbuf_copy(b->pkt[i], ctx->pool, 0, UINT32_MAX);

            if (copy != NULL)
                batch_add(&copies, copy);
            else
                m->deadends[ctx->slot].packets++;
        }
        module_send(ctx, m, r->gates[g], &copies);
    }
    module_send(ctx, m, 0, b);
}

const struct module_class replicate_class = {
    .name = "Replicate",
    .igates = 1,
    .ogates = MAX_GATES,
    .priv_size = sizeof(struct replicate),
    .init = replicate_init,
    .command = replicate_command,
    .process = replicate_process,
};
