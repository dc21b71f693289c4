/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * L2Switch: a learning Ethernet switch. Input gate i and output gate i are the two directions of port i.
 *
 * It learns source addresses, forgets them after `age` (0: never), sends a frame to the port of its
 * destination, and floods what it does not know, broadcast and multicast; never back to where it came from.
 * With lanes (queues of multi-queue ports) gate LANE * PORTS + i is port i in that lane: frames stay in
 * their lane, and all lanes share what is learned. Frames with a group or zero source address and frames
 * shorter than an Ethernet header are dropped and counted. VLAN tags are carried, not looked at; so are
 * 01:80:c2 addresses (LLDP, LACP), because the switch stands for a cable.
 *
 * Threads: any number of workers may run it; see fdb.h. Counters have one slot a worker.
 *
 * args: ports, lanes, age in ms, learned addresses a port, seed of the table.
 * Commands: add MAC PORT, delete MAC, flush [PORT] -> how many went, set_age MS, lookup MAC -> port.
 * Queries: counters (in the order of enum l2_switch_counter, then entries); entries FIRST (four words each).
 */
#include "module.h"

#include <errno.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_cycles.h>
#include <rte_ether.h>

#include "fdb.h"

#define MAX_LANES 128
#define LIST_MAX 256
#define WORDS_AN_ENTRY 4
#define TO_FLOOD DP_MAX_GATES /* beside the real gates and DP_GATE_DROP */
#define TO_NOWHERE (DP_MAX_GATES + 1)

enum l2_switch_counter {
    L2S_RECEIVED,    /* frames in */
    L2S_FORWARDED,   /* to the port of their destination */
    L2S_FLOODED,     /* to all other ports */
    L2S_FILTERED,    /* the destination is where they came from */
    L2S_RUNTS,       /* shorter than an Ethernet header */
    L2S_BAD_SOURCE,  /* group or zero source address */
    L2S_NO_BUFFER,   /* copies that were not made for want of buffers */
    L2S_LEARNED,     /* new addresses */
    L2S_MOVED,       /* addresses that appeared at another port */
    L2S_PINNED,      /* frames whose source is a static entry of another port */
    L2S_NOT_LEARNED, /* frames whose source found no room: the port is at its limit */
    L2S_COUNTERS
};

struct l2_switch_slot {
    uint64_t n[L2S_COUNTERS];
} __rte_cache_aligned;

struct l2_switch {
    struct fdb fdb;
    uint16_t n_ports, n_lanes;
    uint64_t tsc_per_ms;
    struct l2_switch_slot slots[DP_MAX_WORKERS];
};

static uint64_t now_ms(const struct l2_switch *s)
{
    return rte_rdtsc() / s->tsc_per_ms;
}

static int l2_switch_init(struct dataplane *dp, struct module *m, const int64_t *args, unsigned n_args)
{
    struct l2_switch *s = m->priv;

    (void)dp;
    if (n_args != 5 || args[0] < 1 || args[1] < 1 || args[1] > MAX_LANES || args[2] < 0 || args[3] < 1)
        return -EINVAL;
    if (args[0] > DP_MAX_GATES / args[1] || args[3] > INT32_MAX)
        return -EINVAL;
    s->n_ports = args[0];
    s->n_lanes = args[1];
    s->tsc_per_ms = RTE_MAX(rte_get_tsc_hz() / 1000, 1U);
    return fdb_init(&s->fdb, args[0], args[3], args[2], args[4]);
}

static void l2_switch_deinit(struct dataplane *dp, struct module *m)
{
    (void)dp;
    fdb_free(&((struct l2_switch *)m->priv)->fdb);
}

/* ---- commands ---- */

static bool port_ok(const struct l2_switch *s, int64_t port)
{
    return port >= 0 && port < s->n_ports;
}

static int lookup(struct l2_switch *s, uint64_t mac, int64_t *result)
{
    uint16_t port = fdb_find(&s->fdb, mac, now_ms(s));

    *result = port;
    return port == FDB_NO_PORT ? -ENOENT : 0;
}

static int l2_switch_command(struct module *m, const char *name, const int64_t *args, unsigned n_args,
                             int64_t *result)
{
    struct l2_switch *s = m->priv;
    uint64_t mac = n_args > 0 ? (uint64_t)args[0] & FDB_MAC_MASK : 0;

    if (strcmp(name, "add") == 0 && n_args == 2)
        return port_ok(s, args[1]) ? fdb_add_static(&s->fdb, mac, args[1]) : -EINVAL;
    if (strcmp(name, "delete") == 0 && n_args == 1)
        return fdb_delete(&s->fdb, mac);
    if (strcmp(name, "lookup") == 0 && n_args == 1)
        return lookup(s, mac, result);
    if (strcmp(name, "flush") == 0 && n_args <= 1) {
        if (n_args == 1 && !port_ok(s, args[0]))
            return -EINVAL;
        *result = fdb_flush(&s->fdb, n_args == 1 ? args[0] : FDB_NO_PORT);
        return 0;
    }
    if (strcmp(name, "set_age") == 0 && n_args == 1) {
        if (args[0] < 0)
            return -EINVAL;
        fdb_set_age(&s->fdb, args[0]);
        return 0;
    }
    return -EOPNOTSUPP;
}

static int counters(struct l2_switch *s, int64_t *out, unsigned max)
{
    if (max < L2S_COUNTERS + 1)
        return -EINVAL;
    memset(out, 0, L2S_COUNTERS * sizeof(*out));
    for (unsigned w = 0; w < DP_MAX_WORKERS; w++) {
        for (unsigned c = 0; c < L2S_COUNTERS; c++)
            out[c] += __atomic_load_n(&s->slots[w].n[c], __ATOMIC_RELAXED);
    }
    out[L2S_COUNTERS] = fdb_count(&s->fdb, now_ms(s));
    return L2S_COUNTERS + 1;
}

static int entries(struct l2_switch *s, int64_t first, int64_t *out, unsigned max)
{
    struct fdb_entry list[LIST_MAX];
    uint32_t n;

    if (first < 0 || first > UINT32_MAX)
        return -EINVAL;
    n = fdb_list(&s->fdb, now_ms(s), first, list, RTE_MIN(max / WORDS_AN_ENTRY, (unsigned)LIST_MAX));
    for (uint32_t i = 0; i < n; i++) {
        *out++ = list[i].mac;
        *out++ = list[i].port;
        *out++ = list[i].is_static;
        *out++ = list[i].age_ms;
    }
    return n * WORDS_AN_ENTRY;
}

static int l2_switch_query(struct module *m, const char *name, const int64_t *args, unsigned n_args,
                           int64_t *out, unsigned max)
{
    if (strcmp(name, "counters") == 0 && n_args == 0)
        return counters(m->priv, out, max);
    if (strcmp(name, "entries") == 0 && n_args == 1)
        return entries(m->priv, args[0], out, max);
    return -EOPNOTSUPP;
}

/* ---- packets ---- */

static uint64_t mac_at(const uint8_t *p)
{
    rte_be64_t word;

    memcpy(&word, p, sizeof(word)); /* two bytes more than the address: a header has fourteen */
    return rte_be_to_cpu_64(word) >> 16;
}

static bool is_group(uint64_t mac)
{
    return (mac >> 40) & 1;
}

static void learn(struct l2_switch *s, struct l2_switch_slot *count, uint64_t mac, uint16_t port,
                  uint64_t now)
{
    switch (fdb_learn(&s->fdb, mac, port, now)) {
    case FDB_LEARNED:
        count->n[L2S_LEARNED]++;
        break;
    case FDB_MOVED:
        count->n[L2S_MOVED]++;
        break;
    case FDB_PINNED:
        count->n[L2S_PINNED]++;
        break;
    case FDB_FULL:
        count->n[L2S_NOT_LEARNED]++;
        break;
    case FDB_KNOWN:
    case FDB_BUSY:
        break;
    }
}

/* The output port, or TO_FLOOD or TO_NOWHERE. */
static uint16_t decide(struct l2_switch *s, struct l2_switch_slot *count, const struct rte_mbuf *pkt,
                       uint16_t port, uint64_t now)
{
    const uint8_t *frame = rte_pktmbuf_mtod(pkt, const uint8_t *);
    uint64_t destination, source;
    uint16_t out;

    if (unlikely(rte_pktmbuf_data_len(pkt) < RTE_ETHER_HDR_LEN)) {
        count->n[L2S_RUNTS]++;
        return TO_NOWHERE;
    }
    destination = mac_at(frame);
    source = mac_at(frame + RTE_ETHER_ADDR_LEN);
    if (unlikely(is_group(source) || source == 0)) {
        count->n[L2S_BAD_SOURCE]++;
        return TO_NOWHERE;
    }
    learn(s, count, source, port, now);
    out = is_group(destination) ? FDB_NO_PORT : fdb_find(&s->fdb, destination, now);
    if (out == FDB_NO_PORT) {
        count->n[L2S_FLOODED]++;
        return TO_FLOOD;
    }
    if (out == port) {
        count->n[L2S_FILTERED]++;
        return TO_NOWHERE;
    }
    count->n[L2S_FORWARDED]++;
    return out;
}

static void send_copies(struct run_ctx *ctx, struct module *m, uint16_t gate, const struct batch *b)
{
    struct l2_switch *s = m->priv;
    struct batch copies = {.n = 0};

    for (uint16_t i = 0; i < b->n; i++) {
        struct rte_mbuf *copy = rte_pktmbuf_copy(b->pkt[i], ctx->pool, 0, UINT32_MAX);

        if (copy != NULL)
            batch_add(&copies, copy);
        else
            s->slots[ctx->slot].n[L2S_NO_BUFFER]++;
    }
    module_send(ctx, m, gate, &copies);
}

/* To every connected port of the lane but `port`; the last one gets the originals. */
static void flood(struct run_ctx *ctx, struct module *m, uint16_t lane, uint16_t port, struct batch *b)
{
    const struct l2_switch *s = m->priv;
    uint16_t base = lane * s->n_ports, last = TO_NOWHERE;

    for (uint16_t i = 0; i < s->n_ports && base + i < m->n_ogates; i++) {
        if (i == port || m->ogates[base + i].peer == NULL)
            continue;
        if (last != TO_NOWHERE)
            send_copies(ctx, m, last, b);
        last = base + i;
    }
    if (last == TO_NOWHERE)
        batch_free(b); /* alone in its segment */
    else
        module_send(ctx, m, last, b);
}

static void l2_switch_process(struct run_ctx *ctx, struct module *m, uint16_t igate, struct batch *b)
{
    struct l2_switch *s = m->priv;
    struct l2_switch_slot *count = &s->slots[ctx->slot];
    uint16_t port = igate % s->n_ports, lane = igate / s->n_ports;
    uint16_t outs[DP_BURST_MAX];
    uint64_t now = now_ms(s);
    struct batch to;

    if (unlikely(lane >= s->n_lanes)) {
        module_drop(ctx, m, b);
        return;
    }
    count->n[L2S_RECEIVED] += b->n;
    for (uint16_t i = 0; i < b->n; i++)
        outs[i] = decide(s, count, b->pkt[i], port, now);

    while (b->n > 0) {
        uint16_t out = batch_take_way(b, outs, &to);

        if (out == TO_NOWHERE)
            batch_free(&to);
        else if (out == TO_FLOOD)
            flood(ctx, m, lane, port, &to);
        else
            module_send(ctx, m, lane * s->n_ports + out, &to);
    }
}

const struct module_class l2_switch_class = {
    .name = "L2Switch",
    .igates = DP_MAX_GATES,
    .ogates = DP_MAX_GATES,
    .priv_size = sizeof(struct l2_switch),
    .init = l2_switch_init,
    .deinit = l2_switch_deinit,
    .command = l2_switch_command,
    .query = l2_switch_query,
    .process = l2_switch_process,
};
