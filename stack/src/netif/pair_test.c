/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The cable in memory: queues, refusal when full, ownership, two threads. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "netif/netif_testkit.h"
#include "netif/pair.h"

#define FRAMES 50000u

struct cable_ends {
    struct netif *a, *b;
};

static struct cable_ends ends;

static int open_two_queues(void **state)
{
    struct netif_params params = {.num_queues = 2, .mtu = 1500, .num_bufs = 4096};

    (void)state;
    return pair_open(&params, &ends.a, &ends.b) != ST_OK;
}

static int close_both(void **state)
{
    (void)state;
    ends.a->ops->close(ends.a);
    ends.b->ops->close(ends.b);
    return 0;
}

static void queues_are_apart(void **state)
{
    struct netif_stats s;

    (void)state;
    kit_send(ends.a, 0, 1, 60);
    kit_send(ends.a, 1, 2, 1514);
    kit_send(ends.b, 0, 3, 60);
    assert_int_equal(kit_receive(ends.b, 1), 2);
    assert_int_equal(kit_receive(ends.b, 1), 0);
    assert_int_equal(kit_receive(ends.b, 0), 1);
    assert_int_equal(kit_receive(ends.a, 0), 3);
    kit_stats(ends.a, &s);
    assert_int_equal(s.tx_packets, 2);
    assert_int_equal(s.tx_bytes, 1574);
    assert_int_equal(s.rx_packets, 1);
    assert_int_equal(s.rx_bytes, 60);
}

static void full_ring_leaves_the_rest_to_the_caller(void **state)
{
    struct pkt *p[8];
    unsigned sent = 0, n;

    (void)state;
    do {
        for (unsigned i = 0; i < 8; i++)
            p[i] = kit_frame(ends.a, 0, 1, 60);
        n = netif_tx_burst(ends.a, 0, p, 8);
        sent += n;
    } while (n == 8);
    assert_int_equal(sent, PAIR_RING_FRAMES);
    for (unsigned i = n; i < 8; i++)
        pkt_free(p[i]);
    for (unsigned i = 0; i < sent; i++)
        assert_int_equal(kit_receive(ends.b, 0), 1);
}

static void alloc_ends_at_the_limit(void **state)
{
    struct pkt *list = NULL, *p;
    unsigned n = 0;

    (void)state;
    for (; (p = netif_alloc(ends.a, 0)); n++) {
        p->next = list;
        list = p;
    }
    assert_int_equal(n, 4096);
    while ((p = list)) {
        list = p->next;
        pkt_free(p);
    }
    p = netif_alloc(ends.b, 1);
    assert_non_null(p);
    assert_true(pkt_tailroom(p) >= 1514);
    pkt_free(p);
}

static void link_is_down_when_the_peer_is_gone(void **state)
{
    struct netif_params params = {.num_queues = 1, .mtu = 1500};
    struct netif *a, *b;

    (void)state;
    assert_int_equal(pair_open(&params, &a, &b), ST_OK);
    assert_true(a->ops->link_up(a));
    b->ops->close(b);
    assert_false(a->ops->link_up(a));
    kit_send(a, 0, 1, 60); /* its packet goes with the cable */
    a->ops->close(a);
}

/* Sends FRAMES numbered frames. */
static void *sender(void *nif)
{
    for (uint32_t i = 1; i <= FRAMES;) {
        struct pkt *p = netif_alloc(nif, 1);

        if (p) {
            memset(pkt_put(p, 60), 0, 60);
            memcpy(p->data + 14, &i, sizeof(i));
            if (netif_tx_burst(nif, 1, &p, 1)) {
                i++;
                continue;
            }
            pkt_free(p);
        }
        sched_yield();
    }
    return NULL;
}

static void two_threads(void **state)
{
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, sender, ends.a), 0);
    for (uint32_t want = 1; want <= FRAMES;) {
        uint32_t got = kit_receive(ends.b, 1);

        if (got)
            assert_int_equal(got, want++);
        else
            sched_yield();
    }
    pthread_join(thread, NULL);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, open_two_queues, close_both)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(queues_are_apart),
        CASE(full_ring_leaves_the_rest_to_the_caller),
        CASE(alloc_ends_at_the_limit),
        CASE(link_is_down_when_the_peer_is_gone),
        CASE(two_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
