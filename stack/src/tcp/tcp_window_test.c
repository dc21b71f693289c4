/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Traces about windows: flow control both ways, silly window avoidance, Nagle, zero-window probes. */
#include "testing/tcp_trace.h"

/* [RFC 9293 3.8.6] no more than the peer's window is sent; an update lets the rest go */
TRACE(test_peer_window)
{
    struct host *h = conn_established(&(struct host_opts){.win = 2920});

    host_write(h, 10000);
    OUT(h, ACK, .seq = 1, .len = 1460);
    OUT(h, ACK, .seq = 1461, .len = 1460);
    NO_OUT(h);
    IN(h, ACK, .seq = 1, .ack = 2921, .win = 4000);
    OUT(h, ACK, .seq = 2921, .len = 1460);
    OUT(h, ACK, .seq = 4381, .len = 1460);
    NO_OUT(h); /* the 1080 bytes left are no full segment (3.8.6.2.1) */
    IN(h, ACK, .seq = 1, .ack = 5841, .win = 65535);
    OUT(h, ACK, .seq = 5841, .len = 1460);
    OUT(h, ACK, .seq = 7301, .len = 1460);
    OUT(h, ACK, .seq = 8761, .len = 1240);
    host_free(h);
}

/* [RFC 9293 3.10.7.4 fifth] an older segment does not change SND.WND (SND.WL1, SND.WL2) */
TRACE(test_old_window_update)
{
    struct host *h = conn_established(&(struct host_opts){.win = 1000});

    host_write(h, 10);
    host_write(h, 10);
    assert_int_equal(host_discard(h), 2);
    IN(h, ACK, .seq = 11, .ack = 21, .win = 3000); /* newest SEG.SEQ */
    assert_int_equal(host_info(h).snd_wnd, 3000);
    IN(h, ACK, .seq = 1, .ack = 21, .win = 100); /* older SEG.SEQ */
    assert_int_equal(host_info(h).snd_wnd, 3000);
    IN(h, ACK, .seq = 11, .ack = 11, .win = 100); /* older SEG.ACK */
    assert_int_equal(host_info(h).snd_wnd, 3000);
    IN(h, ACK, .seq = 11, .ack = 21, .win = 2000); /* the same again: newer */
    assert_int_equal(host_info(h).snd_wnd, 2000);
    host_free(h);
}

/* [RFC 9293 3.7.4] Nagle: a small segment waits while another is unacknowledged */
TRACE(test_nagle)
{
    struct host *h = conn_established(&(struct host_opts){.nagle = true});

    host_write(h, 10);
    OUT(h, ACK, .seq = 1, .len = 10);
    host_write(h, 10);
    host_write(h, 10);
    NO_OUT(h);
    IN(h, ACK, .seq = 1, .ack = 11);
    OUT(h, ACK, .seq = 11, .len = 20);
    host_write(h, 1470); /* a full segment need not wait, its rest does */
    OUT(h, ACK, .seq = 31, .len = 1460);
    NO_OUT(h);
    host_shutdown(h); /* nothing can be added any more */
    OUT(h, FIN | ACK, .seq = 1491, .len = 10);
    host_free(h);
}

/* [RFC 9293 3.7.4] Nagle can be switched off, and what waited then goes */
TRACE(test_no_delay)
{
    struct host *h = conn_established(&(struct host_opts){.nagle = true});

    host_write(h, 10);
    OUT(h, ACK, .seq = 1, .len = 10);
    host_write(h, 10);
    NO_OUT(h);
    tcp_set_no_delay(h->conn, true, h->now_us);
    host_flush(h);
    OUT(h, ACK, .seq = 11, .len = 10);
    host_write(h, 5);
    OUT(h, ACK, .seq = 21, .len = 5);
    host_free(h);
}

/* [RFC 9293 3.8.6.2.1] a window of less than a segment: half of the largest seen may be used at once */
TRACE(test_sws_half_window)
{
    struct host *h = conn_established(&(struct host_opts){.win = 1000});

    host_write(h, 5000);
    OUT(h, ACK, .seq = 1, .len = 1000);
    IN(h, ACK, .seq = 1, .ack = 1001, .win = 500);
    OUT(h, ACK, .seq = 1001, .len = 500);
    IN(h, ACK, .seq = 1, .ack = 1501, .win = 499);
    NO_OUT(h);
    host_free(h);
}

/* [RFC 9293 3.8.6.2.1] the override timeout sends what a small window takes */
TRACE(test_sws_override)
{
    struct host *h = conn_established(&(struct host_opts){.win = 1000});

    host_write(h, 5000);
    OUT(h, ACK, .seq = 1, .len = 1000);
    IN(h, ACK, .seq = 1, .ack = 1001, .win = 100);
    WAIT_MS(h, 199);
    NO_OUT(h);
    WAIT_MS(h, 1);
    OUT(h, ACK, .seq = 1001, .len = 100);
    IN(h, ACK, .seq = 1, .ack = 1101, .win = 1000);
    OUT(h, ACK, .seq = 1101, .len = 1000);
    host_free(h);
}

/* [RFC 9293 3.8.6.1] a closed window is probed with one byte of new data, at growing intervals */
TRACE(test_probe)
{
    struct host *h = conn_established(&(struct host_opts){.win_zero = true});

    host_write(h, 100);
    NO_OUT(h);
    WAIT_MS(h, 199);
    NO_OUT(h);
    WAIT_MS(h, 1);
    OUT(h, ACK, .seq = 1, .len = 1);
    IN(h, ACK, .seq = 1, .ack = 1, .win = 0);
    WAIT_MS(h, 399);
    NO_OUT(h);
    WAIT_MS(h, 1);
    OUT(h, ACK, .seq = 1, .len = 1);
    IN(h, ACK, .seq = 1, .ack = 2, .win = 0); /* the peer took the byte */
    WAIT_MS(h, 200);
    OUT(h, ACK, .seq = 2, .len = 1);
    IN(h, ACK, .seq = 1, .ack = 2, .win = 1000); /* and opens */
    OUT(h, ACK, .seq = 2, .len = 99);
    COUNTED(h, tx_probes, 3);
    host_free(h);
}

/* [RFC 9293 3.8.6.1 MUST-37] the window update was lost: the probe repairs the stall */
TRACE(test_probe_after_lost_update)
{
    struct host *h = conn_established(&(struct host_opts){.win = 1000});

    host_write(h, 1500);
    OUT(h, ACK, .seq = 1, .len = 1000);
    IN(h, ACK, .seq = 1, .ack = 1001, .win = 0);
    WAIT_MS(h, 200);
    OUT(h, ACK, .seq = 1001, .len = 1);
    IN(h, ACK, .seq = 1, .ack = 1002, .win = 1000);
    OUT(h, ACK, .seq = 1002, .len = 499);
    host_free(h);
}

/* [RFC 9293 3.8.6.1 MUST-37] as long as probes are answered, the connection stays: here for a day */
TRACE(test_probe_for_ever)
{
    struct host *h = conn_established(&(struct host_opts){.win_zero = true, .user_timeout_us = 30 * SECOND});

    host_write(h, 100);
    for (unsigned i = 0; i < 24 * 3600; i++) {
        WAIT_MS(h, 1000);
        if (host_discard(h))
            IN(h, ACK, .seq = 1, .ack = 1, .win = 0);
    }
    STATE(h, "ESTABLISHED");
    assert_true(tcp_get_counters(h->tcp)->tx_probes > 24 * 50);
    host_free(h);
}

/* [RFC 9293 3.8.3] probes that nobody answers end the connection */
TRACE(test_probe_unanswered)
{
    struct host *h = conn_established(&(struct host_opts){.win_zero = true, .user_timeout_us = 30 * SECOND});

    host_write(h, 100);
    WAIT_MS(h, 30000);
    STATE(h, "ESTABLISHED");
    WAIT_MS(h, 60000);
    STATE(h, "CLOSED");
    assert_int_equal(tcp_error(h->conn), ST_TIMED_OUT);
    host_discard(h);
    host_free(h);
}

/* [RFC 9293 3.8.6.1] the FIN waits for the window too, and is probed with */
TRACE(test_probe_fin)
{
    struct host *h = conn_established(&(struct host_opts){.win_zero = true});

    host_shutdown(h);
    NO_OUT(h);
    WAIT_MS(h, 200);
    OUT(h, FIN | ACK, .seq = 1);
    IN(h, ACK, .seq = 1, .ack = 2, .win = 0);
    STATE(h, "FIN_WAIT_2");
    host_free(h);
}

/* [RFC 9293 3.6] a connection without user does not probe for ever, even when answered */
TRACE(test_probe_orphan)
{
    struct host *h = conn_established(&(struct host_opts){.win_zero = true, .user_timeout_us = 30 * SECOND});

    host_write(h, 100);
    host_close(h);
    for (unsigned i = 0; i < 200 && tcp_num_conns(h->tcp); i++) {
        WAIT_MS(h, 1000);
        if (host_discard(h) && tcp_num_conns(h->tcp))
            IN(h, ACK, .seq = 1, .ack = 1, .win = 0);
    }
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    host_free(h);
}

/* [RFC 9293 3.8.6.2.1] a peer that shrinks its window below what is in flight: nothing new, no harm */
TRACE(test_shrunk_window)
{
    struct host *h = conn_established(&(struct host_opts){.win = 4380});

    host_write(h, 10000);
    assert_int_equal(host_discard(h), 3);
    IN(h, ACK, .seq = 1, .ack = 1461, .win = 1000);
    NO_OUT(h);
    IN(h, ACK, .seq = 1, .ack = 4381, .win = 0);
    NO_OUT(h);
    WAIT_MS(h, 200);
    OUT(h, ACK, .seq = 4381, .len = 1);
    host_free(h);
}

/* [RFC 9293 3.8.6.2.2] the receiver's window shrinks with what is unread and its right edge stands still */
TRACE(test_our_window)
{
    struct host *h = conn_established(&(struct host_opts){.rcvbuf = 8192});

    IN(h, ACK, .seq = 1, .ack = 1, .len = 1460);
    IN(h, ACK, .seq = 1461, .ack = 1, .len = 1460);
    OUT(h, ACK, .ack = 2921, .win = 8192 - 2920);
    assert_int_equal(host_read(h, 1000), 1000); /* less than a segment: no update, no wider window */
    NO_OUT(h);
    IN(h, ACK, .seq = 2921, .ack = 1, .len = 1460);
    WAIT_MS(h, 40);
    OUT(h, ACK, .ack = 4381, .win = 8192 - 4380);
    assert_int_equal(host_read(h, 2920), 2920); /* two segments and a quarter of the buffer: an update */
    OUT(h, ACK, .ack = 4381, .win = 8192 - 4380 + 3920);
    host_free(h);
}

/* [RFC 9293 3.8.6.2.2] a window that was closed opens by at least a segment or half the buffer */
TRACE(test_reopen)
{
    struct host *h = conn_established(&(struct host_opts){.rcvbuf = 1024});

    IN(h, ACK, .seq = 1, .ack = 1, .len = 1024);
    WAIT_MS(h, 40);
    OUT(h, ACK, .ack = 1025, .win = 0);
    assert_int_equal(host_read(h, 511), 511);
    NO_OUT(h);
    assert_int_equal(host_read(h, 1), 1);
    OUT(h, ACK, .ack = 1025, .win = 512);
    host_free(h);
}

/* [RFC 9293 3.8.6.1] the peer probes our closed window: its byte is dropped, its ACK is used */
TRACE(test_peer_probes)
{
    struct host *h = conn_established(&(struct host_opts){.rcvbuf = 1024});

    host_write(h, 10);
    OUT(h, ACK, .len = 10);
    IN(h, ACK, .seq = 1, .ack = 1, .len = 1024);
    WAIT_MS(h, 40);
    OUT(h, ACK, .ack = 1025, .win = 0);
    IN(h, ACK, .seq = 1025, .ack = 11, .len = 1);
    OUT(h, ACK, .seq = 11, .ack = 1025, .win = 0);
    assert_int_equal(tcp_write_pending(h->conn), 0);
    assert_int_equal(tcp_read_available(h->conn), 1024);
    COUNTED(h, drop_zero_window, 1);
    assert_int_equal(host_read(h, 1024), 1024);
    OUT(h, ACK, .ack = 1025, .win = 1024);
    IN(h, ACK, .seq = 1025, .ack = 11, .len = 1);
    assert_int_equal(host_read(h, 10), 1);
    WAIT_MS(h, 40);
    OUT(h, ACK, .ack = 1026);
    host_free(h);
}

/* [RFC 9293 3.8.6] a send buffer that is filled and drained many times keeps every byte in its place */
TRACE(test_full_buffer_many_times)
{
    struct host *h = conn_established(&(struct host_opts){.sndbuf = 1024, .win = 700});
    seq_t acked = 1;

    for (unsigned i = 0; i < 500; i++) {
        host_write(h, 1 + i % 1300);
        host_discard(h); /* OUT() elsewhere; here only the oracle of the stream counts */
        acked += 1 + i * 7 % 300;
        if (acked > h->written + 1)
            acked = (seq_t)h->written + 1;
        IN(h, ACK, .seq = 1, .ack = acked);
        while (h->out_first)
            OUT(h, ACK, .ack = 1, .len = ANY);
    }
    assert_true(h->written > 50000);
    host_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peer_window),
        cmocka_unit_test(test_old_window_update),
        cmocka_unit_test(test_nagle),
        cmocka_unit_test(test_no_delay),
        cmocka_unit_test(test_sws_half_window),
        cmocka_unit_test(test_sws_override),
        cmocka_unit_test(test_probe),
        cmocka_unit_test(test_probe_after_lost_update),
        cmocka_unit_test(test_probe_for_ever),
        cmocka_unit_test(test_probe_unanswered),
        cmocka_unit_test(test_probe_fin),
        cmocka_unit_test(test_probe_orphan),
        cmocka_unit_test(test_shrunk_window),
        cmocka_unit_test(test_our_window),
        cmocka_unit_test(test_reopen),
        cmocka_unit_test(test_peer_probes),
        cmocka_unit_test(test_full_buffer_many_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
