/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Traces about options: MSS, window scale, timestamps with PAWS, and peers without any of them. */
#include "testing/tcp_trace.h"

/* [RFC 9293 3.7.1] our MSS follows from the MTU; the peer's bounds what we send */
TRACE(test_mss)
{
    struct host *h = conn_listen(&(struct host_opts){.mtu = 9000});

    IN(h, SYN, .seq = 0, .mss = 1000);
    OUT(h, SYN | ACK, .mss = 8960);
    IN(h, ACK, .seq = 1, .ack = 1);
    host_accept(h);
    host_write(h, 1500);
    OUT(h, ACK, .seq = 1, .len = 1000);
    OUT(h, ACK, .seq = 1001, .len = 500);
    host_free(h);
}

/* [RFC 9293 3.7.1 MUST-15] no MSS option: 536 bytes */
TRACE(test_no_mss)
{
    struct host *h = conn_established(&(struct host_opts){.no_mss = true});

    host_write(h, 600);
    OUT(h, ACK, .seq = 1, .len = 536);
    OUT(h, ACK, .seq = 537, .len = 64);
    host_free(h);
}

/* [RFC 9293 3.7.1] an absurd MSS does not make us send headers only */
TRACE(test_tiny_mss)
{
    struct host *h = conn_established(&(struct host_opts){.mss = 1, .ts = true});

    host_write(h, 52);
    OUT(h, ACK, .seq = 1, .len = 52);
    host_free(h);
}

/* [RFC 6691 2] options count against the MSS */
TRACE(test_mss_and_timestamps)
{
    struct host *h = conn_established(&(struct host_opts){.ts = true});

    assert_int_equal(host_info(h).mss, 1448);
    host_write(h, 1460);
    OUT(h, ACK, .seq = 1, .len = 1448);
    OUT(h, ACK, .seq = 1449, .len = 12);
    host_free(h);
}

/* [RFC 7323 1.3] options of the SYN-ACK answer those of the SYN: a peer without any gets the MSS only */
TRACE(test_plain_peer)
{
    struct host *h = conn_listen(&(struct host_opts){.rcvbuf = 1 << 20});

    IN(h, SYN, .seq = 0, .no_opts = true);
    OUT(h, SYN | ACK, .mss = 1460, .wscale = -2, .ts_val = -2, .win = 65535);
    IN(h, ACK, .seq = 1, .ack = 1);
    host_accept(h);
    host_write(h, 10);
    OUT(h, ACK, .len = 10, .no_opts = true, .win = 65535);
    host_free(h);
}

/* [RFC 7323 2.2] we offer window scale and timestamps, and use them when the peer agrees */
TRACE(test_offer)
{
    struct host *h = host_new(&(struct host_opts){.rcvbuf = 1 << 20});

    host_connect(h);
    OUT(h, SYN, .mss = 1460, .wscale = 5, .ts_ecr = 0, .win = 65535);
    h->ts_on = true;
    IN(h, SYN | ACK, .seq = 0, .ack = 1, .mss = 1460, .wscale = 3, .ts_val = 5555);
    OUT(h, ACK, .seq = 1, .ack = 1, .ts_ecr = 5555, .wscale = -2, .win = 1 << (20 - 5));
    IN(h, ACK, .seq = 1, .ack = 1, .win = 1000, .ts_val = 5556);
    assert_int_equal(host_info(h).snd_wnd, 8000);
    host_free(h);
}

/* [RFC 7323 2.2] the peer does not scale: neither do we, though we offered */
TRACE(test_offer_declined)
{
    struct host *h = host_new(&(struct host_opts){.rcvbuf = 1 << 20});

    host_connect(h);
    OUT(h, SYN, .wscale = 5);
    IN(h, SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
    OUT(h, ACK, .seq = 1, .win = 65535, .no_opts = true);
    IN(h, ACK, .seq = 1, .ack = 1, .win = 1000);
    assert_int_equal(host_info(h).snd_wnd, 1000);
    host_free(h);
}

/* [RFC 7323 2.2] the window of a SYN is never scaled */
TRACE(test_syn_window)
{
    struct host *h = conn_listen(&(struct host_opts){.rcvbuf = 1 << 20});

    IN(h, SYN, .seq = 0, .mss = 1460, .wscale = 4, .win = 2000);
    OUT(h, SYN | ACK, .wscale = 5, .win = 65535);
    IN(h, ACK, .seq = 1, .ack = 1, .win = 2000);
    host_accept(h);
    assert_int_equal(host_info(h).snd_wnd, 32000);
    host_free(h);
}

/* [RFC 7323 2.3] a shift beyond 14 counts as 14 */
TRACE(test_wscale_limit)
{
    struct host *h = conn_listen(NULL);

    IN(h, SYN, .seq = 0, .mss = 1460, .wscale = 200);
    OUT(h, SYN | ACK);
    IN(h, ACK, .seq = 1, .ack = 1, .win = 3);
    host_accept(h);
    assert_int_equal(host_info(h).snd_wnd, 3 << 14);
    host_free(h);
}

/* [RFC 7323 2.4] scaling rounds the window field down, yet the right edge that was promised stays valid */
TRACE(test_rounded_window)
{
    struct host *h = conn_listen(&(struct host_opts){.rcvbuf = 1 << 20, .win = 5000});
    unsigned edge = 1 + 65535; /* of the SYN-ACK */

    IN(h, SYN, .seq = 0, .mss = 1460, .wscale = 0);
    OUT(h, SYN | ACK, .wscale = 5, .win = 65535);
    IN(h, ACK, .seq = 1, .ack = 1);
    host_accept(h);
    IN(h, ACK, .seq = edge - 10, .ack = 1, .len = 10); /* the last bytes of the promise */
    OUT(h, ACK, .ack = 1);
    COUNTED(h, rx_out_of_order, 1);
    COUNTED(h, drop_out_of_window, 0);
    host_free(h);
}

/* [RFC 7323 3.2] both sides agreed: every segment carries timestamps and echoes the peer's */
TRACE(test_timestamps)
{
    struct host *h = conn_established(&(struct host_opts){.ts = true});

    IN(h, ACK, .seq = 1, .ack = 1, .len = 10, .ts_val = 70000);
    WAIT_MS(h, 40);
    OUT(h, ACK, .ack = 11, .ts_ecr = 70000);
    host_write(h, 10);
    OUT(h, ACK, .len = 10, .ts_ecr = 70000);
    host_free(h);
}

/* [RFC 7323 4.3] the timestamp echoed is that of the segment at the left edge, not of one out of order */
TRACE(test_ts_recent)
{
    struct host *h = conn_established(&(struct host_opts){.ts = true});

    IN(h, ACK, .seq = 11, .ack = 1, .len = 10, .ts_val = 70002);
    OUT(h, ACK, .ack = 1, .ts_ecr = 1000);
    IN(h, ACK, .seq = 1, .ack = 1, .len = 10, .ts_val = 70001);
    OUT(h, ACK, .ack = 21, .ts_ecr = 70001);
    host_free(h);
}

/* [RFC 7323 5.3] PAWS: an old timestamp is answered with an ACK and dropped */
TRACE(test_paws)
{
    struct host *h = conn_established(&(struct host_opts){.ts = true});

    IN(h, ACK, .seq = 1, .ack = 1, .len = 10, .ts_val = 70000);
    WAIT_MS(h, 40);
    OUT(h, ACK, .ack = 11);
    IN(h, ACK, .seq = 11, .ack = 1, .len = 10, .ts_val = 69999);
    OUT(h, ACK, .ack = 11);
    assert_int_equal(tcp_read_available(h->conn), 10);
    COUNTED(h, drop_paws, 1);
    IN(h, ACK, .seq = 11, .ack = 1, .len = 10, .ts_val = 70000);
    assert_int_equal(tcp_read_available(h->conn), 20);
    WAIT_MS(h, 40);
    OUT(h, ACK, .ack = 21);
    host_free(h);
}

/* [RFC 7323 5.3] PAWS does not look at RST */
TRACE(test_paws_rst)
{
    struct host *h = conn_established(&(struct host_opts){.ts = true});

    IN(h, RST, .seq = 1, .ts_val = 1);
    STATE(h, "CLOSED");
    host_free(h);
}

/* [RFC 7323 5.5] after 24 days of silence TS.Recent means nothing */
TRACE(test_paws_outdated)
{
    struct host *h = conn_established(&(struct host_opts){.ts = true});

    WAIT_MS(h, 25ull * 24 * 3600 * 1000);
    IN(h, ACK, .seq = 1, .ack = 1, .len = 10, .ts_val = 1);
    assert_int_equal(tcp_read_available(h->conn), 10);
    COUNTED(h, drop_paws, 0);
    WAIT_MS(h, 40);
    OUT(h, ACK, .ts_ecr = 1);
    host_free(h);
}

/* [RFC 7323 3.2] segments without the timestamps agreed on are still used (a box may have cut them off) */
TRACE(test_missing_timestamps)
{
    struct host *h = conn_established(&(struct host_opts){.ts = true});

    h->ts_on = false;
    IN(h, ACK, .seq = 1, .ack = 1, .len = 10);
    assert_int_equal(host_read(h, 100), 10);
    WAIT_MS(h, 40);
    OUT(h, ACK, .ack = 11);
    STATE(h, "ESTABLISHED");
    host_free(h);
}

/* [RFC 7323 4.1] round-trip time from the echoed timestamp when the segment itself was sent twice */
TRACE(test_rttm)
{
    struct host *h = conn_established(&(struct host_opts){.ts = true});

    host_write(h, 10);
    OUT(h, ACK, .len = 10);
    WAIT_MS(h, 200);
    OUT(h, ACK, .len = 10);
    WAIT_MS(h, 80);
    IN(h, ACK, .seq = 1, .ack = 11); /* echoes the second */
    assert_int_equal(host_info(h).srtt_us, 10000);
    assert_int_equal(host_info(h).rto_us, 200000);
    host_free(h);
}

/* [RFC 9293 3.1 MUST-7] malformed options: no endless loop, the segment is still used */
TRACE(test_bad_option_length)
{
    static const uint8_t bad[][4] = {
        {2, 0, 5, 180}, {2, 1, 5, 180}, {254, 255, 0, 0}, {8, 3, 1, 1}, {3, 0, 0, 0}};
    struct host *h = conn_listen(&(struct host_opts){.backlog = 16});

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        host_in_options(h, SYN, bad[i], sizeof(bad[i]));
        OUT(h, SYN | ACK, .ack = 1, .mss = 1460);
        h->peer_port++;
    }
    host_free(h);
}

/* Known gaps, for the conformance table: */
/* [RFC 2018] not supported: selective acknowledgments */
/* [RFC 3168] not supported: explicit congestion notification */
/* [RFC 4987 3.6] not supported: SYN cookies */
/* [RFC 5682] not supported: F-RTO */
/* [RFC 6675] not supported: recovery by selective acknowledgments */
/* [RFC 7413] not supported: fast open */
/* [RFC 8985] not supported: RACK and tail loss probes */
/* [RFC 9293 3.8.4] not supported: sending keep-alives (those of the peer are answered) */
/* [RFC 9293 3.7.5] not supported: IPv6 jumbograms */
/* [RFC 9293 3.9.2.2] not supported: ICMP errors for established connections, path MTU discovery */
/* [RFC 9438] not supported: CUBIC */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mss),
        cmocka_unit_test(test_no_mss),
        cmocka_unit_test(test_tiny_mss),
        cmocka_unit_test(test_mss_and_timestamps),
        cmocka_unit_test(test_plain_peer),
        cmocka_unit_test(test_offer),
        cmocka_unit_test(test_offer_declined),
        cmocka_unit_test(test_syn_window),
        cmocka_unit_test(test_wscale_limit),
        cmocka_unit_test(test_rounded_window),
        cmocka_unit_test(test_timestamps),
        cmocka_unit_test(test_ts_recent),
        cmocka_unit_test(test_paws),
        cmocka_unit_test(test_paws_rst),
        cmocka_unit_test(test_paws_outdated),
        cmocka_unit_test(test_missing_timestamps),
        cmocka_unit_test(test_rttm),
        cmocka_unit_test(test_bad_option_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
