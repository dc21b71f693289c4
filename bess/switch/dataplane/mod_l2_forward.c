/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * L2Forward: exact match on the destination MAC address; a miss leaves by the default gate (at first: drop).
 * No learning, no ageing. args: largest number of entries.
 * Commands: add MAC GATE, delete MAC, lookup MAC, set_default_gate GATE.
 */
#include "module.h"

#include <errno.h>
#include <string.h>

#include <rte_byteorder.h>

#include "l2_table.h"

struct l2_forward {
    struct l2_table table;
    uint16_t default_gate;
};

static int l2_forward_init(struct dataplane *dp, struct module *m, const int64_t *args, unsigned n_args)
{
    struct l2_forward *f = m->priv;

    (void)dp;
    if (n_args != 1 || args[0] < 1)
        return -EINVAL;
    f->default_gate = DP_GATE_DROP;
    return l2_table_init(&f->table, args[0]);
}

static void l2_forward_deinit(struct dataplane *dp, struct module *m)
{
    struct l2_forward *f = m->priv;

    (void)dp;
    l2_table_free(&f->table);
}

static bool gate_ok(int64_t gate)
{
    return gate >= 0 && gate <= DP_GATE_DROP;
}

static int l2_forward_command(struct module *m, const char *name, const int64_t *args, unsigned n_args,
                              int64_t *result)
{
    struct l2_forward *f = m->priv;
    uint64_t mac = n_args > 0 ? (uint64_t)args[0] & L2_MAC_MASK : 0;

    if (strcmp(name, "set_default_gate") == 0 && n_args == 1) {
        if (!gate_ok(args[0]))
            return -EINVAL;
        __atomic_store_n(&f->default_gate, (uint16_t)args[0], __ATOMIC_RELAXED);
        return 0;
    }
    if (strcmp(name, "add") == 0 && n_args == 2)
        return gate_ok(args[1]) ? l2_table_add(&f->table, mac, args[1]) : -EINVAL;
    if (strcmp(name, "delete") == 0 && n_args == 1)
        return l2_table_delete(&f->table, mac);
    if (strcmp(name, "lookup") == 0 && n_args == 1) {
        uint16_t gate = l2_table_find(&f->table, mac, UINT16_MAX);

        if (gate == UINT16_MAX)
            return -ENOENT;
        *result = gate;
        return 0;
    }
    return -EOPNOTSUPP;
}

static uint16_t gate_of(const struct l2_forward *f, uint16_t miss, struct rte_mbuf *pkt)
{
    rte_be64_t head;

    /* An mbuf's data room is far longer than these eight bytes, whatever the frame's length. */
    memcpy(&head, rte_pktmbuf_mtod(pkt, const char *), sizeof(head));
    if (unlikely(rte_pktmbuf_data_len(pkt) < 6))
        return DP_GATE_DROP;
    return l2_table_find(&f->table, rte_be_to_cpu_64(head) >> 16, miss);
}

static void l2_forward_process(struct run_ctx *ctx, struct module *m, uint16_t igate, struct batch *b)
{
    const struct l2_forward *f = m->priv;
    uint16_t miss = __atomic_load_n(&f->default_gate, __ATOMIC_RELAXED);
    uint16_t gates[DP_BURST_MAX];

    (void)igate;
    for (uint16_t i = 0; i < b->n; i++)
        gates[i] = gate_of(f, miss, b->pkt[i]);
    module_send_each(ctx, m, gates, b);
}

const struct module_class l2_forward_class = {
    .name = "L2Forward",
    .igates = 1,
    .ogates = DP_MAX_GATES,
    .priv_size = sizeof(struct l2_forward),
    .init = l2_forward_init,
    .deinit = l2_forward_deinit,
    .command = l2_forward_command,
    .process = l2_forward_process,
};
