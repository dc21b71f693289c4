/* SPDX-License-Identifier: BSD-3-Clause */
/* Impair with real frames and the real clock: who owns a frame, what is counted, what hostile frames do. */
#define _GNU_SOURCE /* sched_getcpu */
#include "testkit.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>

enum {
    DELAY,
    JITTER,
    KIND,
    LOSS,
    DUPLICATE,
    CORRUPT,
    REORDER,
    GAP,
    KEEP_ORDER,
    RATE,
    LIMIT_BYTES,
    LIMIT_PACKETS,
    SEED,
    N_ARGS
};
enum {
    PACKETS,
    BYTES,
    LOST,
    LIMITED,
    DELAYED,
    DUPLICATED,
    REORDERED,
    CORRUPTED,
    RELEASED,
    HELD,
    NO_BUFFER,
    LATE_NS,
    LATE_MAX_NS,
    N_COUNTERS
};

#define CERTAIN 1000000000
#define MS 1000000

static struct module *im;
static int64_t args[N_ARGS];

static void make(void)
{
    im = create_probed("Impair", args, N_ARGS, N_PROBES);
    memset(args, 0, sizeof(args));
}

static int set(void)
{
    int64_t unused;
    int ret = im->class->command(im, "set", args, N_ARGS, &unused);

    memset(args, 0, sizeof(args));
    return ret;
}

static int64_t counter(unsigned which)
{
    int64_t words[N_COUNTERS];

    assert_int_equal(im->class->query(im, "counters", NULL, 0, words, N_COUNTERS), N_COUNTERS);
    return words[which];
}

static void feed(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        push_one(im, 0, frame(1, i));
}

/* Runs the task until nothing is held. */
static void drain(void)
{
    uint64_t end = rte_rdtsc() + 5 * rte_get_tsc_hz();

    while (counter(HELD) > 0) {
        im->class->run_task(&ctx, im, 0);
        assert_true(rte_rdtsc() < end);
    }
}

static void unimpaired_frames_go_straight_through_by_their_gate(void **state)
{
    (void)state;
    make();
    for (unsigned gate = 0; gate < N_PROBES; gate++)
        push_one(im, gate, frame(1, gate));
    for (unsigned gate = 0; gate < N_PROBES; gate++) {
        assert_int_equal(probes[gate].n, 1);
        assert_int_equal(mark_of(probes[gate].pkt[0]), gate);
    }
    assert_int_equal(counter(PACKETS), N_PROBES);
    assert_int_equal(counter(BYTES), 60 * N_PROBES);
    assert_int_equal(im->class->run_task(&ctx, im, 0), 0);
    assert_int_equal(ctx.wake_tsc, UINT64_MAX);
    module_destroy(&dp, im);
}

static void delayed_frames_leave_in_time_and_in_order(void **state)
{
    uint64_t begin = rte_rdtsc(), took;

    (void)state;
    args[DELAY] = 20 * MS;
    make();
    feed(100);
    push_one(im, 2, frame(1, 100));
    assert_int_equal(im->class->run_task(&ctx, im, 0), 0);
    assert_true(ctx.wake_tsc > begin && ctx.wake_tsc < begin + rte_get_tsc_hz());
    drain();
    took = rte_rdtsc() - begin;
    assert_true(took >= rte_get_tsc_hz() / 50);
    assert_int_equal(probes[0].n, 100);
    assert_int_equal(probes[2].n, 1);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(mark_of(probes[0].pkt[i]), i);
    assert_int_equal(counter(DELAYED), 101);
    assert_int_equal(counter(RELEASED), 101);
    module_destroy(&dp, im);
}

static void held_frames_are_freed_with_the_module(void **state)
{
    (void)state;
    args[DELAY] = 1000LL * MS;
    make();
    feed(500);
    assert_int_equal(counter(HELD), 500);
    assert_int_equal(dp.held_packets, 500);
    module_destroy(&dp, im); /* the case's end looks at the pool */
}

static void frames_outlive_the_port_that_brought_them(void **state)
{
    struct port_request req = {.device = "net_ring0", .n_rxq = 1, .n_txq = 1};
    struct module *in, *out;
    const char *step;
    struct port *p;

    (void)state;
    args[DELAY] = 5 * MS;
    make();
    assert_int_equal(port_create(dp.pool, &req, &p, &step), 0);
    dp.ports[p->dpdk_id] = p;
    in = create("QueueInc", (int64_t[]){p->dpdk_id, 0, 32}, 3);
    out = create("QueueOut", (int64_t[]){p->dpdk_id, 0}, 2);
    module_connect(in, 0, im, 0, false);
    push_one(out, 0, frame(1, 9));
    assert_int_equal(in->class->run_task(&ctx, in, 0), 1);
    module_destroy(&dp, in);
    module_destroy(&dp, out);
    dp.ports[p->dpdk_id] = NULL;
    assert_int_equal(port_destroy(p), 0);
    drain();
    assert_int_equal(probes[0].n, 1);
    assert_int_equal(mark_of(probes[0].pkt[0]), 9);
    module_destroy(&dp, im);
}

static void lost_frames_are_freed_and_the_same_ones_by_the_same_seed(void **state)
{
    uint8_t marks[2][PROBE_ROOM];
    unsigned n[2];

    (void)state;
    for (int round = 0; round < 2; round++) {
        args[LOSS] = CERTAIN / 2;
        args[SEED] = 11;
        make();
        feed(200);
        n[round] = probes[0].n;
        assert_int_equal(counter(LOST) + n[round], 200);
        assert_in_range(n[round], 60, 140);
        for (unsigned i = 0; i < n[round]; i++)
            marks[round][i] = mark_of(probes[0].pkt[i]);
        probes_clear();
        module_destroy(&dp, im);
    }
    assert_int_equal(n[0], n[1]);
    assert_memory_equal(marks[0], marks[1], n[0]);
}

static void duplicates_are_copies_even_of_a_full_batch(void **state)
{
    struct batch b = {.n = 0};

    (void)state;
    args[DUPLICATE] = CERTAIN;
    make();
    for (unsigned i = 0; i < DP_BURST_MAX; i++)
        batch_add(&b, frame(1, i));
    push(im, &b);
    assert_int_equal(probes[0].n, 2 * DP_BURST_MAX);
    for (unsigned i = 0; i < 2 * DP_BURST_MAX; i++)
        assert_int_equal(mark_of(probes[0].pkt[i]), i / 2);
    assert_ptr_not_equal(probes[0].pkt[0]->buf_addr, probes[0].pkt[1]->buf_addr);
    assert_int_equal(counter(DUPLICATED), DP_BURST_MAX);
    module_destroy(&dp, im);
}

static void corruption_spares_the_header_and_short_frames(void **state)
{
    struct rte_mbuf *runt = frame(1, 0), *empty = frame(1, 0);
    unsigned changed = 0;

    (void)state;
    args[CORRUPT] = CERTAIN;
    make();
    feed(100);
    for (unsigned i = 0; i < 100; i++) {
        const uint8_t *data = rte_pktmbuf_mtod(probes[0].pkt[i], const uint8_t *);
        uint8_t want[60] = {0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0xff};
        unsigned bits = 0;

        want[14] = i;
        assert_memory_equal(data, want, 14);
        for (unsigned k = 14; k < 60; k++)
            bits += __builtin_popcount(data[k] ^ want[k]);
        assert_int_equal(bits, 1);
        changed++;
    }
    assert_int_equal(counter(CORRUPTED), changed);
    rte_pktmbuf_trim(runt, 46);
    push_one(im, 0, runt);
    rte_pktmbuf_trim(empty, 60);
    push_one(im, 0, empty);
    assert_int_equal(counter(CORRUPTED), changed);
    assert_int_equal(probes[0].n, 102);
    module_destroy(&dp, im);
}

static void jumbo_and_tagged_frames_are_held_and_copied_whole(void **state)
{
    struct rte_mbuf *head = frame(1, 1), *tagged = frame(1, 2);

    (void)state;
    args[DELAY] = MS;
    args[DUPLICATE] = CERTAIN;
    make();
    for (int i = 0; i < 8; i++) {
        struct rte_mbuf *more = frame(0, 0);

        rte_pktmbuf_append(more, 1500);
        rte_pktmbuf_chain(head, more);
    }
    memcpy(rte_pktmbuf_mtod_offset(tagged, uint8_t *, 12), "\x81\x00\x00\x05\x08\x00", 6);
    push_one(im, 0, head);
    push_one(im, 0, tagged);
    drain();
    assert_int_equal(probes[0].n, 4);
    assert_int_equal(probes[0].pkt[0]->pkt_len, 60 + 8 * 1560);
    assert_int_equal(probes[0].pkt[1]->pkt_len, 60 + 8 * 1560);
    assert_memory_equal(rte_pktmbuf_mtod_offset(probes[0].pkt[3], uint8_t *, 12), "\x81\x00\x00\x05\x08\x00",
                        6);
    module_destroy(&dp, im);
}

static void the_rest_of_the_pool_stays_for_the_ports(void **state)
{
    (void)state;
    args[DELAY] = 1000LL * MS;
    make();
    feed(N_BUFFERS / 2 + 100);
    assert_int_equal(counter(HELD), N_BUFFERS / 2);
    assert_int_equal(counter(LIMITED), 100);
    assert_int_equal(set(), 0); /* cleared: all leave now, none is dropped */
    drain();
    assert_int_equal(probes[0].n, N_BUFFERS / 2);
    assert_int_equal(counter(RELEASED), N_BUFFERS / 2);
    feed(1);
    assert_int_equal(probes[0].n, N_BUFFERS / 2 + 1);
    probes_clear();
    module_destroy(&dp, im);
}

static void a_worker_wakes_for_what_is_due(void **state)
{
    struct worker *w;
    uint64_t begin;

    (void)state;
    args[DELAY] = 30 * MS;
    make();
    assert_int_equal(worker_create(1, sched_getcpu(), dp.pool, &w), 0);
    assert_int_equal(worker_attach(w, im, 0), 0);
    worker_resume(w);
    usleep(300000); /* long enough for it to sleep soundly */
    begin = rte_rdtsc();
    feed(10);
    while (counter(HELD) > 0)
        usleep(100);
    worker_pause(w);
    assert_true(rte_rdtsc() - begin >= rte_get_tsc_hz() * 3 / 100);
    assert_int_equal(probes[0].n, 10);
    assert_true(counter(LATE_MAX_NS) > 0 && counter(LATE_NS) <= 10 * counter(LATE_MAX_NS));
    worker_detach(w, im, 0);
    worker_destroy(w);
    module_destroy(&dp, im);
}

static void set_and_get_are_checked(void **state)
{
    int64_t words[N_ARGS], unused;

    (void)state;
    args[DELAY] = 7;
    make();
    for (unsigned i = 0; i < SEED; i++) {
        args[i] = -1;
        assert_int_equal(set(), -EINVAL);
    }
    args[LOSS] = CERTAIN + 1LL;
    assert_int_equal(set(), -EINVAL);
    args[DELAY] = 60001LL * MS;
    assert_int_equal(set(), -EINVAL);
    args[LIMIT_PACKETS] = 1LL << 40;
    assert_int_equal(set(), -EINVAL);
    assert_int_equal(im->class->command(im, "set", args, 3, &unused), -EINVAL);
    assert_int_equal(im->class->command(im, "get", args, N_ARGS, &unused), -EOPNOTSUPP);
    assert_int_equal(im->class->query(im, "config", NULL, 0, words, N_ARGS), N_ARGS);
    assert_int_equal(words[DELAY], 7);
    assert_int_equal(words[GAP], 1);
    assert_int_equal(words[LIMIT_PACKETS], 8192);
    assert_int_equal(im->class->query(im, "config", NULL, 0, words, 3), -EINVAL);
    module_destroy(&dp, im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(unimpaired_frames_go_straight_through_by_their_gate),
        CASE(delayed_frames_leave_in_time_and_in_order),
        CASE(held_frames_are_freed_with_the_module),
        CASE(frames_outlive_the_port_that_brought_them),
        CASE(lost_frames_are_freed_and_the_same_ones_by_the_same_seed),
        CASE(duplicates_are_copies_even_of_a_full_batch),
        CASE(corruption_spares_the_header_and_short_frames),
        CASE(jumbo_and_tagged_frames_are_held_and_copied_whole),
        CASE(the_rest_of_the_pool_stays_for_the_ports),
        CASE(a_worker_wakes_for_what_is_due),
        CASE(set_and_get_are_checked),
    };

    return kit_start() ? kit_stop(cmocka_run_group_tests_name("dataplane/mod_impair", tests, NULL, NULL)) : 1;
}
