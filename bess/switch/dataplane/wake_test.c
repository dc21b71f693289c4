/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker that has nothing to do: it costs next to nothing, and a frame wakes it. A vhost-user port and its
 * peer, a virtio_user port, in one process.
 */
#define _GNU_SOURCE /* CPU sets */
#include "testkit.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>

#define TRIES 41
#define A_WHILE_S 5

static char socket_path[64];
static struct port *vhost, *peer;
static struct module *in, *sink;
static struct worker *w;
static int worker_cpu;

static struct port *port_make(const char *device)
{
    struct port_request req = {.device = device, .n_rxq = 1, .n_txq = 1};
    const char *step = "";
    struct port *p = NULL;

    if (port_create(dp.pool, &req, &p, &step) != 0)
        fail_msg("%s: %s", device, step);
    dp.ports[p->dpdk_id] = p;
    return p;
}

static void port_unmake(struct port *p)
{
    dp.ports[p->dpdk_id] = NULL;
    assert_int_equal(port_destroy(p), 0);
}

static uint64_t received(void)
{
    uint64_t batches, packets;

    module_gate_counters(in, 0, &batches, &packets);
    return packets;
}

static double cpu_s(void)
{
    clockid_t clock;
    struct timespec ts;

    assert_int_equal(pthread_getcpuclockid(w->thread, &clock), 0);
    assert_int_equal(clock_gettime(clock, &ts), 0);
    return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Until the worker has used less than 2 % of a core for 50 ms. */
static void until_it_sleeps(void)
{
    for (unsigned i = 0; i < 20 * A_WHILE_S; i++) {
        double before = cpu_s();

        usleep(50000);
        if (cpu_s() - before < 0.001)
            return;
    }
    fail_msg("the worker does not come to rest");
}

static void peer_attach(void)
{
    char device[128];
    struct rte_eth_link link;

    snprintf(device, sizeof(device), "net_virtio_user0,path=%s,queues=1", socket_path);
    peer = port_make(device);
    for (unsigned i = 0; i < 1000 * A_WHILE_S; i++) {
        rte_eth_link_get_nowait(vhost->dpdk_id, &link);
        if (link.link_status)
            return;
        usleep(1000);
    }
    fail_msg("the peer does not come up");
}

/* The first and the last CPU that the process may use: we stay on one, the worker gets the other. */
static int cpus_apart(void)
{
    cpu_set_t all, ours;
    int first = -1, last = 0;

    sched_getaffinity(0, sizeof(all), &all);
    for (int i = 0; i < CPU_SETSIZE; i++) {
        if (!CPU_ISSET(i, &all))
            continue;
        first = first < 0 ? i : first;
        last = i;
    }
    CPU_ZERO(&ours);
    CPU_SET(first, &ours);
    pthread_setaffinity_np(pthread_self(), sizeof(ours), &ours);
    return last;
}

static int begin(void **state)
{
    char device[128];

    setup(state);
    snprintf(socket_path, sizeof(socket_path), "/tmp/vportd-wake-%d.sock", getpid());
    snprintf(device, sizeof(device), "net_vhost0,iface=%s,queues=1", socket_path);
    vhost = port_make(device);
    in = create("QueueInc", (int64_t[]){vhost->dpdk_id, 0, 32}, 3);
    sink = create("Sink", NULL, 0);
    module_connect(in, 0, sink, 0, true);
    assert_int_equal(worker_create(1, worker_cpu, dp.pool, &w), 0);
    assert_int_equal(worker_attach(w, in, 0), 0);
    worker_resume(w);
    peer_attach();
    return 0;
}

static int end(void **state)
{
    (void)state;
    worker_pause(w);
    worker_detach(w, in, 0);
    worker_destroy(w);
    module_destroy(&dp, in);
    module_destroy(&dp, sink);
    port_unmake(peer);
    port_unmake(vhost);
    return 0; /* what the rings still hold belongs to the devices, so the pool is not looked at */
}

/* Sends one frame and gives the time until the worker has it. */
static double send_one_s(void)
{
    uint64_t before = received(), sent = rte_rdtsc(), limit = sent + A_WHILE_S * rte_get_tsc_hz();
    struct rte_mbuf *pkt = frame(1, 0);

    assert_int_equal(rte_eth_tx_burst(peer->dpdk_id, 0, &pkt, 1), 1);
    while (received() == before) {
        assert_true(rte_rdtsc() < limit);
        sched_yield(); /* there may be one CPU for both */
    }
    return (double)(rte_rdtsc() - sent) / rte_get_tsc_hz();
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void the_first_frame_after_a_rest_wakes_it(void **state)
{
    double took_s[TRIES];
    uint64_t kicks = __atomic_load_n(&w->kicks, __ATOMIC_RELAXED);

    (void)state;
    for (unsigned i = 0; i < TRIES; i++) {
        until_it_sleeps();
        took_s[i] = send_one_s();
    }
    qsort(took_s, TRIES, sizeof(took_s[0]), ascending);
    print_message("# after a rest: %.0f us, median of %u\n", took_s[TRIES / 2] * 1e6, TRIES);
    /* Not by looking around every 10 ms, but for the few that come just when it does. */
    kicks = __atomic_load_n(&w->kicks, __ATOMIC_RELAXED) - kicks;
    assert_in_range(kicks, TRIES * 3 / 4, TRIES);
}

static void at_rest_it_costs_next_to_nothing(void **state)
{
    double used_s;

    (void)state;
    send_one_s();
    until_it_sleeps();
    used_s = cpu_s();
    usleep(1000000);
    used_s = cpu_s() - used_s;
    print_message("# at rest: %.2f %% of a core\n", used_s * 100);
    assert_true(used_s < 0.05);
}

static void a_peer_that_comes_back_wakes_it_too(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 5; round++) {
        until_it_sleeps();
        port_unmake(peer);
        until_it_sleeps();
        peer_attach();
        for (unsigned i = 0; i < 3; i++) {
            send_one_s();
            until_it_sleeps();
        }
    }
}

static void pausing_does_not_wait_for_it(void **state)
{
    double worst_s = 0;

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        uint64_t start;

        until_it_sleeps();
        start = rte_rdtsc();
        worker_pause(w);
        worst_s = RTE_MAX(worst_s, (double)(rte_rdtsc() - start) / rte_get_tsc_hz());
        worker_resume(w);
    }
    assert_true(worst_s < 1);
    assert_true(send_one_s() < A_WHILE_S);
}

#define WORKER_CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKER_CASE(the_first_frame_after_a_rest_wakes_it),
        WORKER_CASE(at_rest_it_costs_next_to_nothing),
        WORKER_CASE(a_peer_that_comes_back_wakes_it_too),
        WORKER_CASE(pausing_does_not_wait_for_it),
    };

    if (!kit_start())
        return 1;
    worker_cpu = cpus_apart();
    return kit_stop(cmocka_run_group_tests_name("dataplane/wake", tests, NULL, NULL));
}
