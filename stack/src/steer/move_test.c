/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A bucket moves, step by step in one thread: what each worker gets at which moment, flows that stay, workers
 * that go in the middle, refusals. The interleavings of real threads are torture_test.c's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "steer/flow_hash.h"
#include "steer/steer_testkit.h"

#define WORKERS 3u
#define B 40u   /* the bucket that moves */
#define HOME 1u /* its first worker: 40 % 3 */
#define PARK 8u

/* What a worker's operations have seen. */
struct side {
    unsigned detached, attached;
    unsigned to;
    bool pins; /* detach pins the flow */
};

struct world {
    struct steer *s;
    atomic_int live;
    struct side side[WORKERS];
    struct steer_flow flow, stays; /* both of bucket B */
    int cargo;
};

static struct world w;

static void *detach(void *ctx, const struct steer_buckets *set, unsigned to)
{
    struct side *side = ctx;

    side->detached += steer_buckets_has(set, B);
    side->to = to;
    if (side->pins)
        assert_int_equal(steer_pin(w.s, &w.stays, (unsigned)(side - w.side)), ST_OK);
    return &w.cargo;
}

static void attach(void *ctx, void *cargo)
{
    assert_ptr_equal(cargo, &w.cargo);
    ((struct side *)ctx)->attached++;
}

static const struct steer_ops ops = {detach, attach, NULL};

static uint32_t hash_of(const struct steer_flow *f)
{
    return flow_hash_ipv4(f->local, f->peer, f->local_port, f->peer_port);
}

static int setup(void **state)
{
    const struct steer_params params = {STEER_SHARED, WORKERS, 1, 64, PARK, 32768, 60999, {0}};

    (void)state;
    memset(&w, 0, sizeof(w));
    assert_int_equal(steer_create(&params, &w.s), ST_OK);
    for (unsigned i = 0; i < WORKERS; i++)
        steer_join(w.s, i, &ops, &w.side[i]);
    w.flow = (struct steer_flow){IP_PROTO_TCP, 0x0a000001, 0x0a000002, 80, 1024};
    while (hash_of(&w.flow) % STEER_BUCKETS != B)
        w.flow.peer_port++;
    w.stays = w.flow;
    w.stays.local ^= 0x00030003;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < WORKERS; i++)
        steer_leave(w.s, i);
    steer_destroy(w.s);
    assert_int_equal(atomic_load(&w.live), 0);
    return 0;
}

static void send(const struct steer_flow *f, uint64_t tag)
{
    struct pkt *p = kit_pkt(&w.live, f, TCP_ACK, tag);

    assert_int_equal(steer_distribute(w.s, 0, STEER_NOBODY, &p, 1), 0);
}

/* Sends by a distributor that enters and leaves the queue. */
static void arrive(const struct steer_flow *f, uint64_t tag)
{
    assert_true(steer_rx_enter(w.s, 0));
    send(f, tag);
    steer_rx_leave(w.s, 0);
}

static int take(unsigned worker)
{
    struct pkt *p;
    int tag;

    if (steer_take(w.s, worker, &p, 1) == 0)
        return -1;
    tag = (int)kit_tag(p);
    pkt_free(p);
    return tag;
}

static struct steer_counters counters(unsigned worker)
{
    struct steer_counters c;

    steer_get_counters(w.s, worker, &c);
    return c;
}

static void a_quiet_bucket_moves_at_once(void **state)
{
    (void)state;
    assert_int_equal(steer_bucket_worker(w.s, B), HOME);
    assert_true(steer_move(w.s, B, 2));
    assert_int_equal(steer_bucket_worker(w.s, B), HOME); /* not before its worker comes by */
    steer_moves(w.s, HOME);
    assert_int_equal(steer_bucket_worker(w.s, B), 2);
    assert_int_equal(w.side[HOME].detached, 1);
    assert_int_equal(w.side[HOME].to, 2);
    steer_moves(w.s, 2);
    assert_int_equal(w.side[2].attached, 1);
    assert_int_equal(counters(HOME).buckets_out, 1);
    assert_int_equal(counters(2).buckets_in, 1);
    assert_true(steer_move(w.s, B, 0)); /* over: it may move again */
}

static void refusals(void **state)
{
    (void)state;
    assert_false(steer_move(w.s, B, HOME));
    assert_false(steer_move(w.s, B, WORKERS));
    assert_false(steer_move(w.s, STEER_BUCKETS, 2));
    assert_true(steer_move(w.s, B, 2));
    assert_false(steer_move(w.s, B, 0)); /* is moving */
    assert_true(steer_leave_begin(w.s, 0));
    assert_false(steer_move(w.s, B + 3, 0));
    steer_leave(w.s, 0);
    assert_false(steer_move(w.s, B + 3, 0));
    steer_join(w.s, 0, NULL, NULL); /* has no operations */
    assert_false(steer_move(w.s, B + 3, 0));
}

static void frames_before_and_after_keep_their_order(void **state)
{
    (void)state;
    arrive(&w.flow, 1);
    assert_true(steer_move(w.s, B, 2));
    steer_moves(w.s, HOME);
    arrive(&w.flow, 2); /* the table leads to 2, where it is held back */
    assert_int_equal(take(2), -1);
    steer_moves(w.s, HOME); /* 1 still waits here */
    assert_int_equal(w.side[HOME].detached, 0);
    assert_true(
        steer_owns(w.s, HOME, &w.flow)); /* a connection that 1 makes would be detached with the rest */
    assert_int_equal(take(HOME), 1);
    steer_moves(w.s, HOME);
    assert_int_equal(w.side[HOME].detached, 1);
    assert_false(steer_owns(w.s, HOME, &w.flow));
    arrive(&w.flow, 3);
    assert_int_equal(take(2), -1);
    steer_moves(w.s, 2);
    arrive(&w.flow, 4);
    for (int tag = 2; tag <= 4; tag++)
        assert_int_equal(take(2), tag);
    assert_int_equal(counters(2).parked, 2);
}

static void a_distributor_inside_is_waited_for(void **state)
{
    (void)state;
    assert_true(steer_rx_enter(w.s, 0));
    assert_true(steer_move(w.s, B, 2));
    steer_moves(w.s, HOME);
    steer_moves(w.s, HOME);
    assert_int_equal(w.side[HOME].detached, 0);
    steer_rx_leave(w.s, 0);
    assert_true(steer_rx_enter(w.s, 0)); /* whoever is inside now knows the new table */
    steer_moves(w.s, HOME);
    assert_int_equal(w.side[HOME].detached, 1);
    steer_rx_leave(w.s, 0);
}

static void own_frames_are_held_back_too(void **state)
{
    struct pkt *p = kit_pkt(&w.live, &w.flow, TCP_ACK, 1);

    (void)state;
    assert_true(steer_move(w.s, B, 2));
    steer_moves(w.s, HOME);
    assert_true(steer_rx_enter(w.s, 0));
    assert_int_equal(steer_distribute(w.s, 0, 2, &p, 1), 0); /* worker 2 itself distributes */
    steer_moves(w.s, 2);
    p = kit_pkt(&w.live, &w.flow, TCP_ACK, 2);
    assert_int_equal(steer_distribute(w.s, 0, 2, &p, 1), 0); /* behind the one that is held */
    steer_rx_leave(w.s, 0);
    assert_int_equal(take(2), 1);
    assert_int_equal(take(2), 2);
}

static void holding_back_has_a_limit(void **state)
{
    (void)state;
    assert_true(steer_move(w.s, B, 2));
    steer_moves(w.s, HOME);
    for (unsigned i = 0; i < PARK + 5; i++)
        arrive(&w.flow, i);
    assert_int_equal(take(2), -1);
    assert_int_equal(counters(2).drop_park_full, 5);
    steer_moves(w.s, 2);
    for (unsigned i = 0; i < PARK; i++)
        assert_int_equal(take(2), i);
    assert_int_equal(take(2), -1);
}

/* Frames of a flow that stays: before, held back at the destination, after; one flow of the bucket goes. */
static void a_flow_that_stays_keeps_its_order(void **state)
{
    (void)state;
    w.side[HOME].pins = true;
    assert_true(steer_move(w.s, B, 2));
    assert_true(steer_rx_enter(w.s, 0)); /* a distributor takes its time */
    steer_moves(w.s, HOME);
    send(&w.stays, 0); /* seen by it: the new table */
    send(&w.flow, 100);
    steer_rx_leave(w.s, 0);
    assert_int_equal(take(2), -1);
    steer_moves(w.s, HOME); /* detached, pinned */
    assert_int_equal(w.side[HOME].detached, 1);
    arrive(&w.stays, 1); /* directly to 1, which holds it back */
    assert_int_equal(take(HOME), -1);
    steer_moves(w.s, 2); /* hands 0 on */
    arrive(&w.stays, 2);
    assert_int_equal(take(HOME), 0);
    assert_int_equal(take(HOME), -1);
    assert_int_equal(take(2), 100);
    steer_moves(w.s, 2);
    steer_moves(w.s, HOME);
    arrive(&w.stays, 3);
    for (int tag = 1; tag <= 3; tag++)
        assert_int_equal(take(HOME), tag);
    steer_moves(w.s, HOME);
    assert_int_equal(counters(2).buckets_in, 1);
    assert_true(steer_move(w.s, B, HOME)); /* and back again */
    steer_moves(w.s, 2);
    arrive(&w.stays, 4);
    assert_int_equal(take(HOME), -1); /* all of the bucket waits */
    steer_moves(w.s, HOME);
    assert_int_equal(take(HOME), 4);
}

/* A distributor that has looked for pins before they were made puts a frame into the destination's ring. */
static void late_frames_of_a_flow_that_stays_are_handed_on(void **state)
{
    (void)state;
    w.side[HOME].pins = true;
    assert_true(steer_move(w.s, B, 2));
    steer_moves(w.s, HOME); /* all at once, as nobody is inside */
    assert_int_equal(w.side[HOME].detached, 1);
    steer_unpin(w.s, &w.stays);
    assert_true(steer_rx_enter(w.s, 0));
    send(&w.stays, 0); /* as if it had not seen the pin yet */
    steer_pin(w.s, &w.stays, HOME);
    steer_moves(w.s, 2); /* attached; the distributor is still inside */
    send(&w.stays, 1);   /* sees it */
    assert_int_equal(take(HOME), -1);
    assert_int_equal(take(2), -1); /* 0 goes on to 1 */
    steer_rx_leave(w.s, 0);
    assert_int_equal(take(HOME), 0);
    assert_int_equal(take(HOME), -1);
    steer_moves(w.s, 2);
    steer_moves(w.s, HOME);
    assert_int_equal(take(HOME), 1);
}

static void flows_pinned_elsewhere_are_not_touched(void **state)
{
    (void)state;
    steer_pin(w.s, &w.stays, 0);
    assert_true(steer_move(w.s, B, 2));
    steer_moves(w.s, HOME);
    arrive(&w.stays, 1);
    assert_int_equal(take(0), 1);
    steer_moves(w.s, 2);
    arrive(&w.stays, 2);
    assert_int_equal(take(0), 2);
}

/* While a bucket leaves a worker, that one still opens connections in it, but not those that others have. */
static void a_flow_that_another_worker_has_is_not_opened_on_the_way_out(void **state)
{
    (void)state;
    for (unsigned other = 0; other < WORKERS; other += 2) { /* a third one, and the destination */
        assert_int_equal(steer_pin(w.s, &w.stays, other), ST_OK);
        assert_true(steer_rx_enter(w.s, 0));
        assert_true(steer_move(w.s, B, 2));
        steer_moves(w.s, HOME);
        assert_true(steer_owns(w.s, HOME, &w.flow));
        assert_false(steer_owns(w.s, HOME, &w.stays));
        steer_rx_leave(w.s, 0);
        steer_moves(w.s, HOME);
        steer_moves(w.s, 2);
        assert_true(steer_move(w.s, B, HOME));
        steer_moves(w.s, 2);
        steer_moves(w.s, HOME);
        assert_int_equal(steer_bucket_worker(w.s, B), HOME);
        steer_unpin(w.s, &w.stays);
    }
}

static void several_requests_go_together(void **state)
{
    (void)state;
    assert_true(steer_move(w.s, B, 2));
    assert_true(steer_move(w.s, B + 3, 0)); /* same home, other destination */
    assert_true(steer_move(w.s, B + 6, 2));
    steer_moves(w.s, HOME);
    assert_int_equal(steer_bucket_worker(w.s, B + 6), 2);
    assert_int_equal(steer_bucket_worker(w.s, B + 3), HOME);
    steer_moves(w.s, 2);
    assert_int_equal(counters(2).buckets_in, 2);
}

/* ---- workers that go in the middle ---- */

/* Nobody but the old worker gets the bucket's frames, and that one in their order. */
static void destination_goes_before_the_connections_come(void **state)
{
    (void)state;
    assert_true(steer_rx_enter(w.s, 0));
    assert_true(steer_move(w.s, B, 2));
    steer_moves(w.s, HOME);
    send(&w.flow, 1);
    assert_int_equal(take(2), -1); /* held back */
    send(&w.flow, 2);              /* waits in its ring */
    assert_true(steer_leave_begin(w.s, 2));
    assert_int_equal(take(2), -1); /* handed on */
    send(&w.flow, 3);
    assert_int_equal(take(HOME), -1);
    steer_leave(w.s, 2);
    send(&w.flow, 4);
    steer_rx_leave(w.s, 0);
    assert_int_equal(take(0), -1); /* which stands in for 2 */
    assert_int_equal(take(HOME), -1);
    steer_moves(w.s, HOME);
    for (int tag = 1; tag <= 4; tag++)
        assert_int_equal(take(HOME), tag);
    assert_int_equal(w.side[HOME].detached, 0);
    assert_int_equal(steer_bucket_worker(w.s, B), HOME);
    steer_moves(w.s, HOME);
    steer_join(w.s, 2, &ops, &w.side[2]);
    assert_true(steer_move(w.s, B, 2));
}

static void destination_goes_with_cargo_on_the_way(void **state)
{
    (void)state;
    assert_true(steer_move(w.s, B, 2));
    steer_moves(w.s, HOME);
    arrive(&w.flow, 1);
    assert_int_equal(take(2), -1);
    steer_leave(w.s, 2);
    arrive(&w.flow, 2);
    assert_int_equal(take(0), -1); /* which stands in for 2 */
    assert_int_equal(take(HOME), -1);
    steer_moves(w.s, HOME);
    assert_int_equal(w.side[2].attached, 0);
    assert_int_equal(w.side[HOME].attached, 1);
    assert_int_equal(take(HOME), 1);
    assert_int_equal(take(HOME), 2);
    steer_moves(w.s, HOME);
    assert_int_equal(counters(HOME).buckets_out, 0);
    assert_true(steer_move(w.s, B, 0));
}

/* The source has not noticed that the destination was away. */
static void destination_goes_and_comes_back(void **state)
{
    (void)state;
    assert_true(steer_rx_enter(w.s, 0));
    assert_true(steer_move(w.s, B, 2));
    steer_moves(w.s, HOME);
    send(&w.flow, 1);
    steer_leave(w.s, 2);
    steer_join(w.s, 2, &ops, &w.side[2]);
    send(&w.flow, 2);
    steer_rx_leave(w.s, 0);
    assert_false(steer_move(w.s, B, 2)); /* the first time is not over */
    steer_moves(w.s, HOME);
    assert_int_equal(w.side[HOME].detached, 0);
    assert_int_equal(take(2), -1);
    assert_int_equal(take(HOME), 1);
    assert_int_equal(take(HOME), 2);
    steer_moves(w.s, HOME);
    assert_true(steer_move(w.s, B, 2));
}

static void destination_goes_while_flows_stay(void **state)
{
    (void)state;
    w.side[HOME].pins = true;
    assert_true(steer_move(w.s, B, 2));
    steer_moves(w.s, HOME);
    arrive(&w.stays, 1);
    assert_int_equal(take(HOME), -1);
    assert_true(steer_leave_begin(w.s, 2));
    assert_int_equal(take(HOME), -1);
    steer_moves(w.s, HOME);
    assert_int_equal(w.side[HOME].attached, 1);
    assert_int_equal(take(HOME), 1);
}

/* Connections that nobody else takes end with their worker. */
static void both_go(void **state)
{
    (void)state;
    assert_true(steer_move(w.s, B, 2));
    steer_moves(w.s, HOME);
    assert_true(steer_leave_begin(w.s, 2));
    assert_false(steer_leave_begin(w.s, HOME)); /* it has to take its own back */
    steer_leave(w.s, HOME);
    assert_int_equal(w.side[HOME].attached, 1);
    steer_leave(w.s, 2);
    assert_int_equal(w.side[2].attached, 0);
}

static void source_goes_in_the_middle(void **state)
{
    (void)state;
    assert_true(steer_rx_enter(w.s, 0));
    assert_true(steer_move(w.s, B, 2));
    steer_moves(w.s, HOME);
    send(&w.flow, 1);
    steer_rx_leave(w.s, 0);
    steer_leave(w.s, HOME);
    assert_int_equal(take(2), -1);
    steer_moves(w.s, 2);
    assert_int_equal(w.side[2].attached, 0); /* there was nothing to attach */
    assert_int_equal(take(2), 1);
    steer_moves(w.s, 2);
    assert_true(steer_leave_begin(w.s, 2));
    steer_join(w.s, HOME, &ops, &w.side[HOME]);
}

static void source_goes_while_flows_stay(void **state)
{
    (void)state;
    w.side[HOME].pins = true;
    assert_true(steer_move(w.s, B, 2));
    steer_moves(w.s, HOME);
    arrive(&w.stays, 1);
    assert_int_equal(take(HOME), -1);
    steer_leave(w.s, HOME);
    steer_moves(w.s, 2);
    arrive(&w.stays, 2); /* the pin leads nowhere */
    assert_int_equal(take(2), 1);
    assert_int_equal(take(2), 2);
    steer_moves(w.s, 2);
    assert_true(steer_leave_begin(w.s, 2));
    steer_join(w.s, HOME, &ops, &w.side[HOME]);
}

/* ---- the balancer on top ---- */

static void a_skew_is_moved_away(void **state)
{
    unsigned asked = 0;

    (void)state;
    for (uint64_t look = 1; look <= 6; look++) {
        for (unsigned n = 0; n < 600; n++) {
            struct steer_flow f = w.flow;

            f.peer_port = (uint16_t)(20000 + n);
            if (n % 5 && hash_of(&f) % STEER_BUCKETS % WORKERS != 0)
                continue; /* most are of worker 0's first buckets */
            arrive(&f, 0);
        }
        for (unsigned i = 0; i < WORKERS; i++)
            while (take(i) >= 0) {
            }
        asked += steer_balance(w.s, look * STEER_BALANCE_US);
        assert_int_equal(steer_balance(w.s, look * STEER_BALANCE_US + 1), 0); /* too early */
        for (unsigned i = 0; i < WORKERS; i++)
            steer_moves(w.s, i);
    }
    assert_true(asked > 10);
    assert_true(counters(0).buckets < counters(1).buckets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_quiet_bucket_moves_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(frames_before_and_after_keep_their_order, setup, teardown),
        cmocka_unit_test_setup_teardown(a_distributor_inside_is_waited_for, setup, teardown),
        cmocka_unit_test_setup_teardown(own_frames_are_held_back_too, setup, teardown),
        cmocka_unit_test_setup_teardown(holding_back_has_a_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(a_flow_that_stays_keeps_its_order, setup, teardown),
        cmocka_unit_test_setup_teardown(late_frames_of_a_flow_that_stays_are_handed_on, setup, teardown),
        cmocka_unit_test_setup_teardown(flows_pinned_elsewhere_are_not_touched, setup, teardown),
        cmocka_unit_test_setup_teardown(a_flow_that_another_worker_has_is_not_opened_on_the_way_out, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(several_requests_go_together, setup, teardown),
        cmocka_unit_test_setup_teardown(destination_goes_before_the_connections_come, setup, teardown),
        cmocka_unit_test_setup_teardown(destination_goes_with_cargo_on_the_way, setup, teardown),
        cmocka_unit_test_setup_teardown(destination_goes_and_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(destination_goes_while_flows_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(both_go, setup, teardown),
        cmocka_unit_test_setup_teardown(source_goes_in_the_middle, setup, teardown),
        cmocka_unit_test_setup_teardown(source_goes_while_flows_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(a_skew_is_moved_away, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
