/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Traces of every closing path (RFC 9293 3.6 and 3.10.4). */
#include "testing/tcp_trace.h"

/* [RFC 9293 3.6] we close first: FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT */
TRACE(test_active_close)
{
    struct host *h = conn_established(NULL);

    host_shutdown(h);
    OUT(h, FIN | ACK, .seq = 1, .ack = 1);
    STATE(h, "FIN_WAIT_1");
    IN(h, ACK, .seq = 1, .ack = 2);
    STATE(h, "FIN_WAIT_2");
    IN(h, FIN | ACK, .seq = 1, .ack = 2);
    OUT(h, ACK, .seq = 2, .ack = 2);
    STATE(h, "TIME_WAIT");
    EVENTS(h, TCP_EV_READABLE | TCP_EV_PEER_FIN);
    WAIT_MS(h, 999);
    STATE(h, "TIME_WAIT");
    WAIT_MS(h, 1);
    STATE(h, "CLOSED");
    assert_int_equal(tcp_error(h->conn), ST_OK);
    COUNTED(h, closed_clean, 1);
    host_close(h);
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    host_free(h);
}

/* [RFC 9293 3.6] the peer closes first: CLOSE-WAIT, LAST-ACK, CLOSED */
TRACE(test_passive_close)
{
    struct host *h = conn_close_wait(NULL);
    size_t got = 1;

    assert_true(tcp_readable(h->conn));
    assert_true(tcp_peer_closed(h->conn));
    assert_int_equal(tcp_read(h->conn, &(char){0}, 1, false, h->now_us, &got), ST_OK);
    assert_int_equal(got, 0);                /* end of stream */
    assert_int_equal(host_write(h, 10), 10); /* half closed: we may still send */
    OUT(h, ACK, .seq = 1, .ack = 2, .len = 10);
    IN(h, ACK, .seq = 2, .ack = 11);
    host_close(h);
    OUT(h, FIN | ACK, .seq = 11, .ack = 2);
    IN(h, ACK, .seq = 2, .ack = 12);
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    COUNTED(h, closed_clean, 1);
    host_free(h);
}

/* [RFC 9293 3.6 figure 13] simultaneous close: FIN-WAIT-1, CLOSING, TIME-WAIT */
TRACE(test_simultaneous_close)
{
    struct host *h = conn_fin_wait_1(NULL);

    IN(h, FIN | ACK, .seq = 1, .ack = 1);
    OUT(h, ACK, .seq = 2, .ack = 2);
    STATE(h, "CLOSING");
    IN(h, ACK, .seq = 2, .ack = 2);
    STATE(h, "TIME_WAIT");
    NO_OUT(h);
    host_free(h);
}

/* [RFC 9293 3.10.7.4 eighth] FIN with the ACK of our FIN: FIN-WAIT-1 to TIME-WAIT in one step */
TRACE(test_fin_with_ack_of_fin)
{
    struct host *h = conn_fin_wait_1(NULL);

    IN(h, FIN | ACK, .seq = 1, .ack = 2);
    OUT(h, ACK, .seq = 2, .ack = 2);
    STATE(h, "TIME_WAIT");
    host_free(h);
}

/* [RFC 9293 3.10.4] CLOSE sends the queued data first; the FIN rides on the last segment */
TRACE(test_fin_after_data)
{
    struct host *h = conn_established(&(struct host_opts){.win = 1460});

    host_write(h, 2000);
    OUT(h, ACK, .seq = 1, .len = 1460);
    host_close(h);
    NO_OUT(h);
    IN(h, ACK, .seq = 1, .ack = 1461);
    OUT(h, FIN | ACK, .seq = 1461, .len = 540);
    IN(h, ACK, .seq = 1, .ack = 2002);
    IN(h, FIN | ACK, .seq = 1, .ack = 2002);
    OUT(h, ACK, .seq = 2002, .ack = 2);
    WAIT_MS(h, 1000);
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    host_free(h);
}

/* [RFC 9293 3.10.7.4 eighth] text and FIN in one segment; the FIN counts after the text */
TRACE(test_text_and_fin)
{
    struct host *h = conn_established(NULL);

    IN(h, FIN | ACK, .seq = 1, .ack = 1, .len = 100);
    OUT(h, ACK, .ack = 102);
    STATE(h, "CLOSE_WAIT");
    assert_int_equal(host_read(h, 1000), 100);
    assert_true(tcp_readable(h->conn));
    host_free(h);
}

/* [RFC 9293 3.10.7.4 eighth] a FIN out of order waits for the data before it */
TRACE(test_early_fin)
{
    struct host *h = conn_established(NULL);

    IN(h, FIN | ACK, .seq = 101, .ack = 1);
    OUT(h, ACK, .ack = 1);
    STATE(h, "ESTABLISHED");
    IN(h, ACK, .seq = 1, .ack = 1, .len = 100);
    OUT(h, ACK, .ack = 102);
    STATE(h, "CLOSE_WAIT");
    assert_int_equal(host_read(h, 1000), 100);
    host_free(h);
}

/* [RFC 9293 3.10.7.4 eighth] text and FIN out of order, the gap filled later */
TRACE(test_early_text_and_fin)
{
    struct host *h = conn_established(NULL);

    IN(h, FIN | ACK, .seq = 101, .ack = 1, .len = 50);
    OUT(h, ACK, .ack = 1);
    IN(h, ACK, .seq = 1, .ack = 1, .len = 100);
    OUT(h, ACK, .ack = 152);
    STATE(h, "CLOSE_WAIT");
    assert_int_equal(host_read(h, 1000), 150);
    host_free(h);
}

/* [RFC 9293 3.10.7.4 seventh] text behind the peer's FIN is dropped */
TRACE(test_text_behind_fin)
{
    struct host *h = conn_established(NULL);

    IN(h, FIN | ACK, .seq = 101, .ack = 1);
    OUT(h, ACK, .ack = 1);
    IN(h, ACK, .seq = 90, .ack = 1, .len = 100);
    COUNTED(h, drop_after_fin, 1);
    IN(h, ACK, .seq = 1, .ack = 1, .len = 100);
    OUT(h, ACK, .ack = 102);
    IN(h, ACK, .seq = 102, .ack = 1, .len = 100);
    assert_int_equal(host_read(h, 1000), 100);
    host_discard(h);
    host_free(h);
}

/* [RFC 9293 3.10.7.4 eighth] the peer's FIN again: acknowledged again, in every state after it */
TRACE(test_fin_again)
{
    struct host *h = conn_close_wait(NULL);

    IN(h, FIN | ACK, .seq = 1, .ack = 1);
    OUT(h, ACK, .seq = 1, .ack = 2);
    host_free(h);
    h = conn_last_ack(NULL);
    IN(h, FIN | ACK, .seq = 1, .ack = 1);
    OUT(h, ACK, .seq = 2, .ack = 2);
    host_free(h);
}

/* [RFC 9293 3.10.7.4 eighth] the peer's FIN in TIME-WAIT: acknowledged, 2 MSL restarts */
TRACE(test_fin_in_time_wait)
{
    struct host *h = conn_time_wait(NULL);

    WAIT_MS(h, 900);
    IN(h, FIN | ACK, .seq = 1, .ack = 2);
    OUT(h, ACK, .seq = 2, .ack = 2);
    WAIT_MS(h, 999);
    STATE(h, "TIME_WAIT");
    WAIT_MS(h, 1);
    STATE(h, "CLOSED");
    host_free(h);
}

/* [RFC 6298 5.4] our FIN is retransmitted until it is acknowledged */
TRACE(test_fin_retransmitted)
{
    struct host *h = conn_fin_wait_1(NULL);

    WAIT_MS(h, 200);
    OUT(h, FIN | ACK, .seq = 1, .ack = 1);
    WAIT_MS(h, 400);
    OUT(h, FIN | ACK, .seq = 1, .ack = 1);
    IN(h, ACK, .seq = 1, .ack = 2);
    STATE(h, "FIN_WAIT_2");
    WAIT_MS(h, 5000);
    host_free(h);
    h = conn_last_ack(NULL);
    WAIT_MS(h, 200);
    OUT(h, FIN | ACK, .seq = 1, .ack = 2);
    host_free(h);
    h = conn_closing(NULL);
    WAIT_MS(h, 200);
    OUT(h, FIN | ACK, .seq = 1, .ack = 2);
    host_free(h);
}

/* [RFC 6298 5.4] data and FIN lost together come again together */
TRACE(test_data_and_fin_retransmitted)
{
    struct host *h = conn_established(NULL);

    host_write(h, 100);
    OUT(h, ACK, .seq = 1, .len = 100);
    host_close(h);
    OUT(h, FIN | ACK, .seq = 101);
    WAIT_MS(h, 200);
    OUT(h, FIN | ACK, .seq = 1, .len = 100);
    IN(h, ACK, .seq = 1, .ack = 101); /* the data alone */
    WAIT_MS(h, 400);
    OUT(h, FIN | ACK, .seq = 101);
    IN(h, FIN | ACK, .seq = 1, .ack = 102);
    OUT(h, ACK, .seq = 102, .ack = 2);
    WAIT_MS(h, 1000);
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    host_free(h);
}

/* [RFC 9293 3.6.1] half-closed: data still arrive in FIN-WAIT-1 and FIN-WAIT-2 */
TRACE(test_receive_after_shutdown)
{
    struct host *h = conn_fin_wait_1(NULL);

    assert_int_equal(tcp_write(h->conn, "x", 1, h->now_us, &(size_t){0}), ST_PIPE);
    IN(h, ACK, .seq = 1, .ack = 1, .len = 100);
    IN(h, ACK, .seq = 101, .ack = 2, .len = 100);
    STATE(h, "FIN_WAIT_2");
    assert_int_equal(host_read(h, 1000), 200);
    WAIT_MS(h, 40);
    OUT(h, ACK, .seq = 2, .ack = 201);
    WAIT_MS(h, 120000); /* no limit while the user holds it */
    STATE(h, "FIN_WAIT_2");
    host_free(h);
}

/* [RFC 9293 3.6] a connection without user does not stay in FIN-WAIT-2 for ever */
TRACE(test_fin_wait_2_timeout)
{
    struct host *h = conn_fin_wait_1(NULL);

    host_close(h);
    IN(h, ACK, .seq = 1, .ack = 2);
    WAIT_MS(h, 59999);
    assert_int_equal(tcp_num_conns(h->tcp), 1);
    WAIT_MS(h, 1);
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    host_free(h);
    h = conn_fin_wait_2(NULL);
    host_close(h);
    WAIT_MS(h, 60000);
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    host_free(h);
}

/* [RFC 9293 3.8.3] a peer that vanished: a closed connection is given up after its retransmissions */
TRACE(test_vanished_peer)
{
    struct host *h = conn_established(NULL);

    host_close(h);
    WAIT_MS(h, 1200000);
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    assert_int_equal(host_discard(h), 1 + 15 + 1); /* FIN, its retransmissions, RST */
    host_free(h);
}

/* [RFC 6191] a new SYN with a younger timestamp takes the place of TIME-WAIT */
TRACE(test_reuse_by_timestamp)
{
    struct host *h = conn_time_wait(&(struct host_opts){.ts = true});

    host_close(h);
    WAIT_MS(h, 10);
    IN(h, SYN, .seq = -1000, .mss = 1460); /* below the old sequence numbers */
    OUT(h, SYN | ACK, .ack = -1000 + 1 + 0x100000000);
    COUNTED(h, time_wait_reused, 1);
    host_free(h);
}

/* [RFC 9293 3.10.7.4 fourth] a new SYN above the old sequence numbers takes the place of TIME-WAIT */
TRACE(test_reuse_by_sequence)
{
    struct host *h = conn_time_wait(NULL);
    seq_t old_iss = h->iss;

    IN(h, SYN, .seq = 2);
    OUT(h, ACK, .seq = 2, .ack = 2); /* not above: the old connection answers */
    IN(h, SYN, .seq = 3);
    OUT(h, SYN | ACK, .seq = 0, .ack = 4);
    assert_true(seq_gt(h->iss, old_iss + 2));
    STATE(h, "CLOSED"); /* for the old user it is over */
    host_close(h);
    host_free(h);
}

/* [RFC 9293 3.4.2] TIME-WAIT can be switched off, as the applications' default is */
TRACE(test_no_time_wait)
{
    struct host *h = conn_established(&(struct host_opts){.time_wait_us = HOST_NO_TIME_WAIT});

    host_close(h);
    OUT(h, FIN | ACK, .seq = 1);
    IN(h, FIN | ACK, .seq = 1, .ack = 2);
    OUT(h, ACK, .seq = 2, .ack = 2);
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    host_free(h);
}

/* [RFC 9293 3.4.2] a full table: the oldest TIME-WAIT makes room */
TRACE(test_time_wait_recycled)
{
    struct host *h = conn_time_wait(&(struct host_opts){.max_conns = 1});

    host_close(h);
    h->peer_port++;
    IN(h, SYN, .seq = 0);
    OUT(h, SYN | ACK);
    COUNTED(h, time_wait_recycled, 1);
    host_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_active_close),
        cmocka_unit_test(test_passive_close),
        cmocka_unit_test(test_simultaneous_close),
        cmocka_unit_test(test_fin_with_ack_of_fin),
        cmocka_unit_test(test_fin_after_data),
        cmocka_unit_test(test_text_and_fin),
        cmocka_unit_test(test_early_fin),
        cmocka_unit_test(test_early_text_and_fin),
        cmocka_unit_test(test_text_behind_fin),
        cmocka_unit_test(test_fin_again),
        cmocka_unit_test(test_fin_in_time_wait),
        cmocka_unit_test(test_fin_retransmitted),
        cmocka_unit_test(test_data_and_fin_retransmitted),
        cmocka_unit_test(test_receive_after_shutdown),
        cmocka_unit_test(test_fin_wait_2_timeout),
        cmocka_unit_test(test_vanished_peer),
        cmocka_unit_test(test_reuse_by_timestamp),
        cmocka_unit_test(test_reuse_by_sequence),
        cmocka_unit_test(test_no_time_wait),
        cmocka_unit_test(test_time_wait_recycled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
