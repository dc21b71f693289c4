/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reno: slow start and congestion avoidance of RFC 5681, counting bytes as RFC 3465 (L = 2), with the initial
 * window of RFC 6928. */
#include "tcp/tcp_cc.h"

#include "base/minmax.h"

uint32_t tcp_cc_initial_window(uint32_t mss)
{
    return min_u32(10 * mss, max_u32(2 * mss, 14600));
}

/** RFC 5681 equation (4). */
static uint32_t half_of(uint32_t flight, uint32_t mss)
{
    return max_u32(flight / 2, 2 * mss);
}

static void reno_init(struct tcp_cc *cc, uint32_t mss, bool syn_lost)
{
    cc->mss = mss;
    cc->cwnd = syn_lost ? mss : tcp_cc_initial_window(mss);
    cc->ssthresh = UINT32_MAX;
    cc->acked = 0;
}

static void reno_acked(struct tcp_cc *cc, uint32_t bytes)
{
    if (cc->cwnd < cc->ssthresh) {
        cc->cwnd += min_u32(bytes, 2 * cc->mss);
        return;
    }
    cc->acked += bytes;
    if (cc->acked >= cc->cwnd) {
        cc->acked -= cc->cwnd;
        cc->cwnd += cc->mss;
    }
}

static void reno_loss(struct tcp_cc *cc, uint32_t flight)
{
    cc->ssthresh = half_of(flight, cc->mss);
    cc->acked = 0;
}

static void reno_timeout(struct tcp_cc *cc, uint32_t flight, bool again)
{
    if (!again)
        cc->ssthresh = half_of(flight, cc->mss);
    cc->cwnd = cc->mss;
    cc->acked = 0;
}

/** RFC 5681 4.1 */
static void reno_idle(struct tcp_cc *cc)
{
    cc->cwnd = min_u32(cc->cwnd, tcp_cc_initial_window(cc->mss));
}

const struct tcp_cc_ops tcp_cc_reno = {
    .name = "reno",
    .init = reno_init,
    .acked = reno_acked,
    .loss = reno_loss,
    .timeout = reno_timeout,
    .idle = reno_idle,
};
