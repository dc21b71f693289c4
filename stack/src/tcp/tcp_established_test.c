/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Traces in ESTABLISHED: acceptance test, ACK field, delayed ACKs, data in and out of order. */
#include "testing/tcp_trace.h"

/* [RFC 9293 3.10.7.4 seventh] text in order is delivered and acknowledged */
TRACE(test_receive)
{
    struct host *h = conn_established(NULL);

    IN(h, ACK, .seq = 1, .ack = 1, .len = 100);
    EVENTS(h, TCP_EV_READABLE);
    assert_int_equal(tcp_read_available(h->conn), 100);
    assert_int_equal(host_read(h, 1000), 100);
    WAIT_MS(h, 40);
    OUT(h, ACK, .seq = 1, .ack = 101, .win = 65435);
    host_free(h);
}

/* [RFC 9293 3.10.2] text is sent and freed when acknowledged */
TRACE(test_send)
{
    struct host *h = conn_established(NULL);

    assert_int_equal(host_write(h, 3000), 3000);
    OUT(h, ACK, .seq = 1, .len = 1460);
    OUT(h, ACK, .seq = 1461, .len = 1460);
    OUT(h, ACK, .seq = 2921, .len = 80);
    IN(h, ACK, .seq = 1, .ack = 1461);
    assert_int_equal(tcp_write_pending(h->conn), 1540);
    IN(h, ACK, .seq = 1, .ack = 3001);
    assert_int_equal(tcp_write_pending(h->conn), 0);
    WAIT_MS(h, 10000);
    host_free(h);
}

/* [RFC 9293 3.8.6.3] a delayed ACK waits no longer than 40 ms */
TRACE(test_delayed_ack)
{
    struct host *h = conn_established(NULL);

    IN(h, ACK, .seq = 1, .ack = 1, .len = 1460);
    WAIT_US(h, 39999);
    NO_OUT(h);
    WAIT_US(h, 1);
    OUT(h, ACK, .seq = 1, .ack = 1461);
    host_free(h);
}

/* [RFC 5681 4.2] at least every second full-sized segment is acknowledged */
TRACE(test_ack_every_second)
{
    struct host *h = conn_established(NULL);

    for (unsigned i = 0; i < 5; i++) {
        IN(h, ACK, .seq = 1 + 2920 * i, .ack = 1, .len = 1460);
        NO_OUT(h);
        IN(h, ACK, .seq = 1461 + 2920 * i, .ack = 1, .len = 1460);
        OUT(h, ACK, .ack = 2921 + 2920 * i);
    }
    host_free(h);
}

/* [RFC 9293 3.8.6.3] an ACK rides on data that leave before it is due */
TRACE(test_piggyback)
{
    struct host *h = conn_established(NULL);

    IN(h, ACK, .seq = 1, .ack = 1, .len = 64);
    assert_int_equal(host_read(h, 64), 64);
    assert_int_equal(host_write(h, 64), 64);
    OUT(h, ACK, .seq = 1, .ack = 65, .len = 64);
    IN(h, ACK, .seq = 65, .ack = 65);
    WAIT_MS(h, 10000);
    host_free(h);
}

/* [RFC 5681 4.2] out of order: an immediate duplicate ACK for each, an immediate ACK when a gap closes */
TRACE(test_out_of_order)
{
    struct host *h = conn_established(NULL);

    IN(h, ACK, .seq = 101, .ack = 1, .len = 100);
    OUT(h, ACK, .ack = 1);
    IN(h, ACK, .seq = 301, .ack = 1, .len = 100);
    OUT(h, ACK, .ack = 1);
    assert_int_equal(tcp_read_available(h->conn), 0);
    IN(h, ACK, .seq = 1, .ack = 1, .len = 100);
    OUT(h, ACK, .ack = 201);
    assert_int_equal(host_read(h, 1000), 200);
    IN(h, ACK, .seq = 201, .ack = 1, .len = 100);
    OUT(h, ACK, .ack = 401);
    assert_int_equal(host_read(h, 1000), 200);
    host_free(h);
}

/* [RFC 9293 3.10.7.4 seventh] overlapping segments: only what is new is taken */
TRACE(test_overlaps)
{
    struct host *h = conn_established(NULL);

    IN(h, ACK, .seq = 201, .ack = 1, .len = 100);
    OUT(h, ACK, .ack = 1);
    IN(h, ACK, .seq = 151, .ack = 1, .len = 200); /* around it */
    OUT(h, ACK, .ack = 1);
    IN(h, ACK, .seq = 340, .ack = 1, .len = 61); /* over its end */
    OUT(h, ACK, .ack = 1);
    IN(h, ACK, .seq = 1, .ack = 1, .len = 160); /* over its begin */
    OUT(h, ACK, .ack = 401);
    assert_int_equal(host_read(h, 1000), 400);
    IN(h, ACK, .seq = 301, .ack = 1, .len = 200); /* half old */
    WAIT_MS(h, 40);
    OUT(h, ACK, .ack = 501);
    assert_int_equal(host_read(h, 1000), 100);
    host_free(h);
}

/* [RFC 9293 3.10.7.4 first] an old duplicate is answered with an ACK and dropped */
TRACE(test_old_duplicate)
{
    struct host *h = conn_established(NULL);

    IN(h, ACK, .seq = 1, .ack = 1, .len = 100);
    WAIT_MS(h, 40);
    OUT(h, ACK, .ack = 101);
    IN(h, ACK, .seq = 1, .ack = 1, .len = 100);
    OUT(h, ACK, .seq = 1, .ack = 101);
    COUNTED(h, drop_out_of_window, 1);
    assert_int_equal(host_read(h, 1000), 100);
    host_free(h);
}

/* [RFC 9293 3.10.7.4 first] the acceptance test: length zero, window open */
TRACE(test_accept_empty)
{
    struct host *h = conn_established(&(struct host_opts){.rcvbuf = 4096});

    host_write(h, 30);
    OUT(h, ACK, .len = 30);
    IN(h, ACK, .seq = 0, .ack = 11); /* left of the window */
    OUT(h, ACK, .ack = 1);
    assert_int_equal(tcp_write_pending(h->conn), 30);
    IN(h, ACK, .seq = 4096, .ack = 11); /* last place in the window */
    assert_int_equal(tcp_write_pending(h->conn), 20);
    IN(h, ACK, .seq = 4097, .ack = 21); /* right of the window */
    OUT(h, ACK, .ack = 1);
    assert_int_equal(tcp_write_pending(h->conn), 20);
    IN(h, ACK, .seq = 1, .ack = 31);
    COUNTED(h, drop_out_of_window, 2);
    host_free(h);
}

/* [RFC 9293 3.10.7.4 first] the acceptance test: text that begins or ends in the window is cut to it */
TRACE(test_accept_text)
{
    struct host *h = conn_established(&(struct host_opts){.rcvbuf = 4096});

    IN(h, ACK, .seq = 4097, .ack = 1, .len = 10); /* all of it beyond */
    OUT(h, ACK, .ack = 1);
    COUNTED(h, drop_out_of_window, 1);
    IN(h, ACK, .seq = 4000, .ack = 1, .len = 200); /* the end beyond */
    OUT(h, ACK, .ack = 1);
    IN(h, ACK, .seq = 1, .ack = 1, .len = 1460);
    OUT(h, ACK, .ack = 1461);
    IN(h, ACK, .seq = 1461, .ack = 1, .len = 1460);
    OUT(h, ACK, .ack = 2921);
    IN(h, ACK, .seq = 2921, .ack = 1, .len = 1079);
    OUT(h, ACK, .ack = 4097, .win = 0);
    assert_int_equal(host_read(h, 10000), 4096);
    OUT(h, ACK, .ack = 4097, .win = 4096);
    host_free(h);
}

/* [RFC 5961 5.2] an ACK of what was never sent is challenged and dropped */
TRACE(test_ack_too_new)
{
    struct host *h = conn_established(NULL);

    host_write(h, 100);
    OUT(h, ACK, .len = 100);
    IN(h, ACK, .seq = 1, .ack = 102, .len = 10);
    OUT(h, ACK, .seq = 101, .ack = 1);
    assert_int_equal(tcp_read_available(h->conn), 0);
    COUNTED(h, drop_ack_too_new, 1);
    host_free(h);
}

/* [RFC 5961 5.2] an ACK older than the largest window is challenged and dropped; a younger one is ignored */
TRACE(test_ack_too_old)
{
    struct host *h = conn_established(&(struct host_opts){.win = 1000});

    for (unsigned i = 0; i < 3; i++) {
        host_write(h, 1000);
        OUT(h, ACK, .seq = 1 + 1000 * i, .len = 1000);
        IN(h, ACK, .seq = 1, .ack = 1001 + 1000 * i);
    }
    IN(h, ACK, .seq = 1, .ack = 2001, .len = 10); /* old, but its text is new */
    assert_int_equal(tcp_read_available(h->conn), 10);
    IN(h, ACK, .seq = 11, .ack = 2000, .len = 10);
    OUT(h, ACK, .ack = 11);
    assert_int_equal(tcp_read_available(h->conn), 10);
    COUNTED(h, drop_ack_too_old, 1);
    host_free(h);
}

/* [RFC 5961 7] challenge ACKs are limited in rate */
TRACE(test_challenge_limit)
{
    struct host *h = conn_established(NULL);

    for (unsigned i = 0; i < 50; i++)
        IN(h, ACK, .seq = 1, .ack = 1000);
    assert_int_equal(host_discard(h), 10);
    COUNTED(h, limited_acks, 40);
    WAIT_MS(h, 1000);
    IN(h, ACK, .seq = 1, .ack = 1000);
    OUT(h, ACK);
    host_free(h);
}

/* [RFC 9293 3.10.7.4 fifth] a segment without ACK is dropped */
TRACE(test_no_ack_bit)
{
    struct host *h = conn_established(NULL);

    IN(h, 0, .seq = 1, .len = 10);
    NO_OUT(h);
    assert_int_equal(tcp_read_available(h->conn), 0);
    COUNTED(h, drop_no_ack, 1);
    host_free(h);
}

/* [RFC 5961 4.2] SYN in the window: a challenge ACK, never a reset */
TRACE(test_syn_in_window)
{
    struct host *h = conn_established(NULL);

    IN(h, SYN, .seq = 100);
    OUT(h, ACK, .seq = 1, .ack = 1);
    IN(h, SYN | ACK, .seq = 0, .ack = 1);
    OUT(h, ACK, .seq = 1, .ack = 1);
    STATE(h, "ESTABLISHED");
    host_free(h);
}

/* [RFC 9293 3.8.5] the urgent pointer is ignored; urgent data are read as any other */
TRACE(test_urgent)
{
    struct host *h = conn_established(NULL);

    IN(h, ACK | URG, .seq = 1, .ack = 1, .len = 10, .urgent = 60000);
    assert_int_equal(host_read(h, 100), 10);
    IN(h, ACK | URG, .seq = 11, .ack = 1, .urgent = 1);
    WAIT_MS(h, 40);
    OUT(h, ACK, .ack = 11);
    host_free(h);
}

/* [RFC 9293 3.1] a segment with a wrong checksum is dropped */
TRACE(test_checksum)
{
    struct host *h = conn_established(NULL);

    IN(h, ACK, .seq = 1, .ack = 1, .len = 10, .bad_checksum = true);
    NO_OUT(h);
    assert_int_equal(tcp_read_available(h->conn), 0);
    COUNTED(h, drop_checksum, 1);
    host_free(h);
}

/* [RFC 9293 3.4] sequence numbers wrap around in both directions, in and out of order */
TRACE(test_wrap)
{
    struct host *h = conn_established(&(struct host_opts){.peer_iss = 0xfffffff0u});

    IN(h, ACK, .seq = 101, .ack = 1, .len = 100);
    OUT(h, ACK, .ack = 1);
    IN(h, ACK, .seq = 1, .ack = 1, .len = 100);
    OUT(h, ACK, .ack = 201);
    assert_int_equal(host_read(h, 1000), 200);
    IN(h, ACK, .seq = 1, .ack = 1, .len = 100);
    OUT(h, ACK, .ack = 201);
    host_free(h);
}

/* [RFC 9293 3.8.4] a keep-alive probe of the peer is answered */
TRACE(test_peer_keepalive)
{
    struct host *h = conn_established(NULL);

    IN(h, ACK, .seq = 0, .ack = 1);
    OUT(h, ACK, .seq = 1, .ack = 1);
    IN(h, ACK, .seq = 0, .ack = 1, .len = 1);
    OUT(h, ACK, .seq = 1, .ack = 1);
    host_free(h);
}

/* [RFC 9293 3.10.3] reading: peek leaves the bytes, nothing there says so */
TRACE(test_read_calls)
{
    struct host *h = conn_established(NULL);
    char buf[16];
    size_t got;

    assert_int_equal(tcp_read(h->conn, buf, sizeof(buf), false, h->now_us, &got), ST_AGAIN);
    IN(h, ACK, .seq = 1, .ack = 1, .len = 10);
    assert_int_equal(tcp_read(h->conn, buf, 0, false, h->now_us, &got), ST_OK);
    assert_int_equal(got, 0);
    assert_int_equal(tcp_read(h->conn, buf, sizeof(buf), true, h->now_us, &got), ST_OK);
    assert_int_equal(got, 10);
    assert_int_equal(host_read(h, 100), 10);
    assert_false(tcp_readable(h->conn));
    WAIT_MS(h, 40);
    OUT(h, ACK, .ack = 11);
    host_free(h);
}

/* [RFC 9293 3.10.2] a full send buffer takes no more and tells when there is room */
TRACE(test_send_buffer_full)
{
    struct host *h = conn_established(&(struct host_opts){.sndbuf = 4096});
    size_t put;

    assert_int_equal(host_write(h, 5000), 4096);
    assert_false(tcp_writable(h->conn));
    assert_int_equal(tcp_write(h->conn, "x", 1, h->now_us, &put), ST_AGAIN);
    EVENTS(h, 0);
    assert_int_equal(host_discard(h), 3);
    IN(h, ACK, .seq = 1, .ack = 1461);
    EVENTS(h, TCP_EV_WRITABLE);
    assert_int_equal(host_write(h, 5000), 1460);
    OUT(h, ACK, .seq = 4097, .len = 1460);
    host_free(h);
}

/* [RFC 9293 3.10.2] a send buffer filled to the last byte by a write that was taken whole also tells */
TRACE(test_send_buffer_exactly_full)
{
    struct host *h = conn_established(&(struct host_opts){.sndbuf = 4096});

    assert_int_equal(host_write(h, 4096), 4096);
    assert_int_equal(host_discard(h), 3);
    IN(h, ACK, .seq = 1, .ack = 1461);
    EVENTS(h, TCP_EV_WRITABLE);
    host_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_receive),          cmocka_unit_test(test_send),
        cmocka_unit_test(test_delayed_ack),      cmocka_unit_test(test_ack_every_second),
        cmocka_unit_test(test_piggyback),        cmocka_unit_test(test_out_of_order),
        cmocka_unit_test(test_overlaps),         cmocka_unit_test(test_old_duplicate),
        cmocka_unit_test(test_accept_empty),     cmocka_unit_test(test_accept_text),
        cmocka_unit_test(test_ack_too_new),      cmocka_unit_test(test_ack_too_old),
        cmocka_unit_test(test_challenge_limit),  cmocka_unit_test(test_no_ack_bit),
        cmocka_unit_test(test_syn_in_window),    cmocka_unit_test(test_urgent),
        cmocka_unit_test(test_checksum),         cmocka_unit_test(test_wrap),
        cmocka_unit_test(test_peer_keepalive),   cmocka_unit_test(test_read_calls),
        cmocka_unit_test(test_send_buffer_full), cmocka_unit_test(test_send_buffer_exactly_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
