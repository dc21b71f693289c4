/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Workers in threads of their own over one neighbour table: they ask, answer and learn at once, and each sees
 * what the others learned. Made for ThreadSanitizer as much as for its own checks. */
#include <pthread.h>
#include <stdatomic.h>

#include "base/prng.h"
#include "inet/inet.h"
#include "testing/test_pkt.h"
#include "testing/unit.h"
#include "wire/arp.h"

#define WORKERS 3u
#define ROUNDS 6000u
#define NEIGHBOURS 200u
#define OURS 0x0a000001u

struct thread {
    pthread_t id;
    struct inet_worker *iw;
    struct test_pkts pkts;
    struct prng prng;
    ipv4_addr_t asked[64]; /**< requests that the network has yet to answer */
    unsigned num_asked;
    uint64_t sent_ip, wrong_mac, unreachable;
};

static atomic_ullong clock_us;

static struct eth_addr mac_of(ipv4_addr_t a)
{
    return (struct eth_addr){{2, 0, 0, 0, (uint8_t)(a >> 8), (uint8_t)a}};
}

static struct pkt *thread_alloc(void *ctx)
{
    return test_pkt_alloc(&((struct thread *)ctx)->pkts);
}

static void thread_xmit(void *ctx, struct pkt *pkt)
{
    struct thread *t = ctx;
    const uint8_t *l3 = pkt->data + ETH_HDR_LEN;
    struct eth_hdr eth;
    struct arp_pkt arp;
    struct ipv4_hdr ip;

    eth_parse(pkt->data, pkt->len, &eth);
    if (eth.type == ETH_TYPE_ARP) {
        if (arp_parse(l3, pkt->len - ETH_HDR_LEN, &arp) == ST_OK && t->num_asked < 64)
            t->asked[t->num_asked++] = arp.target_addr;
    } else if (ipv4_parse(l3, pkt->len - ETH_HDR_LEN, false, &ip) == ST_OK) {
        t->sent_ip++;
        t->wrong_mac += !eth_addr_equal(eth.dst, mac_of(ip.dst));
    }
    pkt_free(pkt);
}

static void thread_deliver(void *ctx, const struct ipv4_hdr *ip, struct pkt *pkt, uint64_t now_us)
{
    (void)ctx;
    (void)ip;
    (void)now_us;
    pkt_free(pkt);
}

static void thread_unreachable(void *ctx, ipv4_addr_t dst, uint64_t now_us)
{
    (void)dst;
    (void)now_us;
    ((struct thread *)ctx)->unreachable++;
}

static const struct inet_ops ops = {
    .alloc = thread_alloc, .xmit = thread_xmit, .deliver = thread_deliver, .unreachable = thread_unreachable};

/* The network answers half of the requests; addresses that end in 7 do not exist. */
static void answer_requests(struct thread *t, uint64_t now_us)
{
    while (t->num_asked) {
        ipv4_addr_t a = t->asked[--t->num_asked];
        struct arp_pkt arp = {ARP_REPLY, mac_of(a), mac_of(OURS), a, OURS};
        struct eth_hdr eth = {mac_of(OURS), mac_of(a), ETH_TYPE_ARP};
        uint8_t frame[ETH_HDR_LEN + ARP_PKT_LEN];

        if (a == OURS || a % 10 == 7 || prng_below(&t->prng, 2))
            continue;
        eth_emit(frame, &eth);
        arp_emit(frame + ETH_HDR_LEN, &arp);
        inet_input(t->iw, test_pkt_from(&t->pkts, frame, sizeof(frame)), now_us);
    }
}

static void *thread_main(void *arg)
{
    struct thread *t = arg;

    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t now_us = atomic_fetch_add(&clock_us, 20000) + 20000;
        ipv4_addr_t dst = OURS + 1 + (ipv4_addr_t)prng_below(&t->prng, NEIGHBOURS);
        struct pkt *pkt = test_pkt_alloc(&t->pkts);

        pkt_put(pkt, 20);
        memset(pkt->data, 0, 20);
        inet_output(t->iw, pkt, 0, dst, IP_PROTO_UDP, now_us);
        answer_requests(t, now_us);
        if (inet_worker_next_deadline(t->iw) <= now_us)
            inet_worker_timers(t->iw, now_us);
    }
    return NULL;
}

static void workers_share_what_they_learn(void **state)
{
    struct inet_params params = {.mac = mac_of(OURS), .addr = OURS, .prefix_len = 24, .mtu = 1500};
    static struct thread thread[WORKERS];
    struct inet *inet;

    (void)state;
    assert_int_equal(inet_create(&params, &inet), ST_OK);
    for (unsigned i = 0; i < WORKERS; i++) {
        thread[i] = (struct thread){.pkts.room = 1514, .prng.state = i};
        assert_int_equal(inet_worker_create(inet, &ops, &thread[i], &thread[i].iw), ST_OK);
    }
    for (unsigned i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_create(&thread[i].id, NULL, thread_main, &thread[i]), 0);
    for (unsigned i = 0; i < WORKERS; i++)
        pthread_join(thread[i].id, NULL);
    for (unsigned i = 0; i < WORKERS; i++) {
        assert_true(thread[i].sent_ip > ROUNDS / 2);
        assert_true(thread[i].unreachable > 0);
        assert_int_equal(thread[i].wrong_mac, 0);
        inet_worker_destroy(thread[i].iw);
        assert_int_equal(thread[i].pkts.live, 0);
    }
    inet_destroy(inet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(workers_share_what_they_learn)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
