/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Distribution step by step in one thread: who gets a frame, in which order, what a full ring does, pins,
 * ports, workers that come and go. Moves have move_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "steer/flow_hash.h"
#include "steer/steer_testkit.h"

#define LOCAL 0x0a000001u
#define PEER 0x0a000002u
#define MANY 1000u

struct fixture {
    struct steer *s;
    atomic_int live;
};

static struct fixture fixture;

static struct steer *open_design(enum steer_design design, unsigned workers, unsigned ring)
{
    const struct steer_params params = {design, workers, 3, ring, 64, 32768, 60999, {0}};

    atomic_store(&fixture.live, 0);
    assert_int_equal(steer_create(&params, &fixture.s), ST_OK);
    for (unsigned w = 0; w < workers; w++)
        steer_join(fixture.s, w, NULL, NULL);
    return fixture.s;
}

/* Everything must have been freed. */
static void close_all(unsigned workers)
{
    for (unsigned w = 0; w < workers; w++)
        steer_leave(fixture.s, w);
    steer_destroy(fixture.s);
    assert_int_equal(atomic_load(&fixture.live), 0);
}

static struct steer_flow tcp_flow(uint16_t peer_port)
{
    return (struct steer_flow){IP_PROTO_TCP, LOCAL, PEER, 80, peer_port};
}

static unsigned bucket_of(const struct steer_flow *f)
{
    return flow_hash_ipv4(f->local, f->peer, f->local_port, f->peer_port) % STEER_BUCKETS;
}

/* A flow whose bucket is the worker's, the n-th of them. */
static struct steer_flow flow_of(unsigned worker, unsigned n)
{
    for (uint16_t port = 1024;; port++) {
        struct steer_flow f = tcp_flow(port);

        if (steer_bucket_worker(fixture.s, bucket_of(&f)) == worker && n-- == 0)
            return f;
    }
}

static struct pkt *frame(const struct steer_flow *f, uint8_t flags, uint64_t tag)
{
    return kit_pkt(&fixture.live, f, flags, tag);
}

/* Distributes one frame by `self`; true when it stayed. */
static bool send_one(unsigned queue, unsigned self, const struct steer_flow *f, uint8_t flags, uint64_t tag)
{
    struct pkt *p = frame(f, flags, tag);
    unsigned kept;

    assert_true(steer_rx_enter(fixture.s, queue));
    kept = steer_distribute(fixture.s, queue, self, &p, 1);
    steer_rx_leave(fixture.s, queue);
    if (kept)
        pkt_free(p);
    return kept;
}

/* Takes one frame; its tag, or -1. */
static int64_t take_one(unsigned worker)
{
    struct pkt *p;
    int64_t tag;

    if (steer_take(fixture.s, worker, &p, 1) == 0)
        return -1;
    tag = (int64_t)kit_tag(p);
    pkt_free(p);
    return tag;
}

static void parameters_are_checked(void **state)
{
    struct steer_params p = {STEER_SHARED, 65, 1, 8, 8, 32768, 60999, {0}};
    struct steer *s = NULL;

    (void)state;
    assert_int_equal(steer_create(&p, &s), ST_INVALID);
    p.num_workers = 0;
    assert_int_equal(steer_create(&p, &s), ST_INVALID);
    p.num_workers = 1;
    p.num_queues = 65;
    assert_int_equal(steer_create(&p, &s), ST_INVALID);
    p.num_queues = 64;
    p.num_workers = 64;
    assert_int_equal(steer_create(&p, &s), ST_OK);
    assert_int_equal(steer_design_of(s), STEER_SHARED);
    steer_destroy(s);
}

static void one_at_a_time_in_a_queue(void **state)
{
    struct steer *s = open_design(STEER_SHARED, 2, 8);

    (void)state;
    assert_true(steer_rx_enter(s, 0));
    assert_false(steer_rx_enter(s, 0));
    assert_true(steer_rx_enter(s, 1));
    steer_rx_leave(s, 0);
    assert_true(steer_rx_enter(s, 0));
    steer_rx_leave(s, 0);
    steer_rx_leave(s, 1);
    close_all(2);
}

static void every_flow_has_one_worker_and_all_get_their_part(void **state)
{
    struct steer *s = open_design(STEER_1KB, 3, 1024);
    unsigned share[3] = {0};

    (void)state;
    for (uint16_t i = 0; i < MANY; i++) {
        struct steer_flow f = tcp_flow((uint16_t)(20000 + i));
        unsigned w = steer_target(s, &f, false);

        assert_false(send_one(i % 2, STEER_NOBODY, &f, TCP_ACK, i));
        assert_int_equal(w, bucket_of(&f) % 3);
        assert_int_equal(take_one(w), i);
        assert_true(steer_owns(s, w, &f));
        assert_false(steer_owns(s, (w + 1) % 3, &f));
        share[w]++;
    }
    for (unsigned w = 0; w < 3; w++)
        assert_in_range(share[w], 300, 367); /* within 10 % of even */
    close_all(3);
}

static void own_frames_stay_in_front_in_order(void **state)
{
    struct steer *s = open_design(STEER_SHARED, 2, 64);
    struct steer_flow own = flow_of(0, 0), other = flow_of(1, 0);
    struct pkt *p[40];

    (void)state;
    for (unsigned i = 0; i < 40; i++)
        p[i] = frame(i % 3 == 0 ? &own : &other, TCP_ACK, i);
    assert_true(steer_rx_enter(s, 0));
    assert_int_equal(steer_distribute(s, 0, 0, p, 40), 14);
    steer_rx_leave(s, 0);
    for (unsigned i = 0; i < 14; i++) {
        assert_int_equal(kit_tag(p[i]), i * 3);
        assert_int_equal(p[i]->hash % STEER_BUCKETS, bucket_of(&own));
        pkt_free(p[i]);
    }
    assert_int_equal(steer_waiting(s, 1), 26);
    for (unsigned i = 0; i < 40; i++)
        if (i % 3)
            assert_int_equal(take_one(1), i);
    assert_int_equal(take_one(1), -1);
    close_all(2);
}

static void own_frames_go_behind_those_that_wait(void **state)
{
    struct steer_flow f;

    (void)state;
    open_design(STEER_SHARED, 2, 64);
    f = flow_of(0, 0);
    assert_false(send_one(0, 1, &f, TCP_ACK, 1)); /* worker 1 distributes for worker 0 */
    assert_false(send_one(0, 0, &f, TCP_ACK, 2)); /* then worker 0 itself */
    assert_int_equal(take_one(0), 1);
    assert_false(send_one(0, 0, &f, TCP_ACK, 3)); /* 2 still waits */
    assert_int_equal(take_one(0), 2);
    assert_int_equal(take_one(0), 3);
    assert_true(send_one(0, 0, &f, TCP_ACK, 4));
    close_all(2);
}

static void a_full_ring_drops_and_counts(void **state)
{
    struct steer *s = open_design(STEER_1KB, 2, 8);
    struct steer_flow f = flow_of(1, 0), g = flow_of(0, 0);
    struct steer_counters c;

    (void)state;
    for (unsigned i = 0; i < 20; i++)
        send_one(0, STEER_NOBODY, &f, TCP_ACK, i);
    send_one(0, STEER_NOBODY, &g, TCP_ACK, 100); /* nobody else suffers */
    assert_int_equal(take_one(0), 100);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(take_one(1), i);
    assert_int_equal(take_one(1), -1);
    steer_get_counters(s, 1, &c);
    assert_int_equal(c.frames, 8);
    assert_int_equal(c.drop_ring_full, 12);
    assert_int_equal(c.ring_most, 8);
    assert_int_equal(c.buckets, 256);
    close_all(2);
}

static void what_has_no_flow_is_whoevers(void **state)
{
    struct steer *s = open_design(STEER_SHARED, 3, 8);
    struct steer_flow f = flow_of(1, 0);
    struct pkt *p = frame(&f, 0, 0);

    (void)state;
    put_be16(p->data + 12, 0x0806);
    assert_true(steer_rx_enter(s, 0));
    assert_int_equal(steer_distribute(s, 0, 2, &p, 1), 1);
    assert_int_equal(steer_distribute(s, 0, STEER_NOBODY, &p, 1), 0);
    steer_rx_leave(s, 0);
    assert_int_equal(take_one(0), 0);
    close_all(3);
}

static void pinned_flows_go_where_they_are_pinned(void **state)
{
    struct steer *s = open_design(STEER_1KB, 3, 8);
    struct steer_flow f = flow_of(0, 0), same_bucket = f;

    (void)state;
    same_bucket.local ^= 0x00010001; /* the XOR of the words stays */
    assert_int_equal(bucket_of(&f), bucket_of(&same_bucket));
    assert_int_equal(steer_pin(s, &f, 2), ST_OK);
    send_one(0, STEER_NOBODY, &f, TCP_ACK, 1);
    send_one(0, STEER_NOBODY, &same_bucket, TCP_ACK, 2);
    assert_int_equal(take_one(2), 1);
    assert_int_equal(take_one(0), 2);
    assert_int_equal(steer_target(s, &f, false), 2);
    assert_int_equal(steer_pin(s, &f, 1), ST_ADDRESS_IN_USE); /* the first one counts */
    assert_int_equal(steer_pin(s, &f, 2), ST_OK);
    assert_int_equal(steer_target(s, &f, true), 2);
    steer_unpin(s, &f);
    steer_unpin(s, &f);
    assert_int_equal(steer_target(s, &f, false), 0);
    close_all(3);
}

static void many_pins_in_one_bucket(void **state)
{
    struct steer *s = open_design(STEER_1KB, 4, 8);
    struct steer_flow f = flow_of(0, 0);

    (void)state;
    for (uint32_t i = 0; i < 2000; i++) {
        struct steer_flow g = f;

        g.local ^= i * 0x10001;
        assert_int_equal(bucket_of(&g), bucket_of(&f));
        assert_int_equal(steer_pin(s, &g, 1 + i % 3), ST_OK);
    }
    for (uint32_t i = 0; i < 2000; i++) {
        struct steer_flow g = f;

        g.local ^= i * 0x10001;
        assert_int_equal(steer_target(s, &g, false), 1 + i % 3);
        if (i % 2)
            steer_unpin(s, &g);
        assert_int_equal(steer_target(s, &g, false), i % 2 ? 0 : 1 + i % 3);
    }
    close_all(4);
}

static void openings_and_datagrams_go_to_holders_of_the_port(void **state)
{
    struct steer *s = open_design(STEER_1KB, 4, 8);
    struct steer_flow f = flow_of(0, 0), u = f;
    unsigned u_home;

    (void)state;
    u.proto = IP_PROTO_UDP;
    u_home = steer_target(s, &u, true);
    assert_int_equal(steer_target(s, &f, true), 0); /* nobody holds it: the bucket's */
    steer_port_hold(s, IP_PROTO_TCP, 80, 2);
    assert_int_equal(steer_target(s, &f, true), 2);
    assert_int_equal(steer_target(s, &f, false), 0); /* not an opening */
    assert_int_equal(steer_target(s, &u, true), u_home);
    send_one(0, STEER_NOBODY, &f, TCP_SYN, 7);
    assert_int_equal(take_one(2), 7);
    steer_port_hold(s, IP_PROTO_TCP, 80, 0); /* the bucket's worker comes first */
    assert_int_equal(steer_target(s, &f, true), 0);
    assert_int_equal(steer_port_holders(s, IP_PROTO_TCP, 80), 5);
    steer_port_hold(s, IP_PROTO_TCP, 80, 0); /* counted */
    steer_port_release(s, IP_PROTO_TCP, 80, 0);
    assert_int_equal(steer_target(s, &f, true), 0);
    steer_port_release(s, IP_PROTO_TCP, 80, 0);
    steer_port_release(s, IP_PROTO_TCP, 80, 0); /* once too often */
    assert_int_equal(steer_target(s, &f, true), 2);
    steer_port_hold(s, IP_PROTO_UDP, 80, 3);
    assert_int_equal(steer_target(s, &u, false), 3);
    send_one(1, STEER_NOBODY, &u, 0, 8);
    assert_int_equal(take_one(3), 8);
    steer_port_hold(s, IP_PROTO_ICMP, 80, 3); /* no ports: nothing */
    assert_int_equal(steer_port_holders(s, IP_PROTO_ICMP, 80), 0);
    close_all(4);
}

static void several_holders_share_out_by_bucket(void **state)
{
    struct steer *s = open_design(STEER_1KB, 4, 8);
    unsigned share[4] = {0};

    (void)state;
    steer_port_hold(s, IP_PROTO_TCP, 80, 1);
    steer_port_hold(s, IP_PROTO_TCP, 80, 3);
    for (uint16_t i = 0; i < MANY; i++) {
        struct steer_flow f = tcp_flow((uint16_t)(20000 + i));

        share[steer_target(s, &f, true)]++;
    }
    assert_int_equal(share[0] + share[2], 0);
    assert_in_range(share[1], 400, 600);
    close_all(4);
}

static void fragments_meet_at_one_worker(void **state)
{
    struct steer_flow f;
    struct pkt *p[3];
    unsigned kept[2] = {0};

    (void)state;
    open_design(STEER_SHARED, 2, 64);
    for (uint16_t port = 1000; port < 1032; port++) {
        f = tcp_flow(port);
        for (unsigned i = 0; i < 3; i++) {
            p[i] = frame(&f, TCP_SYN, 0);
            put_be16(p[i]->data + 20, (uint16_t)(i < 2 ? 0x2000 + i * 3 : 6));
        }
        assert_true(steer_rx_enter(fixture.s, 0));
        kept[0] += steer_distribute(fixture.s, 0, STEER_NOBODY, p, 3);
        steer_rx_leave(fixture.s, 0);
        while (take_one(flow_hash_ipv4(LOCAL, PEER, 0, 0) % 2) >= 0)
            kept[1]++;
    }
    assert_int_equal(kept[0], 0);
    assert_int_equal(kept[1], 96);
    close_all(2);
}

static void a_given_frame_arrives_or_goes_on(void **state)
{
    struct steer *s = open_design(STEER_SHARED, 3, 4);
    struct steer_flow f = flow_of(1, 0);

    (void)state;
    assert_true(steer_give(s, 0, 1, frame(&f, TCP_ACK, 5)));
    assert_int_equal(take_one(1), 5);
    assert_true(steer_give(s, 0, 2, frame(&f, TCP_ACK, 6))); /* not worker 2's */
    assert_int_equal(take_one(2), -1);
    assert_int_equal(take_one(1), 6);
    for (unsigned i = 0; i < 4; i++)
        assert_true(steer_give(s, 0, 1, frame(&f, TCP_ACK, i)));
    assert_false(steer_give(s, 0, 1, frame(&f, TCP_ACK, 9)));
    close_all(3);
}

static void somebody_stands_in_for_who_is_not_there(void **state)
{
    const struct steer_params params = {STEER_1KB, 4, 1, 64, 64, 32768, 60999, {0}};
    struct steer_flow f, g;

    (void)state;
    atomic_store(&fixture.live, 0);
    assert_int_equal(steer_create(&params, &fixture.s), ST_OK);
    f = flow_of(2, 0);
    g = flow_of(2, 1);
    assert_int_equal(steer_target(fixture.s, &f, false), STEER_NOBODY);
    send_one(0, STEER_NOBODY, &f, TCP_ACK, 0);
    assert_int_equal(steer_dropped_absent(fixture.s), 1);
    steer_join(fixture.s, 0, NULL, NULL);
    steer_join(fixture.s, 1, NULL, NULL);
    assert_int_equal(steer_target(fixture.s, &f, false), 0); /* 2 -> 3 -> 0 */
    assert_false(steer_owns(fixture.s, 0, &f));
    steer_pin(fixture.s, &f, 0); /* as for a connection made meanwhile */
    steer_join(fixture.s, 2, NULL, NULL);
    assert_int_equal(steer_target(fixture.s, &f, false), 0);
    assert_int_equal(steer_target(fixture.s, &g, false), 2);
    assert_false(steer_owns(fixture.s, 2, &f)); /* 0 has it: 2 must not open the same connection */
    assert_true(steer_owns(fixture.s, 2, &g));
    send_one(0, STEER_NOBODY, &g, TCP_ACK, 7); /* goes on to 0 when 2 leaves */
    steer_unpin(fixture.s, &f);
    steer_pin(fixture.s, &f, 2);
    steer_port_hold(fixture.s, IP_PROTO_TCP, 80, 2);
    steer_leave(fixture.s, 2);
    assert_int_equal(take_one(0), 7);
    assert_int_equal(steer_target(fixture.s, &g, true), 0);
    assert_int_equal(steer_target(fixture.s, &f, false), 0); /* a pin to who has left counts no more */
    assert_int_equal(steer_port_holders(fixture.s, IP_PROTO_TCP, 80), 0);
    steer_leave(fixture.s, 0);
    steer_leave(fixture.s, 1);
    steer_destroy(fixture.s);
    assert_int_equal(atomic_load(&fixture.live), 0);
}

/* A connection is opened once, although its first segments came to the worker that stood in and, again, to
 * the one that has come meanwhile. */
static void opening_segments_that_others_still_have(void **state)
{
    const struct steer_params params = {STEER_SHARED, 3, 1, 64, 64, 32768, 60999, {0}};
    struct steer_flow f, g;
    struct steer *s;

    (void)state;
    atomic_store(&fixture.live, 0);
    assert_int_equal(steer_create(&params, &fixture.s), ST_OK);
    s = fixture.s;
    for (unsigned w = 0; w < 2; w++) {
        steer_join(s, w, NULL, NULL);
        steer_port_hold(s, IP_PROTO_TCP, 80, w);
    }
    f = flow_of(2, 0);
    g = flow_of(2, 1);
    send_one(0, STEER_NOBODY, &f, TCP_SYN, 1); /* to 0, which stands in for 2 */
    steer_join(s, 2, NULL, NULL);
    steer_port_hold(s, IP_PROTO_TCP, 80, 2);
    send_one(0, STEER_NOBODY, &f, TCP_SYN, 2);
    steer_moves(s, 2);
    assert_int_equal(take_one(2), 2);
    assert_false(steer_owns(s, 2, &f)); /* the first one may be anywhere */
    assert_int_equal(take_one(0), 1);
    steer_moves(s, 2);
    assert_false(steer_owns(s, 2, &g)); /* taken, but what has become of it? */
    assert_int_equal(steer_pin(s, &f, 0), ST_OK);
    assert_int_equal(steer_pin(s, &f, 2), ST_ADDRESS_IN_USE);
    steer_moves(s, 0);
    steer_moves(s, 2);
    assert_false(steer_owns(s, 2, &f));
    assert_true(steer_owns(s, 2, &g));
    close_all(3);
}

/* ---- the device distributes ---- */

static void direct_keeps_what_the_device_gave(void **state)
{
    struct steer_flow f = tcp_flow(1024);

    (void)state;
    open_design(STEER_DIRECT, 2, 8);
    for (uint16_t port = 1024; port < 1100; port++) {
        f = tcp_flow(port);
        assert_true(send_one(0, 0, &f, TCP_ACK, 1));
        assert_true(send_one(1, 1, &f, TCP_SYN, 1));
    }
    assert_int_equal(steer_target(fixture.s, &f, false), STEER_NOBODY);
    assert_int_equal(steer_target(fixture.s, &f, true), STEER_NOBODY);
    assert_false(steer_move(fixture.s, 0, 1));
    close_all(2);
}

static void direct_ephemeral_ports_have_their_worker(void **state)
{
    struct steer *s = open_design(STEER_DIRECT, 2, 8);
    struct steer_flow low = {IP_PROTO_TCP, LOCAL, PEER, 32768, 80},
                      high = {IP_PROTO_TCP, LOCAL, PEER, 60999, 80};

    (void)state;
    assert_false(send_one(1, 1, &low, TCP_ACK | TCP_SYN, 3));
    assert_int_equal(take_one(0), 3);
    assert_true(send_one(1, 1, &high, TCP_ACK, 3));
    assert_int_equal(steer_target(s, &high, false), 1);
    assert_true(steer_owns(s, 0, &low));
    assert_false(steer_owns(s, 0, &high));
    close_all(2);
}

static void direct_ports_held_by_some(void **state)
{
    struct steer *s = open_design(STEER_DIRECT, 3, 8);
    struct steer_flow f = tcp_flow(1024);

    (void)state;
    steer_port_hold(s, IP_PROTO_TCP, 80, 0);
    assert_false(send_one(2, 2, &f, TCP_SYN, 1));
    assert_int_equal(take_one(0), 1);
    assert_false(steer_owns(s, 0, &f)); /* so it is pinned, and what follows comes, too */
    steer_pin(s, &f, 0);
    assert_false(send_one(2, 2, &f, TCP_ACK, 2));
    assert_int_equal(take_one(0), 2);
    assert_int_equal(steer_target(s, &f, false), 0);
    steer_unpin(s, &f);
    steer_port_hold(s, IP_PROTO_TCP, 80, 1);
    steer_port_hold(s, IP_PROTO_TCP, 80, 2);
    assert_true(send_one(2, 2, &f, TCP_SYN, 3));
    assert_false(steer_owns(s, 2, &f)); /* 0 may still have an earlier one in its hands */
    steer_moves(s, 0);
    steer_moves(s, 2);
    assert_true(steer_owns(s, 2, &f));
    assert_int_equal(steer_target(s, &f, true), STEER_NOBODY);
    close_all(3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_checked),
        cmocka_unit_test(one_at_a_time_in_a_queue),
        cmocka_unit_test(every_flow_has_one_worker_and_all_get_their_part),
        cmocka_unit_test(own_frames_stay_in_front_in_order),
        cmocka_unit_test(own_frames_go_behind_those_that_wait),
        cmocka_unit_test(a_full_ring_drops_and_counts),
        cmocka_unit_test(what_has_no_flow_is_whoevers),
        cmocka_unit_test(pinned_flows_go_where_they_are_pinned),
        cmocka_unit_test(many_pins_in_one_bucket),
        cmocka_unit_test(openings_and_datagrams_go_to_holders_of_the_port),
        cmocka_unit_test(several_holders_share_out_by_bucket),
        cmocka_unit_test(fragments_meet_at_one_worker),
        cmocka_unit_test(a_given_frame_arrives_or_goes_on),
        cmocka_unit_test(somebody_stands_in_for_who_is_not_there),
        cmocka_unit_test(opening_segments_that_others_still_have),
        cmocka_unit_test(direct_keeps_what_the_device_gave),
        cmocka_unit_test(direct_ephemeral_ports_have_their_worker),
        cmocka_unit_test(direct_ports_held_by_some),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
