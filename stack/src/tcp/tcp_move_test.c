/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Connections that move to another TCP: who goes and who stays, what becomes of users, memory and pins. That
 * traces do not differ is tested by the other files of this folder, linked with always_move.c. */
#include "testing/tcp_move_kit.h"

/** Everything that a connection can carry comes along, and deadlines stay. */
TRACE(test_open_with_everything)
{
    struct host *h = conn_established(NULL);
    struct pair p = pair_of(h);
    struct tcp_conn *old = h->conn;

    host_write(h, 2 * 1460 + 100);
    OUT(h, ACK, .seq = 1, .len = 1460);
    OUT(h, ACK, .seq = 1461, .len = 1460);
    OUT(h, ACK, .seq = 2921, .len = 100);
    IN(h, ACK, .seq = 1, .ack = 1461, .len = 300);   /* unread, part of ours acknowledged */
    IN(h, ACK, .seq = 501, .ack = 1461, .len = 100); /* out of order */
    OUT(h, ACK, .ack = 301);
    WAIT_MS(h, 100);
    host_shutdown(h);
    OUT(h, FIN | ACK, .seq = 3021, .ack = 301);
    assert_int_equal(move(&p), 1);
    assert_int_equal(p.let_go, 1);
    assert_int_equal(tcp_num_conns(p.other), 0);
    assert_int_equal(tcp_num_conns(h->tcp), 1);
    assert_true(tcp_listener_acceptable(h->listener));
    host_accept(h);
    assert_ptr_not_equal(h->conn, old);
    assert_ptr_equal(tcp_conn_luggage(h->conn).data, &p);
    assert_int_equal(tcp_conn_luggage(h->conn).bits, 7);
    STATE(h, "FIN_WAIT_1");
    NO_OUT(h);
    assert_int_equal(host_read(h, 1000), 300);
    IN(h, ACK, .seq = 301, .ack = 1461, .len = 200); /* the gap closes */
    OUT(h, ACK, .seq = 3022, .ack = 601);
    assert_int_equal(host_read(h, 1000), 300);
    WAIT_US(h, h->conn->main.deadline_us - h->now_us);
    assert_int_equal(host_info(h).retransmits, 1);
    COUNTED(h, tx_timeouts, 1);
    OUT(h, ACK, .seq = 1461, .len = 1460, .ack = 601);
    IN(h, FIN | ACK, .seq = 601, .ack = 3022);
    OUT(h, ACK, .seq = 3022, .ack = 602);
    COUNTED(h, moved_in, 1);
    STATE(h, "TIME_WAIT");
    done(&p);
}

/** A connection whose user agrees does not go where nobody listens; it is pinned until it ends. */
TRACE(test_stays_without_listener)
{
    struct host *h = conn_established(NULL);
    struct pair p = pair_of(h);

    p.not_listening = true;
    assert_int_equal(move(&p), 0);
    assert_int_equal(p.let_go, 0);
    assert_int_equal(pins, 1);
    COUNTED(h, move_pinned, 1);
    IN(h, ACK, .seq = 1, .ack = 1, .len = 10);
    assert_int_equal(host_read(h, 10), 10);
    host_discard(h);
    assert_int_equal(move(&p), 0);
    assert_int_equal(pins, 1);
    assert_int_equal(unpins, 0);
    host_abort(h);
    assert_int_equal(unpins, 1);
    host_discard(h);
    done(&p);
}

/** The flow comes back to this worker and moves once more. */
TRACE(test_pinned_goes_another_time)
{
    struct host *h = conn_established(NULL);
    struct pair p = pair_of(h);

    p.not_let = true;
    assert_int_equal(move(&p), 0);
    p.not_let = false;
    assert_int_equal(move(&p), 1);
    assert_int_equal(unpins, 1);
    host_accept(h);
    host_abort(h);
    assert_int_equal(unpins, 1);
    host_discard(h);
    done(&p);
}

TRACE(test_stays_when_user_wants)
{
    struct host *h = conn_established(NULL);
    struct pair p = pair_of(h);

    p.not_let = true;
    assert_int_equal(move(&p), 0);
    assert_int_equal(pins, 1);
    IN(h, RST, .seq = 1);
    EVENTS(h, TCP_EV_ERROR);
    assert_int_equal(unpins, 1);
    done(&p);
}

TRACE(test_unwanted_is_left_alone)
{
    struct host *h = conn_established(NULL);
    struct pair p = pair_of(h);

    p.not_wanted = true;
    assert_int_equal(move(&p), 0);
    assert_int_equal(p.asked, 1);
    assert_int_equal(pins, 0);
    done(&p);
}

TRACE(test_failed_pin_is_counted)
{
    struct host *h = conn_established(NULL);
    struct pair p = pair_of(h);

    p.not_let = pin_fails = true;
    assert_int_equal(move(&p), 0);
    COUNTED(h, move_pin_failed, 1);
    COUNTED(h, move_pinned, 0);
    done(&p);
}

TRACE(test_opening_stays)
{
    struct host *h = conn_syn_sent(&(struct host_opts){.port = HOST_PORT});
    struct pair p = pair_of(h);

    assert_int_equal(move(&p), 0);
    assert_int_equal(p.let_go, 0);
    assert_int_equal(pins, 1);
    done(&p);
}

TRACE(test_time_wait_of_user_stays)
{
    struct host *h = conn_time_wait(NULL);
    struct pair p = pair_of(h);

    assert_int_equal(move(&p), 0);
    assert_int_equal(pins, 1);
    done(&p);
}

TRACE(test_time_wait_moves)
{
    struct host *h = conn_time_wait(NULL);
    struct pair p = pair_of(h);

    host_close(h);
    assert_int_equal(move(&p), 1);
    assert_int_equal(list_empty(&h->tcp->time_wait), 0);
    COUNTED(h, now_time_wait, 1);
    IN(h, FIN | ACK, .seq = 1, .ack = 2);
    OUT(h, ACK, .seq = 2, .ack = 2);
    WAIT_MS(h, 1001);
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    done(&p);
}

/** Half-open and waiting connections go to a listener only. */
TRACE(test_half_open_moves)
{
    struct host *h = conn_syn_received(NULL);
    struct pair p = pair_of(h);

    assert_int_equal(move(&p), 1);
    assert_int_equal(h->listener->num_half_open, 1);
    assert_int_equal(p.there->num_half_open, 0);
    WAIT_MS(h, 1000);
    OUT(h, SYN | ACK, .seq = 0, .ack = 1); /* the timer came along */
    IN(h, ACK, .seq = 1, .ack = 1);
    assert_int_equal(h->listener->num_accept, 1);
    assert_int_equal(move(&p), 1);
    assert_int_equal(h->listener->num_accept, 1);
    assert_int_equal(p.there->num_accept, 0);
    host_accept(h);
    STATE(h, "ESTABLISHED");
    assert_int_equal(h->listener->num_accept, 0);
    done(&p);
}

TRACE(test_half_open_stays_without_listener)
{
    struct host *h = conn_syn_received(NULL);
    struct pair p = pair_of(h);

    p.not_listening = true;
    assert_int_equal(move(&p), 0);
    assert_int_equal(pins, 1);
    IN(h, ACK, .seq = 1, .ack = 1);
    host_accept(h);
    done(&p);
}

/** The other listener has a backlog of one: it neither limits those that move nor do they use it up. */
TRACE(test_backlog)
{
    struct host *h = conn_established(NULL);
    struct pair p = pair_of(h);

    assert_int_equal(move(&p), 1);
    h->conn = NULL;
    assert_int_equal(h->listener->backlog, 1);
    h->peer_port++;
    IN(h, SYN, .seq = 0, .mss = 1460);
    OUT(h, SYN | ACK, .seq = 0, .ack = 1);
    COUNTED(h, drop_backlog, 0);
    h->peer_port--;
    host_accept(h);
    done(&p);
}

/** No room at the destination: the connection lives on in the block it came in. */
TRACE(test_destination_full)
{
    struct host *h = conn_established(NULL);
    struct pair p;
    struct tcp_conn *block;

    h->opts.max_conns = 1;
    p = pair_of(h);
    block = tcp_conn_get_block(p.other);
    assert_non_null(block);
    block->tcp = p.other;
    IN(h, ACK, .seq = 101, .ack = 1, .len = 100);
    OUT(h, ACK, .ack = 1);
    assert_int_equal(move(&p), 1);
    host_accept(h);
    assert_true(h->conn->flags & CF_LOOSE);
    assert_int_equal(tcp_num_conns(h->tcp), 2);
    IN(h, ACK, .seq = 1, .ack = 1, .len = 100);
    host_discard(h);
    assert_int_equal(host_read(h, 1000), 200);
    h->opts.max_conns = 16;
    tcp_conn_put_block(block);
    assert_int_equal(move(&p), 1); /* back: a pool's block again */
    host_accept(h);
    assert_false(h->conn->flags & CF_LOOSE);
    assert_int_equal(tcp_num_conns(p.other), 0);
    IN(h, ACK, .seq = 201, .ack = 1, .len = 50);
    assert_int_equal(host_read(h, 1000), 50);
    host_discard(h);
    done(&p);
}

/** Nobody is left to take it. */
TRACE(test_cargo_is_freed)
{
    struct host *h = conn_established(NULL);
    struct pair p = pair_of(h);
    struct tcp_cargo *cargo;

    host_write(h, 100);
    host_discard(h);
    IN(h, ACK, .seq = 101, .ack = 1, .len = 100);
    host_discard(h);
    cargo = tcp_detach(h->tcp, &move_ops, &p);
    assert_int_equal(tcp_cargo_count(cargo), 1);
    tcp_cargo_free(cargo);
    tcp_cargo_free(NULL);
    h->conn = NULL;
    done(&p);
}

/* [RFC 6528 3] sequence numbers of a four-tuple rise across workers */
TRACE(test_isn_rises)
{
    struct host *h = conn_time_wait(&(struct host_opts){.ts = true});
    struct pair p = pair_of(h);
    seq_t first = h->iss;

    host_close(h);
    assert_int_equal(move(&p), 1);
    WAIT_MS(h, 2000);
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    IN(h, SYN, .seq = 0, .mss = 1460);
    OUT(h, SYN | ACK, .seq = 0);
    assert_true(seq_gt(h->iss, first));
    assert_true(h->iss - first < 2 * SECOND);
    done(&p);
}

/** One question for each connection, whatever their number. */
TRACE(test_one_pass)
{
    struct host *h = conn_listen(&(struct host_opts){.max_conns = 300, .backlog = 300});
    struct pair p = pair_of(h);

    for (unsigned i = 0; i < 300; i++) {
        h->peer_port = (uint16_t)(PEER_PORT + i);
        IN(h, SYN, .seq = 0, .mss = 1460);
        if (i % 3)
            IN(h, ACK, .seq = 1, .ack = 1);
    }
    host_discard(h);
    assert_int_equal(move(&p), 300);
    assert_int_equal(p.asked, 300);
    assert_int_equal(h->listener->num_half_open, 100);
    assert_int_equal(h->listener->num_accept, 200);
    assert_int_equal(p.there->num_half_open + p.there->num_accept, 0);
    for (unsigned i = 0; i < 200; i++) { /* in the order of before */
        struct tcp_endpoint peer;

        assert_int_equal(tcp_accept(h->listener, h, &h->conn), ST_OK);
        tcp_conn_peer(h->conn, &peer);
        assert_int_equal(peer.port, PEER_PORT + i / 2 * 3 + 1 + i % 2);
        host_abort(h);
    }
    done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open_with_everything),
        cmocka_unit_test(test_stays_without_listener),
        cmocka_unit_test(test_pinned_goes_another_time),
        cmocka_unit_test(test_stays_when_user_wants),
        cmocka_unit_test(test_unwanted_is_left_alone),
        cmocka_unit_test(test_failed_pin_is_counted),
        cmocka_unit_test(test_opening_stays),
        cmocka_unit_test(test_time_wait_of_user_stays),
        cmocka_unit_test(test_time_wait_moves),
        cmocka_unit_test(test_half_open_moves),
        cmocka_unit_test(test_half_open_stays_without_listener),
        cmocka_unit_test(test_backlog),
        cmocka_unit_test(test_destination_full),
        cmocka_unit_test(test_cargo_is_freed),
        cmocka_unit_test(test_isn_rises),
        cmocka_unit_test(test_one_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
