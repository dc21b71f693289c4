/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A storm of random segments, user calls and pauses, from every state: no forbidden transition, no wrong byte
 * in the stream, no leak, whatever arrives. A segment's bytes follow from its sequence number, as everywhere
 * in the traces; the numbers are drawn near the interesting places. */
#include <stdlib.h>

#include "base/prng.h"
#include "tcp/tcp_internal.h"
#include "testing/tcp_trace.h"

#if defined(__SANITIZE_ADDRESS__)
enum { RUNS = 200, STEPS = 400 };
#else
enum { RUNS = 2000, STEPS = 400 };
#endif

static struct host *(*const states[])(const struct host_opts *opts) = {
    conn_listen,   conn_syn_sent,   conn_syn_received, conn_established, conn_close_wait,
    conn_last_ack, conn_fin_wait_1, conn_fin_wait_2,   conn_closing,     conn_time_wait,
};

/** A sequence number around what the host expects. */
static int64_t near_seq(struct prng *g, uint64_t expected)
{
    static const int64_t offsets[] = {0,   0,    0,    0,     -1,    1,     2,      -100,
                                      100, 1460, 2920, -1460, 65535, 65536, 1 << 30};
    int64_t at = (int64_t)expected + offsets[prng_below(g, sizeof(offsets) / sizeof(offsets[0]))];

    return at < 0 ? 0 : at;
}

static void random_segment(struct prng *g, struct host *h)
{
    static const unsigned flags[] = {ACK, ACK,       ACK, ACK, FIN | ACK, ACK | PSH, SYN, SYN | ACK,
                                     RST, RST | ACK, FIN, 0,   SYN | FIN, URG | ACK, 0xff};
    static const int64_t lens[] = {0, 0, 0, 1, 10, 100, 536, 1460};
    uint64_t expected = h->conn ? h->conn->rcv_nxt - h->peer_iss : prng_below(g, 3);
    uint64_t acked = h->conn ? h->conn->snd_max - h->iss : prng_below(g, 3);

    if (prng_below(g, 3) == 0 && h->conn)
        acked = h->conn->snd_una - h->iss;
    host_in(h,
            SEG(flags[prng_below(g, sizeof(flags) / sizeof(flags[0]))], .seq = near_seq(g, expected),
                .ack = near_seq(g, acked), .len = lens[prng_below(g, sizeof(lens) / sizeof(lens[0]))],
                .win = (int64_t)prng_below(g, 4) * 21845, .mss = prng_below(g, 4) ? ANY : 1000,
                .urgent = (int64_t)prng_below(g, 65536)),
            prng_below(g, 4) == 0);
}

static void random_user(struct prng *g, struct host *h)
{
    struct tcp_conn *c;

    if (h->listener && tcp_listener_acceptable(h->listener) && tcp_accept(h->listener, h, &c) == ST_OK) {
        if (h->conn)
            tcp_abort(c, h->now_us);
        else
            h->conn = c;
        h->read = h->written = 0;
    }
    if (!h->conn)
        return;
    switch (prng_below(g, 40)) {
    case 0:
        tcp_shutdown_write(h->conn, h->now_us);
        break;
    case 1:
        host_close(h);
        break;
    case 2:
        host_abort(h);
        break;
    default:
        if (!h->read && tcp_connected(h->conn)) /* the storm's SYN need not have been number 0 */
            h->read = h->conn->irs - h->peer_iss;
        host_read(h, prng_below(g, 5000));
        host_write(h, prng_below(g, 3000));
    }
}

static void storm(uint64_t seed)
{
    struct prng g = {seed};
    struct host *h = states[seed % (sizeof(states) / sizeof(states[0]))](&(struct host_opts){
        .rcvbuf = prng_below(&g, 2) ? 65536 : 2048,
        .time_wait_us = prng_below(&g, 4) || seed % 10 == 9 ? SECOND : HOST_NO_TIME_WAIT,
        .user_timeout_us = prng_below(&g, 2) ? 30 * SECOND : UINT64_MAX,
        .nagle = prng_below(&g, 2),
    });

    for (unsigned i = 0; i < STEPS; i++) {
        random_segment(&g, h);
        random_user(&g, h);
        if (prng_below(&g, 10) == 0)
            WAIT_US(h, prng_below(&g, 300000));
        host_discard(h);
        assert_true(h->tcp->conns.in_use <= 2);
    }
    if (h->conn)
        host_close(h);
    WAIT_MS(h, 4 * 3600 * 1000); /* whatever is left ends by itself */
    host_discard(h);
    assert_int_equal(h->tcp->wheel.count, 0);
    assert_int_equal(tcp_num_conns(h->tcp), h->listener ? tcp_listener_acceptable(h->listener) : 0);
    host_free(h);
}

TRACE(test_storm)
{
    for (uint64_t seed = 1; seed <= RUNS; seed++)
        storm(seed);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_storm)};

    if (argc > 1) { /* one seed, for people who look for a bug */
        storm(strtoull(argv[1], NULL, 0));
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
