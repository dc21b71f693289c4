/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Traces that begin in LISTEN and SYN-RECEIVED. */
#include "testing/tcp_trace.h"

/** Another peer port plays the script from now on. */
static void next_peer(struct host *h)
{
    h->peer_port++;
}

/* [RFC 9293 3.5] three-way handshake, passive side */
TRACE(test_handshake)
{
    struct host *h = conn_listen(NULL);

    IN(h, SYN, .seq = 0, .mss = 1460);
    OUT(h, SYN | ACK, .seq = 0, .ack = 1, .mss = 1460, .win = 65535);
    assert_false(tcp_listener_acceptable(h->listener));
    IN(h, ACK, .seq = 1, .ack = 1);
    NO_OUT(h);
    host_accept(h);
    STATE(h, "ESTABLISHED");
    assert_true(tcp_connected(h->conn));
    COUNTED(h, opened_passive, 1);
    host_free(h);
}

/* [RFC 9293 3.10.7.2 first] RST in LISTEN is ignored */
TRACE(test_rst_ignored)
{
    struct host *h = conn_listen(NULL);

    IN(h, RST, .seq = 0);
    NO_OUT(h);
    COUNTED(h, drop_listen_flags, 1);
    host_free(h);
}

/* [RFC 9293 3.10.7.2 second] ACK in LISTEN is answered with RST of its ACK number */
TRACE(test_ack_reset)
{
    struct host *h = conn_listen(NULL);

    IN(h, ACK, .seq = 1, .ack = 77);
    OUT(h, RST, .seq = 77, .no_opts = true);
    host_free(h);
}

/* [RFC 9293 3.10.7.2 third] SYN with text: the text is not acknowledged and comes again */
TRACE(test_syn_with_text)
{
    struct host *h = conn_listen(NULL);

    IN(h, SYN, .seq = 0, .len = 10);
    OUT(h, SYN | ACK, .seq = 0, .ack = 1);
    IN(h, ACK, .seq = 1, .ack = 1, .len = 10);
    host_accept(h);
    assert_int_equal(host_read(h, 100), 10);
    WAIT_MS(h, 40);
    OUT(h, ACK, .ack = 11);
    host_free(h);
}

/* [RFC 9293 3.10.7.2 fourth] a segment with neither SYN, ACK nor RST is dropped */
TRACE(test_nothing_set)
{
    struct host *h = conn_listen(NULL);

    IN(h, FIN, .seq = 0);
    NO_OUT(h);
    COUNTED(h, drop_listen_flags, 1);
    host_free(h);
}

/* [RFC 9293 3.10.7.4 first] the SYN again in SYN-RECEIVED: our SYN-ACK was lost, it goes again */
TRACE(test_syn_again)
{
    struct host *h = conn_syn_received(NULL);

    IN(h, SYN, .seq = 0, .mss = 1460);
    OUT(h, SYN | ACK, .seq = 0, .ack = 1);
    IN(h, ACK, .seq = 1, .ack = 1);
    host_accept(h);
    host_free(h);
}

/* [RFC 6298 5.4] SYN-ACK is retransmitted with exponential backoff, then given up */
TRACE(test_syn_ack_retransmitted)
{
    struct host *h = conn_syn_received(NULL);

    WAIT_MS(h, 999);
    NO_OUT(h);
    WAIT_MS(h, 1);
    OUT(h, SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
    WAIT_MS(h, 1999);
    NO_OUT(h);
    WAIT_MS(h, 1);
    OUT(h, SYN | ACK, .seq = 0, .ack = 1);
    WAIT_MS(h, 300000);
    assert_int_equal(host_discard(h), 5);
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    host_free(h);
}

/* [RFC 9293 3.10.7.4 second] RST in SYN-RECEIVED after a passive open: back to LISTEN */
TRACE(test_rst_returns_to_listen)
{
    struct host *h = conn_syn_received(NULL);

    IN(h, RST, .seq = 1);
    NO_OUT(h);
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    IN(h, SYN, .seq = 0);
    OUT(h, SYN | ACK, .seq = 0, .ack = 1);
    host_free(h);
}

/* [RFC 9293 3.10.7.4 fourth] a new SYN in SYN-RECEIVED after a passive open: back to LISTEN */
TRACE(test_new_syn_returns_to_listen)
{
    struct host *h = conn_syn_received(NULL);

    IN(h, SYN, .seq = 5000);
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    host_free(h);
}

/* [RFC 9293 3.10.7.4 fifth] a wrong ACK in SYN-RECEIVED is answered with RST */
TRACE(test_wrong_ack_reset)
{
    struct host *h = conn_syn_received(NULL);

    IN(h, ACK, .seq = 1, .ack = 2);
    OUT(h, RST, .seq = 2);
    IN(h, ACK, .seq = 1, .ack = 0);
    OUT(h, RST, .seq = 0);
    COUNTED(h, drop_ack_handshake, 2);
    IN(h, ACK, .seq = 1, .ack = 1);
    host_accept(h);
    host_free(h);
}

/* [RFC 9293 3.10.7.4 seventh] text with the last ACK of the handshake is taken */
TRACE(test_text_with_ack)
{
    struct host *h = conn_syn_received(NULL);

    IN(h, ACK, .seq = 1, .ack = 1, .len = 100);
    host_accept(h);
    assert_int_equal(tcp_read_available(h->conn), 100);
    assert_int_equal(host_read(h, 100), 100);
    WAIT_MS(h, 40);
    OUT(h, ACK, .ack = 101);
    host_free(h);
}

/* [RFC 9293 3.10.7.4 eighth] FIN with the last ACK of the handshake */
TRACE(test_fin_with_ack)
{
    struct host *h = conn_syn_received(NULL);

    IN(h, FIN | ACK, .seq = 1, .ack = 1);
    OUT(h, ACK, .seq = 1, .ack = 2);
    host_accept(h);
    STATE(h, "CLOSE_WAIT");
    host_free(h);
}

/* [RFC 9293 3.9.2.3 MUST-57] no answer to broadcast or multicast addresses */
TRACE(test_bad_address)
{
    struct host *h = conn_listen(NULL);

    h->peer_addr = 0xe0000001u; /* 224.0.0.1 */
    IN(h, SYN, .seq = 0);
    h->peer_addr = 0xffffffffu;
    IN(h, SYN, .seq = 0);
    h->peer_addr = 0;
    IN(h, SYN, .seq = 0);
    NO_OUT(h);
    COUNTED(h, drop_bad_address, 3);
    host_free(h);
}

/* [RFC 9293 3.10.1] the backlog bounds half-open and unaccepted connections; further SYNs are ignored */
TRACE(test_backlog)
{
    struct host *h = conn_listen(&(struct host_opts){.backlog = 2});

    IN(h, SYN, .seq = 0);
    OUT(h, SYN | ACK);
    IN(h, ACK, .seq = 1, .ack = 1);
    next_peer(h);
    IN(h, SYN, .seq = 0);
    OUT(h, SYN | ACK);
    next_peer(h);
    IN(h, SYN, .seq = 0);
    NO_OUT(h);
    COUNTED(h, drop_backlog, 1);
    host_accept(h);
    IN(h, SYN, .seq = 0);
    OUT(h, SYN | ACK);
    host_free(h);
}

/* [RFC 4987 3.3] under a SYN flood the oldest half-open connection makes room, never a complete one */
TRACE(test_syn_flood)
{
    struct host *h = conn_listen(&(struct host_opts){.backlog = 4, .max_conns = 8});

    IN(h, SYN, .seq = 0);
    OUT(h, SYN | ACK);
    IN(h, ACK, .seq = 1, .ack = 1);
    for (unsigned i = 0; i < 1000; i++) {
        next_peer(h);
        IN(h, SYN, .seq = 0);
        WAIT_MS(h, 10);
        host_discard(h);
    }
    assert_int_equal(tcp_num_conns(h->tcp), 4);
    assert_true(tcp_get_counters(h->tcp)->drop_half_open >= 15);
    next_peer(h);
    WAIT_MS(h, 2000);
    host_discard(h);
    IN(h, SYN, .seq = 0);
    OUT(h, SYN | ACK, .seq = 0, .ack = 1);
    host_accept(h); /* the complete one is still there */
    assert_int_equal(h->peer_port, PEER_PORT + 1001);
    host_free(h);
}

/* [RFC 9293 3.10.1] one listener a port and address; an address of its own goes before any */
TRACE(test_two_listeners)
{
    struct host *h = conn_listen(NULL);
    struct tcp_listener *other, *same;

    assert_int_equal(tcp_listen(h->tcp, (struct tcp_endpoint){0, HOST_PORT}, 1, h, &same), ST_ADDRESS_IN_USE);
    assert_int_equal(tcp_listen(h->tcp, (struct tcp_endpoint){HOST_ADDR, HOST_PORT}, 1, h, &other), ST_OK);
    assert_int_equal(tcp_listen(h->tcp, (struct tcp_endpoint){0, 0}, 1, h, &same), ST_INVALID);
    assert_int_equal(tcp_listen(h->tcp, (struct tcp_endpoint){0, 81}, 0, h, &same), ST_INVALID);
    IN(h, SYN, .seq = 0);
    OUT(h, SYN | ACK);
    IN(h, ACK, .seq = 1, .ack = 1);
    assert_true(tcp_listener_acceptable(other));
    assert_false(tcp_listener_acceptable(h->listener));
    tcp_listener_close(other, h->now_us);
    OUT(h, RST | ACK, .seq = 1);
    host_free(h);
}

/* [RFC 9293 3.10.4] closing a listener resets what nobody has accepted, half-open or complete */
TRACE(test_listener_close)
{
    struct host *h = conn_listen(NULL);

    IN(h, SYN, .seq = 0);
    OUT(h, SYN | ACK);
    IN(h, ACK, .seq = 1, .ack = 1);
    next_peer(h);
    IN(h, SYN, .seq = 0);
    OUT(h, SYN | ACK);
    tcp_listener_close(h->listener, h->now_us);
    h->listener = NULL;
    OUT(h, RST | ACK, .seq = 1);
    OUT(h, RST | ACK); /* its ISS was another */
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    IN(h, SYN, .seq = 0);
    OUT(h, RST | ACK, .ack = 1);
    host_free(h);
}

/* [RFC 9293 3.10.7.4 second] RST for a connection in the accept queue takes it out: no accept of the dead */
TRACE(test_reset_before_accept)
{
    struct host *h = conn_syn_received(NULL);
    struct tcp_conn *c;

    IN(h, ACK, .seq = 1, .ack = 1);
    assert_true(tcp_listener_acceptable(h->listener));
    IN(h, RST, .seq = 1);
    assert_false(tcp_listener_acceptable(h->listener));
    assert_int_equal(tcp_accept(h->listener, h, &c), ST_AGAIN);
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    host_free(h);
}

/* [RFC 9293 3.10.1] each connection is accepted once, the oldest first */
TRACE(test_accept_once)
{
    struct host *h = conn_syn_received(NULL);
    struct tcp_conn *second;

    IN(h, ACK, .seq = 1, .ack = 1);
    IN(h, ACK, .seq = 1, .ack = 1);
    host_accept(h);
    assert_int_equal(tcp_accept(h->listener, h, &second), ST_AGAIN);
    assert_ptr_equal(tcp_conn_owner(h->conn), h);
    host_free(h);
}

/* [RFC 9293 3.10.6] both ends of an accepted connection have their own address and port */
TRACE(test_addresses)
{
    struct host *h = conn_established(NULL);
    struct tcp_endpoint local, peer;

    tcp_conn_local(h->conn, &local);
    tcp_conn_peer(h->conn, &peer);
    assert_int_equal(local.addr, HOST_ADDR);
    assert_int_equal(local.port, HOST_PORT);
    assert_int_equal(peer.addr, PEER_ADDR);
    assert_int_equal(peer.port, PEER_PORT);
    host_free(h);
}

/* [RFC 9293 3.10.7.2 third] no room for another connection: the SYN is ignored and counted */
TRACE(test_table_full)
{
    struct host *h = conn_listen(&(struct host_opts){.max_conns = 1});

    IN(h, SYN, .seq = 0);
    OUT(h, SYN | ACK);
    next_peer(h);
    IN(h, SYN, .seq = 0);
    NO_OUT(h);
    COUNTED(h, drop_no_conn_memory, 1);
    host_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handshake),
        cmocka_unit_test(test_rst_ignored),
        cmocka_unit_test(test_ack_reset),
        cmocka_unit_test(test_syn_with_text),
        cmocka_unit_test(test_nothing_set),
        cmocka_unit_test(test_syn_again),
        cmocka_unit_test(test_syn_ack_retransmitted),
        cmocka_unit_test(test_rst_returns_to_listen),
        cmocka_unit_test(test_new_syn_returns_to_listen),
        cmocka_unit_test(test_wrong_ack_reset),
        cmocka_unit_test(test_text_with_ack),
        cmocka_unit_test(test_fin_with_ack),
        cmocka_unit_test(test_bad_address),
        cmocka_unit_test(test_backlog),
        cmocka_unit_test(test_syn_flood),
        cmocka_unit_test(test_two_listeners),
        cmocka_unit_test(test_listener_close),
        cmocka_unit_test(test_reset_before_accept),
        cmocka_unit_test(test_accept_once),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_table_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
