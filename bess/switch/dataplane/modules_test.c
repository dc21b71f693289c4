/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The modules one by one, with real buffers but no guest: packets are pushed in, and probes at the gates keep
 * what comes out. Needs DPDK's environment, without hugepages.
 */
#define _GNU_SOURCE /* sched_getcpu */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "testkit.h"

/* ---- links ---- */

static void gate_without_peer_counts_its_drops(void **state)
{
    struct module *m = create("Merge", NULL, 0);
    struct batch b = {.n = 0};

    (void)state;
    batch_add(&b, frame(1, 0));
    batch_add(&b, frame(1, 0));
    push(m, &b);
    assert_int_equal(module_deadends(m), 2);
    assert_int_equal(ctx.silent_drops, 2);
    module_destroy(&dp, m);
}

static void connect_refuses_what_is_not_there(void **state)
{
    struct module *m = create("Merge", NULL, 0);

    (void)state;
    assert_int_equal(module_connect(m, 1, &probes[0].module, 0, false), -EINVAL);
    assert_int_equal(module_connect(m, 0, &probes[0].module, 1, false), -EINVAL);
    assert_int_equal(module_connect(m, 0, &probes[0].module, 0, false), 0);
    assert_int_equal(module_connect(m, 0, &probes[1].module, 0, false), -EBUSY);
    module_disconnect(m, 0);
    module_disconnect(m, 0);
    module_disconnect(m, 77);
    assert_int_equal(module_connect(m, 0, &probes[1].module, 0, false), 0);
    module_destroy(&dp, m);
}

static void a_chain_too_long_drops_instead_of_overflowing(void **state)
{
    struct module *chain[DP_MAX_DEPTH + 10];
    struct batch b = {.n = 0};
    uint64_t dropped = 0;

    (void)state;
    for (unsigned i = 0; i < RTE_DIM(chain); i++) {
        chain[i] = create("Merge", NULL, 0);
        if (i > 0)
            assert_int_equal(module_connect(chain[i - 1], 0, chain[i], 0, false), 0);
    }
    batch_add(&b, frame(1, 0));
    push(chain[0], &b);
    for (unsigned i = 0; i < RTE_DIM(chain); i++) {
        dropped += module_deadends(chain[i]);
        module_destroy(&dp, chain[i]);
    }
    assert_int_equal(dropped, 1);
    assert_int_equal(ctx.depth, 0);
}

static void track_counts_batches_and_packets(void **state)
{
    struct module *m = create_probed("Merge", NULL, 0, 1);
    uint64_t batches, packets;

    (void)state;
    for (unsigned slot = 0; slot < 2; slot++) {
        struct batch b = {.n = 0};

        ctx.slot = slot * (DP_MAX_WORKERS - 1);
        batch_add(&b, frame(1, 0));
        batch_add(&b, frame(2, 0));
        push(m, &b);
    }
    module_gate_counters(m, 0, &batches, &packets);
    assert_int_equal(batches, 2);
    assert_int_equal(packets, 4);
    module_destroy(&dp, m);
}

/* ---- L2Forward ---- */

static void l2_command(struct module *m, const char *name, int64_t mac, int64_t gate, unsigned n)
{
    int64_t args[] = {mac, gate}, unused;

    assert_int_equal(m->class->command(m, name, args, n, &unused), 0);
}

static void l2_forward_splits_a_batch_and_keeps_the_order(void **state)
{
    struct module *m = create_probed("L2Forward", (int64_t[]){64}, 1, 3);
    struct batch b = {.n = 0};

    (void)state;
    l2_command(m, "add", 0x020000000001, 0, 2);
    l2_command(m, "add", 0x020000000002, 1, 2);
    l2_command(m, "set_default_gate", 2, 0, 1);
    for (uint8_t i = 0; i < DP_BURST_MAX; i++)
        batch_add(&b, frame(0x020000000001 + i % 3, i));
    push(m, &b);
    for (unsigned gate = 0; gate < 3; gate++) {
        assert_int_equal(probes[gate].n, (DP_BURST_MAX + 2 - gate) / 3);
        for (unsigned i = 0; i < probes[gate].n; i++)
            assert_int_equal(mark_of(probes[gate].pkt[i]), 3 * i + gate);
    }
    module_destroy(&dp, m);
}

static void l2_forward_drops_misses_at_first_and_short_frames_always(void **state)
{
    struct module *m = create_probed("L2Forward", (int64_t[]){64}, 1, 1);
    struct batch b = {.n = 0};
    struct rte_mbuf *runt = frame(0x020000000001, 0);

    (void)state;
    l2_command(m, "add", 0x020000000001, 0, 2);
    batch_add(&b, frame(0x020000000009, 0));
    rte_pktmbuf_trim(runt, 55);
    batch_add(&b, runt);
    push(m, &b);
    assert_int_equal(probes[0].n, 0);
    assert_int_equal(module_deadends(m), 2);
    assert_int_equal(ctx.silent_drops, 0);
    module_destroy(&dp, m);
}

static void l2_forward_refuses_bad_gates(void **state)
{
    struct module *m = create("L2Forward", (int64_t[]){64}, 1);
    int64_t unused;

    (void)state;
    assert_int_equal(m->class->command(m, "add", (int64_t[]){1, -1}, 2, &unused), -EINVAL);
    assert_int_equal(m->class->command(m, "add", (int64_t[]){1, 8193}, 2, &unused), -EINVAL);
    assert_int_equal(m->class->command(m, "set_default_gate", (int64_t[]){8193}, 1, &unused), -EINVAL);
    assert_int_equal(m->class->command(m, "lookup", (int64_t[]){1}, 1, &unused), -ENOENT);
    assert_int_equal(m->class->command(m, "populate", (int64_t[]){1}, 1, &unused), -EOPNOTSUPP);
    module_destroy(&dp, m);
}

/* ---- Replicate, Sink, Source ---- */

static void replicate_sends_deep_copies_and_the_original_by_gate_0(void **state)
{
    struct module *m = create_probed("Replicate", (int64_t[]){3, 1, 2}, 3, 4);
    struct rte_mbuf *original = frame(0x020000000001, 7);
    struct batch b = {.n = 0};

    (void)state;
    batch_add(&b, original);
    push(m, &b);
    assert_int_equal(probes[3].n, 0); /* the first of the list is ignored */
    assert_int_equal(probes[0].n, 1);
    assert_ptr_equal(probes[0].pkt[0], original);
    for (int gate = 1; gate <= 2; gate++) {
        assert_int_equal(probes[gate].n, 1);
        assert_int_equal(probes[gate].pkt[0]->pkt_len, 60);
        assert_ptr_not_equal(probes[gate].pkt[0]->buf_addr, original->buf_addr);
        assert_memory_equal(rte_pktmbuf_mtod(probes[gate].pkt[0], char *), rte_pktmbuf_mtod(original, char *),
                            60);
    }
    module_destroy(&dp, m);
}

static void replicate_without_gates_passes_on(void **state)
{
    struct module *m = create_probed("Replicate", NULL, 0, 2);
    struct batch b = {.n = 0};

    (void)state;
    batch_add(&b, frame(1, 0));
    push(m, &b);
    assert_int_equal(probes[0].n, 1);
    assert_int_equal(probes[1].n, 0);
    module_destroy(&dp, m);
}

static void replicate_counts_what_it_cannot_copy(void **state)
{
    struct module *m = create_probed("Replicate", (int64_t[]){0, 1}, 2, 2);
    static struct rte_mbuf *hog[N_BUFFERS];
    struct batch b = {.n = 0};
    unsigned n = 0;

    (void)state;
    batch_add(&b, frame(1, 0));
    while ((hog[n] = rte_pktmbuf_alloc(dp.pool)) != NULL)
        n++;
    push(m, &b);
    rte_pktmbuf_free_bulk(hog, n);
    assert_int_equal(probes[0].n, 1);
    assert_int_equal(probes[1].n, 0);
    assert_int_equal(module_deadends(m), 1);
    module_destroy(&dp, m);
}

static void source_makes_zeros_of_its_size_for_sink_to_free(void **state)
{
    struct module *source = create_probed("Source", (int64_t[]){100, 32}, 2, 1);
    struct module *sink = create("Sink", NULL, 0);
    struct batch b = {.n = 0};
    static const char zeros[100];
    int64_t unused;

    (void)state;
    batch_add(&b, frame(0x0a0b0c0d0e0f, 9)); /* dirties a buffer */
    push(sink, &b);
    assert_int_equal(source->class->run_task(&ctx, source, 0), 32);
    assert_int_equal(probes[0].n, 32);
    for (unsigned i = 0; i < 32; i++) {
        assert_int_equal(probes[0].pkt[i]->pkt_len, 100);
        assert_memory_equal(rte_pktmbuf_mtod(probes[0].pkt[i], char *), zeros, 100);
    }
    assert_int_equal(source->class->command(source, "set_burst", (int64_t[]){65}, 1, &unused), -EINVAL);
    assert_int_equal(source->class->command(source, "set_pkt_size", (int64_t[]){1519}, 1, &unused), -EINVAL);
    module_destroy(&dp, source);
    module_destroy(&dp, sink);
}

/* ---- ports and workers, over a ring device: what is sent comes back ---- */

static struct port *ring_port(void)
{
    struct port_request req = {.device = "net_ring0", .n_rxq = 1, .n_txq = 1};
    const char *step;
    struct port *p;

    assert_int_equal(port_create(dp.pool, &req, &p, &step), 0);
    dp.ports[p->dpdk_id] = p;
    return p;
}

static void ring_port_destroy(struct port *p)
{
    uint16_t id = p->dpdk_id;

    assert_int_equal(port_destroy(p), 0);
    dp.ports[id] = NULL;
}

static void queues_have_one_owner_each(void **state)
{
    struct port *p = ring_port();
    int64_t id = p->dpdk_id;
    struct module *in = create("QueueInc", (int64_t[]){id, 0, 32}, 3);
    struct module *out = create("PortOut", (int64_t[]){id}, 1);
    struct module *m;

    (void)state;
    assert_int_equal(module_create(&dp, "PortInc", (int64_t[]){id, 32}, 2, &m), -EBUSY);
    assert_int_equal(module_create(&dp, "QueueOut", (int64_t[]){id, 0}, 2, &m), -EBUSY);
    assert_int_equal(module_create(&dp, "QueueInc", (int64_t[]){id, 1, 32}, 3, &m), -EINVAL);
    assert_int_equal(module_create(&dp, "QueueInc", (int64_t[]){id, -1, 32}, 3, &m), -EINVAL);
    assert_int_equal(module_create(&dp, "QueueInc", (int64_t[]){31, 0, 32}, 3, &m), -ENODEV);
    assert_int_equal(module_create(&dp, "Nothing", NULL, 0, &m), -ENOENT);
    assert_int_equal(port_destroy(p), -EBUSY);
    module_destroy(&dp, in);
    module_destroy(&dp, out);
    ring_port_destroy(p);
}

static void what_a_device_refuses_is_freed_and_counted(void **state)
{
    struct port *p = ring_port();
    struct module *source = create("Source", (int64_t[]){60, 64}, 2);
    struct module *out = create("QueueOut", (int64_t[]){p->dpdk_id, 0}, 2);
    struct module *in = create("QueueInc", (int64_t[]){p->dpdk_id, 0, 64}, 3);
    unsigned sent = 0, back = 0, got;

    (void)state;
    module_connect(source, 0, out, 0, false);
    for (int shared = 0; shared < 2; shared++) {
        out->shared = shared;
        for (int i = 0; i < 12; i++)
            sent += source->class->run_task(&ctx, source, 0);
    }
    while ((got = in->class->run_task(&ctx, in, 0)) > 0)
        back += got;
    assert_true(port_tx_dropped(p) > 0);
    assert_int_equal(back + port_tx_dropped(p), sent);
    assert_int_equal(module_deadends(in), back);
    module_destroy(&dp, source);
    module_destroy(&dp, out);
    module_destroy(&dp, in);
    ring_port_destroy(p);
}

static void a_paused_worker_stands_still(void **state)
{
    struct module *source = create("Source", (int64_t[]){60, 8}, 2);
    struct module *sink = create("Sink", NULL, 0);
    uint64_t batches, before = 0, after;
    struct worker *w;

    (void)state;
    assert_int_equal(worker_create(1, 4000, dp.pool, &w), -EINVAL);
    assert_int_equal(worker_create(1, -1, dp.pool, &w), -EINVAL);
    module_connect(source, 0, sink, 0, true);
    assert_int_equal(worker_create(1, sched_getcpu(), dp.pool, &w), 0);
    assert_int_equal(worker_attach(w, source, 0), 0);
    assert_int_equal(worker_attach(w, source, 1), -ENOENT);
    for (int round = 0; round < 5; round++) {
        worker_resume(w);
        do {
            usleep(100);
            module_gate_counters(source, 0, &batches, &after);
        } while (after == before);
        worker_pause(w);
        module_gate_counters(source, 0, &batches, &before);
        usleep(1000);
        module_gate_counters(source, 0, &batches, &after);
        assert_int_equal(after, before);
    }
    worker_detach(w, source, 0);
    worker_destroy(w);
    module_destroy(&dp, source);
    module_destroy(&dp, sink);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(gate_without_peer_counts_its_drops),
        CASE(connect_refuses_what_is_not_there),
        CASE(a_chain_too_long_drops_instead_of_overflowing),
        CASE(track_counts_batches_and_packets),
        CASE(l2_forward_splits_a_batch_and_keeps_the_order),
        CASE(l2_forward_drops_misses_at_first_and_short_frames_always),
        CASE(l2_forward_refuses_bad_gates),
        CASE(replicate_sends_deep_copies_and_the_original_by_gate_0),
        CASE(replicate_without_gates_passes_on),
        CASE(replicate_counts_what_it_cannot_copy),
        CASE(source_makes_zeros_of_its_size_for_sink_to_free),
        CASE(queues_have_one_owner_each),
        CASE(what_a_device_refuses_is_freed_and_counted),
        CASE(a_paused_worker_stands_still),
    };

    return kit_start() ? kit_stop(cmocka_run_group_tests_name("dataplane/modules", tests, NULL, NULL)) : 1;
}
