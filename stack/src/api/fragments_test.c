/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Fragmented datagrams with several workers on one queue: the fragments meet at one worker, the datagram
 * arrives at the worker that has its flow, where a datagram in one piece arrives, too. One thread runs all
 * workers; the other end of the cable is the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "api/api_testkit.h"
#include "wire/udp.h"
#include "worker/worker_priv.h"

#define WORKERS 3u
#define FLOWS 60u
#define PORT 5000u
#define LONG 3000u
#define SHORT 100u
#define OURS 0x0a000001u
#define PEER 0x0a000002u

static struct {
    struct config cfg;
    struct mtcp_stack *stack;
    struct netif *far; /* the other end */
    mctx_t ctx[WORKERS];
    int fd[WORKERS];
    uint8_t dgram[LONG + UDP_HDR_LEN];
} w;

static void open_all(void)
{
    struct netif_params p = {.num_queues = 1, .mtu = 1500};
    struct log log = {.level = LOG_ERROR, .sink = log_stderr};
    struct sockaddr_in a = kit_addr(0, PORT);
    struct netif *near;

    assert_int_equal(pair_open(&p, &near, &w.far), ST_OK);
    kit_config(&w.cfg, 0, WORKERS);
    w.cfg.distribution = CONFIG_DISTRIBUTION_SHARED;
    assert_int_equal(stack_create(&w.cfg, near, &log, &w.stack), ST_OK);
    for (unsigned i = 0; i < WORKERS; i++) {
        assert_int_equal(api_ctx_create(w.stack, (int)i, &w.ctx[i]), ST_OK);
        w.fd[i] = mtcp_socket(w.ctx[i], AF_INET, SOCK_DGRAM, 0);
        assert_int_equal(mtcp_bind(w.ctx[i], w.fd[i], (struct sockaddr *)&a, sizeof(a)), 0);
        assert_int_equal(mtcp_setsock_nonblock(w.ctx[i], w.fd[i]), 0);
    }
}

static void close_all(void)
{
    for (unsigned i = 0; i < WORKERS; i++)
        api_ctx_destroy(w.ctx[i], 0);
    stack_destroy(w.stack);
    w.far->ops->close(w.far);
    config_free(&w.cfg);
}

/* Bytes [at, at + len) of w.dgram as a packet; a fragment unless it is all of `total`. */
static void send_piece(uint16_t id, unsigned at, unsigned len, unsigned total)
{
    const struct eth_hdr eth = {w.stack->nif->mac, {{2, 9, 9, 9, 9, 9}}, ETH_TYPE_IPV4};
    struct ipv4_hdr ip = {.src = PEER, .dst = OURS, .ttl = 64, .proto = IP_PROTO_UDP, .id = id};
    struct pkt *p = netif_alloc(w.far, 0);
    uint8_t *out;

    assert_non_null(p);
    ip.total_len = (uint16_t)(IPV4_HDR_LEN + len);
    ip.frag_offset = (uint16_t)at;
    ip.more_frags = at + len < total;
    out = pkt_put(p, ETH_HDR_LEN + ip.total_len);
    eth_emit(out, &eth);
    ipv4_emit(out + ETH_HDR_LEN, &ip);
    memcpy(out + ETH_HDR_LEN + IPV4_HDR_LEN, w.dgram + at, len);
    assert_int_equal(netif_tx_burst(w.far, 0, &p, 1), 1);
}

static void make_datagram(uint16_t peer_port, unsigned len)
{
    struct udp_hdr udp = {peer_port, PORT, (uint16_t)(UDP_HDR_LEN + len)};

    for (unsigned i = 0; i < len; i++)
        w.dgram[UDP_HDR_LEN + i] = (uint8_t)(i * 13 + peer_port);
    udp_emit(w.dgram, &udp, PEER, OURS);
}

/* Runs all workers until one has a datagram of the length; which one. */
static unsigned receive(unsigned len)
{
    static uint8_t buf[LONG + 1];

    for (unsigned round = 0; round < 1000; round++)
        for (unsigned i = 0; i < WORKERS; i++) {
            worker_round(((struct api_ctx *)w.ctx[i])->worker);
            if (mtcp_recvfrom(w.ctx[i], w.fd[i], (char *)buf, sizeof(buf), 0, NULL, NULL) < 0)
                continue;
            assert_memory_equal(buf, w.dgram + UDP_HDR_LEN, len);
            return i;
        }
    fail_msg("nothing arrived");
    return 0;
}

static void datagrams_find_the_worker_of_their_flow(void **state)
{
    unsigned share[WORKERS] = {0};

    (void)state;
    open_all();
    for (uint16_t n = 0; n < FLOWS; n++) {
        unsigned whole, pieces;

        make_datagram((uint16_t)(10000 + n), SHORT);
        send_piece(n, 0, UDP_HDR_LEN + SHORT, UDP_HDR_LEN + SHORT);
        whole = receive(SHORT);
        make_datagram((uint16_t)(10000 + n), LONG);
        send_piece(n, 2000, LONG + UDP_HDR_LEN - 2000, sizeof(w.dgram)); /* the last one first */
        send_piece(n, 0, 1000, sizeof(w.dgram));
        send_piece(n, 1000, 1000, sizeof(w.dgram));
        pieces = receive(LONG);
        assert_int_equal(pieces, whole);
        share[pieces]++;
    }
    for (unsigned i = 0; i < WORKERS; i++)
        assert_true(share[i] > 0);
    close_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(datagrams_find_the_worker_of_their_flow)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
