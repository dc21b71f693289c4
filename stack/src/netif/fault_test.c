/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The fault wrapper over a pair, on a clock set by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "netif/fault.h"
#include "netif/netif_testkit.h"
#include "netif/pair.h"

static uint64_t now_us;
static struct netif *faulty, *peer;

static uint64_t hand_clock(void *ctx)
{
    (void)ctx;
    return now_us;
}

static void open_faulty(const char *text)
{
    struct netif_params params = {.num_queues = 2, .mtu = 1500};
    struct fault_params fp;
    struct netif *inner;
    char error[128];

    now_us = 1000000;
    assert_int_equal(fault_params_parse(text, &fp, error, sizeof(error)), ST_OK);
    assert_int_equal(pair_open(&params, &inner, &peer), ST_OK);
    assert_int_equal(fault_wrap(inner, &fp, hand_clock, NULL, &faulty), ST_OK);
    assert_int_equal(faulty->num_queues, 2);
}

static void close_faulty(void)
{
    faulty->ops->close(faulty);
    peer->ops->close(peer);
}

static void delays_both_ways(void **state)
{
    (void)state;
    open_faulty("delay_us=500");
    kit_send(faulty, 0, 1, 60);
    kit_send(peer, 0, 2, 60);
    assert_int_equal(kit_receive(faulty, 0), 0);
    assert_int_equal(kit_receive(peer, 0), 0);
    assert_int_equal(netif_next_deadline_us(faulty), now_us + 500);
    now_us += 499;
    assert_int_equal(kit_receive(faulty, 0), 0);
    now_us += 1;
    assert_int_equal(kit_receive(faulty, 0), 2); /* polling moves the sent frame too */
    assert_int_equal(kit_receive(peer, 0), 1);
    assert_int_equal(netif_next_deadline_us(faulty), UINT64_MAX);
    close_faulty();
}

static void loses_and_counts(void **state)
{
    struct fault_counters c;
    unsigned arrived = 0;

    (void)state;
    open_faulty("seed=5,loss=0.5");
    for (unsigned i = 1; i <= 1000; i++) {
        kit_send(faulty, 1, i, 60);
        arrived += kit_receive(peer, 1) == i;
    }
    fault_get_counters(faulty, &c);
    assert_in_range(arrived, 430, 570);
    assert_int_equal(c.lost, 1000 - arrived);
    close_faulty();
}

static void doubles(void **state)
{
    struct fault_counters c;

    (void)state;
    open_faulty("dup=1");
    kit_send(faulty, 0, 7, 1514);
    assert_int_equal(kit_receive(peer, 0), 7);
    assert_int_equal(kit_receive(peer, 0), 7);
    assert_int_equal(kit_receive(peer, 0), 0);
    fault_get_counters(faulty, &c);
    assert_int_equal(c.doubled, 1);
    close_faulty();
}

static void reordered_frames_are_overtaken_and_all_arrive(void **state)
{
    uint32_t sum = 0, last = 0, inversions = 0;

    (void)state;
    open_faulty("seed=2,reorder=0.2,reorder_us=50,delay_us=100");
    for (uint32_t i = 1; i <= 500; i++, now_us += 10) {
        uint32_t got;

        kit_send(faulty, 0, i, 60);
        while ((got = kit_receive(peer, 0))) {
            sum += got;
            inversions += got < last;
            last = got;
        }
    }
    now_us += 1000;
    assert_int_equal(kit_receive(faulty, 0), 0);
    for (uint32_t got; (got = kit_receive(peer, 0));)
        sum += got;
    assert_int_equal(sum, 500 * 501 / 2);
    assert_in_range(inversions, 50, 150);
    close_faulty();
}

static void held_frames_have_a_limit_and_close_frees_them(void **state)
{
    struct fault_counters c;

    (void)state;
    open_faulty("delay_us=1000000");
    for (unsigned i = 0; i < FAULT_MAX_HELD + 10; i++)
        kit_send(faulty, 0, 1, 60);
    fault_get_counters(faulty, &c);
    assert_int_equal(c.overflow, 10);
    close_faulty();
}

static void full_inner_keeps_frames_in_line(void **state)
{
    (void)state;
    open_faulty("");
    for (unsigned i = 1; i <= PAIR_RING_FRAMES + 5; i++)
        kit_send(faulty, 0, i, 60);
    assert_int_equal(netif_next_deadline_us(faulty), now_us);
    for (unsigned i = 1; i <= PAIR_RING_FRAMES; i++)
        assert_int_equal(kit_receive(peer, 0), i);
    assert_int_equal(kit_receive(faulty, 0), 0);
    for (unsigned i = PAIR_RING_FRAMES + 1; i <= PAIR_RING_FRAMES + 5; i++)
        assert_int_equal(kit_receive(peer, 0), i);
    close_faulty();
}

static void receiving_few_leaves_the_others(void **state)
{
    (void)state;
    open_faulty("");
    for (unsigned i = 1; i <= 200; i++)
        kit_send(peer, 0, i, 60);
    for (unsigned i = 1; i <= 200; i++)
        assert_int_equal(kit_receive(faulty, 0), i);
    close_faulty();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delays_both_ways),
        cmocka_unit_test(loses_and_counts),
        cmocka_unit_test(doubles),
        cmocka_unit_test(reordered_frames_are_overtaken_and_all_arrive),
        cmocka_unit_test(held_frames_have_a_limit_and_close_frees_them),
        cmocka_unit_test(full_inner_keeps_frames_in_line),
        cmocka_unit_test(receiving_few_leaves_the_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
