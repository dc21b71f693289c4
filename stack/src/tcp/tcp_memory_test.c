/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Memory: bounded ranges, rings on demand and given back, nothing left at the end. These tests look inside.
 */
#include "tcp/tcp_internal.h"
#include "testing/tcp_trace.h"

/* [RFC 9293 3.10.7.4 seventh] ranges out of order are bounded; what does not fit comes again */
TRACE(test_range_limit)
{
    struct host *h = conn_established(NULL);

    for (unsigned i = 0; i < TCP_MAX_RANGES + 10; i++)
        IN(h, ACK, .seq = 101 + 200 * i, .ack = 1, .len = 100);
    host_discard(h);
    COUNTED(h, rx_out_of_order, TCP_MAX_RANGES);
    COUNTED(h, drop_ranges_full, 10);
    for (unsigned i = 0; i < TCP_MAX_RANGES; i++)
        IN(h, ACK, .seq = 1 + 200 * i, .ack = 1, .len = 100);
    host_discard(h);
    assert_int_equal(host_read(h, 65536), 200 * TCP_MAX_RANGES);
    assert_null(h->conn->reasm);
    assert_int_equal(h->tcp->reasms.in_use, 0);
    host_discard(h);
    host_free(h);
}

/* [RFC 9293 3.10.7.4 seventh] ranges that touch or overlap are one */
TRACE(test_ranges_melt)
{
    struct host *h = conn_established(NULL);

    IN(h, ACK, .seq = 301, .ack = 1, .len = 100);
    IN(h, ACK, .seq = 101, .ack = 1, .len = 100);
    IN(h, ACK, .seq = 501, .ack = 1, .len = 100);
    assert_int_equal(h->conn->reasm->count, 3);
    IN(h, ACK, .seq = 201, .ack = 1, .len = 100);
    assert_int_equal(h->conn->reasm->count, 2);
    IN(h, ACK, .seq = 150, .ack = 1, .len = 400);
    assert_int_equal(h->conn->reasm->count, 1);
    assert_int_equal(h->conn->reasm->range[0].left, h->peer_iss + 101);
    assert_int_equal(h->conn->reasm->range[0].right, h->peer_iss + 601);
    IN(h, ACK, .seq = 1, .ack = 1, .len = 100);
    assert_int_equal(host_read(h, 1000), 600);
    host_discard(h);
    host_free(h);
}

/** An idle connection owns no buffer and its block is small. */
TRACE(test_idle_memory)
{
    struct host *h = conn_established(NULL);

    assert_true(sizeof(struct tcp_conn) <= 512);
    assert_null(h->conn->snd.mem);
    assert_null(h->conn->rcv.mem);
    IN(h, ACK, .seq = 1, .ack = 1, .len = 100);
    host_write(h, 100);
    OUT(h, ACK, .len = 100);
    assert_non_null(h->conn->snd.mem);
    assert_non_null(h->conn->rcv.mem);
    assert_int_equal(host_read(h, 100), 100);
    IN(h, ACK, .seq = 101, .ack = 101);
    WAIT_MS(h, 2000);
    assert_null(h->conn->snd.mem);
    assert_null(h->conn->rcv.mem);
    IN(h, ACK, .seq = 101, .ack = 101, .len = 50); /* and it goes on */
    assert_int_equal(host_read(h, 100), 50);
    WAIT_MS(h, 40);
    OUT(h, ACK, .ack = 151);
    host_free(h);
}

/** Unread data stay when the rest of the memory is given back. */
TRACE(test_unread_stays)
{
    struct host *h = conn_established(NULL);

    IN(h, ACK, .seq = 1, .ack = 1, .len = 100);
    WAIT_MS(h, 5000);
    OUT(h, ACK, .ack = 101);
    assert_int_equal(host_read(h, 100), 100);
    host_free(h);
}

/** Ten thousand connections opened, used and closed both ways leave nothing behind. */
TRACE(test_no_leak)
{
    struct host *h = conn_listen(&(struct host_opts){.time_wait_us = 1000});

    for (unsigned i = 0; i < 10000; i++) {
        h->peer_port = (uint16_t)(1024 + i);
        h->written = h->read = 0;
        IN(h, SYN, .seq = 0, .mss = 1460);
        OUT(h, SYN | ACK);
        IN(h, ACK, .seq = 1, .ack = 1, .len = 64);
        host_accept(h);
        assert_int_equal(host_read(h, 100), 64);
        assert_int_equal(host_write(h, 64), 64);
        OUT(h, ACK, .ack = 65, .len = 64);
        if (i % 2) {
            host_close(h);
            OUT(h, FIN | ACK, .seq = 65);
            IN(h, FIN | ACK, .seq = 65, .ack = 66);
            OUT(h, ACK, .ack = 66);
        } else {
            IN(h, FIN | ACK, .seq = 65, .ack = 65);
            OUT(h, ACK, .ack = 66);
            host_close(h);
            OUT(h, FIN | ACK, .seq = 65);
            IN(h, ACK, .seq = 66, .ack = 66);
        }
        WAIT_MS(h, 2);
        h->log_len = 0;
    }
    assert_int_equal(tcp_num_conns(h->tcp), 0);
    assert_int_equal(h->tcp->flows.count, 0);
    assert_int_equal(h->tcp->wheel.count, 0);
    COUNTED(h, closed_clean, 10000);
    COUNTED(h, now_closed, 0);
    host_free(h);
}

/** The gauges tell how many connections are in each state. */
TRACE(test_gauges)
{
    struct host *h = conn_established(NULL);

    COUNTED(h, now_established, 1);
    IN(h, FIN | ACK, .seq = 1, .ack = 1);
    OUT(h, ACK);
    COUNTED(h, now_established, 0);
    COUNTED(h, now_close_wait, 1);
    host_abort(h);
    OUT(h, RST | ACK);
    COUNTED(h, now_close_wait, 0);
    COUNTED(h, now_closed, 0);
    host_free(h);
}

/** A transition that the table forbids changes nothing and is counted. */
TRACE(test_forbidden_transition)
{
    struct host *h = conn_established(NULL);

    tcp_set_state(h->conn, TCPS_TIME_WAIT);
    STATE(h, "ESTABLISHED");
    COUNTED(h, refused_transitions, 1);
    h->tcp->counters.refused_transitions = 0;
    host_free(h);
}

/** tcp_destroy() frees connections in any state. */
TRACE(test_destroy)
{
    struct host *h = conn_established(NULL);

    host_write(h, 1000);
    IN(h, ACK, .seq = 101, .ack = 1, .len = 100);
    host_discard(h);
    h->conn = NULL; /* host_free() shall not abort it */
    tcp_listen(h->tcp, (struct tcp_endpoint){0, 81}, 1, h, &(struct tcp_listener *){NULL});
    host_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_range_limit),
        cmocka_unit_test(test_ranges_melt),
        cmocka_unit_test(test_idle_memory),
        cmocka_unit_test(test_unread_stays),
        cmocka_unit_test(test_no_leak),
        cmocka_unit_test(test_gauges),
        cmocka_unit_test(test_forbidden_transition),
        cmocka_unit_test(test_destroy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
