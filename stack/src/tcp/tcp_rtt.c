/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Round-trip time and retransmission timeout (RFC 6298).
 * A segment at a time is timed with the precision of the clock, never one that was sent again (Karn); when
 * none could be timed, the timestamp that the peer echoes gives a coarser sample (RFC 7323 4), but only the
 * echo of the last transmission: a duplicate that the peer had already is answered with an old one. */
#include "tcp/tcp_internal.h"

#define TS_TICK_US 1000u /* RFC 7323 5.4: between 1 ms and 1 s */

void tcp_rtt_init(struct tcp_conn *c)
{
    c->rto_us = TCP_RTO_INITIAL_US;
}

static uint32_t clamp_rto(uint64_t rto_us)
{
    if (rto_us < TCP_RTO_MIN_US)
        return TCP_RTO_MIN_US;
    return rto_us > TCP_RTO_MAX_US ? TCP_RTO_MAX_US : (uint32_t)rto_us;
}

/** RFC 6298 2.2 and 2.3 */
void tcp_rtt_sample(struct tcp_conn *c, uint64_t rtt_us)
{
    uint32_t r = rtt_us > TCP_RTO_MAX_US ? TCP_RTO_MAX_US : (uint32_t)rtt_us;
    uint32_t delta;

    if (!(c->flags & CF_RTT_VALID)) {
        c->srtt_us = r;
        c->rttvar_us = r / 2;
        c->flags |= CF_RTT_VALID;
    } else {
        delta = c->srtt_us > r ? c->srtt_us - r : r - c->srtt_us;
        c->rttvar_us = (uint32_t)((3ull * c->rttvar_us + delta) / 4);
        c->srtt_us = (uint32_t)((7ull * c->srtt_us + r) / 8);
    }
    c->rto_us = clamp_rto(c->srtt_us + (uint64_t)max_u32(TCP_CLOCK_GRANULARITY_US, 4 * c->rttvar_us));
}

/** RFC 6298 5.5; the next sample takes it back. */
void tcp_rtt_backoff(struct tcp_conn *c)
{
    c->rto_us = clamp_rto(2ull * c->rto_us);
    c->flags &= ~CF_RTT_TIMED;
}

uint32_t tcp_ts_now(const struct tcp_conn *c, uint64_t now_us)
{
    return (uint32_t)(now_us / TS_TICK_US) + c->ts_offset;
}

void tcp_rtt_acked(struct tcp_conn *c, const struct tcp_seg *s, uint64_t now_us)
{
    uint32_t ticks;

    if (c->flags & CF_RTT_TIMED) {
        if (seq_lt(s->ack, c->rtt_seq))
            return;
        c->flags &= ~CF_RTT_TIMED;
        tcp_rtt_sample(c, now_us - c->rtt_start_us);
        return;
    }
    if (!(c->flags & CF_TS_OK) || !s->hdr->opts.has_ts || !s->hdr->opts.ts_ecr)
        return;
    if (seq_lt(s->hdr->opts.ts_ecr, tcp_ts_now(c, c->last_rexmt_us)))
        return; /* the echo of an earlier transmission, or a stale one: ambiguous, as Karn would say */
    ticks = tcp_ts_now(c, now_us) - s->hdr->opts.ts_ecr;
    if (ticks <= TCP_RTO_MAX_US / TS_TICK_US) /* else the echo is nonsense */
        tcp_rtt_sample(c, (uint64_t)ticks * TS_TICK_US);
}
