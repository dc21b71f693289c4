/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Traces about RST: which ones are believed, which ones are sent. */
#include "testing/tcp_trace.h"

/* [RFC 9293 3.10.7.1] a segment for no connection: RST with its ACK number, or with SEQ 0 and an ACK */
TRACE(test_closed)
{
    struct host *h = host_new(NULL);

    IN(h, ACK, .seq = 5, .ack = 77, .len = 10);
    OUT(h, RST, .seq = 77, .win = 0, .no_opts = true);
    IN(h, SYN, .seq = 5);
    OUT(h, RST | ACK, .seq = 0, .ack = 6);
    IN(h, FIN, .seq = 5, .len = 10);
    OUT(h, RST | ACK, .seq = 0, .ack = 16);
    IN(h, RST, .seq = 5);
    IN(h, RST | ACK, .seq = 5, .ack = 1);
    NO_OUT(h);
    COUNTED(h, drop_no_connection, 3);
    COUNTED(h, drop_reset_no_connection, 2);
    host_free(h);
}

/* [RFC 5961 3.2] RST exactly at RCV.NXT resets */
TRACE(test_exact)
{
    struct host *h = conn_established(NULL);

    IN(h, ACK, .seq = 1, .ack = 1, .len = 10);
    IN(h, RST, .seq = 11);
    STATE(h, "CLOSED");
    EVENTS(h, TCP_EV_READABLE | TCP_EV_ERROR);
    assert_int_equal(tcp_error(h->conn), ST_RESET);
    assert_int_equal(host_read(h, 100), 10); /* what had arrived can still be read */
    assert_int_equal(tcp_read(h->conn, &(char){0}, 1, false, h->now_us, &(size_t){0}), ST_RESET);
    assert_int_equal(tcp_write(h->conn, "x", 1, h->now_us, &(size_t){0}), ST_RESET);
    NO_OUT(h);
    host_free(h);
}

/* [RFC 5961 3.2] RST elsewhere in the window is challenged; the honest peer then resets exactly */
TRACE(test_in_window)
{
    struct host *h = conn_established(NULL);

    IN(h, RST, .seq = 2);
    OUT(h, ACK, .seq = 1, .ack = 1);
    STATE(h, "ESTABLISHED");
    COUNTED(h, drop_reset_inexact, 1);
    IN(h, RST, .seq = 1);
    STATE(h, "CLOSED");
    host_free(h);
}

/* [RFC 9293 3.10.7.4 first] RST outside the window is dropped without an answer */
TRACE(test_out_of_window)
{
    struct host *h = conn_established(&(struct host_opts){.rcvbuf = 4096});

    IN(h, RST, .seq = 0);
    IN(h, RST, .seq = 4097);
    IN(h, RST, .seq = 0x40000000);
    NO_OUT(h);
    STATE(h, "ESTABLISHED");
    COUNTED(h, drop_out_of_window, 3);
    host_free(h);
}

/* [RFC 9293 3.10.7.4 first] RST is accepted although the window is closed */
TRACE(test_zero_window)
{
    struct host *h = conn_established(&(struct host_opts){.rcvbuf = 1024});

    IN(h, ACK, .seq = 1, .ack = 1, .len = 1024);
    WAIT_MS(h, 40);
    OUT(h, ACK, .ack = 1025, .win = 0);
    IN(h, RST, .seq = 1026);
    STATE(h, "ESTABLISHED");
    IN(h, RST, .seq = 1025);
    STATE(h, "CLOSED");
    host_free(h);
}

/** Opens in a state, sends an exact RST and returns the connection's error. */
static enum status error_after_rst(struct host *h, seq_t seq)
{
    enum status st;

    IN(h, RST, .seq = seq);
    STATE(h, "CLOSED");
    st = tcp_error(h->conn);
    host_free(h);
    return st;
}

/* [RFC 9293 3.10.7.4 second] RST in FIN-WAIT-1, FIN-WAIT-2, CLOSE-WAIT: connection reset */
TRACE(test_reset_states)
{
    assert_int_equal(error_after_rst(conn_fin_wait_1(NULL), 1), ST_RESET);
    assert_int_equal(error_after_rst(conn_fin_wait_2(NULL), 1), ST_RESET);
    assert_int_equal(error_after_rst(conn_close_wait(NULL), 2), ST_RESET);
}

/* [RFC 9293 3.10.7.4 second] RST in CLOSING, LAST-ACK: the connection just ends */
TRACE(test_end_states)
{
    assert_int_equal(error_after_rst(conn_closing(NULL), 2), ST_OK);
    assert_int_equal(error_after_rst(conn_last_ack(NULL), 2), ST_OK);
}

/* [RFC 1337 3] RST in TIME-WAIT is ignored */
TRACE(test_time_wait)
{
    struct host *h = conn_time_wait(NULL);

    IN(h, RST, .seq = 2);
    STATE(h, "TIME_WAIT");
    COUNTED(h, drop_reset_time_wait, 1);
    host_free(h);
}

/* [RFC 9293 3.10.5] ABORT sends RST in synchronized states */
TRACE(test_abort)
{
    struct host *h = conn_established(NULL);

    host_write(h, 10);
    OUT(h, ACK, .len = 10);
    host_abort(h);
    OUT(h, RST | ACK, .seq = 11, .ack = 1);
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    host_free(h);
    h = conn_close_wait(NULL);
    host_abort(h);
    OUT(h, RST | ACK, .seq = 1, .ack = 2);
    host_free(h);
}

/* [RFC 9293 3.10.5] ABORT in SYN-SENT and TIME-WAIT is silent */
TRACE(test_abort_silent)
{
    struct host *h = conn_syn_sent(NULL);

    host_abort(h);
    NO_OUT(h);
    host_free(h);
    h = conn_time_wait(NULL);
    host_abort(h);
    NO_OUT(h);
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    host_free(h);
}

/* [RFC 2525 2.17] closing with unread data resets: the peer shall know that they were lost */
TRACE(test_close_unread)
{
    struct host *h = conn_established(NULL);

    IN(h, ACK, .seq = 1, .ack = 1, .len = 10);
    host_close(h);
    OUT(h, RST | ACK, .seq = 1, .ack = 11);
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    host_free(h);
}

/* [RFC 9293 3.6.1] data after CLOSE: RST, for nobody will read them */
TRACE(test_data_after_close)
{
    struct host *h = conn_established(NULL);

    host_close(h);
    OUT(h, FIN | ACK, .seq = 1, .ack = 1);
    IN(h, ACK, .seq = 1, .ack = 1, .len = 10);
    OUT(h, RST | ACK, .seq = 2);
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    COUNTED(h, drop_data_after_close, 1);
    host_free(h);
}

/* [RFC 9293 3.10.7.4 second] RST after CLOSE frees the connection */
TRACE(test_rst_after_close)
{
    struct host *h = conn_established(NULL);

    host_close(h);
    OUT(h, FIN | ACK, .seq = 1, .ack = 1);
    IN(h, RST, .seq = 1);
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    host_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closed),          cmocka_unit_test(test_exact),
        cmocka_unit_test(test_in_window),       cmocka_unit_test(test_out_of_window),
        cmocka_unit_test(test_zero_window),     cmocka_unit_test(test_reset_states),
        cmocka_unit_test(test_end_states),      cmocka_unit_test(test_time_wait),
        cmocka_unit_test(test_abort),           cmocka_unit_test(test_abort_silent),
        cmocka_unit_test(test_close_unread),    cmocka_unit_test(test_data_after_close),
        cmocka_unit_test(test_rst_after_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
