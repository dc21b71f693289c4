/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Traces about loss: retransmission timer, round-trip time, fast retransmit and recovery, congestion window.
 */
#include "testing/tcp_trace.h"

/** The host writes n full segments and they leave. */
static void send_segments(struct host *h, unsigned n)
{
    host_write(h, n * 1460);
    for (unsigned i = 0; i < n; i++)
        OUT(h, ACK, .len = 1460);
}

/* [RFC 6298 5.4] the first unacknowledged segment goes again when the timer expires; 5.5: backoff */
TRACE(test_timeout)
{
    struct host *h = conn_established(NULL);

    host_write(h, 100);
    OUT(h, ACK, .seq = 1, .len = 100);
    WAIT_MS(h, 199);
    NO_OUT(h);
    WAIT_MS(h, 1);
    OUT(h, ACK, .seq = 1, .len = 100);
    WAIT_MS(h, 400);
    OUT(h, ACK, .seq = 1, .len = 100);
    WAIT_MS(h, 799);
    NO_OUT(h);
    WAIT_MS(h, 1);
    OUT(h, ACK, .seq = 1, .len = 100);
    COUNTED(h, tx_timeouts, 3);
    COUNTED(h, tx_retransmits, 3);
    host_free(h);
}

/* [RFC 6298 5.2] all acknowledged: the timer stops; 5.3: new data acknowledged: it restarts */
TRACE(test_timer_restarts)
{
    struct host *h = conn_established(NULL);

    host_write(h, 100);
    WAIT_MS(h, 100);
    host_write(h, 100);
    assert_int_equal(host_discard(h), 2);
    WAIT_MS(h, 50);
    IN(h, ACK, .seq = 1, .ack = 101);
    WAIT_MS(h, 199);
    NO_OUT(h);
    IN(h, ACK, .seq = 1, .ack = 201);
    WAIT_MS(h, 60000);
    NO_OUT(h);
    host_free(h);
}

/* [RFC 6298 2.2] [RFC 6298 2.3] first and further round-trip times */
TRACE(test_rtt)
{
    struct host *h = conn_syn_sent(NULL);

    WAIT_MS(h, 100);
    IN(h, SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
    OUT(h, ACK);
    assert_int_equal(host_info(h).srtt_us, 100000);
    assert_int_equal(host_info(h).rttvar_us, 50000);
    assert_int_equal(host_info(h).rto_us, 300000);
    host_write(h, 10);
    OUT(h, ACK, .len = 10);
    WAIT_MS(h, 180);
    IN(h, ACK, .seq = 1, .ack = 11);
    assert_int_equal(host_info(h).srtt_us, 110000);
    assert_int_equal(host_info(h).rttvar_us, 57500);
    assert_int_equal(host_info(h).rto_us, 340000);
    host_free(h);
}

/* [RFC 6298 3] Karn: a segment that was sent again gives no sample; the backoff stays until one comes */
TRACE(test_karn)
{
    struct host *h = conn_established(NULL);

    host_write(h, 100);
    OUT(h, ACK, .len = 100);
    WAIT_MS(h, 200);
    OUT(h, ACK, .len = 100);
    IN(h, ACK, .seq = 1, .ack = 101);
    assert_int_equal(host_info(h).rto_us, 400000);
    host_write(h, 100);
    OUT(h, ACK, .len = 100);
    WAIT_MS(h, 1);
    IN(h, ACK, .seq = 1, .ack = 201);
    assert_int_equal(host_info(h).rto_us, 200000);
    host_free(h);
}

/* [RFC 6298 2.4] [RFC 6298 2.5] the timeout stays between 200 ms and 60 s */
TRACE(test_rto_bounds)
{
    struct host *h = conn_established(NULL);

    assert_int_equal(host_info(h).rto_us, 200000);
    host_write(h, 10);
    WAIT_MS(h, 300000);
    host_discard(h);
    STATE(h, "ESTABLISHED");
    assert_int_equal(host_info(h).rto_us, 60000000);
    host_free(h);
}

/* [RFC 9293 3.8.3] R2: after too many retransmissions the connection is given up with a reset */
TRACE(test_given_up)
{
    struct host *h = conn_established(NULL);

    host_write(h, 10);
    WAIT_MS(h, 1200000);
    STATE(h, "CLOSED");
    EVENTS(h, TCP_EV_ERROR);
    assert_int_equal(tcp_error(h->conn), ST_TIMED_OUT);
    assert_int_equal(host_discard(h), 1 + 15 + 1);
    host_free(h);
}

/* [RFC 9293 3.8.3] the user timeout ends a connection earlier; progress starts it anew */
TRACE(test_user_timeout)
{
    struct host *h = conn_established(&(struct host_opts){.user_timeout_us = 3 * SECOND});

    host_write(h, 10);
    WAIT_MS(h, 2000);
    host_write(h, 10);
    WAIT_MS(h, 500);
    IN(h, ACK, .seq = 1, .ack = 11);
    WAIT_MS(h, 2999);
    STATE(h, "ESTABLISHED");
    WAIT_MS(h, 1);
    STATE(h, "CLOSED");
    host_discard(h);
    host_free(h);
}

/* [RFC 6928 2] initial window of ten segments; a quiet connection never times out */
TRACE(test_initial_window)
{
    struct host *h = conn_established(NULL);

    host_write(h, 20 * 1460);
    for (unsigned i = 0; i < 10; i++)
        OUT(h, ACK, .seq = 1 + 1460 * i, .len = 1460);
    NO_OUT(h);
    IN(h, ACK, .seq = 1, .ack = 2921); /* RFC 5681 3.1: slow start */
    for (unsigned i = 0; i < 4; i++)
        OUT(h, ACK, .len = 1460);
    NO_OUT(h);
    host_free(h);
}

/* [RFC 5681 3.1] after a timeout: one segment, ssthresh half the flight; then slow start, go-back-N */
TRACE(test_loss_window)
{
    struct host *h = conn_established(NULL);

    send_segments(h, 10);
    WAIT_MS(h, 200);
    OUT(h, ACK, .seq = 1, .len = 1460);
    NO_OUT(h);
    assert_int_equal(host_info(h).cwnd, 1460);
    assert_int_equal(host_info(h).ssthresh, 5 * 1460);
    IN(h, ACK, .seq = 1, .ack = 1461);
    OUT(h, ACK, .seq = 1461, .len = 1460);
    OUT(h, ACK, .seq = 2921, .len = 1460);
    NO_OUT(h);
    IN(h, ACK, .seq = 1, .ack = 14601); /* the others had arrived */
    NO_OUT(h);
    assert_int_equal(tcp_write_pending(h->conn), 0);
    WAIT_MS(h, 60000);
    host_free(h);
}

/* [RFC 5681 3.1] a segment lost again by timeout does not lower ssthresh further */
TRACE(test_second_timeout)
{
    struct host *h = conn_established(NULL);

    send_segments(h, 10);
    WAIT_MS(h, 200);
    WAIT_MS(h, 400);
    assert_int_equal(host_discard(h), 2);
    assert_int_equal(host_info(h).ssthresh, 5 * 1460);
    host_free(h);
}

/* [RFC 5681 3.1] congestion avoidance: about one segment a round trip */
TRACE(test_congestion_avoidance)
{
    struct host *h = conn_established(NULL);
    seq_t acked = 1;

    send_segments(h, 10);
    WAIT_MS(h, 200); /* ssthresh is 5 segments now */
    host_discard(h);
    IN(h, ACK, .seq = 1, .ack = 14601);
    acked = 14601;
    for (unsigned round = 0; round < 12; round++) {
        unsigned n = 0;

        host_write(h, 40000);
        while (h->out_first) {
            OUT(h, ACK, .len = ANY);
            n++;
        }
        for (unsigned i = 0; i < n; i++) {
            acked += 1460;
            IN_MORE(h, ACK, .seq = 1, .ack = acked);
        }
    }
    assert_in_range(host_info(h).cwnd, 10 * 1460, 14 * 1460);
    host_discard(h);
    host_free(h);
}

/** n duplicate ACKs of seq 1. */
static void dupacks(struct host *h, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        IN(h, ACK, .seq = 1, .ack = 1);
}

/* [RFC 5681 3.2] the third duplicate ACK brings the lost segment again at once */
TRACE(test_fast_retransmit)
{
    struct host *h = conn_established(NULL);

    send_segments(h, 10);
    dupacks(h, 2);
    NO_OUT(h);
    dupacks(h, 1);
    OUT(h, ACK, .seq = 1, .len = 1460);
    NO_OUT(h);
    COUNTED(h, tx_fast_retransmits, 1);
    assert_int_equal(host_info(h).ssthresh, 5 * 1460);
    assert_int_equal(host_info(h).cwnd, 8 * 1460);
    dupacks(h, 2);
    assert_int_equal(host_info(h).cwnd, 10 * 1460); /* step 4: inflated */
    IN(h, ACK, .seq = 1, .ack = 14601);
    assert_int_equal(host_info(h).cwnd, 2 * 1460); /* RFC 6582 3.2 step 3: no burst from an empty pipe */
    host_free(h);
}

/* [RFC 5681 2] what is no duplicate ACK: with data, with another window, when nothing is in flight */
TRACE(test_no_duplicates)
{
    struct host *h = conn_established(NULL);

    dupacks(h, 5);
    send_segments(h, 4);
    for (unsigned i = 0; i < 5; i++)
        IN(h, ACK, .seq = 1, .ack = 1, .win = 60000 + i);
    for (unsigned i = 0; i < 5; i++)
        IN(h, ACK, .seq = 1 + i, .ack = 1, .len = 1, .win = 60004);
    COUNTED(h, rx_duplicate_acks, 0);
    COUNTED(h, tx_fast_retransmits, 0);
    NO_OUT(h);
    host_free(h);
}

/* [RFC 6582 3.2] partial ACKs: each hole is repaired without waiting, one a round trip */
TRACE(test_newreno)
{
    struct host *h = conn_established(NULL);

    send_segments(h, 10); /* the first, third and fifth are lost */
    dupacks(h, 7);
    OUT(h, ACK, .seq = 1, .len = 1460);
    host_write(h, 1460);
    OUT(h, ACK, .seq = 14601, .len = 1460); /* the inflated window lets new data go */
    IN(h, ACK, .seq = 1, .ack = 2921);
    OUT(h, ACK, .seq = 2921, .len = 1460);
    IN(h, ACK, .seq = 1, .ack = 5841);
    OUT(h, ACK, .seq = 5841, .len = 1460);
    NO_OUT(h);
    COUNTED(h, tx_fast_retransmits, 1);
    COUNTED(h, tx_retransmits, 3);
    IN(h, ACK, .seq = 1, .ack = 14601); /* full ACK */
    IN(h, ACK, .seq = 1, .ack = 16061);
    assert_int_equal(host_info(h).ssthresh, 5 * 1460);
    WAIT_MS(h, 60000);
    COUNTED(h, tx_timeouts, 0);
    host_free(h);
}

/* [RFC 6582 3.2] only the first partial ACK restarts the timer */
TRACE(test_partial_ack_timer)
{
    struct host *h = conn_established(NULL);

    send_segments(h, 10);
    dupacks(h, 3);
    OUT(h, ACK, .seq = 1, .len = 1460);
    WAIT_MS(h, 100);
    IN(h, ACK, .seq = 1, .ack = 1461);
    OUT(h, ACK, .seq = 1461, .len = 1460);
    WAIT_MS(h, 150);
    IN(h, ACK, .seq = 1, .ack = 2921);
    OUT(h, ACK, .seq = 2921, .len = 1460);
    WAIT_MS(h, 1000);
    assert_true(tcp_get_counters(h->tcp)->tx_timeouts >= 1);
    host_discard(h);
    host_free(h);
}

/* [RFC 6582 4] after a timeout, duplicate ACKs of what was in flight start no fast retransmit */
TRACE(test_no_fast_retransmit_after_timeout)
{
    struct host *h = conn_established(NULL);

    send_segments(h, 10);
    WAIT_MS(h, 200);
    OUT(h, ACK, .seq = 1, .len = 1460);
    dupacks(h, 9);
    COUNTED(h, tx_fast_retransmits, 0);
    IN(h, ACK, .seq = 1, .ack = 14601);
    NO_OUT(h);
    host_free(h);
}

/* [RFC 3042 2] the first two duplicate ACKs let one new segment go each */
TRACE(test_limited_transmit)
{
    struct host *h = conn_established(NULL);

    host_write(h, 14 * 1460);
    for (unsigned i = 0; i < 10; i++)
        OUT(h, ACK, .seq = 1 + 1460 * i, .len = 1460);
    dupacks(h, 1);
    OUT(h, ACK, .seq = 14601, .len = 1460);
    dupacks(h, 1);
    OUT(h, ACK, .seq = 16061, .len = 1460);
    dupacks(h, 1);
    OUT(h, ACK, .seq = 1, .len = 1460);
    NO_OUT(h);
    assert_int_equal(host_info(h).ssthresh, 5 * 1460); /* without the two */
    host_free(h);
}

/* [RFC 5681 4.1] after a pause longer than the timeout the window restarts at its initial size */
TRACE(test_idle_restart)
{
    struct host *h = conn_established(NULL);
    seq_t acked = 1;

    for (unsigned i = 0; i < 4; i++) {
        host_write(h, 20 * 1460);
        acked += host_discard(h) * 1460;
        IN(h, ACK, .seq = 1, .ack = acked);
    }
    while (h->out_first) {
        acked += host_discard(h) * 1460;
        IN(h, ACK, .seq = 1, .ack = acked);
    }
    assert_true(host_info(h).cwnd > 10 * 1460);
    WAIT_MS(h, 201);
    host_write(h, 10);
    OUT(h, ACK, .len = 10);
    assert_int_equal(host_info(h).cwnd, 10 * 1460);
    host_free(h);
}

/* [RFC 6298 5.1] no packet buffer free: nothing is lost, it goes when there is one */
TRACE(test_no_buffer)
{
    struct host *h = conn_established(NULL);

    h->pkts.limit = 2;
    host_write(h, 4 * 1460);
    OUT(h, ACK, .seq = 1, .len = 1460);
    OUT(h, ACK, .seq = 1461, .len = 1460);
    NO_OUT(h);
    assert_int_equal(tcp_next_deadline(h->tcp), 0);
    host_flush(h);
    OUT(h, ACK, .seq = 2921, .len = 1460);
    OUT(h, ACK, .seq = 4381, .len = 1460);
    COUNTED(h, tx_no_buffer, 1);
    h->pkts.limit = 0;
    host_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_timer_restarts),
        cmocka_unit_test(test_rtt),
        cmocka_unit_test(test_karn),
        cmocka_unit_test(test_rto_bounds),
        cmocka_unit_test(test_given_up),
        cmocka_unit_test(test_user_timeout),
        cmocka_unit_test(test_initial_window),
        cmocka_unit_test(test_loss_window),
        cmocka_unit_test(test_second_timeout),
        cmocka_unit_test(test_congestion_avoidance),
        cmocka_unit_test(test_fast_retransmit),
        cmocka_unit_test(test_no_duplicates),
        cmocka_unit_test(test_newreno),
        cmocka_unit_test(test_partial_ack_timer),
        cmocka_unit_test(test_no_fast_retransmit_after_timeout),
        cmocka_unit_test(test_limited_transmit),
        cmocka_unit_test(test_idle_restart),
        cmocka_unit_test(test_no_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
