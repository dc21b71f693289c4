/* SPDX-License-Identifier: BSD-3-Clause
 *
 * DPDK ports without hardware and without hugepages: net_ring, which gives back what was sent, and net_null,
 * which swallows it. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "netif/dpdk/dpdk_netif.h"
#include "netif/dpdk/dpdk_priv.h"
#include "netif/netif_testkit.h"

static char all_logged[8192];

static void collect(void *ctx, enum log_level level, const char *line)
{
    size_t len = strlen(all_logged);

    (void)ctx;
    (void)level;
    snprintf(all_logged + len, sizeof(all_logged) - len, "%s\n", line);
}

static struct log log_all = {.level = LOG_INFO, .sink = collect};

static enum status try_open(const char *port, unsigned queues, struct netif **nif)
{
    struct netif_params params = {
        .port = port,
        .eal = "-m 256",
        .hugepages = 0,
        .num_queues = queues,
        .mtu = 1500,
        .has_mac = true,
        .mac = {{2, 0, 0, 0, 0, 9}},
        .num_bufs = 512,
        .log = &log_all,
    };

    all_logged[0] = '\0';
    return dpdk_open(&params, nif);
}

static struct netif *must_open(const char *port, unsigned queues)
{
    struct netif *nif;

    if (try_open(port, queues, &nif) != ST_OK)
        fail_msg("%s", all_logged);
    return nif;
}

static void logged(const char *part)
{
    if (!strstr(all_logged, part))
        fail_msg("'%s' is not in:\n%s", part, all_logged);
}

/* First: EAL starts here. */
static void affinity_is_the_callers(void **state)
{
    cpu_set_t before, after;
    struct netif *nif;

    (void)state;
    pthread_getaffinity_np(pthread_self(), sizeof(before), &before);
    nif = must_open("vdev:net_ring0", 1);
    pthread_getaffinity_np(pthread_self(), sizeof(after), &after);
    assert_true(CPU_EQUAL(&before, &after));
    logged("ordinary memory: asked for");
    logged("1 queue(s)");
    nif->ops->close(nif);
}

static void frames_come_back(void **state)
{
    struct netif *nif = must_open("vdev:net_ring0", 2);
    struct netif_stats s;

    (void)state;
    assert_int_equal(nif->mac.b[5], 9);
    assert_int_equal(netif_attach_thread(nif), ST_OK);
    assert_true(nif->ops->link_up(nif));
    for (unsigned round = 1; round <= 5000; round++) {
        kit_send(nif, 0, round, round % 2 ? 60 : 1514);
        kit_send(nif, 1, round + 1, 60);
        assert_int_equal(kit_receive(nif, 0), round);
        assert_int_equal(kit_receive(nif, 1), round + 1);
    }
    kit_stats(nif, &s);
    assert_int_equal(s.tx_packets, 10000);
    assert_int_equal(s.rx_packets, 10000);
    nif->ops->close(nif);
    assert_null(strstr(all_logged, "still held"));
}

static void a_received_packet_may_go_back(void **state)
{
    struct netif *nif = must_open("vdev:net_ring0", 1);
    struct pkt *p;

    (void)state;
    kit_send(nif, 0, 5, 100);
    for (unsigned hop = 0; hop < 3; hop++) {
        assert_int_equal(netif_rx_burst(nif, 0, &p, 1), 1);
        assert_int_equal(p->len, 100 - hop);
        assert_non_null(pkt_pull(p, 1));
        assert_int_equal(netif_tx_burst(nif, 0, &p, 1), 1);
    }
    assert_int_equal(netif_rx_burst(nif, 0, &p, 1), 1);
    assert_int_equal(p->len, 97);
    pkt_free(p);
    nif->ops->close(nif);
}

static void two_ports_in_one_process(void **state)
{
    struct netif *a = must_open("vdev:net_ring0", 1), *b = must_open("vdev:net_ring1", 1);

    (void)state;
    kit_send(a, 0, 1, 60);
    kit_send(b, 0, 2, 60);
    assert_int_equal(kit_receive(a, 0), 1);
    assert_int_equal(kit_receive(b, 0), 2);
    a->ops->close(a);
    b->ops->close(b);
}

/* A full ring refuses; the refused packets are the caller's and whole. */
static void refused_packets_stay_the_callers(void **state)
{
    struct netif *nif = must_open("vdev:net_ring0", 1);
    unsigned sent = 0, arrived = 0;
    struct pkt *p;

    (void)state;
    for (;;) {
        p = kit_frame(nif, 0, 3, 60);
        if (!netif_tx_burst(nif, 0, &p, 1))
            break;
        sent++;
    }
    assert_int_equal(kit_number(p), 3);
    assert_int_equal(p->len, 60);
    pkt_free(p);
    while (kit_receive(nif, 0))
        arrived++;
    assert_int_equal(arrived, sent);
    nif->ops->close(nif);
    assert_null(strstr(all_logged, "still held"));
}

static void packets_run_out_and_come_back(void **state)
{
    struct netif *nif = must_open("vdev:net_null0,no-rx=1", 1);
    struct pkt *list = NULL, *p;
    unsigned first = 0, second = 0;

    (void)state;
    for (; (p = netif_alloc(nif, 0)); first++) {
        p->next = list;
        list = p;
    }
    while ((p = list)) {
        list = p->next;
        pkt_free(p);
    }
    for (; (p = netif_alloc(nif, 0)); second++) {
        assert_int_equal(netif_tx_burst(nif, 0, &p, 1), 1);
        if (second == 2 * first)
            break;
    }
    assert_true(first > 512);
    assert_int_equal(second, 2 * first);
    pkt_free(p);
    nif->ops->close(nif);
}

static void *poll_queue_1(void *nif)
{
    assert_int_equal(netif_attach_thread(nif), ST_OK);
    for (uint32_t want = 1; want <= 1000;) {
        uint32_t got;

        kit_send(nif, 1, want, 60);
        while (!(got = kit_receive(nif, 1)))
            sched_yield();
        assert_int_equal(got, want++);
    }
    return NULL;
}

static void several_threads(void **state)
{
    struct netif *nif = must_open("vdev:net_ring0", 2);
    pthread_t thread;

    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        pthread_create(&thread, NULL, poll_queue_1, nif);
        for (uint32_t i = 1; i <= 1000; i++) {
            kit_send(nif, 0, i, 60);
            assert_int_equal(kit_receive(nif, 0), i);
        }
        pthread_join(thread, NULL);
    }
    nif->ops->close(nif);
}

static void fewer_queues_than_wanted(void **state)
{
    struct netif *nif = must_open("vdev:net_ring0", 20);

    (void)state;
    assert_int_equal(nif->num_queues, 16);
    logged("net_ring has 16 queue(s), 20 are wanted");
    nif->ops->close(nif);
}

static void misses_list_what_there_is(void **state)
{
    struct netif *ring, *nif;

    (void)state;
    assert_int_equal(try_open("dpdk0", 1, &nif), ST_NO_DEVICE);
    logged("there is no DPDK port at all");
    ring = must_open("vdev:net_ring0", 1);
    assert_int_equal(try_open("dpdk7", 1, &nif), ST_NO_DEVICE);
    logged("no port matches");
    logged("there is: port = dpdk0, or net_ring0, or ");
    assert_int_equal(try_open("02:11:22:33:44:55", 1, &nif), ST_NO_DEVICE);
    logged("there is: port = dpdk0");
    assert_int_equal(try_open("0000:ff:1f.7", 1, &nif), ST_NO_DEVICE);
    logged("there is no PCI device 0000:ff:1f.7");
    assert_int_equal(try_open("vdev:net_nonsense0", 1, &nif), ST_NO_DEVICE);
    logged("cannot make the device 'net_nonsense0'");
    assert_int_equal(try_open("vdev:net_virtio_user0,path=/no/such.sock", 1, &nif), ST_NO_DEVICE);
    logged("/no/such.sock is no vhost-user socket (No such file or directory); start the switch");
    assert_int_equal(try_open("eth0", 1, &nif), ST_INVALID);
    logged("'eth0' is neither dpdkN, nor a PCI address");
    ring->ops->close(ring);
}

/* Sends a frame in two pieces past the interface, as a device with small buffers would deliver it. */
static void send_in_two(struct rte_mempool *pool, uint32_t first, uint32_t second)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool), *tail = rte_pktmbuf_alloc(pool);
    uint16_t port;

    assert_true(m && tail);
    memset(rte_pktmbuf_append(m, (uint16_t)first), 1, first);
    memset(rte_pktmbuf_append(tail, (uint16_t)second), 2, second);
    assert_int_equal(rte_pktmbuf_chain(m, tail), 0);
    assert_int_equal(rte_eth_dev_get_port_by_name("net_ring0", &port), 0);
    assert_int_equal(rte_eth_tx_burst(port, 0, &m, 1), 1);
}

static void pieces_are_joined_or_chained(void **state)
{
    struct netif *nif = must_open("vdev:net_ring0", 1);
    struct rte_mempool *pool =
        rte_pktmbuf_pool_create("pieces", 63, 0, sizeof(struct pkt), 2304, SOCKET_ID_ANY);
    struct netif_stats s;
    struct pkt *p;

    (void)state;
    assert_non_null(pool);
    dpdk_prepare_pool(pool);
    send_in_two(pool, 600, 700);
    assert_int_equal(netif_rx_burst(nif, 0, &p, 1), 1);
    assert_int_equal(p->len, 1300);
    assert_null(p->more);
    assert_int_equal(p->data[599], 1);
    assert_int_equal(p->data[600], 2);
    assert_int_equal(p->data[1299], 2);
    pkt_free(p);
    send_in_two(pool, 2000, 1999); /* longer than a buffer */
    assert_int_equal(netif_rx_burst(nif, 0, &p, 1), 1);
    assert_int_equal(p->len, 2000);
    assert_int_equal(pkt_total(p), 3999);
    assert_int_equal(p->more->len, 1999);
    assert_int_equal(p->more->data[1998], 2);
    assert_null(p->more->more);
    pkt_free(p);
    assert_int_equal(rte_mempool_in_use_count(pool), 0);
    send_in_two(pool, 20, 2170); /* and its headers are apart */
    assert_int_equal(netif_rx_burst(nif, 0, &p, 1), 0);
    kit_stats(nif, &s);
    assert_int_equal(s.rx_dropped, 1);
    assert_int_equal(rte_mempool_in_use_count(pool), 0);
    rte_mempool_free(pool);
    nif->ops->close(nif);
}

static void short_memory_is_told_with_numbers(void **state)
{
    struct netif_params params = {
        .port = "vdev:net_ring0", .num_queues = 1, .mtu = 9000, .num_bufs = 400000, .log = &log_all};
    struct netif *nif;

    (void)state;
    all_logged[0] = '\0';
    assert_int_equal(dpdk_open(&params, &nif), ST_NO_MEMORY);
    logged("no memory for 403104 packet buffers of");
    nif = must_open("vdev:net_ring0", 1); /* what was begun is undone */
    nif->ops->close(nif);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(affinity_is_the_callers),
        cmocka_unit_test(frames_come_back),
        cmocka_unit_test(a_received_packet_may_go_back),
        cmocka_unit_test(two_ports_in_one_process),
        cmocka_unit_test(refused_packets_stay_the_callers),
        cmocka_unit_test(packets_run_out_and_come_back),
        cmocka_unit_test(several_threads),
        cmocka_unit_test(fewer_queues_than_wanted),
        cmocka_unit_test(misses_list_what_there_is),
        cmocka_unit_test(pieces_are_joined_or_chained),
        cmocka_unit_test(short_memory_is_told_with_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
