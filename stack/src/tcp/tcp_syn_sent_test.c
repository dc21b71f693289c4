/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Traces that begin in SYN-SENT: active and simultaneous open. */
#include "testing/tcp_trace.h"

/* [RFC 9293 3.5] three-way handshake, active side */
TRACE(test_handshake)
{
    struct host *h = host_new(NULL);

    host_connect(h);
    STATE(h, "SYN_SENT");
    OUT(h, SYN, .seq = 0, .mss = 1460, .win = 65535);
    assert_false(tcp_connected(h->conn));
    assert_false(tcp_writable(h->conn));
    IN(h, SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
    OUT(h, ACK, .seq = 1, .ack = 1, .no_opts = true);
    STATE(h, "ESTABLISHED");
    EVENTS(h, TCP_EV_CONNECTED);
    assert_true(tcp_writable(h->conn));
    host_free(h);
}

/* [RFC 9293 3.10.7.3 first] an ACK of what was not sent is answered with RST and dropped */
TRACE(test_wrong_ack)
{
    struct host *h = conn_syn_sent(NULL);

    IN(h, SYN | ACK, .seq = 0, .ack = 2);
    OUT(h, RST, .seq = 2, .no_opts = true);
    IN(h, SYN | ACK, .seq = 0, .ack = 0);
    OUT(h, RST, .seq = 0);
    IN(h, RST | ACK, .seq = 0, .ack = 2);
    NO_OUT(h);
    STATE(h, "SYN_SENT");
    COUNTED(h, drop_syn_sent_ack, 3);
    host_free(h);
}

/* [RFC 9293 3.10.7.3 second] RST with our ACK: connection refused */
TRACE(test_refused)
{
    struct host *h = conn_syn_sent(NULL);

    IN(h, RST | ACK, .seq = 0, .ack = 1);
    STATE(h, "CLOSED");
    EVENTS(h, TCP_EV_ERROR);
    assert_int_equal(tcp_error(h->conn), ST_REFUSED);
    NO_OUT(h);
    host_free(h);
}

/* [RFC 9293 3.10.7.3 second] RST without ACK is dropped */
TRACE(test_rst_without_ack)
{
    struct host *h = conn_syn_sent(NULL);

    IN(h, RST, .seq = 0);
    STATE(h, "SYN_SENT");
    COUNTED(h, drop_syn_sent_reset, 1);
    host_free(h);
}

/* [RFC 9293 3.10.7.3 fifth] neither SYN nor RST: dropped */
TRACE(test_no_syn)
{
    struct host *h = conn_syn_sent(NULL);

    IN(h, ACK, .seq = 1, .ack = 1);
    NO_OUT(h);
    STATE(h, "SYN_SENT");
    COUNTED(h, drop_syn_sent_flags, 1);
    host_free(h);
}

/* [RFC 9293 3.5 figure 7] simultaneous open */
TRACE(test_simultaneous_open)
{
    struct host *h = conn_syn_sent(NULL);

    IN(h, SYN, .seq = 0, .mss = 1000);
    STATE(h, "SYN_RECEIVED");
    OUT(h, SYN | ACK, .seq = 0, .ack = 1);
    IN(h, SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    STATE(h, "ESTABLISHED");
    EVENTS(h, TCP_EV_CONNECTED);
    assert_int_equal(host_write(h, 10), 10);
    OUT(h, ACK, .seq = 1, .ack = 1, .len = 10);
    host_free(h);
}

/* [RFC 9293 3.10.7.4 second] RST in SYN-RECEIVED after an active open: connection refused */
TRACE(test_simultaneous_refused)
{
    struct host *h = conn_syn_sent(NULL);

    IN(h, SYN, .seq = 0);
    OUT(h, SYN | ACK);
    IN(h, RST, .seq = 1);
    STATE(h, "CLOSED");
    assert_int_equal(tcp_error(h->conn), ST_REFUSED);
    host_free(h);
}

/* [RFC 9293 3.10.7.3 fourth] SYN-ACK with text and FIN: all is taken */
TRACE(test_syn_ack_with_text)
{
    struct host *h = conn_syn_sent(NULL);

    IN(h, SYN | ACK | FIN, .seq = 0, .ack = 1, .len = 0);
    OUT(h, ACK, .seq = 1, .ack = 2);
    STATE(h, "CLOSE_WAIT");
    EVENTS(h, TCP_EV_CONNECTED | TCP_EV_READABLE | TCP_EV_PEER_FIN);
    host_free(h);
}

/* [RFC 6298 2.1] the first SYN is repeated after one second, then with backoff */
TRACE(test_syn_retransmitted)
{
    struct host *h = conn_syn_sent(NULL);

    WAIT_MS(h, 999);
    NO_OUT(h);
    WAIT_MS(h, 1);
    OUT(h, SYN, .seq = 0, .mss = 1460);
    WAIT_MS(h, 2000);
    OUT(h, SYN, .seq = 0, .mss = 1460);
    WAIT_MS(h, 3999);
    NO_OUT(h);
    WAIT_MS(h, 1);
    OUT(h, SYN, .seq = 0);
    COUNTED(h, tx_syn_retransmits, 3);
    host_free(h);
}

/* [RFC 9293 3.8.3 MUST-23] a SYN is tried for at least three minutes, then the open fails */
TRACE(test_connect_times_out)
{
    struct host *h = conn_syn_sent(NULL);

    WAIT_MS(h, 180000);
    STATE(h, "SYN_SENT");
    WAIT_MS(h, 120000);
    STATE(h, "CLOSED");
    EVENTS(h, TCP_EV_ERROR);
    assert_int_equal(tcp_error(h->conn), ST_TIMED_OUT);
    assert_int_equal(host_discard(h), 7);
    host_free(h);
}

/* [RFC 9293 3.8.3] the user timeout also ends an open */
TRACE(test_user_timeout)
{
    struct host *h = conn_syn_sent(&(struct host_opts){.user_timeout_us = 5 * SECOND});

    WAIT_MS(h, 4999);
    STATE(h, "SYN_SENT");
    WAIT_MS(h, 1);
    STATE(h, "CLOSED");
    assert_int_equal(tcp_error(h->conn), ST_TIMED_OUT);
    host_discard(h);
    host_free(h);
}

/* [RFC 6298 5.7] a lost SYN: the timeout restarts at three seconds and the window at one segment */
TRACE(test_after_lost_syn)
{
    struct host *h = conn_syn_sent(NULL);

    WAIT_MS(h, 1000);
    OUT(h, SYN);
    IN(h, SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
    OUT(h, ACK, .seq = 1, .ack = 1);
    assert_int_equal(host_write(h, 5000), 5000);
    OUT(h, ACK, .seq = 1, .len = 1460);
    NO_OUT(h);
    WAIT_MS(h, 2999);
    NO_OUT(h);
    WAIT_MS(h, 1);
    OUT(h, ACK, .seq = 1, .len = 1460);
    host_free(h);
}

/* [RFC 9293 3.10.4] CLOSE in SYN-SENT deletes the connection without a word */
TRACE(test_close)
{
    struct host *h = conn_syn_sent(NULL);

    host_close(h);
    NO_OUT(h);
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    IN(h, SYN | ACK, .seq = 0, .ack = 1);
    OUT(h, RST, .seq = 1);
    host_free(h);
}

/* [RFC 9293 3.10.4] CLOSE in SYN-RECEIVED: the FIN follows the handshake */
TRACE(test_close_in_syn_received)
{
    struct host *h = conn_syn_sent(NULL);

    IN(h, SYN, .seq = 0);
    OUT(h, SYN | ACK, .seq = 0, .ack = 1);
    host_close(h);
    NO_OUT(h);
    IN(h, ACK, .seq = 1, .ack = 1);
    OUT(h, FIN | ACK, .seq = 1, .ack = 1);
    IN(h, FIN | ACK, .seq = 1, .ack = 2);
    OUT(h, ACK, .seq = 2, .ack = 2);
    WAIT_MS(h, 1000);
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    host_free(h);
}

/* [RFC 9293 3.9.2.2] no answer to ARP: connections in SYN-SENT to that host fail, others do not */
TRACE(test_unreachable)
{
    struct host *h = conn_syn_sent(NULL);

    tcp_unreachable(h->tcp, PEER_ADDR + 1, h->now_us);
    STATE(h, "SYN_SENT");
    tcp_unreachable(h->tcp, PEER_ADDR, h->now_us);
    STATE(h, "CLOSED");
    EVENTS(h, TCP_EV_ERROR);
    assert_int_equal(tcp_error(h->conn), ST_HOST_UNREACHABLE);
    host_free(h);
}

/* [RFC 9293 3.10.1] an open that cannot work is refused at once */
TRACE(test_bad_open)
{
    struct host *h = conn_syn_sent(NULL);
    struct tcp_endpoint any = {0, 0}, local = {0, HOST_PORT}, peer = {PEER_ADDR, PEER_PORT};
    struct tcp_conn *c;

    assert_int_equal(tcp_connect(h->tcp, any, (struct tcp_endpoint){PEER_ADDR, 0}, h, h->now_us, &c),
                     ST_INVALID);
    assert_int_equal(tcp_connect(h->tcp, any, (struct tcp_endpoint){0, 80}, h, h->now_us, &c), ST_INVALID);
    assert_int_equal(tcp_connect(h->tcp, any, (struct tcp_endpoint){0xe0000001u, 80}, h, h->now_us, &c),
                     ST_INVALID);
    assert_int_equal(tcp_connect(h->tcp, any, (struct tcp_endpoint){0x0a0000ffu, 80}, h, h->now_us, &c),
                     ST_NO_ROUTE);
    assert_int_equal(tcp_connect(h->tcp, local, peer, h, h->now_us, &c), ST_ADDRESS_IN_USE);
    host_free(h);
}

/* [RFC 6056 3.3.3] ephemeral ports: all different towards one peer, until none is left */
TRACE(test_ephemeral_ports)
{
    struct host *h = host_new(&(struct host_opts){.max_conns = 20000});
    struct tcp_endpoint any = {0, 0}, peer = {PEER_ADDR, PEER_PORT}, local;
    static bool seen[65536];
    struct tcp_conn *c;

    for (unsigned i = 0; i < 65536 - 49152; i++) {
        assert_int_equal(tcp_connect(h->tcp, any, peer, h, h->now_us, &c), ST_OK);
        tcp_conn_local(c, &local);
        assert_true(local.port >= 49152 && !seen[local.port]);
        seen[local.port] = true;
        host_discard(h);
    }
    assert_int_equal(tcp_connect(h->tcp, any, peer, h, h->now_us, &c), ST_NO_ADDRESS);
    host_free(h);
}

/* [RFC 6528 3] the ISS moves with the clock and differs from peer to peer */
TRACE(test_iss)
{
    struct host *h = host_new(NULL);
    seq_t first, second;

    host_connect(h);
    OUT(h, SYN);
    first = h->iss;
    host_close(h);
    WAIT_MS(h, 100);
    host_connect(h);
    OUT(h, SYN);
    second = h->iss;
    assert_int_equal(second - first, 100000 / 4);
    host_close(h);
    h->peer_port++;
    host_connect(h);
    OUT(h, SYN);
    assert_true(h->iss - second > 1000000 || second - h->iss > 1000000);
    host_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handshake),
        cmocka_unit_test(test_wrong_ack),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_rst_without_ack),
        cmocka_unit_test(test_no_syn),
        cmocka_unit_test(test_simultaneous_open),
        cmocka_unit_test(test_simultaneous_refused),
        cmocka_unit_test(test_syn_ack_with_text),
        cmocka_unit_test(test_syn_retransmitted),
        cmocka_unit_test(test_connect_times_out),
        cmocka_unit_test(test_user_timeout),
        cmocka_unit_test(test_after_lost_syn),
        cmocka_unit_test(test_close),
        cmocka_unit_test(test_close_in_syn_received),
        cmocka_unit_test(test_unreachable),
        cmocka_unit_test(test_bad_open),
        cmocka_unit_test(test_ephemeral_ports),
        cmocka_unit_test(test_iss),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
